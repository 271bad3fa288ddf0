"""Metrics of the distance between fakes and real data. Compare with real samples that were held out from training."""

from __future__ import annotations

from turinglearn.metrics.coverage import ModeCoverage, mode_coverage
from turinglearn.metrics.distances import energy_distance, mmd
from turinglearn.metrics.frechet import frechet_distance
from turinglearn.metrics.gap import DualityGap, duality_gap
from turinglearn.metrics.intervals import Interval, interval
from turinglearn.metrics.neighbours import (
    Memorisation,
    PrecisionRecall,
    authenticity,
    memorisation,
    precision_recall,
)
from turinglearn.metrics.transport import sliced_wasserstein, wasserstein
from turinglearn.metrics.two_sample import TwoSampleTest, two_sample_test

__all__ = [
    "DualityGap",
    "Interval",
    "Memorisation",
    "ModeCoverage",
    "PrecisionRecall",
    "TwoSampleTest",
    "authenticity",
    "duality_gap",
    "energy_distance",
    "frechet_distance",
    "interval",
    "memorisation",
    "mmd",
    "mode_coverage",
    "precision_recall",
    "sliced_wasserstein",
    "two_sample_test",
    "wasserstein",
]
