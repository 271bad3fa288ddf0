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
from turinglearn.discriminators.incremental import averages_the_past, learned_on, way_on
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
    incremental : bool
        Whether each update goes on with the classifier of the last one, and does not fit it anew: by its partial_fit, once
        over the rows, or by trees that are added to an ensemble, n_estimators each time. Of a Pipeline the last step learns
        on, and those before it are kept as the first update fitted them. n is then the number of rows in all updates.

    Attributes
    ----------
    estimator_ : the fitted copy, None before the first update.
    counts_ : the numbers of counterfeit and genuine rows that it has learned from.
    limit_, prior_, slope_, level_ : the clip, log M₁/M₀, a and b of (1).
    """

    def __init__(self, estimator: Any, *, calibrate: bool = False, incremental: bool = False) -> None:
        self.estimator = estimator
        self.calibrate = calibrate
        self.incremental = incremental

    @property
    def refits(self) -> bool:
        """Whether each update is a fit from scratch; raises ValueError if the classifier should learn on and cannot."""
        return not (self.incremental and way_on(self.estimator))

    @property
    def remembers(self) -> bool:
        """Whether its evidence is log p/q of all counterfeits so far, the latest counting no more than the first."""
        return self.incremental and averages_the_past(self.estimator)

    @property
    def says(self) -> type[Scores]:
        """Log-odds, or plain scores of a classifier that has nothing but votes."""
        return LogOdds if self.calibrate or voice_of(self.estimator) != "predict" else Scores

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.estimator_: Any = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit a fresh copy of the classifier, or let the one that is there learn on."""
        voice = voice_of(self.estimator)
        calibrated = self.calibrate or voice == "decision_function"
        X, genuine = labelled(real, fake)
        held = hold_out(genuine, _HELD_OUT, rng) if calibrated else np.zeros(len(X), dtype=bool)
        rows = rng.permutation(np.flatnonzero(~held))
        so_far = getattr(self, "estimator_", None) if self.incremental else None
        lesson = X[rows], genuine[rows].astype(int), rng
        fitted = learned_on(self.estimator, so_far, *lesson) if self.incremental else fitted_copy(self.estimator, *lesson)
        before = 0 if so_far is None else self.counts_
        self.counts_: Any = before + np.bincount(lesson[1], minlength=2)
        level_is_known = voice == "predict_proba" and not calibrated  # else Platt's takes the prior in, or there is none
        self.prior_ = log_mass_ratio(fitted, tuple(self.counts_)) if level_is_known else 0.0
        self.estimator_, self.limit_ = fitted, np.log(self.counts_.sum() + 1) if voice == "predict_proba" else np.inf
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
