"""Outputs of classifiers: probabilities, decision values or votes, requested, checked and turned into margins."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeGuard, cast

import numpy as np
from scipy.special import logit
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from turinglearn.arrays import is_array, to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.classifiers.inputs import cast_input, remedy
from turinglearn.discriminators.common import Classifier, FloatArray, call_user_code
from turinglearn.protocols import Array, InputError, PlayerError

__all__ = ["is_classifier", "labels_of", "response", "response_method"]

_METHODS = ("predict_proba", "decision_function", "predict")  # the most informative first
_LABELS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}  # the labels passed to fit, in any type, as text


def is_classifier(estimator: object) -> TypeGuard[Classifier]:
    """Return whether the object has `fit` and a method that gives probabilities, decision values or labels."""
    return hasattr(estimator, "fit") and _method(estimator) is not None


def response_method(estimator: object) -> str:
    """Return the name of the classifier's most informative method: predict_proba, decision_function or predict."""
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise InputError(
            f"ClassifierDiscriminator(estimator={estimator!r}): expected a classifier object with a fit method. "
            "Give an instance, such as RandomForestClassifier()."
        )
    method = _method(estimator)
    if method is None:
        raise InputError(
            f"ClassifierDiscriminator(estimator={estimator!r}): expected a classifier with predict_proba, "
            "decision_function or predict; it has none of them. Add one."
        )
    return method


def _method(estimator: object) -> str | None:
    for owner in (estimator, type(estimator)):  # some classifiers have their methods only after fit
        for method in _METHODS:
            if hasattr(owner, method):
                return method
    return None


def labels_of(classes: object) -> list[object]:
    """Return the labels with 0 and 1 as integers, also where they are stored as text or floats; other labels as they are."""
    return [_LABELS.get(str(label), label) for label in np.ravel(np.asarray(classes)).tolist()]


def response(fitted: object, method: str, X: FloatArray) -> FloatArray:
    """Return the log-odds of the real class, the decision values or the votes of a fitted classifier, (n,)."""
    who, n, X = f"{name_of(fitted)}.{method}", len(X), cast_input(fitted, X)
    answer = call_user_code(who, f"score {n} rows", lambda: _call(fitted, method, X), remedy=lambda: remedy(fitted, X))
    if method == "predict":
        return _votes(who, answer, n)
    labels = labels_of(getattr(fitted, "classes_", None))
    if method == "decision_function":  # positive for the last of classes_
        check_values(who, "decision values", answer, (n,))
        decisions = np.asarray(to_numpy(answer), dtype=float)
        return decisions if labels[-1] == 1 else -decisions
    if is_array(answer) and tuple(answer.shape) != (n, 2):
        raise PlayerError(
            f"{who} returned probabilities of shape {tuple(answer.shape)}; expected {(n, 2)}: a column for each of classes_, "
            "0 (fake) and 1 (real). Stack them, for example by numpy.column_stack((1 - p, p))."
        )
    check_values(who, "probabilities", answer, (n, 2))
    p = np.asarray(to_numpy(answer), dtype=float)
    if np.any(p < 0) or np.any(np.abs(p.sum(axis=1) - 1) > 1e-3):
        raise PlayerError(
            f"{who} returned rows that are not probabilities; expected non-negative numbers that sum to 1 in each row. "
            "Divide them by their sum, or offer them as a decision_function instead."
        )
    log_odds: FloatArray = logit(np.minimum(p[:, labels.index(1)], 1))
    return log_odds


def _call(fitted: object, method: str, X: FloatArray) -> Array:
    if method != "predict_proba" or not isinstance(fitted, LabelPropagation | LabelSpreading):
        return _as_array(getattr(fitted, method)(X))
    with np.errstate(invalid="ignore"):  # where no label spreads to, it divides 0 by 0: the classes are equally likely
        return np.nan_to_num(fitted.predict_proba(X), nan=0.5)


def _as_array(answer: object) -> Array:
    """Convert lists, tables and integers to a floating-point array; anything else is returned unchanged, to be checked."""
    if isinstance(answer, list | tuple) or (hasattr(answer, "__array__") and not is_array(answer)):
        with suppress(ValueError):  # rows of different lengths
            answer = np.asarray(answer)
    return answer.astype(float) if isinstance(answer, np.ndarray) and answer.dtype.kind in "biu" else cast("Array", answer)


def _votes(who: str, answer: Array, n: int) -> FloatArray:
    """Return 1 for real and -1 for fake, (n,)."""
    labels = to_numpy(answer) if is_array(answer) else np.empty(())
    if labels.dtype.kind in "OU" and labels.ndim == 1:
        labels = np.array(labels_of(labels))
    if labels.shape != (n,) or labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)):
        what = f"an array of shape {labels.shape}, {labels.dtype}" if is_array(answer) else f"a {name_of(answer)}"
        raise PlayerError(
            f"{who} returned {what}; expected an array with the label 0 or 1 for each of {n} rows. "
            "Return the labels that fit was passed, such as classes_[index]."
        )
    return np.where(labels == 1, 1.0, -1.0)
