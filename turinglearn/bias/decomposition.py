"""Bias and variance of estimated log-odds, over training sets and over the algorithm's own randomness.

Throughout, r̂ is (R, A, N): the log-odds of discriminators fitted to R training sets, A times on each, at N points drawn from
m = (p + q) / 2. r is (N,), the exact log-odds. A bar is a mean over fits, r̄_s, or over fits and training sets, r̄.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from turinglearn.bias.jackknife import jackknife
from turinglearn.bias.squared_mean import squared_mean_interval
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, Integers
from turinglearn.objectives import softplus

__all__ = ["LogLossSplit", "VarianceComponents", "excess_log_loss", "squared_bias", "variance"]


def squared_bias(estimates: ArrayLike, truth: ArrayLike, *, level: float = 0.95) -> Interval:
    """Estimate the squared bias ∫ (E r̂ - r)² dm of log-odds.

    The estimate ::

        1 / (R (R - 1)) Σ_{s ≠ s'} mean_x (r̄_s - r)(r̄_s' - r)                                             (1)

    is unbiased at every R, so that it can be negative: products of distinct training sets have no variance in their
    expectation, whatever A. The interval is that of `squared_mean_interval`, widened by the error of finitely many points.

    Parameters
    ----------
    estimates : array-like of shape (R, A, N)
        Estimated log-odds of R >= 3 training sets, A fits on each, at N points.
    truth : array-like of shape (N,)
        Exact log-odds.
    level : float
        Confidence level.

    Returns
    -------
    Interval
    """
    r_hat, r = _checked(estimates, truth)
    errors = r_hat.mean(axis=1) - r  # r̄_s - r, (R, N)
    n = len(errors)
    per_point = (errors.sum(axis=0) ** 2 - (errors**2).sum(axis=0)) / (n * (n - 1))  # (1), before the mean over x
    return squared_mean_interval(float(per_point.mean()), errors, level=level, extra_error=_error(per_point))


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Components of a variance: total = training_sets + fits.

    With one fit per training set the two cannot be separated, and are None.

    Attributes
    ----------
    total : Interval
        Variance of one fit on one training set.
    training_sets : float or None
        Part due to the draw of the training set.
    fits : float or None
        Part due to the algorithm's own randomness.
    """

    total: Interval
    training_sets: float | None
    fits: float | None


def variance(estimates: ArrayLike, *, level: float = 0.95) -> VarianceComponents:
    """Estimate the variance ∫ Var r̂ dm of one fit on one training set, and its components, without bias.

    By one-way random effects::

        fits = mean_s Var_a r̂_sa,    training sets = Var_s r̄_s - fits / A,    total = training sets + fits.      (2)

    The part of the training sets can be negative. The interval of the total is by the jackknife over training sets, of its
    logarithm.

    Parameters
    ----------
    estimates : array-like of shape (R, A, N)
        Estimated log-odds, as in `squared_bias`.
    level : float
        Confidence level.

    Returns
    -------
    VarianceComponents
    """
    r_hat, _ = _checked(estimates, np.zeros(np.shape(estimates)[-1]))
    a = r_hat.shape[1]
    within = r_hat.var(axis=1, ddof=1) if a > 1 else np.zeros_like(r_hat[:, 0])
    means = r_hat.mean(axis=1)

    def total(kept: Integers) -> Floats:
        fits = within[kept].mean(axis=0)
        sum_: Floats = means[kept].var(axis=0, ddof=1) + fits * (1 - 1 / a)  # (2), at each point
        return sum_

    per_point = total(np.arange(len(r_hat)))
    if not per_point.mean() > 0:  # the same fit each time
        return VarianceComponents(Interval(0.0, 0.0, 0.0, 0.0), *((0.0, 0.0) if a > 1 else (None, None)))
    error = _error(per_point)
    interval = jackknife(lambda kept: float(total(kept).mean()), len(r_hat), level=level, log=True, extra_error=error)
    fits = float(within.mean())
    return VarianceComponents(interval, *((interval.value - fits, fits) if a > 1 else (None, None)))


@dataclass(frozen=True, slots=True)
class LogLossSplit:
    """Excess of a discriminator's log-loss over that of the Bayes rule, in nats: total = bias + variance.

    Attributes
    ----------
    total, bias, variance : Interval
        The excess and its parts.
    """

    total: Interval
    bias: Interval
    variance: Interval


def excess_log_loss(estimates: ArrayLike, truth: ArrayLike, *, level: float = 0.95) -> LogLossSplit:
    """Split the excess log-loss under m into bias and variance in the space of log-odds (Gruber and Buettner, AISTATS 2023).

    With r̄ the mean over training sets and fits::

        E ℓ(r̂) - ℓ(r) = KL(π ‖ σ(r̄)) + {E A(r̂) - A(r̄)},    A(r) = log(1 + e^r),  π = σ(r).               (3)

    If r̄ of R training sets takes the place of the expectation, the first term is too large and the second too small by order
    1/R, which the jackknife corrects. There are no labels: π is exact, so that the only noise is that of training sets, fits
    and points. The bias has the interval of a weighted squared mean; the total and the variance have the jackknife's, of
    their logarithms.

    Parameters
    ----------
    estimates : array-like of shape (R, A, N)
        Estimated log-odds, as in `squared_bias`.
    truth : array-like of shape (N,)
        Exact log-odds.
    level : float
        Confidence level.

    Returns
    -------
    LogLossSplit
    """
    r_hat, r = _checked(estimates, truth)
    pi, best = expit(r), softplus(r) - expit(r) * r
    mean_a = np.mean(softplus(r_hat), axis=1)  # of A(r̂), (R, N)
    means, everything = r_hat.mean(axis=1), np.arange(len(r_hat))

    def bias(kept: Integers) -> Floats:
        middle = means[kept].mean(axis=0)
        kl: Floats = softplus(middle) - pi * middle - best  # KL(π ‖ σ(r̄)) at each point
        return kl

    def spread(kept: Integers) -> Floats:
        gap: Floats = mean_a[kept].mean(axis=0) - softplus(means[kept].mean(axis=0))
        return gap

    def total(kept: Integers) -> Floats:
        return bias(kept) + spread(kept)

    def estimate(part: Callable[[Integers], Floats]) -> Interval:
        per_point = part(everything)
        positive = part is not bias and bool(per_point.mean() > 0)  # a discriminator without error has no logarithm
        error = _error(per_point)
        return jackknife(lambda kept: float(part(kept).mean()), len(r_hat), level=level, log=positive, extra_error=error)

    kl, offset = bias(everything), means.mean(axis=0) - r
    weights = np.divide(np.maximum(kl, 0), offset**2, out=np.zeros_like(kl), where=offset != 0)  # KL = mean weights (r̄ - r)²
    errors = np.sqrt(weights) * (means - r)
    squared = squared_mean_interval(estimate(bias).value, errors, level=level, extra_error=_error(kl))
    return LogLossSplit(estimate(total), squared, estimate(spread))


def _error(per_point: Floats) -> float:
    """Return the standard error of a mean over independent points."""
    return float(per_point.std(ddof=1)) / math.sqrt(len(per_point))


def _checked(estimates: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Return r̂ (R, A, N) and r (N,), or raise a ValueError."""
    r_hat, r = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if r_hat.ndim != 3 or r.shape != r_hat.shape[2:] or r_hat.shape[0] < 3 or r_hat.shape[1] < 1 or r_hat.shape[2] < 2:
        raise ValueError(
            f"estimates have shape {r_hat.shape} and the truth {r.shape}; expected (R, A, N) and (N,): R >= 3 training "
            "sets, A >= 1 fits on each, N >= 2 points. Give one fit as (R, 1, N)."
        )
    if not (np.all(np.isfinite(r_hat)) and np.all(np.isfinite(r))):
        raise ValueError("estimates and truth must be finite log-odds; clip them, and report how much the clip matters.")
    return r_hat, r
