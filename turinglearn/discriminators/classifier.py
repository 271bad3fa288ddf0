"""Any classifier with the scikit-learn API as a discriminator: its probabilities, made into honest log-odds."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import is_array, table, to_numpy
from turinglearn.contract import check_values
from turinglearn.discriminators.answers import ask, labelled, pullback, unstarted
from turinglearn.discriminators.gradients import closed_form
from turinglearn.discriminators.masses import log_mass_ratio
from turinglearn.discriminators.platt import hold_out, platt
from turinglearn.protocols import Batch, LogOdds, PlayerError, Pullback, Rng, Scores

__all__ = ["ClassifierDiscriminator"]

_HELD_OUT = 1 / 3


class ClassifierDiscriminator(BaseEstimator):
    """A classifier that each update fits anew to genuine (label 1) against counterfeit samples (label 0). It says

        r = a (m - log M₁/M₀) + b,    m = logit P(genuine), clipped to ±log(n + 1),                          (1)

    for n rows in the fit and effective class masses M (counts times class weights; equal where these are balanced).
    The clip is that of P to [1/(n + 2), 1 - 1/(n + 2)]: n rows cannot prove more. Without calibration a = 1 and b = 0;
    with it they are Platt's (1999), from a third of each class that the classifier is not fitted to, and b takes the
    masses in. A classifier with nothing but a decision function is always calibrated, m being that function. One with
    neither says its votes, ±1, as plain scores, or as log-odds if it is calibrated. Between start and the first update
    r = 0: it has no opinion.

    A classifier that interpolates tells nothing about the samples that it was fitted to: examine fresh ones.

    The exact gradient `vjp` is there for linear models and MLPClassifier, alone or after StandardScalers in a Pipeline.

    Parameters
    ----------
    estimator : classifier
        It has fit, which sets classes_, and predict_proba, decision_function or predict. It is copied, never fitted itself;
        random_state parameters, nested ones too, are drawn anew for each fit. A dictionary class_weight is of the labels 0
        and 1.
    calibrate : bool
        Whether to find a and b on held-out rows.

    Attributes
    ----------
    estimator_ : the fitted copy, None before the first update.
    limit_, prior_, slope_, level_ : the clip, log M₁/M₀, a and b of (1).
    """

    refits = True

    def __init__(self, estimator: Any, *, calibrate: bool = False) -> None:
        self.estimator = estimator
        self.calibrate = calibrate

    @property
    def says(self) -> type[Scores]:
        """Log-odds, or plain scores of a classifier that has nothing but votes."""
        return LogOdds if self.calibrate or _voice(self.estimator) != "predict" else Scores

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.estimator_: Any = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit a fresh copy of the classifier."""
        voice = _voice(self.estimator)
        calibrated = self.calibrate or voice == "decision_function"
        X, genuine = labelled(real, fake)
        held = hold_out(genuine, _HELD_OUT, rng) if calibrated else np.zeros(len(X), dtype=bool)
        rows = rng.permutation(np.flatnonzero(~held))
        fitted = _fitted(self.estimator, X[rows], genuine[rows].astype(int), rng)
        level_is_known = voice == "predict_proba" and not calibrated  # else Platt's takes the prior in, or there is none
        self.prior_ = log_mass_ratio(fitted, (fake.n, real.n)) if level_is_known else 0.0
        self.estimator_, self.limit_ = fitted, np.log(len(rows) + 1) if voice == "predict_proba" else np.inf
        self.slope_, self.level_ = 1.0, 0.0
        if calibrated:
            margins, _ = self._margins(X[held])
            self.slope_, self.level_ = platt(np.clip(margins, -self.limit_, self.limit_), genuine[held])

    def examine(self, batch: Batch) -> Scores:
        """The evidence on each sample, (n,), finite."""
        return self._examine(batch)[0]

    @property
    def vjp(self) -> Callable[[Batch], tuple[Scores, Pullback]]:
        """The evidence and its exact pullback, 0 where (1) clips; only classifiers with a closed form have it."""
        if closed_form(self.estimator) is None:
            raise AttributeError(f"{_name(self.estimator)} has no closed-form gradient, so there is no vjp")
        return self._examine

    def _examine(self, batch: Batch) -> tuple[Scores, Pullback]:
        if not hasattr(self, "estimator_"):
            raise unstarted(self)
        X = table(batch)
        if self.estimator_ is None:
            return self.says(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(X.shape))
        m, gradient = self._margins(X)
        r = self.slope_ * (np.clip(m, -self.limit_, self.limit_) - self.prior_) + self.level_  # (1)
        inside = np.abs(m) < self.limit_
        return self.says(r), pullback(batch.x, lambda: self.slope_ * inside[:, None] * gradient())

    def _margins(self, X: Any) -> tuple[Any, Callable[[], Any]]:
        """m of (1) before its clip, (n,), and where there is a closed form the function that computes dm/dX."""
        form, who = closed_form(self.estimator_), _name(self.estimator_)
        if form is None:
            return _spoken(self.estimator_, _voice(self.estimator), X), lambda: None
        margins, gradient = ask(who, f"examine {len(X)} rows", form, self.estimator_, X.astype(float, copy=False))
        check_values(who, "margins", margins, (len(X),))
        return margins, gradient


def _name(estimator: Any) -> str:
    return type(estimator).__name__


def _voice(estimator: Any) -> str:
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


def _fitted(estimator: Any, X: Any, y: Any, rng: Rng) -> Any:
    """A fresh copy of the classifier with random states from rng, fitted; it has seen both classes."""
    who, fresh = _name(estimator), _copied(estimator)
    if hasattr(fresh, "get_params"):
        states = [name for name in sorted(fresh.get_params()) if name.split("__")[-1] == "random_state"]
        fresh.set_params(**{name: int(rng.integers(2**31 - 1)) for name in states})
    elif hasattr(fresh, "random_state"):
        fresh.random_state = int(rng.integers(2**31 - 1))
    ask(who, f"fit {len(X)} rows of {X.shape[1]} features with labels 0 and 1", fresh.fit, X, y)
    classes: Any = getattr(fresh, "classes_", None)
    if (classes is not None or _voice(fresh) != "predict") and set(np.ravel(classes).tolist()) != {0, 1}:
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
                f"{_name(estimator)} can be copied neither by sklearn.base.clone nor by copy.deepcopy ({error}); expected "
                "one of them, since each update fits a fresh copy. Let it inherit sklearn.base.BaseEstimator."
            ) from error


def _spoken(fitted: Any, voice: str, X: Any) -> Any:
    """The log-odds of the genuine class, the decision function, or the votes of a fitted classifier, (n,)."""
    who, n = f"{_name(fitted)}.{voice}", len(X)
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
        what = f"an array of shape {labels.shape}, {labels.dtype}" if is_array(answer) else f"a {_name(answer)}"
        raise PlayerError(
            f"{who} returned {what}; expected an array with the label 0 or 1 for each of {n} rows. "
            "Return the labels that fit was shown, such as classes_[index]."
        )
    return np.where(labels == 1, 1.0, -1.0)
