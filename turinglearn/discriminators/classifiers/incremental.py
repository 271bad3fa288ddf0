"""Incremental learning: classifiers that an update trains further, while all others are refitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, ClassVar, Protocol

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from turinglearn.contract import name_of
from turinglearn.discriminators.classifiers.fitting import checked_fit, unfitted_copy
from turinglearn.discriminators.classifiers.inputs import cast_input
from turinglearn.discriminators.common import Classifier, FloatArray, IntArray
from turinglearn.protocols import InputError, Rng

__all__ = ["IncrementalMethod", "incremental_method", "partial_fit_clone", "weights_all_history"]

_COUNTING = (BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB)


# ------------------------------------------------------------------------------------------------------------ the methods
class IncrementalMethod(Protocol):
    """A way to train a classifier further: `train` updates `last`, given the state `previous` of the last update, or None.

    With `copies` a new classifier takes over what the previous one has learned; otherwise both are the same object.
    """

    copies: ClassVar[bool]

    def train(self, last: BaseEstimator, previous: BaseEstimator | None, X: FloatArray, y: IntArray) -> None:
        """Train the classifier, which is the last step of a pipeline, on rows (n, features) with labels (n,)."""
        ...


@dataclass(frozen=True)
class PartialFit:
    """One pass of `partial_fit` over the rows."""

    copies: ClassVar[bool] = False

    def train(self, last: BaseEstimator, previous: BaseEstimator | None, X: FloatArray, y: IntArray) -> None:
        """Pass the classes on the first call, where the classifier takes them."""
        with_classes = previous is None and "classes" in _arguments(last.partial_fit)
        last.partial_fit(X, y, **({"classes": np.array([0, 1])} if with_classes else {}))


@dataclass(frozen=True)
class WarmStart:
    """`members` more members of an ensemble, fitted to the new rows."""

    members: int
    copies: ClassVar[bool] = False

    def train(self, last: BaseEstimator, previous: BaseEstimator | None, X: FloatArray, y: IntArray) -> None:
        """Raise n_estimators and fit again with warm_start."""
        members = self.members if previous is None else _parameters(last)["n_estimators"] + self.members
        last.set_params(warm_start=True, n_estimators=members)
        last.fit(X, y)


@dataclass(frozen=True)
class ContinueBoosting:
    """More trees for a booster of another library, whose fit takes the existing ones as `argument`."""

    argument: str
    copies: ClassVar[bool] = True

    def train(self, last: BaseEstimator, previous: BaseEstimator | None, X: FloatArray, y: IntArray) -> None:
        """Fit with the trees of the previous booster as a start."""
        last.fit(X, y, **({} if previous is None else {self.argument: _trees(previous)}))


def incremental_method(estimator: object) -> IncrementalMethod:
    """Return the way in which the classifier, or the last step of a pipeline, can be trained further.

    A classifier that can only be refitted raises ValueError.
    """
    *before, last = _steps(estimator)
    who, parameters = name_of(last), _parameters(last)
    resampling = [name_of(step) for step in before if hasattr(step, "fit_resample")]
    if resampling:
        raise InputError(
            f"ClassifierDiscriminator(..., incremental=True): {resampling[0]} resamples the rows that a whole pipeline is "
            "fitted to, and here only the last step learns on. Leave the step out: a game shows as many real samples as "
            "fakes."
        )
    if hasattr(last, "partial_fit"):
        return PartialFit()
    if {"warm_start", "n_estimators"} <= parameters.keys():
        return WarmStart(parameters["n_estimators"])
    for argument in ("xgb_model", "init_model"):  # of XGBoost; of LightGBM and CatBoost
        if argument in _arguments(getattr(last, "fit", None)):
            return ContinueBoosting(argument)
    why = ""
    if isinstance(last, HistGradientBoostingClassifier):
        why = ". Its warm_start bins new rows again, and applies older trees, which were grown on other bins, to them"
    elif "warm_start" in parameters:
        why = ". Its warm_start only starts the same optimization elsewhere, and it ends where a fit from scratch does"
    raise InputError(
        f"ClassifierDiscriminator(..., incremental=True): {who} has neither partial_fit nor a warm_start that adds members to "
        f"an ensemble{why}. Leave incremental out, and each update fits it again; or choose a classifier that learns on, such "
        "as SGDClassifier(), MLPClassifier() or GradientBoostingClassifier(n_estimators=5)."
    )


def weights_all_history(estimator: object) -> bool:
    """Return whether the classifier weights all rows of all updates equally, as naive Bayes' counts and forests' votes do."""
    last = _steps(estimator)[-1]
    return isinstance(last, _COUNTING) or (
        isinstance(incremental_method(last), WarmStart) and not isinstance(last, GradientBoostingClassifier)
    )


# --------------------------------------------------------------------------------------------------------------- training
def partial_fit_clone(estimator: Classifier, previous: Classifier | None, X: FloatArray, y: IntArray, rng: Rng) -> Classifier:
    """Return the classifier of the previous update, also trained on these rows; a copy if there is none or it cannot change.

    The steps of a pipeline before the last are fitted to the first rows only.
    """
    method, X = incremental_method(estimator), cast_input(estimator, X)
    classifier = unfitted_copy(estimator) if previous is None or method.copies else previous
    if previous is not None and hasattr(previous, "steps") and hasattr(classifier, "steps"):
        classifier.steps[:-1] = previous.steps[:-1]
    last = _steps(classifier)[-1]

    def train() -> None:
        Z = _transformed(classifier, X, y, first=previous is None)
        method.train(last, None if previous is None else _steps(previous)[-1], Z, y)

    trained = checked_fit(classifier, "learn on from", train, X, rng)
    return deepcopy(trained) if method.copies else trained  # the trees alone: a booster refers to those that it began with


def _transformed(classifier: BaseEstimator, X: FloatArray, y: IntArray, *, first: bool) -> FloatArray:
    """Return the rows as the last step of a pipeline sees them; the first time, the steps before it are fitted to them."""
    if len(_steps(classifier)) == 1:
        return X
    before = classifier[:-1]
    transformed: FloatArray = before.fit_transform(X, y) if first else before.transform(X)
    if first:
        classifier.steps[:-1] = before.steps  # a pipeline with a memory fits copies of them
    return transformed


def _trees(booster: object) -> object:
    """Return the trees of a fitted booster in the form that its own fit takes."""
    if hasattr(booster, "get_booster"):
        return booster.get_booster()
    return booster.booster_ if hasattr(booster, "booster_") else booster


def _steps(estimator: object) -> list[BaseEstimator]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]


def _parameters(estimator: object) -> dict[str, Any]:
    return dict(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else {}


def _arguments(function: Callable[..., object] | None) -> Mapping[str, Parameter]:
    return {} if function is None else signature(function).parameters
