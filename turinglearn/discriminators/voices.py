"""What a classifier can say: probabilities, a decision function, or nothing but votes; asked for, and checked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from turinglearn.arrays import is_array, to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.answers import ask
from turinglearn.discriminators.inputs import as_taken, remedy
from turinglearn.protocols import PlayerError

__all__ = ["labels_of", "spoken", "voice_of"]

_LABELS = {"0": 0, "0.0": 0, "False": 0, "1": 1, "1.0": 1, "True": 1}  # what fit was shown, in any type, as it reads


def voice_of(estimator: Any) -> str:
    """The method by which the classifier says the most."""
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ValueError(
            f"ClassifierDiscriminator(estimator={estimator!r}): expected a classifier object with a fit method. "
            "Give an instance, such as RandomForestClassifier()."
        )
    for owner in (estimator, type(estimator)):  # some show their methods only once they are fitted
        for method in ("predict_proba", "decision_function", "predict"):
            if hasattr(owner, method):
                return method
    raise ValueError(
        f"ClassifierDiscriminator(estimator={estimator!r}): expected a classifier with predict_proba, "
        "decision_function or predict; it has none of them. Add one."
    )


def labels_of(classes: Any) -> list[Any]:
    """The labels 0 and 1 as fit was shown them, from numbers or text; anything else as it is."""
    return [_LABELS.get(str(label), label) for label in np.ravel(classes).tolist()]


def spoken(fitted: Any, voice: str, X: Any) -> Any:
    """The log-odds of the genuine class, the decision function, or the votes of a fitted classifier, (n,)."""
    who, n, X = f"{name_of(fitted)}.{voice}", len(X), as_taken(fitted, X)
    answer = ask(who, f"examine {n} rows", lambda: _answer(fitted, voice, X), remedy=lambda: remedy(fitted, X))
    if voice == "predict":
        return _votes(who, answer, n)
    if voice == "decision_function":  # positive for the last of classes_
        check_values(who, "decision values", answer, (n,))
        decisions = np.asarray(to_numpy(answer), dtype=float)
        return decisions if np.ravel(fitted.classes_)[-1] == 1 else -decisions
    if is_array(answer) and tuple(answer.shape) != (n, 2):
        raise PlayerError(
            f"{who} returned probabilities of shape {tuple(answer.shape)}; expected {(n, 2)}: a column for each of classes_, "
            "0 (counterfeit) and 1 (genuine). Stack them, for example by numpy.column_stack((1 - p, p))."
        )
    check_values(who, "probabilities", answer, (n, 2))
    p = np.asarray(to_numpy(answer), dtype=float)
    if np.any(p < 0) or np.any(np.abs(p.sum(axis=1) - 1) > 1e-3):
        raise PlayerError(
            f"{who} returned rows that are no probabilities; expected numbers from 0 on that sum to 1 in each row. "
            "Divide them by their sum, or offer them as a decision_function instead."
        )
    return logit(np.minimum(p[:, labels_of(fitted.classes_).index(1)], 1))


def _answer(fitted: Any, voice: str, X: Any) -> Any:
    if voice != "predict_proba" or not isinstance(fitted, LabelPropagation | LabelSpreading):
        return _array(getattr(fitted, voice)(X))
    with np.errstate(invalid="ignore"):  # where no label spreads to, it divides 0 by 0: it has no opinion
        return np.nan_to_num(fitted.predict_proba(X), nan=0.5)


def _array(answer: Any) -> Any:
    """The answer, as an array of floating-point numbers where it is a list, or a table, or of whole numbers."""
    if isinstance(answer, list | tuple) or (hasattr(answer, "__array__") and not is_array(answer)):
        with suppress(ValueError):  # rows of several lengths
            answer = np.asarray(answer)
    return answer.astype(float) if isinstance(answer, np.ndarray) and answer.dtype.kind in "biu" else answer


def _votes(who: str, answer: Any, n: int) -> Any:
    """1 for genuine, -1 for counterfeit, (n,)."""
    labels = to_numpy(answer) if is_array(answer) else np.empty(())
    if labels.dtype.kind in "OU" and labels.ndim == 1:
        labels = np.array(labels_of(labels))
    if labels.shape != (n,) or labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)):
        what = f"an array of shape {labels.shape}, {labels.dtype}" if is_array(answer) else f"a {name_of(answer)}"
        raise PlayerError(
            f"{who} returned {what}; expected an array with the label 0 or 1 for each of {n} rows. "
            "Return the labels that fit was shown, such as classes_[index]."
        )
    return np.where(labels == 1, 1.0, -1.0)
