"""Requirements of classifiers on their input: met by a visible preprocessing step if that is safe, explained otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler
from sklearn.utils import get_tags

from turinglearn.contract import name_of
from turinglearn.discriminators.common import REMEDY, Classifier, FloatArray

if TYPE_CHECKING:
    from sklearn.utils import Tags

__all__ = ["cast_input", "estimator_type", "make_compatible", "remedy", "skorch_nets"]

_BINS = 16


def estimator_type(estimator: object) -> str:
    """Return scikit-learn's type of the estimator, such as "classifier"; "" for an object without one."""
    tags = _tags(estimator)
    return "" if tags is None else tags.estimator_type or ""


def make_compatible(estimator: Classifier) -> Classifier:
    """Return the classifier in a form that takes any finite rows of numbers; raise TypeError where there is none.

    For a classifier that takes no negative numbers, features are scaled into [0, 1] first. For a classifier of categories or
    counts, features are binned with equal widths, into bin numbers or one-hot counts. A classifier that finds no neighbours of
    a sample labels it as fake.
    """
    who, tags = name_of(estimator), _tags(estimator)
    if tags is not None and not tags.target_tags.single_output:
        inner = getattr(estimator, "estimator", None)
        raise TypeError(
            f"{who} predicts several outputs at once; a discriminator has one, real or not. Give the classifier that it is "
            f"made of: {'LogisticRegression()' if inner is None else repr(inner)}."
        )
    if tags is not None and tags.input_tags.pairwise:
        raise TypeError(
            f"{who} takes kernels or distances between samples (precomputed), but a discriminator is shown samples. "
            "Choose a kernel or metric by name, such as 'rbf' or 'euclidean'."
        )
    if tags is not None and tags.input_tags.positive_only:
        pipeline: Classifier = make_pipeline(_non_negative(estimator, tags), estimator)
        return pipeline
    if _lacks_outlier_label(estimator):
        labelling: Classifier = clone(estimator).set_params(outlier_label=0)
        return labelling
    return estimator


def _non_negative(estimator: Classifier, tags: Tags) -> BaseEstimator:
    """Return the transformer that makes features non-negative in the way that suits the classifier."""
    if tags.input_tags.categorical or isinstance(estimator, ComplementNB | MultinomialNB):
        encoding = "ordinal" if tags.input_tags.categorical else "onehot-dense"
        return KBinsDiscretizer(_BINS, encode=encoding, strategy="uniform")
    return MinMaxScaler(clip=True)


def remedy(estimator: object, X: FloatArray) -> str:
    """Return advice for a classifier that raised on rows X; the cause may be a part of the estimator."""
    if np.isnan(X).any():
        return (
            f"{int(np.isnan(X).sum())} of its numbers were NaN. Choose a classifier that takes them, such as "
            "HistGradientBoostingClassifier(), or impute them in a Pipeline: make_pipeline(SimpleImputer(), ...)."
        )
    for part in _parts(estimator):
        who = name_of(part)
        if hasattr(part, "__sklearn_tags__") and get_tags(part).input_tags.positive_only and (X < 0).any():
            return (
                f"{who} takes no negative numbers: pass it to a game directly, or put MinMaxScaler(clip=True) before it in a "
                "Pipeline."
            )
        if _lacks_outlier_label(part):
            return f"{who} has no answer where it finds no neighbours: label such samples as fake, {who}(outlier_label=0)."
    return REMEDY


def cast_input(estimator: object, X: FloatArray) -> FloatArray:
    """Return the rows in the precision that the classifier takes: networks of skorch take single precision only."""
    return X.astype(np.float32) if X.dtype == np.float64 and skorch_nets(estimator) else X


def skorch_nets(estimator: object) -> list[object]:
    """Return the networks of skorch among the estimator and its parameters; skorch is never imported for this."""
    skorch = sys.modules.get("skorch")
    return [] if skorch is None else [part for part in _parts(estimator) if isinstance(part, skorch.NeuralNet)]


def _parts(estimator: object) -> list[object]:
    """Return the estimator and the estimators among its parameters."""
    parameters = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return [part for part in (estimator, *parameters) if hasattr(part, "fit") and not isinstance(part, type)]


def _lacks_outlier_label(estimator: object) -> bool:
    """Return whether the classifier has neighbours within a radius, and no label for samples without any."""
    parameters = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return parameters.get("outlier_label", 0) is None


def _tags(estimator: object) -> Tags | None:
    """Return scikit-learn's tags; None for an object without them."""
    if not hasattr(estimator, "__sklearn_tags__"):
        return None
    try:
        return get_tags(estimator)
    except Exception as error:  # of many types: a meta-estimator asks the classifier that it lacks
        who = name_of(estimator)
        raise TypeError(
            f"{who} does not say what kind of estimator it is ({str(error).partition('.')[0]}); one that is made of other "
            f"classifiers must be given them. Write {who}(LogisticRegression()), say."
        ) from error
