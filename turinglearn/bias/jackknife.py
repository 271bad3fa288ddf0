"""Jackknife: intervals for statistics of a set of independent replicates, where no replicate has a value of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from turinglearn.bias.contrasts import degrees_of_freedom, mean_interval
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, Integers, share, whole

__all__ = ["jackknife", "jackknife_of"]

_LARGEST = 709.0  # whose exponential a float can hold

Statistic = Callable[[Integers], float]


def jackknife(
    statistic: Statistic,
    replicates: int,
    *,
    level: float = 0.95,
    log: bool = False,
    skewed: bool = False,
    extra_error: float = 0.0,
) -> Interval:
    """Compute an interval of a statistic of R independent replicates by leaving out one at a time.

    With the statistic θ on all replicates and θ₍ᵣ₎ without r::

        θᵣ = R θ - (R - 1) θ₍ᵣ₎,    value = mean θᵣ,    s² = Σ (θᵣ - value)² / (R (R - 1)),                          (1)

    and the interval is value ± t s with R - 1 degrees of freedom (Tukey 1958). The mean of the pseudo-values (1) removes a
    bias of order 1/R from a plug-in statistic, and does not change U-statistics (Quenouille 1956). Pseudo-values of log θ
    have heavy tails, so that s² has as many degrees of freedom as their kurtosis κ gives it (Satterthwaite 1946)::

        ν = 2 E(s²)² / Var(s²) = 2 R / (κ - 1 + 2 / (R - 1)), at most R - 1.                                          (2)

    Parameters
    ----------
    statistic : callable
        Function of the indices of the replicates to use, an integer array, that returns a number.
    replicates : int
        Number R of replicates, at least 3.
    level : float
        Confidence level.
    log : bool
        Whether the interval is that of log θ, with pseudo-values of its own; for statistics that are positive and whose error
        grows with their size, such as a variance. Ignored if the statistic is not positive on all and on all but one.
    skewed : bool
        Whether to correct for the skewness of the pseudo-values, as in `mean_interval`; for statistics that can also be 0 or
        negative.
    extra_error : float
        Standard error of another, independent source, such as finitely many points, on the scale of θ.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        For fewer than three replicates, or if the statistic is not finite.
    """
    level, n = share(level, "level"), whole(replicates, "replicates", least=3)
    everything = np.arange(n)
    theta = _value(statistic, everything)
    without = np.array([_value(statistic, np.delete(everything, r)) for r in everything])
    return jackknife_of(theta, without, level=level, log=log, skewed=skewed, extra_error=extra_error)


def jackknife_of(
    theta: float, without: Floats, *, level: float = 0.95, log: bool = False, skewed: bool = False, extra_error: float = 0.0
) -> Interval:
    """Compute the `jackknife` of a statistic that is already known on all replicates, and without each of them, (R,)."""
    n = len(without)
    value = float(np.mean(n * theta - (n - 1) * without))  # (1)
    tail = (1 + level) / 2
    if log and min(value, theta, *without) > 0:
        pseudo = n * math.log(theta) - (n - 1) * np.log(without)
        middle, error = float(pseudo.mean()), math.sqrt(pseudo.var(ddof=1) / n + (extra_error / theta) ** 2)
        t = float(stdtrit(degrees_of_freedom(pseudo), tail))
        low, high = (math.exp(min(end, _LARGEST)) for end in (middle - t * error, middle + t * error))
        return Interval(value, min(value, low), max(value, high), value * error)
    return mean_interval(n * theta - (n - 1) * without, level=level, skewed=skewed, extra_error=extra_error)


def _value(statistic: Statistic, kept: Integers) -> float:
    """Return the statistic of these replicates, or raise a ValueError if it is not finite."""
    value = float(statistic(kept))
    if not math.isfinite(value):
        raise ValueError(
            f"The statistic is {value} on {len(kept)} replicates; expected a finite number on all and on all but one. "
            "Leave out replicates that failed, and report how many did."
        )
    return value
