"""Bias and variance of estimated log-odds, over training sets and over the algorithm's own seeds.

Throughout r̂ is (R, A, N): what judges fitted to R training sets, by A runs of the algorithm on each, say of N points drawn
from m = (p + q) / 2; r is (N,), the exact log-odds. A bar is a mean over runs, r̄_s, or over runs and sets, r̄.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.bias.jackknife import jackknife
from turinglearn.bias.squared_mean import squared_mean_interval
from turinglearn.metrics import Interval
from turinglearn.objectives import softplus
from turinglearn.protocols import Array

__all__ = ["LogLossSplit", "VarianceComponents", "excess_log_loss", "squared_bias", "variance"]


def squared_bias(estimates: Array, truth: Array, *, level: float = 0.95) -> Interval:
    """Squared bias ∫ (E r̂ - r)² dm of estimates (R, A, N), unbiased at finite R, so that it can be negative:

        1 / (R (R - 1)) Σ_{s ≠ s'} mean_x (r̄_s - r)(r̄_s' - r).                                             (1)

    Products of distinct training sets have no variance in their expectation, whatever A. The interval is that of
    `squared_mean_interval`, widened by the error of finitely many points. R >= 3.
    """
    r_hat, r = _checked(estimates, truth)
    errors = r_hat.mean(axis=1) - r  # r̄_s - r, (R, N)
    n = len(errors)
    per_point = (errors.sum(axis=0) ** 2 - (errors**2).sum(axis=0)) / (n * (n - 1))  # (1), before the mean over x
    return squared_mean_interval(float(per_point.mean()), errors, level=level, also=_error(per_point))


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """total = sets + runs: what the draw of the training set does, and what the algorithm's own randomness does.

    With one run per set the two cannot be told apart: sets and runs are then None.
    """

    total: Interval
    sets: float | None
    runs: float | None


def variance(estimates: Array, *, level: float = 0.95) -> VarianceComponents:
    """Variance ∫ Var r̂ dm of estimates (R, A, N) of one run on one training set, unbiased, and its components:

        runs = mean_s Var_a r̂_sa,    sets = Var_s r̄_s - runs / A,    total = sets + runs.                  (2)

    One-way random effects; sets can be negative. The interval of the total is the delete-one-set jackknife's, of its
    logarithm.
    """
    r_hat, _ = _checked(estimates, np.zeros(np.shape(estimates)[-1]))
    a = r_hat.shape[1]
    within = r_hat.var(axis=1, ddof=1) if a > 1 else np.zeros_like(r_hat[:, 0])
    means = r_hat.mean(axis=1)

    def total(kept: Any) -> Any:
        runs = within[kept].mean(axis=0)
        return means[kept].var(axis=0, ddof=1) + runs * (1 - 1 / a)  # (2), at each point

    everyone = np.arange(len(r_hat))
    whole = total(everyone)
    if not whole.mean() > 0:  # the same fit each time
        return VarianceComponents(Interval(0.0, 0.0, 0.0, 0.0), *((0.0, 0.0) if a > 1 else (None, None)))
    interval = jackknife(lambda kept: total(kept).mean(), len(r_hat), level=level, log=True, also=_error(whole))
    runs = float(within.mean())
    return VarianceComponents(interval, *((interval.value - runs, runs) if a > 1 else (None, None)))


@dataclass(frozen=True, slots=True)
class LogLossSplit:
    """total = bias + variance, in nats: what the judge's log-loss exceeds the Bayes rule's by."""

    total: Interval
    bias: Interval
    variance: Interval


def excess_log_loss(estimates: Array, truth: Array, *, level: float = 0.95) -> LogLossSplit:
    """The excess log-loss under m of estimates (R, A, N), split into bias and variance in the space of log-odds:

        E ℓ(r̂) - ℓ(r) = KL(π ‖ σ(r̄)) + {E A(r̂) - A(r̄)},    A(r) = log(1 + e^r),  π = σ(r),               (3)

    r̄ the mean over sets and runs. Gruber & Buettner (AISTATS 2023). With r̄ of R sets in the place of the expectation the
    first term is too large and the second too small by order 1/R: the jackknife takes that out. Labels do not enter: π is
    exact, so that the only noise is that of training sets, runs and points. The bias has the interval of a weighted squared
    mean, the other two the jackknife's, of their logarithms.
    """
    r_hat, r = _checked(estimates, truth)
    pi, best = expit(r), softplus(r) - expit(r) * r
    mean_a = softplus(r_hat).mean(axis=1)  # of A(r̂), (R, N)
    means = r_hat.mean(axis=1)

    def bias(kept: Any) -> Any:
        middle = means[kept].mean(axis=0)
        return softplus(middle) - pi * middle - best  # KL(π ‖ σ(r̄)) at each point

    def spread(kept: Any) -> Any:
        return mean_a[kept].mean(axis=0) - softplus(means[kept].mean(axis=0))

    def total(kept: Any) -> Any:
        return bias(kept) + spread(kept)

    def estimate(part: Any) -> Interval:
        seen = part(np.arange(len(r_hat)))
        positive = part is not bias and seen.mean() > 0  # a judge that never errs has no logarithm
        return jackknife(lambda kept: part(kept).mean(), len(r_hat), level=level, log=positive, also=_error(seen))

    kl, away = bias(np.arange(len(r_hat))), means.mean(axis=0) - r
    weights = np.divide(np.maximum(kl, 0), away**2, out=np.zeros_like(kl), where=away != 0)  # KL = mean of weights (r̄ - r)²
    errors = np.sqrt(weights) * (means - r)
    squared = squared_mean_interval(estimate(bias).value, errors, level=level, also=_error(kl))
    return LogLossSplit(estimate(total), squared, estimate(spread))


def _error(per_point: Any) -> float:
    """The standard error of a mean over independent points."""
    return float(per_point.std(ddof=1)) / math.sqrt(len(per_point))


def _checked(estimates: Array, truth: Array) -> tuple[Any, Any]:
    r_hat, r = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if r_hat.ndim != 3 or r.shape != r_hat.shape[2:] or r_hat.shape[0] < 3 or r_hat.shape[1] < 1 or r_hat.shape[2] < 2:
        raise ValueError(
            f"estimates have shape {r_hat.shape} and the truth {r.shape}; expected (R, A, N) and (N,): R >= 3 training "
            "sets, A >= 1 runs of the algorithm on each, N >= 2 points. Give one run as (R, 1, N)."
        )
    if not (np.all(np.isfinite(r_hat)) and np.all(np.isfinite(r))):
        raise ValueError("estimates and truth must be finite log-odds; clip them, and report how much the clip matters.")
    return r_hat, r
