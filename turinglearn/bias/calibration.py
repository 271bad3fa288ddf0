"""Whether log-odds mean what they say, where the exact ones are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.metrics.inputs import whole
from turinglearn.objectives import softplus
from turinglearn.protocols import Array

__all__ = ["calibration_error", "calibration_slope"]


def calibration_error(estimates: Array, truth: Array, *, bins: int = 20) -> float:
    """Mean square gap between what is said and what is so: ∫ (σ(r̂) - E[π | r̂])² dm, for r̂ and r (N,), N >= 2, π = σ(r).

    The points are sorted by r̂ into bins of as many each, or more where r̂ ties: points of which the judge says the same stay
    together. In a bin of n points with gaps g = σ(r̂) - π, ḡ² - Var(g) / n is the squared mean gap without bias, so that
    noise within a bin does not pass for a gap (Kumar, Liang & Ma, NeurIPS 2019), and the error of a judge with little of it
    can come out negative. What remains of the binning makes the error smaller than it is, by about the square of a bin's
    width.
    """
    r_hat, pi = _checked(estimates, truth)
    bins, n = whole(bins, "bins"), len(r_hat)
    if n < 2:
        raise ValueError(f"There are {n} points; expected at least 2, whose scatter tells noise from gaps. Ask at more points.")
    order = np.argsort(r_hat, kind="stable")
    said, gaps = r_hat[order], expit(r_hat[order]) - pi[order]
    many = min(bins, n // 2)
    starts = np.unique(np.searchsorted(said, said[np.arange(many) * n // many]))  # each where a tie begins
    starts = starts[np.diff(starts, prepend=-2) > 1]  # no bin of one point, which has no variance
    parts = np.split(gaps, starts[1:])
    squares = [part.mean() ** 2 - part.var(ddof=1) / len(part) for part in parts]
    return float(np.average(squares, weights=[len(part) for part in parts]))


def calibration_slope(estimates: Array, truth: Array) -> float:
    """The slope a of logistic regression on r̂ (N,), σ(a r̂ + b), with the exact chances π = σ(r) as labels (Cox 1958).

    1 is calibrated, less is overconfident, more is timid; nan where r̂ is constant.
    """
    r_hat, pi = _checked(estimates, truth)
    spread = float(r_hat.std())
    if spread < 1e-12 * max(1.0, float(np.abs(r_hat).max())):
        return float("nan")
    Z = np.stack((r_hat / spread, np.ones_like(r_hat)), axis=1)
    theta = np.zeros(2)

    def loss(theta: Any) -> float:
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


def _checked(estimates: Array, truth: Array) -> tuple[Any, Any]:
    """r̂ and π, (N,)."""
    r_hat, r = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if r_hat.ndim != 1 or r_hat.shape != r.shape or len(r) == 0:
        raise ValueError(
            f"estimates have shape {r_hat.shape} and the truth {r.shape}; expected (N,) of both: log-odds at the same points."
        )
    if not (np.all(np.isfinite(r_hat)) and np.all(np.isfinite(r))):
        raise ValueError("estimates and truth must be finite log-odds; clip them, and report how much the clip matters.")
    return r_hat, expit(r)
