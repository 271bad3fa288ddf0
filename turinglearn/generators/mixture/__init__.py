"""Mixtures of Gaussians."""

from turinglearn.generators.mixture.generator import MixtureGenerator

__all__ = ["MixtureGenerator"]
