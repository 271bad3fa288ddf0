"""Gaussians cut to intervals, one per entry of an array: mass, density and draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

__all__ = ["between", "log_density", "log_mass"]

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def log_mass(low: Any, high: Any, mean: Any, sd: Any) -> Any:
    """log P(low < X < high) of X ~ N(mean, sd^2); -inf where low >= high."""
    a, b = _in_lower_tail((low - mean) / sd, (high - mean) / sd)[:2]
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(ndtr(b) - ndtr(a), 0))


def log_density(x: Any, mean: Any, sd: Any) -> Any:
    """log N(x; mean, sd^2)."""
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - _HALF_LOG_2_PI


def between(u: Any, low: Any, high: Any, mean: Any, sd: Any) -> Any:
    """The quantile at u in [0, 1) of N(mean, sd^2) cut to [low, high]."""
    a, b, flipped = _in_lower_tail((low - mean) / sd, (high - mean) / sd)
    z = ndtri(ndtr(a) + np.where(flipped, 1 - u, u) * (ndtr(b) - ndtr(a)))
    return np.clip(mean + sd * np.where(flipped, -z, z), low, high)


def _in_lower_tail(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The interval (a, b), mirrored where it lies in the upper tail, where the distribution function has no digits left."""
    flipped = a > 0
    return np.where(flipped, -b, a), np.where(flipped, -a, b), flipped
