"""What a classifier can say: probabilities, a decision function, or nothing but votes; asked for, and checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logit

from turinglearn.arrays import is_array, to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.answers import ask
from turinglearn.protocols import PlayerError

__all__ = ["spoken", "voice_of"]


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


def spoken(fitted: Any, voice: str, X: Any) -> Any:
    """The log-odds of the genuine class, the decision function, or the votes of a fitted classifier, (n,)."""
    who, n = f"{name_of(fitted)}.{voice}", len(X)
    answer = ask(who, f"examine {n} rows", lambda: getattr(fitted, voice)(X))
    if voice == "predict":
        return _votes(who, answer, n)
    if voice == "decision_function":  # of either sign: Platt's slope finds it
        check_values(who, "decision values", answer, (n,))
        return np.asarray(to_numpy(answer), dtype=float)
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
    genuine = np.ravel(fitted.classes_).tolist().index(1)
    return logit(np.minimum(p[:, genuine], 1))


def _votes(who: str, answer: Any, n: int) -> Any:
    """1 for genuine, -1 for counterfeit, (n,)."""
    labels = to_numpy(answer) if is_array(answer) else np.empty(())
    if labels.shape != (n,) or labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)):
        what = f"an array of shape {labels.shape}, {labels.dtype}" if is_array(answer) else f"a {name_of(answer)}"
        raise PlayerError(
            f"{who} returned {what}; expected an array with the label 0 or 1 for each of {n} rows. "
            "Return the labels that fit was shown, such as classes_[index]."
        )
    return np.where(labels == 1, 1.0, -1.0)
