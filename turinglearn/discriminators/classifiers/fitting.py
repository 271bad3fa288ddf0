"""Fits of a user's classifier to labelled rows, on copies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import TypeVar

from sklearn.base import clone

from turinglearn.contract import name_of
from turinglearn.discriminators.classifiers.inputs import cast_input, remedy, skorch_nets
from turinglearn.discriminators.classifiers.outputs import labels_of, response_method
from turinglearn.discriminators.common import Classifier, FloatArray, IntArray, call_user_code
from turinglearn.nn.torch_module import torch_draws
from turinglearn.protocols import PlayerError, Rng

__all__ = ["checked_fit", "fit_clone", "unfitted_copy"]

_SEEDS = ("random_state", "random_seed")  # the names in scikit-learn and in CatBoost
_Estimator = TypeVar("_Estimator", bound=Classifier)


def fit_clone(estimator: _Estimator, X: FloatArray, y: IntArray, rng: Rng) -> _Estimator:
    """Return a copy of the classifier, fitted to rows X with labels y of both classes, with random states from rng."""
    fresh, X = unfitted_copy(estimator), cast_input(estimator, X)
    return checked_fit(fresh, "fit", lambda: fresh.fit(X, y), X, rng)


def checked_fit(estimator: _Estimator, task: str, fit: Callable[[], object], X: FloatArray, rng: Rng) -> _Estimator:
    """Seed the classifier from rng, call `fit`, which trains it on rows X, and check that it knows both classes."""
    who, rows = name_of(estimator), f"{len(X)} rows of {X.shape[1]} features, {X.dtype}, with labels 0 and 1"
    if hasattr(estimator, "get_params") and hasattr(estimator, "set_params"):
        states = [name for name in sorted(estimator.get_params()) if name.split("__")[-1] in _SEEDS]
        estimator.set_params(**{name: int(rng.integers(2**31 - 1)) for name in states})
    elif hasattr(estimator, "random_state"):
        estimator.random_state = int(rng.integers(2**31 - 1))
    with _torch_seed(estimator, rng):
        call_user_code(who, f"{task} {rows}", fit, remedy=lambda: remedy(estimator, X))
    classes = getattr(estimator, "classes_", None)
    if (classes is not None or response_method(estimator) != "predict") and set(labels_of(classes)) != {0, 1}:
        shown = "no classes_" if classes is None else f"classes_={classes!r}"
        raise PlayerError(
            f"{who} has {shown} after {task}; expected both labels that fit was passed, 0 (fake) and "
            "1 (real). Let fit set classes_ to numpy.unique(y), and let no step before it drop a class."
        )
    return estimator


def unfitted_copy(estimator: _Estimator) -> _Estimator:
    """Return an unfitted copy by parameters, or a copy by value of a classifier without any."""
    try:
        copy: _Estimator = clone(estimator)
        return copy
    except Exception:  # it has no parameters, or breaks scikit-learn's rules for them
        try:
            return deepcopy(estimator)
        except Exception as error:
            raise PlayerError(
                f"{name_of(estimator)} can be copied neither by sklearn.base.clone nor by copy.deepcopy ({error}); expected "
                "one of them, since each update fits a fresh copy. Let it inherit sklearn.base.BaseEstimator."
            ) from error


def _torch_seed(estimator: object, rng: Rng) -> AbstractContextManager[None]:
    """Return a context in which torch draws from rng if the estimator has networks of skorch, which have no random_state."""
    nets = skorch_nets(estimator)
    if not nets:
        return nullcontext()
    import torch

    return torch_draws(rng, torch.device(getattr(nets[0], "device", None) or "cpu"))
