"""What a classifier asks of its input: seen to where that is safe, visibly in the repr, and named where it is not."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler
from sklearn.utils import get_tags

from turinglearn.contract import name_of
from turinglearn.discriminators.answers import REMEDY

__all__ = ["as_it_plays", "as_taken", "kind_of", "nets_in", "remedy"]

_BINS = 16


def kind_of(estimator: Any) -> str:
    """What scikit-learn takes the estimator for; "" for classifiers of one's own, which say nothing."""
    tags = _tags(estimator)
    return "" if tags is None else tags.estimator_type or ""


def as_it_plays(estimator: Any) -> Any:
    """The classifier, made to take any finite rows of numbers; raises TypeError for one that cannot, with the remedy.

    One that takes no negative numbers has them scaled into [0, 1] first. One that takes categories or counts has the numbers
    put into bins of equal width, and is told the bins, or counts of 1 in them. One that finds no neighbours for a sample is
    told to take it for a counterfeit.
    """
    who, tags = name_of(estimator), _tags(estimator)
    if tags is not None and not tags.target_tags.single_output:
        inner = getattr(estimator, "estimator", None)
        raise TypeError(
            f"{who} predicts several outputs at once; a judge has one, genuine or not. Give the classifier that it is made "
            f"of: {'LogisticRegression()' if inner is None else repr(inner)}."
        )
    if tags is not None and tags.input_tags.pairwise:
        raise TypeError(
            f"{who} takes kernels or distances between samples (precomputed), but a judge is shown samples. "
            "Choose a kernel or metric by name, such as 'rbf' or 'euclidean'."
        )
    if tags is not None and tags.input_tags.positive_only:
        return make_pipeline(_in_range(estimator, tags), estimator)
    if _has_no_answer_far_away(estimator):
        return clone(estimator).set_params(outlier_label=0)
    return estimator


def _in_range(estimator: Any, tags: Any) -> Any:
    if tags.input_tags.categorical or isinstance(estimator, ComplementNB | MultinomialNB):
        encoding = "ordinal" if tags.input_tags.categorical else "onehot-dense"
        return KBinsDiscretizer(_BINS, encode=encoding, strategy="uniform")
    return MinMaxScaler(clip=True)


def remedy(estimator: Any, X: Any) -> str:
    """What may help a classifier that raised on rows X; it may be a part of the estimator."""
    if np.isnan(X).any():
        return (
            f"{int(np.isnan(X).sum())} of its numbers were NaN. Choose a classifier that takes them, such as "
            "HistGradientBoostingClassifier(), or impute them in a Pipeline: make_pipeline(SimpleImputer(), ...)."
        )
    for part in _parts(estimator):
        who = name_of(part)
        if hasattr(part, "__sklearn_tags__") and get_tags(part).input_tags.positive_only and (X < 0).any():
            return (
                f"{who} takes no negative numbers: give it to a game as it is, or after MinMaxScaler(clip=True) in a Pipeline."
            )
        if _has_no_answer_far_away(part):
            return (
                f"{who} has no answer where it finds no neighbours: take such samples for counterfeits, {who}(outlier_label=0)."
            )
    return REMEDY


def as_taken(estimator: Any, X: Any) -> Any:
    """The rows in the precision that the classifier takes: a network of skorch takes no other than its own, which is single."""
    return X.astype(np.float32) if X.dtype == np.float64 and nets_in(estimator) else X


def nets_in(estimator: Any) -> list[Any]:
    """The networks of skorch that are a part of the estimator; skorch is not imported for asking."""
    if "skorch" not in sys.modules:
        return []
    return [part for part in _parts(estimator) if any(kind.__module__.startswith("skorch.") for kind in type(part).__mro__)]


def _parts(estimator: Any) -> list[Any]:
    """The estimator and those that it is made of."""
    parameters = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return [part for part in (estimator, *parameters) if hasattr(part, "fit") and not isinstance(part, type)]


def _has_no_answer_far_away(estimator: Any) -> bool:
    """Whether it looks for neighbours within a radius, and was not told what a sample without any is."""
    parameters = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return parameters.get("outlier_label", 0) is None


def _tags(estimator: Any) -> Any:
    """The tags of scikit-learn; None for a class of one's own that has none."""
    if not hasattr(estimator, "__sklearn_tags__"):
        return None
    try:
        return get_tags(estimator)
    except Exception as error:  # of many kinds: it asks the classifier that it lacks
        who = name_of(estimator)
        raise TypeError(
            f"{who} does not say what kind of estimator it is ({str(error).partition('.')[0]}); one that is made of other "
            f"classifiers must be given them. Write {who}(LogisticRegression()), say."
        ) from error
