"""Measures of how far counterfeits are from genuine data. Give them genuine data that no player has seen."""

from __future__ import annotations

from turinglearn.metrics.coverage import ModeCoverage, mode_coverage
from turinglearn.metrics.distances import energy_distance, mmd

__all__ = ["ModeCoverage", "energy_distance", "mmd", "mode_coverage"]
