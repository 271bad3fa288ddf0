"""Margins of two Gaussians with a covariance each: half the difference of squared lengths, each in its own metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.protocols import Array

__all__ = ["gaussian_bayes", "quadratic_discriminant"]


def gaussian_bayes(fitted: Any, X: Array) -> Margins:
    """Gaussian naive Bayes: log πₖ - Σ log(2π vₖ)/2 - Σ (x - μₖ)²/(2 vₖ), of class 1 less that of class 0."""
    v = fitted.var_
    level = np.log(fitted.class_prior_) - np.log(v).sum(axis=1) / 2
    away = X[:, None] - fitted.theta_  # (n, 2, features)
    joint = level - np.sum(away**2 / v, axis=2) / 2
    return joint[:, 1] - joint[:, 0], lambda: away[:, 0] / v[0] - away[:, 1] / v[1]


def quadratic_discriminant(fitted: Any, X: Array) -> Margins:
    """QDA: the same with Σₖ = Rₖ diag(Sₖ) Rₖᵀ."""
    joint, slopes = [], []
    for mean, R, S, prior in zip(fitted.means_, fitted.rotations_, fitted.scalings_, fitted.priors_, strict=True):
        whitener = R / np.sqrt(S)
        away = (X - mean) @ whitener
        joint.append(np.log(prior) - np.log(S).sum() / 2 - np.sum(away**2, axis=1) / 2)
        slopes.append((away, whitener))
    (fake, W0), (genuine, W1) = slopes
    return joint[1] - joint[0], lambda: fake @ W0.T - genuine @ W1.T
