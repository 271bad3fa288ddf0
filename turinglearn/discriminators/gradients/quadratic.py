"""Margins between two Gaussians with a covariance each: half the difference of squared Mahalanobis distances."""

from __future__ import annotations

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.gradients.margins import Margins

__all__ = ["gaussian_bayes", "quadratic_discriminant"]


def gaussian_bayes(fitted: GaussianNB, X: FloatArray) -> Margins:
    """Return log πₖ - Σ log(2π vₖ)/2 - Σ (x - μₖ)²/(2 vₖ) of Gaussian naive Bayes, of class 1 less that of class 0."""
    v = fitted.var_
    level = np.log(fitted.class_prior_) - np.log(v).sum(axis=1) / 2
    difference = X[:, None] - fitted.theta_  # (n, 2, features)
    joint = level - np.sum(difference**2 / v, axis=2) / 2
    return joint[:, 1] - joint[:, 0], lambda: difference[:, 0] / v[0] - difference[:, 1] / v[1]


def quadratic_discriminant(fitted: QuadraticDiscriminantAnalysis, X: FloatArray) -> Margins:
    """Return the same of quadratic discriminant analysis, with covariances Σₖ = Rₖ diag(Sₖ) Rₖᵀ."""
    joint, parts = [], []
    for mean, R, S, prior in zip(fitted.means_, fitted.rotations_, fitted.scalings_, fitted.priors_, strict=True):
        whitener = R / np.sqrt(S)
        white = (X - mean) @ whitener
        joint.append(np.log(prior) - np.log(S).sum() / 2 - np.sum(white**2, axis=1) / 2)
        parts.append((white, whitener))
    (fake, W0), (real, W1) = parts
    return joint[1] - joint[0], lambda: fake @ W0.T - real @ W1.T
