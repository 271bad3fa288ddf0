"""Genuine data without a network: problems whose law is known, and tables that ship with scikit-learn."""

from __future__ import annotations

from turinglearn.datasets.densities import Mixture, Moons, Problem, gaussian, grid, mixture, moons, ring
from turinglearn.datasets.laws import Banana, Bits, StudentT, banana, bits, student_t
from turinglearn.datasets.quantiles import GAndK, g_and_k, g_and_k_quantile
from turinglearn.datasets.tables import Table, breast_cancer, digits, wine

__all__ = [
    "Banana",
    "Bits",
    "GAndK",
    "Mixture",
    "Moons",
    "Problem",
    "StudentT",
    "Table",
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
