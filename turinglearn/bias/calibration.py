"""Calibration of estimated log-odds, where the exact ones are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from turinglearn.metrics.inputs import Floats, whole
from turinglearn.objectives import softplus

__all__ = ["calibration_error", "calibration_slope"]


def calibration_error(estimates: ArrayLike, truth: ArrayLike, *, bins: int = 20) -> float:
    """Compute the mean squared difference between predicted and true probabilities, ∫ (σ(r̂) - E[π | r̂])² dm.

    The points are sorted by r̂ into bins with the same number of points each, or more where r̂ ties: points with the same
    prediction stay together. In a bin of n points with gaps g = σ(r̂) - π, ḡ² - Var(g) / n is an unbiased estimate of the
    squared mean gap, so that noise within a bin does not count as a gap (Kumar, Liang and Ma, NeurIPS 2019). It can
    therefore be negative. Binning makes the error smaller than it is, by about the square of a bin's width.

    Parameters
    ----------
    estimates : array-like of shape (N,)
        Estimated log-odds r̂ at N >= 2 points.
    truth : array-like of shape (N,)
        Exact log-odds r there; π = σ(r).
    bins : int
        Number of bins.

    Returns
    -------
    float
    """
    r_hat, pi = _checked(estimates, truth)
    bins, n = whole(bins, "bins"), len(r_hat)
    if n < 2:
        raise ValueError(
            f"There are {n} points; expected at least 2, whose scatter separates noise from gaps. Score more points."
        )
    order = np.argsort(r_hat, kind="stable")
    predicted, gaps = r_hat[order], expit(r_hat[order]) - pi[order]
    many = min(bins, n // 2)
    starts = np.unique(np.searchsorted(predicted, predicted[np.arange(many) * n // many]))  # each where a tie begins
    starts = starts[np.diff(starts, prepend=-2) > 1]  # no bin of one point, which has no variance
    parts = np.split(gaps, starts[1:])
    squares = [part.mean() ** 2 - part.var(ddof=1) / len(part) for part in parts]
    return float(np.average(squares, weights=[len(part) for part in parts]))


def calibration_slope(estimates: ArrayLike, truth: ArrayLike) -> float:
    """Compute the slope a of the logistic regression σ(a r̂ + b) with exact probabilities as labels (Cox 1958).

    Parameters
    ----------
    estimates : array-like of shape (N,)
        Estimated log-odds r̂.
    truth : array-like of shape (N,)
        Exact log-odds r at the same points; the labels are σ(r).

    Returns
    -------
    float
        1 for calibrated log-odds, less for overconfident ones, more for underconfident ones; nan where r̂ is constant.
    """
    r_hat, pi = _checked(estimates, truth)
    spread = float(r_hat.std())
    if spread < 1e-12 * max(1.0, float(np.abs(r_hat).max())):
        return float("nan")
    Z = np.stack((r_hat / spread, np.ones_like(r_hat)), axis=1)
    theta = np.zeros(2)

    def loss(theta: Floats) -> float:
        z = Z @ theta
        return float(np.mean(softplus(z) - pi * z))

    for _ in range(100):  # Newton's method, halving steps that overshoot
        p = expit(Z @ theta)
        gradient = Z.T @ (p - pi) / len(pi)
        step = np.linalg.solve((Z.T * (p * (1 - p))) @ Z / len(pi) + 1e-12 * np.eye(2), gradient)
        while loss(theta - step) > loss(theta) and np.abs(step).max() > 1e-9:
            step = step / 2
        theta = theta - step
        if np.abs(step).max() < 1e-9:
            break
    return float(theta[0] / spread)


def _checked(estimates: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Return r̂ and π, (N,) each, or raise a ValueError."""
    r_hat, r = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if r_hat.ndim != 1 or r_hat.shape != r.shape or len(r) == 0:
        raise ValueError(
            f"estimates have shape {r_hat.shape} and the truth {r.shape}; expected (N,) of both: log-odds at the same points."
        )
    if not (np.all(np.isfinite(r_hat)) and np.all(np.isfinite(r))):
        raise ValueError("estimates and truth must be finite log-odds; clip them, and report how much the clip matters.")
    return r_hat, expit(r)
