"""Intervals for what a set of independent replicates says together, where no single replicate has a value of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import stdtrit

from turinglearn.bias.contrasts import degrees_of_freedom, mean_interval
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import share, whole

__all__ = ["jackknife", "jackknife_of"]

_LARGEST = 709.0  # whose exponential a float can hold

Statistic = Callable[[Any], float]


def jackknife(
    statistic: Statistic,
    replicates: int,
    *,
    level: float = 0.95,
    log: bool = False,
    skewed: bool = False,
    also: float = 0.0,
) -> Interval:
    """Interval of a statistic of R independent replicates by leaving out one at a time.

    statistic(kept) is computed on the replicates with the indices kept, an integer array. With θ on all and θ₍ᵣ₎ without r,

        θᵣ = R θ - (R - 1) θ₍ᵣ₎,    value = mean θᵣ,    s² = Σ (θᵣ - value)² / (R (R - 1)),                          (1)

    and the interval is value ± t s with R - 1 degrees of freedom (Tukey 1958). The mean of the pseudo-values (1) takes a bias
    of order 1/R out of a plug-in statistic, and leaves U-statistics what they are (Quenouille 1956). log: the interval is that
    of log θ, with pseudo-values of its own, for what is positive and whose error grows with its size, such as a variance. As
    these have heavy tails, s² counts for as many degrees of freedom as their kurtosis κ leaves it (Satterthwaite 1946),

        ν = 2 E(s²)² / Var(s²) = 2 R / (κ - 1 + 2 / (R - 1)), at most R - 1.                                          (2)

    skewed: the skewness of the pseudo-values is taken out, as in `mean_interval`, for what may as well be 0 or negative.
    also: a standard error of another, independent source, such as finitely many points, which s² takes in; it is on the
    scale of θ.

    Where the statistic is not positive on all and on all but one, log is passed over. ValueError for fewer than three
    replicates, or where the statistic is not finite.
    """
    level, n = share(level, "level"), whole(replicates, "replicates", least=3)
    everyone = np.arange(n)
    theta = _number(statistic, everyone)
    without = np.array([_number(statistic, np.delete(everyone, r)) for r in everyone])
    return jackknife_of(theta, without, level=level, log=log, skewed=skewed, also=also)


def jackknife_of(
    theta: float, without: Any, *, level: float = 0.95, log: bool = False, skewed: bool = False, also: float = 0.0
) -> Interval:
    """`jackknife` of a statistic that is known already, on all replicates and without each of them, (R,)."""
    n = len(without)
    value = float(np.mean(n * theta - (n - 1) * without))  # (1)
    tail = (1 + level) / 2
    if log and min(value, theta, *without) > 0:
        pseudo = n * math.log(theta) - (n - 1) * np.log(without)
        middle, error = float(pseudo.mean()), math.sqrt(pseudo.var(ddof=1) / n + (also / theta) ** 2)
        t = float(stdtrit(degrees_of_freedom(pseudo), tail))
        low, high = (math.exp(min(end, _LARGEST)) for end in (middle - t * error, middle + t * error))
        return Interval(value, min(value, low), max(value, high), value * error)
    return mean_interval(n * theta - (n - 1) * without, level=level, skewed=skewed, also=also)


def _number(statistic: Statistic, kept: Any) -> float:
    value = float(statistic(kept))
    if not math.isfinite(value):
        raise ValueError(
            f"The statistic is {value} on {len(kept)} replicates; expected a finite number on all and on all but one. "
            "Leave out replicates that failed, and report how many did."
        )
    return value
