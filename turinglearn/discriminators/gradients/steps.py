"""Steps of a pipeline before its classifier: affine maps of the features, with their pullbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from turinglearn.discriminators.gradients.margins import ClosedForm, Margins
from turinglearn.protocols import Array

__all__ = ["after", "differentiable"]

_Step = tuple[Array, Callable[[Array], Array]]  # T(X), and the pullback from dm/dT to dm/dX


def differentiable(step: Any) -> bool:
    """Whether the pullback of this step is known."""
    return step == "passthrough" if isinstance(step, str) else type(step) in _STEPS


def after(form: ClosedForm, fitted: Any, X: Array) -> Margins:
    """The margin of the last step of a fitted pipeline, pulled back through those before it."""
    pullbacks = []
    for _, step in fitted.steps[:-1]:
        if step != "passthrough":
            X, pull = _STEPS[type(step)](step, X)
            pullbacks.append(pull)
    margins, slopes = form(fitted.steps[-1][1], X)

    def gradient() -> Array:
        g = slopes()
        for pull in reversed(pullbacks):
            g = pull(g)
        return g

    return margins, gradient


def _divided(step: Any, X: Array) -> _Step:
    scale = 1.0 if step.scale_ is None else step.scale_
    return step.transform(X), lambda g: g / scale


def _min_max(step: Any, X: Array) -> _Step:
    T = step.transform(X)
    slope = step.scale_ * _unclipped(step, X * step.scale_ + step.min_, *step.feature_range)
    return T, lambda g: g * slope


def _max_abs(step: Any, X: Array) -> _Step:
    T = step.transform(X)
    slope = _unclipped(step, X / step.scale_, -1, 1) / step.scale_
    return T, lambda g: g * slope


def _unclipped(step: Any, T: Array, low: float, high: float) -> Array:
    return (low < T) & (high > T) if step.clip else np.ones_like(T)


def _principal(step: Any, X: Array) -> _Step:
    W = step.components_
    if step.whiten:
        W = W / np.maximum(np.sqrt(step.explained_variance_), np.finfo(W.dtype).eps)[:, None]
    return step.transform(X), lambda g: g @ W


_STEPS: dict[type, Callable[[Any, Array], _Step]] = {
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    PCA: _principal,
    RobustScaler: _divided,
    StandardScaler: _divided,
}
