"""Margins of scikit-learn's networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit
from sklearn.neural_network import MLPClassifier

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.gradients.margins import Margins

__all__ = ["multilayer"]

_SLOPES: dict[str, Callable[[FloatArray], FloatArray]] = {  # of an activation, from its output
    "identity": np.ones_like,
    "logistic": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: (a > 0).astype(a.dtype),
}
_ACTIVATIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}


def multilayer(fitted: MLPClassifier, X: FloatArray) -> Margins:
    """Return the input of the output's sigmoid; its gradient is found by backpropagation through the layers."""
    activate, slope = _ACTIVATIONS[fitted.activation], _SLOPES[fitted.activation]
    *hidden, (w, c) = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    outputs = [X]
    for W, b in hidden:
        outputs.append(activate(outputs[-1] @ W + b))

    def gradient() -> FloatArray:
        g = np.broadcast_to(w[:, 0], outputs[-1].shape)
        for (W, _), a in zip(reversed(hidden), reversed(outputs), strict=False):
            g = (g * slope(a)) @ W.T
        return g

    return (outputs[-1] @ w + c)[:, 0], gradient
