"""Classifiers that learn on: one that an update continues, where the others are fitted anew."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from turinglearn.contract import name_of
from turinglearn.discriminators.fits import copied, taught
from turinglearn.discriminators.inputs import as_taken
from turinglearn.protocols import Rng

__all__ = ["averages_the_past", "learned_on", "way_on"]

_COUNTING = (BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB)
_CONTINUED = ("xgb_model", "init_model")  # by what name fit takes the trees that it adds to


def way_on(estimator: Any) -> str:
    """How the classifier learns on, or the last step of a pipeline.

    "partial_fit"; "warm_start", which adds n_estimators members to an ensemble; or, for boosters of other libraries, the
    argument by which fit is given the trees that are there. Raises ValueError for a classifier that can only be fitted anew.
    """
    *before, last = _steps(estimator)
    who, parameters = name_of(last), _parameters(last)
    resampling = [name_of(step) for step in before if hasattr(step, "fit_resample")]
    if resampling:
        raise ValueError(
            f"ClassifierDiscriminator(..., incremental=True): {resampling[0]} resamples the rows that a whole pipeline is "
            "fitted to, and here only the last step learns on. Leave the step out: a game shows as many genuine samples as "
            "counterfeits."
        )
    if hasattr(last, "partial_fit"):
        return "partial_fit"
    if {"warm_start", "n_estimators"} <= parameters.keys():
        return "warm_start"
    for name in _CONTINUED:
        if name in _arguments(getattr(last, "fit", None)):
            return name
    why = ""
    if isinstance(last, HistGradientBoostingClassifier):
        why = ". Its warm_start bins new rows anew, and reads them with older trees whose bins were others"
    elif "warm_start" in parameters:
        why = ". Its warm_start only begins a search elsewhere, which ends where a fit from scratch does"
    raise ValueError(
        f"ClassifierDiscriminator(..., incremental=True): {who} has neither partial_fit nor a warm_start that adds members to "
        f"an ensemble{why}. Leave incremental out, and each update fits it anew; or choose a classifier that learns on, such "
        "as SGDClassifier(), MLPClassifier() or GradientBoostingClassifier(n_estimators=5)."
    )


def averages_the_past(estimator: Any) -> bool:
    """Whether it weighs every sample that it ever learned from alike: counts of naive Bayes, and the votes of a forest."""
    last = _steps(estimator)[-1]
    return isinstance(last, _COUNTING) or (way_on(last) == "warm_start" and not isinstance(last, GradientBoostingClassifier))


def learned_on(estimator: Any, so_far: Any, X: Any, y: Any, rng: Rng) -> Any:
    """The classifier that has also learned from these rows: so_far itself, or a copy where that is None or cannot change.

    The steps of a pipeline before the last are fitted to the first rows, and kept as they are.
    """
    way, begins, X = way_on(estimator), so_far is None, as_taken(estimator, X)
    classifier = copied(estimator) if begins or way in _CONTINUED else so_far
    if not begins and len(_steps(classifier)) > 1:
        classifier.steps[:-1] = so_far.steps[:-1]
    last, size = _steps(classifier)[-1], _parameters(_steps(estimator)[-1]).get("n_estimators")

    def lesson() -> None:
        Z = _prepared(classifier, X, y, begins)
        if way == "partial_fit":
            told = {"classes": np.array([0, 1])} if begins and "classes" in _arguments(last.partial_fit) else {}
            last.partial_fit(Z, y, **told)
        elif way == "warm_start":
            last.set_params(warm_start=True, n_estimators=size if begins else _parameters(last)["n_estimators"] + size)
            last.fit(Z, y)
        else:
            last.fit(Z, y, **({} if begins else {way: _trees(_steps(so_far)[-1])}))

    learned = taught(classifier, "learn on from", lesson, X, rng)
    return deepcopy(learned) if way in _CONTINUED else learned  # the trees alone: a booster keeps hold of those it began with


def _prepared(classifier: Any, X: Any, y: Any, begins: bool) -> Any:
    """The rows as the last step of a pipeline sees them."""
    if len(_steps(classifier)) == 1:
        return X
    before = classifier[:-1]
    if not begins:
        return before.transform(X)
    Z = before.fit_transform(X, y)
    classifier.steps[:-1] = before.steps  # where a memory fits copies of them
    return Z


def _trees(booster: Any) -> Any:
    """The trees of a fitted booster, as its own fit takes them."""
    for name in ("get_booster", "booster_"):
        if hasattr(booster, name):
            trees = getattr(booster, name)
            return trees() if callable(trees) else trees
    return booster


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]


def _parameters(estimator: Any) -> dict[str, Any]:
    return dict(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else {}


def _arguments(function: Callable[..., Any] | None) -> Any:
    return {} if function is None else signature(function).parameters
