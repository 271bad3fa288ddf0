"""Whether log-odds mean what they say, where the exact ones are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.objectives import softplus
from turinglearn.protocols import Array

__all__ = ["calibration_error", "calibration_slope"]


def calibration_error(estimates: Array, truth: Array, *, bins: int = 20) -> float:
    """Mean square gap between what is said and what is so: ∫ (σ(r̂) - E[π | r̂])² dm, for r̂ and r (N,), π = σ(r).

    The points are sorted by r̂ into bins of as many each, and both sides averaged within a bin. Since π is exact, no label
    noise enters, and the plug-in has no upward bias from it (Kumar, Liang & Ma, NeurIPS 2019, on why it would); what remains
    of the binning makes the error smaller than it is, by about the square of a bin's width.
    """
    r_hat, pi = np.asarray(estimates, dtype=float), expit(np.asarray(truth, dtype=float))
    parts = np.array_split(np.argsort(r_hat, kind="stable"), min(bins, len(r_hat)))
    gaps = np.array([expit(r_hat[rows]).mean() - pi[rows].mean() for rows in parts])
    return float(np.average(gaps**2, weights=[len(rows) for rows in parts]))


def calibration_slope(estimates: Array, truth: Array) -> float:
    """The slope a of logistic regression on r̂ (N,), σ(a r̂ + b), with the exact chances π = σ(r) as labels (Cox 1958).

    1 is calibrated, less is overconfident, more is timid; nan where r̂ is constant.
    """
    r_hat, pi = np.asarray(estimates, dtype=float), expit(np.asarray(truth, dtype=float))
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
