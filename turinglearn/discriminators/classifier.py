"""Any classifier with the scikit-learn API as a discriminator: its probabilities, made into honest log-odds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import table
from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.answers import ask, labelled, pullback, unstarted
from turinglearn.discriminators.fits import fitted_copy
from turinglearn.discriminators.gradients import closed_form
from turinglearn.discriminators.masses import log_mass_ratio
from turinglearn.discriminators.platt import hold_out, platt
from turinglearn.discriminators.voices import spoken, voice_of
from turinglearn.protocols import Batch, LogOdds, Pullback, Rng, Scores

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
        return LogOdds if self.calibrate or voice_of(self.estimator) != "predict" else Scores

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.estimator_: Any = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit a fresh copy of the classifier."""
        voice = voice_of(self.estimator)
        calibrated = self.calibrate or voice == "decision_function"
        X, genuine = labelled(real, fake)
        held = hold_out(genuine, _HELD_OUT, rng) if calibrated else np.zeros(len(X), dtype=bool)
        rows = rng.permutation(np.flatnonzero(~held))
        fitted = fitted_copy(self.estimator, X[rows], genuine[rows].astype(int), rng)
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
            raise AttributeError(f"{name_of(self.estimator)} has no closed-form gradient, so there is no vjp")
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
        form, who = closed_form(self.estimator_), name_of(self.estimator_)
        if form is None:
            return spoken(self.estimator_, voice_of(self.estimator), X), lambda: None
        margins, gradient = ask(who, f"examine {len(X)} rows", form, self.estimator_, X.astype(float, copy=False))
        check_values(who, "margins", margins, (len(X),))
        return margins, gradient
