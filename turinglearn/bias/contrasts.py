"""Whether one contestant differs from another, where both met the same problems with the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import stdtrit

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import share, whole
from turinglearn.protocols import Array
from turinglearn.streams import as_seed

__all__ = ["holm", "mean_interval", "paired_interval", "sign_flip_test"]

_EXACT = 14  # differences, at most, of which every sign pattern is looked at
_BLOCK = 2**20  # signs drawn at a time


def mean_interval(values: Array, *, level: float = 0.95, skewed: bool = False, also: float = 0.0) -> Interval:
    """Student's (1908) interval of the mean of independent values (n,), n >= 2, such as one per seed.

    skewed: corrected for the skewness γ of the values, in Fisher's estimate, for such as squared errors and divergences, whose
    rare large ones Student's interval ends short of. With T = (mean - μ) / s, the cubic transformation (Hall 1992)

        g(T) = T + γ T² / 3 + γ² T³ / 27 + γ / 6n,    g⁻¹(z) = 3 [∛(1 + γ (z - γ / 6n)) - 1] / γ,                        (1)

    takes the skewness out, and the interval is from mean - s g⁻¹(t / √n) to mean - s g⁻¹(-t / √n). As such values have heavy
    tails, s² counts for as many degrees of freedom as their kurtosis κ leaves it (Satterthwaite 1946),

        ν = 2 E(s²)² / Var(s²) = 2 n / (κ - 1 + 2 / (n - 1)), at most n - 1.                                         (2)

    also: the standard error of
    another, independent source, by which the interval is widened in proportion.
    """
    values, level = _one_per_seed(values, "values"), share(level, "level")
    n, middle = len(values), float(values.sum()) / len(values)
    from_middle = values - middle
    deviation = math.sqrt(float(from_middle @ from_middle) / (n - 1))
    alone = deviation / math.sqrt(n)
    error = math.hypot(alone, also)
    t = float(stdtrit(degrees_of_freedom(values) if skewed else n - 1, (1 + level) / 2))
    skewness = 0.0
    if skewed and n > 2 and deviation > 0:
        skewness = n * n / ((n - 1) * (n - 2)) * float(((from_middle / deviation) ** 3).mean())
    if abs(skewness) < 1e-6:  # (1) tends to Student's
        return Interval(middle, middle - t * error, middle + t * error, error)
    ends = np.array([t, -t]) / math.sqrt(n)
    moved = deviation * 3 * (np.cbrt(1 + skewness * (ends - skewness / (6 * n))) - 1) / skewness * error / alone
    return Interval(middle, middle - float(moved[0]), middle - float(moved[1]), error)


def degrees_of_freedom(values: Any) -> float:
    """(2): those of the variance of values (n,) by their kurtosis."""
    n, spread = len(values), float(values.std())
    kurtosis = float((((values - values.mean()) / spread) ** 4).mean()) if spread > 0 else 3.0
    return float(min(n - 1.0, 2 * n / (kurtosis - 1 + 2 / (n - 1))))


def paired_interval(values: Array, control: Array, *, level: float = 0.95) -> Interval:
    """Student's interval of the mean of values - control, both (n,), one per seed, paired by common random numbers.

    Pairing takes out what a seed does to both. Where either is nan, because a run failed, the pair is refused: decide
    first what a failure counts for (see `completion`).
    """
    return mean_interval(_differences(values, control), level=level)


def sign_flip_test(values: Array, control: Array, *, flips: int = 10_000, random_state: Any = None) -> float:
    """p-value of the hypothesis that values - control, both (n,), are symmetric about 0, two-sided by their mean.

    Of up to 14 pairs all 2ⁿ sign patterns are looked at; of more, a random `flips` of them beside the one that was seen,
    p = (1 + b) / (1 + flips) (Phipson & Smyth 2010). Exact: its size is at most the level at every n (Fisher 1935).
    """
    d = _differences(values, control)
    seen = abs(d.sum()) * (1 - 1e-12)  # sums in another order differ by rounding
    if len(d) <= _EXACT:
        signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
        return float(np.mean(np.abs(signs @ d) >= seen))
    flips, rng, larger, left = whole(flips, "flips"), np.random.default_rng(as_seed(random_state)), 0, flips
    while left > 0:
        rows = min(left, max(1, _BLOCK // len(d)))
        signs = 2 * rng.integers(0, 2, (rows, len(d))) - 1
        larger += int(np.sum(np.abs(signs @ d) >= seen))
        left -= rows
    return (1 + larger) / (1 + flips)


def holm(p_values: Mapping[Any, float]) -> dict[Any, float]:
    """Adjusted p-values of a family of hypotheses, in the order in which they were given.

    Rejecting those at most α keeps the chance of any false rejection in the family at α, whatever the dependence (Holm 1979).
    Declare the family before looking.
    """
    for name, p in p_values.items():
        if not 0 <= p <= 1:
            raise ValueError(f"The p-value of {name!r} is {p}; expected a number from 0 to 1. Leave out what was not tested.")
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def _differences(values: Array, control: Array) -> Any:
    values, control = _one_per_seed(values, "values"), _one_per_seed(control, "control")
    if len(values) != len(control):
        raise ValueError(f"There are {len(values)} values and {len(control)} of the control; expected one of each for a seed.")
    return values - control


def _one_per_seed(values: Array, name: str) -> Any:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name} has shape {values.shape}; expected (n,) with one value for each of at least 2 seeds.")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} has {int(np.sum(~np.isfinite(values)))} values that are not finite; expected a number for each seed. "
            "Decide what a failure counts for: see completion."
        )
    return values
