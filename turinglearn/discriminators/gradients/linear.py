"""Margins that are linear in x."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.protocols import Array

__all__ = ["complement_bayes", "linear", "multinomial_bayes"]


def linear(fitted: Any, X: Array) -> Margins:
    """w.x + c; the gradient is w."""
    w, c = np.ravel(fitted.coef_), np.ravel(fitted.intercept_)[0]
    return X @ w + c, lambda: np.broadcast_to(w, X.shape)


def multinomial_bayes(fitted: Any, X: Array) -> Margins:
    """Naive Bayes of counts: w and c are the differences of the classes' log-probabilities."""
    (w,), (c,) = np.diff(fitted.feature_log_prob_, axis=0), np.diff(fitted.class_log_prior_)
    return X @ w + c, lambda: np.broadcast_to(w, X.shape)


def complement_bayes(fitted: Any, X: Array) -> Margins:
    """The same by each class's complement, and without priors (Rennie et al. 2003)."""
    (w,) = np.diff(fitted.feature_log_prob_, axis=0)
    return X @ w, lambda: np.broadcast_to(w, X.shape)
