"""Gaussians truncated to intervals, one per entry of an array: mass, density and samples."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri

from turinglearn.generators.common import Booleans, Floats

__all__ = ["log_density", "log_mass", "sample_truncated_normal"]

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def log_mass(low: Floats, high: Floats, mean: Floats, sd: Floats) -> Floats:
    """Compute log P(low < X < high) of X ~ N(mean, sd^2); -inf where low >= high."""
    a, b = _in_lower_tail((low - mean) / sd, (high - mean) / sd)[:2]
    with np.errstate(divide="ignore"):
        mass: Floats = np.log(np.maximum(ndtr(b) - ndtr(a), 0))
    return mass


def log_density(x: Floats, mean: Floats, sd: Floats) -> Floats:
    """Compute log N(x; mean, sd^2)."""
    density: Floats = -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - _HALF_LOG_2_PI
    return density


def sample_truncated_normal(u: Floats, low: Floats, high: Floats, mean: Floats, sd: Floats) -> Floats:
    """Compute the quantile at u in [0, 1) of N(mean, sd^2) truncated to [low, high]."""
    a, b, flipped = _in_lower_tail((low - mean) / sd, (high - mean) / sd)
    z = ndtri(ndtr(a) + np.where(flipped, 1 - u, u) * (ndtr(b) - ndtr(a)))
    quantile: Floats = np.clip(mean + sd * np.where(flipped, -z, z), low, high)
    return quantile


def _in_lower_tail(a: Floats, b: Floats) -> tuple[Floats, Floats, Booleans]:
    """Mirror the interval (a, b) where it lies in the upper tail, in which the distribution function has no digits left."""
    flipped = a > 0
    return np.where(flipped, -b, a), np.where(flipped, -a, b), flipped
