"""An interval for the squared length of a mean, which an average of products of distinct replicates estimates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import share

__all__ = ["squared_mean_interval"]


def squared_mean_interval(value: float, errors: Any, *, level: float = 0.95, also: float = 0.0) -> Interval:
    """Interval for b = |E e|², estimated by value, from independent e_r in errors (R, N), |e|² being the mean over N.

    The mean of ⟨e_r, e_s⟩ over r ≠ s is unbiased and has, whatever the law of e with covariance Σ, the variance

        v(b) = 4 b λ / R + 2 tr Σ² / (R (R - 1)),    λ = ⟨E e, Σ E e⟩ / |E e|²                                   (1)

    (Hoeffding 1948), which grows with b: value ± t √v(value) would end too early above. The interval holds the b with

        (value - b)² <= t² (v(b) + also²),                                                                       (2)

    as Wilson's (1927) for a proportion, with R - 1 degrees of freedom, λ from the sample and tr Σ² by Srivastava's (2005)
    estimator. It may reach below 0, as value may. also: the standard error of another, independent source.
    """
    n, points = errors.shape
    t = float(student_t.ppf((1 + share(level, "level")) / 2, n - 1))
    mean = errors.mean(axis=0)
    around = errors - mean
    gram = around @ around.T / points
    along, length = around @ mean / points, float(mean @ mean) / points
    steepness = float(along @ along) / (n - 1) / length if length > 0 else 0.0  # λ
    trace, squares = float(np.trace(gram)) / (n - 1), float((gram**2).sum()) / (n - 1) ** 2
    squares = max(0.0, (n - 1) ** 2 / ((n - 2) * (n + 1)) * (squares - trace**2 / (n - 1)))  # tr Σ²
    rising, constant = 4 * steepness / n, 2 * squares / (n * (n - 1)) + also**2  # (1)
    middle = value + t * t * rising / 2
    margin = math.sqrt(max(0.0, middle**2 - value**2 + t * t * constant))  # the roots of (2)
    error = math.sqrt(max(0.0, rising * max(value, 0.0) + constant))
    return Interval(value, min(value, middle - margin), max(value, middle + margin), error)
