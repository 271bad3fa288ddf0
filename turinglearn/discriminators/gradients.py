"""Which classifiers have margins with a closed-form gradient in x, and that gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from turinglearn.protocols import Array

__all__ = ["ClosedForm", "closed_form"]

ClosedForm = Callable[[Any, Array], tuple[Array, Callable[[], Array]]]

_LINEAR = (
    LinearDiscriminantAnalysis,
    LinearSVC,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)


def closed_form(estimator: Any) -> ClosedForm | None:
    """The function (fitted estimator, X) -> margins (n,) and a way to compute dmargin/dx (n, features), or None.

    A margin is the log-odds where the estimator has probabilities, which are then their sigmoid, and its decision
    function elsewhere. The exact type decides, fitted or not: a subclass may have changed what it says.
    """
    kind = type(estimator)
    if kind is Pipeline:
        *before, (_, last) = estimator.steps
        scalers = all(type(step) is StandardScaler for _, step in before)
        return _standardised if scalers and closed_form(last) is not None else None
    if kind is MLPClassifier:
        return _multilayer
    if kind is SGDClassifier and estimator.loss == "modified_huber":  # its probabilities are no sigmoid of its margin
        return None
    return _linear if kind in _LINEAR else None


def _linear(fitted: Any, X: Array) -> tuple[Array, Callable[[], Array]]:
    """w.x + c; the gradient is w."""
    w, c = np.ravel(fitted.coef_), np.ravel(fitted.intercept_)[0]
    return X @ w + c, lambda: np.broadcast_to(w, X.shape)


_SLOPES: dict[str, Callable[[Array], Array]] = {  # of an activation, from its output
    "identity": np.ones_like,
    "logistic": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}
_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}


def _multilayer(fitted: Any, X: Array) -> tuple[Array, Callable[[], Array]]:
    """The input of the output's sigmoid; its gradient by backpropagation through the layers."""
    activate, slope = _ACTIVATIONS[fitted.activation], _SLOPES[fitted.activation]
    *hidden, (w, c) = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    outputs = [X]
    for W, b in hidden:
        outputs.append(activate(outputs[-1] @ W + b))

    def gradient() -> Array:
        g = np.broadcast_to(w[:, 0], outputs[-1].shape)
        for (W, _), a in zip(reversed(hidden), reversed(outputs), strict=False):
            g = (g * slope(a)) @ W.T
        return g

    return (outputs[-1] @ w + c)[:, 0], gradient


def _standardised(fitted: Any, X: Array) -> tuple[Array, Callable[[], Array]]:
    """The margin at (x - mean) / scale; the gradient there, divided by scale."""
    *before, (_, last) = fitted.steps
    scale = np.ones(X.shape[1])
    for _, scaler in before:
        X = scaler.transform(X)
        scale = scale if scaler.scale_ is None else scale * scaler.scale_
    form = closed_form(last)
    assert form is not None  # closed_form(fitted) said so
    margins, gradient = form(last, X)
    return margins, lambda: gradient() / scale
