"""Any classifier with the scikit-learn API as a discriminator: its probabilities, turned into log-odds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.contract import check_values, name_of
from turinglearn.discriminators.classifiers.calibration import CALIBRATORS, Calibrator, Temperature, folds
from turinglearn.discriminators.classifiers.class_weights import log_class_prior_ratio
from turinglearn.discriminators.classifiers.fitting import fit_clone
from turinglearn.discriminators.classifiers.incremental import incremental_method, partial_fit_clone, weights_all_history
from turinglearn.discriminators.classifiers.outputs import response, response_method
from turinglearn.discriminators.common import (
    BoolArray,
    Classifier,
    FloatArray,
    IntArray,
    call_user_code,
    labelled,
    not_started_error,
    pullback,
)
from turinglearn.discriminators.gradients import Margins, closed_form
from turinglearn.protocols import Batch, InputError, LogOdds, Pullback, Rng, Scores

__all__ = ["ClassifierDiscriminator"]

_DEFAULT_CALIBRATION = {"predict_proba": "none", "decision_function": "platt", "predict": "none"}


class ClassifierDiscriminator(BaseEstimator):
    """A classifier that each update fits again to real (label 1) against fake samples (label 0).

    Its evidence is ::

        r = c(m - log M₁/M₀),    m = logit P(real), clipped to ±log(n + 1),                               (1)

    for n rows in the fit and effective class weights M (counts times class weights; equal if the weights are balanced).
    The clip is that of P to [1/(n + 2), 1 - 1/(n + 2)]: n rows cannot prove more. A classifier with nothing but a decision
    function has this for m, without clip and class weights; one with neither has its votes, ±1. Between start and the first
    update r = 0.

    The map c is the identity, or found by calibration. Three further fits, each without a third of the rows, give margins m of
    the rows left out, and c is the map from these margins to log-odds that best predicts which rows are real.

    A classifier that interpolates is uninformative on the samples that it was fitted to: score new ones.

    Parameters
    ----------
    estimator : classifier
        A classifier with ``fit``, which sets ``classes_``, and ``predict_proba``, ``decision_function`` or ``predict``. Copies
        of it are fitted, never the object itself. Its ``random_state`` parameters, also nested ones, are drawn again for each
        fit. The keys of a ``class_weight`` dictionary are the labels 0 and 1.
    calibrate : {"auto", "none", "platt", "isotonic", "temperature"}, default="auto"
        The map c.

        - "platt": a m + b [1]_, which accounts for the class weights;
        - "isotonic": an increasing step function [2]_, which accounts for them too and has no gradient;
        - "temperature": m / T [3]_, which trusts the level of the classifier;
        - "none": the identity; decision functions and votes are then plain scores, not log-odds;
        - "auto": "platt" for decision functions, else "none".
    incremental : bool, default=False
        Whether each update trains the classifier of the last update further, instead of fitting it again: by its
        ``partial_fit``, once over the rows, or by ``n_estimators`` more members of an ensemble. In a Pipeline this concerns
        the last step; those before it are fitted by the first update only. n is then the number of rows in all updates, and
        c is fitted to a third of the rows of each update, on which the classifier is not trained.

    Attributes
    ----------
    estimator_ : classifier or None
        The copy that is fitted to all rows; None before the first update.
    counts_ : ndarray of shape (2,)
        Numbers of fake and real rows that it was fitted to.
    limit_ : float
        The clip of (1), log(n + 1).
    prior_ : float
        log M₁/M₀ of (1).
    calibrator_ : Calibrator
        The map c of (1).

    Notes
    -----
    The exact gradient `vjp` exists for linear models, support vector machines, MLPClassifier, Gaussian, multinomial and
    complement naive Bayes, linear and quadratic discriminant analysis, Gaussian processes, and CalibratedClassifierCV with
    the sigmoid method of one of these; alone or in a Pipeline after scalers and PCA, but not with isotonic calibration. For a
    Gaussian process m is the latent mean, as if the process were certain of it ([4]_, section 3.4): calibrate it where levels
    matter. The leaves, `apply`, exist for classifiers with ``apply``: forests and boosted trees of scikit-learn.

    References
    ----------
    .. [1] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    .. [2] Zadrozny & Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.
    .. [3] Guo et al., On calibration of modern neural networks, ICML 2017.
    .. [4] Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006.
    """

    estimator_: Classifier | None
    counts_: IntArray
    limit_: float
    prior_: float
    calibrator_: Calibrator

    def __init__(self, estimator: Classifier, *, calibrate: str = "auto", incremental: bool = False) -> None:
        self.estimator = estimator
        self.calibrate = calibrate
        self.incremental = incremental

    @property
    def refits(self) -> bool:
        """Return whether each update is a fit from scratch; ValueError if `incremental` is impossible for the classifier."""
        return not (self.incremental and incremental_method(self.estimator))

    @property
    def fits_on_history(self) -> bool:
        """Return whether the evidence is log p/q for q the mixture of all fakes so far, all weighted equally."""
        return self.incremental and weights_all_history(self.estimator)

    @property
    def score_type(self) -> type[Scores]:
        """`LogOdds`, or `Scores` for decision functions and votes without calibration."""
        return LogOdds if self._calibration() != "none" or response_method(self.estimator) == "predict_proba" else Scores

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: the evidence is 0 until the first update."""
        self.estimator_ = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit a copy of the classifier, or train the present one further if `incremental`.

        Parameters
        ----------
        real : Batch
            Real samples (n₁, *event).
        fake : Batch
            Fake samples (n₀, *event).
        rng : numpy.random.Generator
            Source of the order of the rows, of folds and of random states.

        Raises
        ------
        PlayerError
            If the classifier raises, or lacks one of the classes after its fit.
        ValueError
            If a batch is empty or too small to calibrate, or if the effective class weights are unknown.
        """
        calibration = self._calibration()
        X, is_real = labelled(real, fake)
        order = rng.permutation(len(X))
        X, is_real = X[order], is_real[order]
        previous = getattr(self, "estimator_", None) if self.incremental else None
        holds_out = self.incremental and calibration != "none"  # a classifier that learns on is not fitted several times
        held = next(folds(is_real, rng)) if holds_out else np.zeros(len(X), dtype=bool)
        counts = _counts(is_real[~held]) + (0 if previous is None else self.counts_)
        self.limit_ = np.log(counts.sum() + 1) if response_method(self.estimator) == "predict_proba" else np.inf
        cross_fitted = None if holds_out or calibration == "none" else self._cross_fitted(X, is_real, rng)
        self.estimator_, self.prior_ = self._fitted(previous, X[~held], is_real[~held], counts, rng)
        self.counts_ = counts
        self.calibrator_ = Temperature()
        if cross_fitted is not None:
            self.calibrator_ = CALIBRATORS[calibration].fit(cross_fitted, is_real)
        elif holds_out:
            margins = self._corrected_margins(self.estimator_, X[held], self.prior_)
            self.calibrator_ = CALIBRATORS[calibration].fit(margins, is_real[held])

    def score_samples(self, batch: Batch) -> Scores:
        """Return the evidence on each sample, (n,), finite."""
        return self._score(batch)[0]

    @property
    def vjp(self) -> Callable[[Batch], tuple[Scores, Pullback]]:
        """The evidence (n,) with its exact pullback, 0 where (1) clips; only for classifiers with a closed form."""
        if closed_form(self.estimator) is None:
            raise AttributeError(f"{name_of(self.estimator)} has no closed-form gradient and therefore no vjp")
        if not hasattr(CALIBRATORS.get(self._calibration(), Temperature), "slopes"):
            raise AttributeError(f"calibrate={self.calibrate!r} is flat almost everywhere and therefore has no vjp")
        return self._score

    @property
    def apply(self) -> Callable[[Batch], IntArray]:
        """The leaf of each sample in each tree, (n, trees); only for classifiers with `apply`, which are forests."""
        if not hasattr(self.estimator, "apply"):
            raise AttributeError(f"{name_of(self.estimator)} has no apply method and therefore no leaves")
        return self._apply

    def _apply(self, batch: Batch) -> IntArray:
        forest = self._current()
        if forest is None:
            return np.zeros((batch.n, 1), dtype=np.int64)
        leaves = call_user_code(name_of(forest), f"apply {batch.n} rows", lambda: forest.apply(batch.matrix()))
        return np.asarray(leaves).reshape(batch.n, -1).astype(np.int64)

    def _score(self, batch: Batch) -> tuple[Scores, Pullback]:
        fitted, X = self._current(), batch.matrix()
        if fitted is None:
            return self.score_type(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(X.shape))
        m, gradient = _margins(fitted, X)
        z = np.clip(m, -self.limit_, self.limit_) - self.prior_
        inside = np.abs(m) < self.limit_
        c = self.calibrator_
        return self.score_type(c(z)), pullback(batch.x, lambda: (_slopes(c, z) * inside)[:, None] * gradient())  # (1)

    def _current(self) -> BaseEstimator | None:
        """Return the fitted classifier, None before the first update, or raise PlayerError before start."""
        if not hasattr(self, "estimator_"):
            raise not_started_error(self)
        return self.estimator_

    def _calibration(self) -> str:
        """Return the name of the calibration, after a check of the parameter."""
        if not (isinstance(self.calibrate, str) and self.calibrate in ("auto", "none", *CALIBRATORS)):
            raise InputError(
                f"ClassifierDiscriminator(calibrate={self.calibrate!r}): expected 'auto', 'none', 'platt', 'isotonic' or "
                "'temperature'. Leave it out, or choose 'platt', which suits most."
            )
        return _DEFAULT_CALIBRATION[response_method(self.estimator)] if self.calibrate == "auto" else self.calibrate

    def _cross_fitted(self, X: FloatArray, is_real: BoolArray, rng: Rng) -> FloatArray:
        """Return margins (n,) less log M₁/M₀, each from a fit without its row."""
        margins = np.empty(len(X))
        for out in folds(is_real, rng):
            fitted, prior = self._fitted(None, X[~out], is_real[~out], _counts(is_real[~out]), rng)
            margins[out] = self._corrected_margins(fitted, X[out], prior)
        return margins

    def _fitted(
        self, previous: Classifier | None, X: FloatArray, is_real: BoolArray, counts: IntArray, rng: Rng
    ) -> tuple[Classifier, float]:
        """Return a classifier trained on these rows, and log M₁/M₀ where the level of its margins matters, else 0."""
        y = is_real.astype(int)
        if self.incremental:
            fitted = partial_fit_clone(self.estimator, previous, X, y, rng)
        else:
            fitted = fit_clone(self.estimator, X, y, rng)
        if response_method(self.estimator) != "predict_proba" or self._calibration() in ("platt", "isotonic"):
            return fitted, 0.0
        return fitted, log_class_prior_ratio(fitted, (int(counts[0]), int(counts[1])))

    def _corrected_margins(self, fitted: Classifier, X: FloatArray, prior: float) -> FloatArray:
        """Return the argument of c in (1), (n,)."""
        return np.clip(_margins(fitted, X)[0], -self.limit_, self.limit_) - prior


def _margins(fitted: Classifier, X: FloatArray) -> Margins:
    """Return m of (1) before its clip, (n,), and the function that computes dm/dX where there is a closed form."""
    form, who = closed_form(fitted), name_of(fitted)
    if form is None:
        return response(fitted, response_method(fitted), X), _no_gradient
    margins, gradient = call_user_code(who, f"score {len(X)} rows", form, fitted, X.astype(float, copy=False))
    check_values(who, "margins", margins, (len(X),))
    return margins, gradient


def _slopes(calibrator: Calibrator, margins: FloatArray) -> FloatArray:
    """Return dr/dm (n,) of a calibrator that has it."""
    if not hasattr(calibrator, "slopes"):
        raise AttributeError(f"{name_of(calibrator)} has no slopes.")
    slopes: FloatArray = calibrator.slopes(margins)
    return slopes


def _no_gradient() -> FloatArray:
    raise AttributeError("The classifier has no closed-form gradient.")


def _counts(is_real: BoolArray) -> IntArray:
    """Return the numbers of fake and of real rows, (2,)."""
    return np.bincount(is_real.astype(int), minlength=2)
