"""Platt scaling: from one score to log-odds, by logistic regression on rows that the score was not fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.protocols import Rng

__all__ = ["hold_out", "logistic_regression", "platt", "targets"]


def platt(scores: Any, genuine: Any) -> tuple[float, float]:
    """Slope a and level b of the log-odds log p/q = a s + b that best explain which rows are genuine by their scores s.

    scores is (n,), finite; genuine is (n,), boolean, with rows of both kinds. Logistic regression on the targets
    t = (N₁ + 1) / (N₁ + 2) for the N₁ genuine and 1 / (N₀ + 2) for the N₀ other rows (Platt 1999), by Newton's method
    (Lin, Lin & Weng 2007). The level is corrected by the masses of those targets, so a score that tells nothing gets
    a = b = 0. The slope keeps the sign that the rows give it: it is negative where the score ranks them the wrong way.
    """
    s, genuine = np.asarray(scores, dtype=float), np.asarray(genuine, dtype=bool)
    t, prior = targets(genuine)
    unit = np.ptp(s) / 2
    if unit <= max(1e-12 * np.abs(s).max(), 1e-200):  # constant, but for rounding
        return 0.0, 0.0
    middle = s.min() + unit
    z = (s - middle) / unit
    a, b = logistic_regression(np.stack((z, np.ones_like(z)), axis=1), t, np.array([0.0, prior]))
    return float(a / unit), float(b - a * middle / unit - prior)


def targets(genuine: Any) -> tuple[Any, float]:
    """Platt's targets t (n,) for rows that are genuine or not, (n,), and the log-ratio of their masses, Σt to Σ(1 - t)."""
    n1, n0 = np.sum(genuine), np.sum(~genuine)
    t = np.where(genuine, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    return t, float(np.log(t.sum() / (1 - t).sum()))


def logistic_regression(Z: Any, t: Any, theta: Any, offset: float = 0.0) -> Any:
    """θ (k,) that minimises the cross-entropy of the targets t (n,) under sigmoid(Zθ + offset), from θ = theta on."""

    def loss(theta: Any) -> Any:
        r = Z @ theta + offset
        return np.sum(np.logaddexp(0, r) - t * r)

    for _ in range(100):
        p = expit(Z @ theta + offset)
        gradient, hessian = Z.T @ (p - t), (Z.T * (p * (1 - p))) @ Z
        step = np.linalg.solve(hessian, gradient)
        decrement = gradient @ step  # twice what is left to gain, to second order
        if decrement < 1e-20:
            break
        while decrement > 1e-8 and loss(theta - step) > loss(theta):  # below, rounding hides the gain
            step = step / 2
        theta = theta - step
    return theta


def hold_out(genuine: Any, share: float, rng: Rng) -> Any:
    """A random mask (n,) of rows to keep out of a fit: this share of each class, at least one row in and one out."""
    held = np.zeros(len(genuine), dtype=bool)
    for kind, rows in (("genuine", np.flatnonzero(genuine)), ("counterfeit", np.flatnonzero(~genuine))):
        if len(rows) < 2:
            raise ValueError(
                f"Platt scaling holds rows of each class out of the fit, but there are {len(rows)} {kind} samples; "
                "expected at least 2. Give the discriminator larger batches."
            )
        held[rng.permutation(rows)[: min(max(1, round(share * len(rows))), len(rows) - 1)]] = True
    return held
