"""Steps of a pipeline before its classifier: affine maps of the features, with their pullbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.discriminators.gradients.margins import ClosedForm, Margins

__all__ = ["after_steps", "has_pullback"]

_Step = tuple[FloatArray, Callable[[FloatArray], FloatArray]]  # T(X), and the pullback from dm/dT to dm/dX


def has_pullback(step: object) -> bool:
    """Return whether the pullback of this step is known."""
    return step == "passthrough" if isinstance(step, str) else type(step) in _STEPS


def after_steps(form: ClosedForm, fitted: Pipeline, X: FloatArray) -> Margins:
    """Return the margins of the last step of a fitted pipeline; their gradient is pulled back through the steps before it."""
    pullbacks = []
    for _, step in fitted.steps[:-1]:
        if step != "passthrough":
            X, pull = _STEPS[type(step)](step, X)
            pullbacks.append(pull)
    margins, slopes = form(fitted.steps[-1][1], X)

    def gradient() -> FloatArray:
        g = slopes()
        for pull in reversed(pullbacks):
            g = pull(g)
        return g

    return margins, gradient


def _scaled(step: StandardScaler | RobustScaler, X: FloatArray) -> _Step:
    scale = 1.0 if step.scale_ is None else step.scale_
    return step.transform(X), lambda g: g / scale


def _min_max(step: MinMaxScaler, X: FloatArray) -> _Step:
    T = step.transform(X)
    slope = step.scale_ * _not_clipped(step, X * step.scale_ + step.min_, *step.feature_range)
    return T, lambda g: g * slope


def _max_abs(step: MaxAbsScaler, X: FloatArray) -> _Step:
    T = step.transform(X)
    slope = _not_clipped(step, X / step.scale_, -1, 1) / step.scale_
    return T, lambda g: g * slope


def _not_clipped(step: MinMaxScaler | MaxAbsScaler, T: FloatArray, low: float, high: float) -> FloatArray | BoolArray:
    """Return 1 where the step does not clip T, 0 elsewhere."""
    return (low < T) & (high > T) if step.clip else np.ones_like(T)


def _principal_components(step: PCA, X: FloatArray) -> _Step:
    W = step.components_
    if step.whiten:
        W = W / np.maximum(np.sqrt(step.explained_variance_), np.finfo(W.dtype).eps)[:, None]
    return step.transform(X), lambda g: g @ W


_STEPS: dict[type, Callable[[Any, FloatArray], _Step]] = {
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    PCA: _principal_components,
    RobustScaler: _scaled,
    StandardScaler: _scaled,
}
