"""Fresh copies of a user's classifier, fitted to labelled rows."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import Any

from sklearn.base import clone

from turinglearn.contract import name_of
from turinglearn.discriminators.answers import ask
from turinglearn.discriminators.inputs import as_taken, nets_in, remedy
from turinglearn.discriminators.voices import labels_of, voice_of
from turinglearn.nn.starting import torch_draws
from turinglearn.protocols import PlayerError, Rng

__all__ = ["copied", "fitted_copy", "taught"]

_SEEDS = ("random_state", "random_seed")  # what scikit-learn and CatBoost call it


def fitted_copy(estimator: Any, X: Any, y: Any, rng: Rng) -> Any:
    """A fresh copy of the classifier with random states from rng, fitted; it has seen both classes."""
    fresh, X = copied(estimator), as_taken(estimator, X)
    return taught(fresh, "fit", lambda: fresh.fit(X, y), X, rng)


def taught(estimator: Any, task: str, lesson: Any, X: Any, rng: Rng) -> Any:
    """The classifier, with random states from rng, after a lesson on rows X; it has seen both classes."""
    who, rows = name_of(estimator), f"{len(X)} rows of {X.shape[1]} features, {X.dtype}, with labels 0 and 1"
    if hasattr(estimator, "get_params"):
        states = [name for name in sorted(estimator.get_params()) if name.split("__")[-1] in _SEEDS]
        estimator.set_params(**{name: int(rng.integers(2**31 - 1)) for name in states})
    elif hasattr(estimator, "random_state"):
        estimator.random_state = int(rng.integers(2**31 - 1))
    with _torch_of(estimator, rng):
        ask(who, f"{task} {rows}", lesson, remedy=lambda: remedy(estimator, X))
    classes: Any = getattr(estimator, "classes_", None)
    if (classes is not None or voice_of(estimator) != "predict") and set(labels_of(classes)) != {0, 1}:
        shown = "no classes_" if classes is None else f"classes_={classes!r}"
        raise PlayerError(
            f"{who} has {shown} after {task}; expected both labels that it was shown, 0 (counterfeit) and "
            "1 (genuine). Let fit set classes_ to numpy.unique(y), and let no step before it drop a class."
        )
    return estimator


def copied(estimator: Any) -> Any:
    """An unfitted copy by parameters, or where the classifier has none, by value."""
    try:
        return clone(estimator)
    except Exception:  # it has no parameters, or breaks scikit-learn's rules for them
        try:
            return deepcopy(estimator)
        except Exception as error:
            raise PlayerError(
                f"{name_of(estimator)} can be copied neither by sklearn.base.clone nor by copy.deepcopy ({error}); expected "
                "one of them, since each update fits a fresh copy. Let it inherit sklearn.base.BaseEstimator."
            ) from error


def _torch_of(estimator: Any, rng: Rng) -> AbstractContextManager[None]:
    """Where a network of skorch is a part of it: its draws come from rng, for it has no random_state."""
    nets = nets_in(estimator)
    if not nets:
        return nullcontext()
    import torch

    return torch_draws(rng, torch.device(getattr(nets[0], "device", None) or "cpu"))
