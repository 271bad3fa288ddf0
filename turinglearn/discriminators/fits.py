"""Fresh copies of a user's classifier, fitted to labelled rows."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import clone

from turinglearn.contract import name_of
from turinglearn.discriminators.answers import ask
from turinglearn.discriminators.voices import voice_of
from turinglearn.protocols import PlayerError, Rng

__all__ = ["fitted_copy"]


def fitted_copy(estimator: Any, X: Any, y: Any, rng: Rng) -> Any:
    """A fresh copy of the classifier with random states from rng, fitted; it has seen both classes."""
    who, fresh = name_of(estimator), _copied(estimator)
    if hasattr(fresh, "get_params"):
        states = [name for name in sorted(fresh.get_params()) if name.split("__")[-1] == "random_state"]
        fresh.set_params(**{name: int(rng.integers(2**31 - 1)) for name in states})
    elif hasattr(fresh, "random_state"):
        fresh.random_state = int(rng.integers(2**31 - 1))
    ask(who, f"fit {len(X)} rows of {X.shape[1]} features with labels 0 and 1", fresh.fit, X, y)
    classes: Any = getattr(fresh, "classes_", None)
    if (classes is not None or voice_of(fresh) != "predict") and set(np.ravel(classes).tolist()) != {0, 1}:
        shown = "no classes_" if classes is None else f"classes_={classes!r}"
        raise PlayerError(
            f"{who} has {shown} after fit; expected both labels that it was shown, 0 (counterfeit) and "
            "1 (genuine). Let fit set classes_ to numpy.unique(y), and let no step before it drop a class."
        )
    return fresh


def _copied(estimator: Any) -> Any:
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
