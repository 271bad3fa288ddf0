"""Any classifier with the scikit-learn API as a discriminator: its probabilities, made into honest log-odds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import table
from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.answers import ask, labelled, pullback, unstarted
from turinglearn.discriminators.calibration import CALIBRATORS, Temperature, folds
from turinglearn.discriminators.fits import fitted_copy
from turinglearn.discriminators.gradients import closed_form
from turinglearn.discriminators.incremental import averages_the_past, learned_on, way_on
from turinglearn.discriminators.masses import log_mass_ratio
from turinglearn.discriminators.voices import spoken, voice_of
from turinglearn.protocols import Batch, LogOdds, Pullback, Rng, Scores

__all__ = ["ClassifierDiscriminator"]

_USUAL = {"predict_proba": "none", "decision_function": "platt", "predict": "none"}


class ClassifierDiscriminator(BaseEstimator):
    """A classifier that each update fits anew to genuine (label 1) against counterfeit samples (label 0). It says

        r = c(m - log M₁/M₀),    m = logit P(genuine), clipped to ±log(n + 1),                               (1)

    for n rows in the fit and effective class masses M (counts times class weights; equal where these are balanced).
    The clip is that of P to [1/(n + 2), 1 - 1/(n + 2)]: n rows cannot prove more. A classifier with nothing but a decision
    function has this for m, without clip and masses; one with neither has its votes, ±1. Between start and the first
    update r = 0: it has no opinion.

    The map c is the identity, or found by calibration: three further fits, each without a third of the rows, say m on the rows
    that they have not seen, and c is the map from these margins to log-odds that explains best which rows are genuine.

    - "platt": a m + b (Platt 1999), which takes the masses in;
    - "isotonic": a rising step function (Zadrozny & Elkan 2002), which takes them in too and has no gradient;
    - "temperature": m / T (Guo et al. 2017), which believes the classifier's own level;
    - "none": the identity; decision functions and votes are then no log-odds but plain scores, an order;
    - "auto": "platt" for decision functions, else "none".

    A classifier that interpolates tells nothing about the samples that it was fitted to: examine fresh ones.

    The exact gradient `vjp` is there for linear models, support vector machines, MLPClassifier, Gaussian, multinomial and
    complement naive Bayes, linear and quadratic discriminant analysis, Gaussian processes, and CalibratedClassifierCV with
    the sigmoid method of one of these; alone or in a Pipeline after scalers and PCA, but not with isotonic calibration. Of a
    Gaussian process m is the latent mean, as if the process were certain of it (Rasmussen & Williams 2006, section 3.4):
    calibrate it where levels matter. The leaves, `cells`, are there for classifiers with `apply`: forests and boosted trees
    of scikit-learn.

    Parameters
    ----------
    estimator : classifier
        It has fit, which sets classes_, and predict_proba, decision_function or predict. It is copied, never fitted itself;
        random_state parameters, nested ones too, are drawn anew for each fit. A dictionary class_weight is of the labels 0
        and 1.
    calibrate : str
        How c is found: "auto", "none", "platt", "isotonic" or "temperature".
    incremental : bool
        Whether each update goes on with the classifier of the last one, and does not fit it anew: by its partial_fit, once
        over the rows, or by trees that are added to an ensemble, n_estimators each time. Of a Pipeline the last step learns
        on, and those before it are kept as the first update fitted them. n is then the number of rows in all updates, and c is
        found on a third of the rows of each, from which the classifier does not learn.

    Attributes
    ----------
    estimator_ : the copy that is fitted to all rows, None before the first update.
    counts_ : the numbers of counterfeit and genuine rows that it has learned from.
    limit_, prior_, calibrator_ : the clip, log M₁/M₀ and c of (1).
    """

    def __init__(self, estimator: Any, *, calibrate: str = "auto", incremental: bool = False) -> None:
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
        """Log-odds, or plain scores of decision functions and votes that are not calibrated."""
        return LogOdds if self._how() != "none" or voice_of(self.estimator) == "predict_proba" else Scores

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.estimator_: Any = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit fresh copies of the classifier, or let the one that is there learn on."""
        how = self._how()
        X, genuine = labelled(real, fake)
        order = rng.permutation(len(X))
        X, genuine = X[order], genuine[order]
        so_far = getattr(self, "estimator_", None) if self.incremental else None
        apart = self.incremental and how != "none"  # what learns on cannot be fitted several times
        held = next(folds(genuine, rng)) if apart else np.zeros(len(X), dtype=bool)
        counts = _counts(genuine[~held]) + (0 if so_far is None else self.counts_)
        self.limit_ = np.log(counts.sum() + 1) if voice_of(self.estimator) == "predict_proba" else np.inf
        crossed = None if apart or how == "none" else self._cross_fitted(X, genuine, rng)
        self.estimator_, self.prior_ = self._fitted(so_far, X[~held], genuine[~held], counts, rng)
        self.counts_: Any = counts
        self.calibrator_: Any = Temperature()
        if crossed is not None:
            self.calibrator_ = CALIBRATORS[how].fit(crossed, genuine)
        elif apart:
            self.calibrator_ = CALIBRATORS[how].fit(self._levelled(self.estimator_, X[held], self.prior_), genuine[held])

    def examine(self, batch: Batch) -> Scores:
        """The evidence on each sample, (n,), finite."""
        return self._examine(batch)[0]

    @property
    def vjp(self) -> Callable[[Batch], tuple[Scores, Pullback]]:
        """The evidence and its exact pullback, 0 where (1) clips; only classifiers with a closed form have it."""
        if closed_form(self.estimator) is None:
            raise AttributeError(f"{name_of(self.estimator)} has no closed-form gradient, so there is no vjp")
        if not hasattr(CALIBRATORS.get(self._how(), Temperature), "slopes"):
            raise AttributeError(f"calibrate={self.calibrate!r} is flat almost everywhere, so there is no vjp")
        return self._examine

    @property
    def cells(self) -> Callable[[Batch], Any]:
        """The leaf of each sample in each tree, (n, trees); only classifiers with `apply`, which are forests, have it."""
        if not hasattr(self.estimator, "apply"):
            raise AttributeError(f"{name_of(self.estimator)} has no apply, so there are no cells")
        return self._cells

    def _cells(self, batch: Batch) -> Any:
        if not hasattr(self, "estimator_"):
            raise unstarted(self)
        if self.estimator_ is None:
            return np.zeros((batch.n, 1), dtype=np.int64)
        leaves = ask(name_of(self.estimator_), f"apply {batch.n} rows", self.estimator_.apply, table(batch))
        return np.asarray(leaves).reshape(batch.n, -1).astype(np.int64)

    def _examine(self, batch: Batch) -> tuple[Scores, Pullback]:
        if not hasattr(self, "estimator_"):
            raise unstarted(self)
        X = table(batch)
        if self.estimator_ is None:
            return self.says(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(X.shape))
        m, gradient = _margins(self.estimator_, X)
        z = np.clip(m, -self.limit_, self.limit_) - self.prior_
        inside = np.abs(m) < self.limit_
        r = self.calibrator_(z)  # (1)
        return self.says(r), pullback(batch.x, lambda: (self.calibrator_.slopes(z) * inside)[:, None] * gradient())

    def _how(self) -> str:
        """The calibration, checked."""
        if not (isinstance(self.calibrate, str) and self.calibrate in ("auto", "none", *CALIBRATORS)):
            raise ValueError(
                f"ClassifierDiscriminator(calibrate={self.calibrate!r}): expected 'auto', 'none', 'platt', 'isotonic' or "
                "'temperature'. Leave it out, or choose 'platt', which suits most."
            )
        return _USUAL[voice_of(self.estimator)] if self.calibrate == "auto" else self.calibrate

    def _cross_fitted(self, X: Any, genuine: Any, rng: Rng) -> Any:
        """Margins (n,) less log M₁/M₀, each from a fit without its row."""
        margins = np.empty(len(X))
        for out in folds(genuine, rng):
            fitted, prior = self._fitted(None, X[~out], genuine[~out], _counts(genuine[~out]), rng)
            margins[out] = self._levelled(fitted, X[out], prior)
        return margins

    def _fitted(self, so_far: Any, X: Any, genuine: Any, counts: Any, rng: Rng) -> tuple[Any, float]:
        """A copy that has learned from these rows, and log M₁/M₀ where the level of its margins counts."""
        lesson = X, genuine.astype(int), rng
        fitted = learned_on(self.estimator, so_far, *lesson) if self.incremental else fitted_copy(self.estimator, *lesson)
        if voice_of(self.estimator) != "predict_proba" or self._how() in ("platt", "isotonic"):
            return fitted, 0.0
        return fitted, log_mass_ratio(fitted, tuple(counts))

    def _levelled(self, fitted: Any, X: Any, prior: float) -> Any:
        """The argument of c in (1), (n,)."""
        return np.clip(_margins(fitted, X)[0], -self.limit_, self.limit_) - prior


def _margins(fitted: Any, X: Any) -> tuple[Any, Callable[[], Any]]:
    """m of (1) before its clip, (n,), and where there is a closed form the function that computes dm/dX."""
    form, who = closed_form(fitted), name_of(fitted)
    if form is None:
        return spoken(fitted, voice_of(fitted), X), lambda: None
    margins, gradient = ask(who, f"examine {len(X)} rows", form, fitted, X.astype(float, copy=False))
    check_values(who, "margins", margins, (len(X),))
    return margins, gradient


def _counts(genuine: Any) -> Any:
    """How many rows are counterfeit, and how many genuine, (2,)."""
    return np.bincount(genuine.astype(int), minlength=2)
