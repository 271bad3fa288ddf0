"""Differences between discriminators, or other methods, that met the same problems with the same seeds."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, SeedLike, share, whole
from turinglearn.streams import as_seed

__all__ = ["holm", "mean_interval", "paired_interval", "sign_flip_test"]

_EXACT = 14  # differences, at most, of which every sign pattern is enumerated
_BLOCK = 2**20  # signs drawn at a time

Name = TypeVar("Name", bound=Hashable)


def mean_interval(values: ArrayLike, *, level: float = 0.95, skewed: bool = False, extra_error: float = 0.0) -> Interval:
    """Compute Student's (1908) interval of the mean of independent values, such as one per seed.

    For skewed values, such as squared errors and divergences, Student's interval ends too early on the side of the rare large
    ones. With T = (mean - μ) / s and the skewness γ of the values, in Fisher's estimate, the cubic transformation (Hall 1992)::

        g(T) = T + γ T² / 3 + γ² T³ / 27 + γ / 6n,    g⁻¹(z) = 3 [∛(1 + γ (z - γ / 6n)) - 1] / γ,                        (1)

    removes the skewness, and the interval is from mean - s g⁻¹(t / √n) to mean - s g⁻¹(-t / √n). As such values have heavy
    tails, s² has as many degrees of freedom as their kurtosis κ gives it (Satterthwaite 1946)::

        ν = 2 E(s²)² / Var(s²) = 2 n / (κ - 1 + 2 / (n - 1)), at most n - 1.                                         (2)

    Parameters
    ----------
    values : array-like of shape (n,)
        Independent values, n >= 2.
    level : float
        Confidence level.
    skewed : bool
        Whether to correct for the skewness of the values.
    extra_error : float
        Standard error of another, independent source, by which the interval is widened in proportion.

    Returns
    -------
    Interval
    """
    x, level = _one_per_seed(values, "values"), share(level, "level")
    n, middle = len(x), float(x.sum()) / len(x)
    centred = x - middle
    deviation = math.sqrt(float(centred @ centred) / (n - 1))
    alone = deviation / math.sqrt(n)
    error = math.hypot(alone, extra_error)
    t = float(stdtrit(degrees_of_freedom(x) if skewed else n - 1, (1 + level) / 2))
    skewness = 0.0
    if skewed and n > 2 and deviation > 0:
        skewness = n * n / ((n - 1) * (n - 2)) * float(((centred / deviation) ** 3).mean())
    if abs(skewness) < 1e-6:  # (1) tends to Student's
        return Interval(middle, middle - t * error, middle + t * error, error)
    ends = np.array([t, -t]) / math.sqrt(n)
    margins = deviation * 3 * (np.cbrt(1 + skewness * (ends - skewness / (6 * n))) - 1) / skewness * error / alone
    return Interval(middle, middle - float(margins[0]), middle - float(margins[1]), error)


def degrees_of_freedom(values: Floats) -> float:
    """Return (2), the degrees of freedom of the variance of values (n,) by their kurtosis."""
    n, spread = len(values), float(values.std())
    kurtosis = float((((values - values.mean()) / spread) ** 4).mean()) if spread > 0 else 3.0
    return float(min(n - 1.0, 2 * n / (kurtosis - 1 + 2 / (n - 1))))


def paired_interval(values: ArrayLike, control: ArrayLike, *, level: float = 0.95) -> Interval:
    """Compute Student's interval of the mean of values - control, paired by common random numbers.

    Pairing removes the effect that a seed has on both. A nan, from a failed run, is refused: decide first what a failure
    counts as (see `completion`).

    Parameters
    ----------
    values, control : array-like of shape (n,)
        One value per seed, of the same seeds in the same order.
    level : float
        Confidence level.

    Returns
    -------
    Interval
    """
    return mean_interval(_differences(values, control), level=level)


def sign_flip_test(values: ArrayLike, control: ArrayLike, *, flips: int = 10_000, random_state: SeedLike = None) -> float:
    """Test the hypothesis that values - control are symmetric about 0, two-sided by their mean.

    Of up to 14 pairs all 2ⁿ sign patterns are enumerated. Of more, a random `flips` of them beside the observed one,
    p = (1 + b) / (1 + flips) (Phipson and Smyth 2010). The test is exact: its size is at most the level at every n (Fisher
    1935).

    Parameters
    ----------
    values, control : array-like of shape (n,)
        One value per seed, of the same seeds in the same order.
    flips : int
        Number of random sign patterns.
    random_state : int, numpy generator or None
        Seed of the patterns; None for fresh entropy.

    Returns
    -------
    float
        The p-value.
    """
    d = _differences(values, control)
    observed = abs(d.sum()) * (1 - 1e-12)  # sums in another order differ by rounding
    if len(d) <= _EXACT:
        signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
        return float(np.mean(np.abs(signs @ d) >= observed))
    flips, rng, larger, left = whole(flips, "flips"), np.random.default_rng(as_seed(random_state)), 0, flips
    while left > 0:
        rows = min(left, max(1, _BLOCK // len(d)))
        signs = 2 * rng.integers(0, 2, (rows, len(d))) - 1
        larger += int(np.sum(np.abs(signs @ d) >= observed))
        left -= rows
    return (1 + larger) / (1 + flips)


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Adjust the p-values of a family of hypotheses for multiple testing (Holm 1979).

    Rejecting those with an adjusted p-value of at most α keeps the probability of any false rejection in the family at α,
    whatever the dependence. Declare the family before looking at results.

    Parameters
    ----------
    p_values : mapping of names to float
        p-value of each hypothesis.

    Returns
    -------
    dict of names to float
        Adjusted p-values, in the same order.
    """
    for name, p in p_values.items():
        if not 0 <= p <= 1:
            raise ValueError(f"The p-value of {name!r} is {p}; expected a number from 0 to 1. Leave out what was not tested.")
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def _differences(values: ArrayLike, control: ArrayLike) -> Floats:
    """Return values - control, one per seed, or raise a ValueError."""
    ours, theirs = _one_per_seed(values, "values"), _one_per_seed(control, "control")
    if len(ours) != len(theirs):
        raise ValueError(f"There are {len(ours)} values and {len(theirs)} of the control; expected one of each for a seed.")
    return ours - theirs


def _one_per_seed(values: ArrayLike, name: str) -> Floats:
    """Return values as an array (n,), n >= 2, or raise a ValueError."""
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"{name} has shape {x.shape}; expected (n,) with one value for each of at least 2 seeds.")
    if not np.isfinite(x).all():
        raise ValueError(
            f"{name} has {int(np.sum(~np.isfinite(x)))} values that are not finite; expected a number for each seed. "
            "Decide what a failure counts as: see completion."
        )
    return x
