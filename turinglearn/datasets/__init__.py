"""Real data without a download: distributions with known density, and tables that ship with scikit-learn."""

from __future__ import annotations

from turinglearn.datasets.densities import KnownDistribution, Mixture, Moons, gaussian, grid, mixture, moons, ring
from turinglearn.datasets.distributions import Banana, Bits, StudentT, banana, bits, student_t
from turinglearn.datasets.quantiles import GAndK, g_and_k, g_and_k_quantile
from turinglearn.datasets.tables import SplitTable, breast_cancer, digits, wine

__all__ = [
    "Banana",
    "Bits",
    "GAndK",
    "KnownDistribution",
    "Mixture",
    "Moons",
    "SplitTable",
    "StudentT",
    "banana",
    "bits",
    "breast_cancer",
    "digits",
    "g_and_k",
    "g_and_k_quantile",
    "gaussian",
    "grid",
    "mixture",
    "moons",
    "ring",
    "student_t",
    "wine",
]
