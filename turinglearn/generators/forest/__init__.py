"""Adversarial random forests: as a generator, and as a density estimator."""

from turinglearn.generators.forest.generator import ForestGenerator

__all__ = ["ForestGenerator"]
