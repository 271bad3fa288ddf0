"""Margins that are linear in x."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.gradients.margins import Margins

__all__ = ["complement_bayes", "linear", "multinomial_bayes"]


def linear(fitted: ClassifierMixin, X: FloatArray) -> Margins:
    """Return w.x + c, with coef_ as w and intercept_ as c; the gradient is w."""
    w, c = np.ravel(fitted.coef_), np.ravel(fitted.intercept_)[0]
    return X @ w + c, lambda: np.broadcast_to(w, X.shape)


def multinomial_bayes(fitted: MultinomialNB, X: FloatArray) -> Margins:
    """Return w.x + c of multinomial naive Bayes, where w and c are differences of log-probabilities of the classes."""
    (w,), (c,) = np.diff(fitted.feature_log_prob_, axis=0), np.diff(fitted.class_log_prior_)
    return X @ w + c, lambda: np.broadcast_to(w, X.shape)


def complement_bayes(fitted: ComplementNB, X: FloatArray) -> Margins:
    """Return w.x of complement naive Bayes, which has no priors (Rennie et al. 2003)."""
    (w,) = np.diff(fitted.feature_log_prob_, axis=0)
    return X @ w, lambda: np.broadcast_to(w, X.shape)
