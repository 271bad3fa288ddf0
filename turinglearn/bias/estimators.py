"""Bias and efficiency of parametric generators, from their parameters over seeds, and the Cramér-Rao bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student_t

from turinglearn.bias.jackknife import jackknife_of
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, positive, whole

__all__ = ["ParameterErrors", "cramer_rao", "parameter_errors", "relative_efficiency"]


@dataclass(frozen=True, slots=True)
class ParameterErrors:
    """Bias and root mean square error of each parameter over seeds.

    Attributes
    ----------
    bias : tuple of Interval
        Bias of each parameter.
    rmse : tuple of Interval
        Root mean square error of each parameter.
    """

    bias: tuple[Interval, ...]
    rmse: tuple[Interval, ...]


def parameter_errors(estimates: ArrayLike, truth: ArrayLike, *, level: float = 0.95) -> ParameterErrors:
    """Compute bias mean(θ̂ - θ) and RMSE √mean (θ̂ - θ)² of estimated parameters.

    The interval of the bias is Student's, that of the RMSE the jackknife's of its logarithm.

    Parameters
    ----------
    estimates : array-like of shape (S, k) or (S,)
        Estimated parameters, one row for each of S >= 3 seeds.
    truth : array-like of shape (k,), or a number
        True parameters.
    level : float
        Confidence level.

    Returns
    -------
    ParameterErrors
    """
    errors = _errors(estimates, truth)
    n = len(errors)
    z = float(student_t.ppf((1 + level) / 2, n - 1)) / np.sqrt(n)
    means, margins = errors.mean(axis=0), z * errors.std(axis=0, ddof=1)
    bias = tuple(
        Interval(float(m), float(m - w), float(m + w), float(s))
        for m, w, s in zip(means, margins, errors.std(axis=0, ddof=1) / np.sqrt(n), strict=True)
    )
    all_of, without = (np.sqrt(each) for each in _means(errors**2))
    rmse = tuple(jackknife_of(float(t), w, level=level, log=True) for t, w in zip(all_of, without.T, strict=True))
    return ParameterErrors(bias, rmse)


def relative_efficiency(
    estimates: ArrayLike, control: ArrayLike, truth: ArrayLike, *, level: float = 0.95
) -> tuple[Interval, ...]:
    """Compute the mean square error of a control over that of the estimates, for each parameter.

    1 is as good as the control, such as maximum likelihood; less is worse. The interval is the jackknife's of the logarithm
    over seeds, so that effects of a data set on both cancel.

    Parameters
    ----------
    estimates : array-like of shape (S, k) or (S,)
        Estimated parameters, as in `parameter_errors`.
    control : array-like of shape (S, k) or (S,)
        Parameters that the control estimated from the same data sets.
    truth : array-like of shape (k,), or a number
        True parameters.
    level : float
        Confidence level.

    Returns
    -------
    tuple of Interval
    """
    ours, theirs = _errors(estimates, truth) ** 2, _errors(control, truth) ** 2
    if ours.shape != theirs.shape:
        raise ValueError(f"There are estimates of shape {ours.shape} and {theirs.shape} of the control; expected the same.")
    for k in np.flatnonzero((ours > 0).sum(axis=0) < 2):
        raise ValueError(
            f"The estimates of parameter {k} have no error in {int((ours[:, k] == 0).sum())} of {len(ours)} seeds; expected "
            "errors in at least two, since the ratio is over their mean square. Leave that parameter out."
        )
    (mean, without), (mean_of_control, control_without) = _means(ours), _means(theirs)
    found = zip(mean_of_control / mean, (control_without / without).T, strict=True)
    return tuple(jackknife_of(float(theta), each, level=level, log=True) for theta, each in found)


def cramer_rao(
    log_density: Callable[[Floats, Floats], ArrayLike], truth: ArrayLike, draws: Floats, n: int, *, step: float = 1e-4
) -> Floats:
    """Compute the Cramér-Rao bound √diag(I⁻¹ / n) on the standard deviation of unbiased estimators.

    The information I = E s sᵀ is the mean over draws from the distribution at the truth, with scores s = ∂ log p / ∂θ by
    central differences. Its own error is of order 1/√m.

    Parameters
    ----------
    log_density : callable
        Function of samples (m, d) and parameters (k,) that returns log-densities (m,).
    truth : array-like of shape (k,), or a number
        True parameters.
    draws : ndarray of shape (m, d)
        Samples from the distribution at the truth.
    n : int
        Number of samples that the estimator sees.
    step : float
        Step of the differences.

    Returns
    -------
    ndarray of shape (k,)

    References
    ----------
    Rao (1945). Cramér (1946).
    """
    theta, n, step = np.atleast_1d(np.asarray(truth, dtype=float)), whole(n, "n"), positive(step, "step")
    densities = [
        [np.asarray(log_density(draws, theta + side * e), dtype=float) for side in (1, -1)] for e in step * np.eye(len(theta))
    ]
    if (shape := densities[0][0].shape) != (len(draws),):
        raise ValueError(
            f"log_density has returned shape {shape} for {len(draws)} draws; expected ({len(draws)},), one number for each. "
            "Take a column such as x[:, 0], or sum over the features."
        )
    scores = np.stack([(above - below) / (2 * step) for above, below in densities])
    information = scores @ scores.T / scores.shape[1]
    if not np.all(np.isfinite(information)) or np.linalg.matrix_rank(information) < len(theta):
        raise ValueError(
            "The information matrix is singular or not finite: some parameter does not change the density at the truth. "
            "Drop it, or choose another truth."
        )
    return np.sqrt(np.diag(np.linalg.inv(information)) / n)


def _means(squares: Floats) -> tuple[Floats, Floats]:
    """Return the mean of squares (S, k) over seeds, (k,), and without each seed, (S, k)."""
    n, none = len(squares), np.zeros_like(squares[:1])
    before, after = np.cumsum(squares, axis=0), np.cumsum(squares[::-1], axis=0)[::-1]
    without = np.concatenate((none, before[:-1])) + np.concatenate((after[1:], none))  # not by subtraction: one may be all
    return before[-1] / n, without / (n - 1)


def _errors(estimates: ArrayLike, truth: ArrayLike) -> Floats:
    """Return the errors (S, k), or raise a ValueError."""
    found, exact = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if found.ndim not in (1, 2) or exact.shape != found.shape[1:] or len(found) < 3:
        raise ValueError(
            f"estimates have shape {found.shape} and the truth {exact.shape}; expected (S, k) with S >= 3 seeds and (k,), "
            "or (S,) and one number."
        )
    if not (np.all(np.isfinite(found)) and np.all(np.isfinite(exact))):
        raise ValueError(
            "estimates and truth must be finite numbers. Leave out the seeds that failed, and report how many did."
        )
    return (found - exact).reshape(len(found), -1)
