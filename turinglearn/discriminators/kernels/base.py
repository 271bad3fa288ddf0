"""Base class of the discriminators that compare samples with the rows of their fit by kernels."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import location_and_spread
from turinglearn.discriminators.classifiers.calibration import Platt
from turinglearn.discriminators.common import BoolArray, FloatArray, labelled, not_started_error, pullback
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.functions import blocks
from turinglearn.protocols import Batch, InputError, LogOdds, Pullback, Rng

__all__ = ["KernelDiscriminator", "losses"]

_ROUNDING = 1e-10  # scores that differ by less are equal


class KernelDiscriminator(BaseEstimator):
    """Base class of discriminators that each update fits again, on features z = (x - mean) / scale.

    The log-odds are an affine function of the score s of a subclass ::

        r(x) = a s(z) + b,   ∂r/∂x = a ∂s/∂z / scale.                                                        (1)

    (a, b) are found by Platt scaling (Platt 1999) from the scores of rows that the score was not fitted to. If these rows
    contradict the score, a is negative; if the score is uninformative about them, as it should be for perfect fakes, r is about
    0. Between start and the first update r = 0. Samples are compared with the rows of the fit in blocks of 2 MiB.

    Attributes
    ----------
    mean_ : ndarray of shape (features,) or None
        Mean of the rows; None before the first update.
    scale_ : ndarray of shape (features,)
        Standard deviation of the rows, 1 for constant features.
    dimension_ : int
        Number of features that vary.
    calibrator_ : Platt
        The map from s to r of (1).
    """

    score_type = LogOdds
    refits = True

    mean_: FloatArray | None
    scale_: FloatArray
    dimension_: int
    calibrator_: Platt

    @abstractmethod
    def _check(self) -> None:
        """Raise ValueError for bad parameters."""

    @abstractmethod
    def _fit(self, X: FloatArray, real: BoolArray, rng: Rng) -> tuple[FloatArray, BoolArray]:
        """Fit the score to rows X, real ones first; return scores of rows that were left out, and which of these are real."""

    @abstractmethod
    def _score(self, z: FloatArray) -> Margins:
        """Return s(z) and the function that computes its gradient."""

    @property
    @abstractmethod
    def _n_rows(self) -> int:
        """The number of rows that each sample is compared with."""

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: the log-odds are 0 until the first update."""
        self.mean_ = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit the score, and its map to log-odds on rows that are left out of that fit.

        Parameters
        ----------
        real : Batch
            Real samples (n₁, *event), at least two.
        fake : Batch
            Fake samples (n₀, *event), at least two.
        rng : numpy.random.Generator
            Source of all random choices.
        """
        self._check()
        X, is_real = labelled(real, fake)
        for kind, n in (("real", real.n), ("fake", fake.n)):
            if n < 2:
                raise InputError(
                    f"{type(self).__name__} leaves rows of each class out of the fit, but there are {n} {kind} samples; "
                    "expected at least 2. Give the discriminator larger batches."
                )
        scores, left_out = self._fit(np.asarray(X, dtype=float), is_real, rng)
        constant = np.ptp(scores) < _ROUNDING
        self.calibrator_ = Platt(0.0, 0.0) if constant else Platt.fit(scores, left_out)

    def score_samples(self, batch: Batch) -> LogOdds:
        """Return the log-odds of each sample, (n,)."""
        if (z := self._features(batch)) is None:
            return LogOdds(np.zeros(batch.n))
        return LogOdds(self.calibrator_(np.concatenate([self._score(z[rows])[0] for rows in self._blocks(z)])))

    def vjp(self, batch: Batch) -> tuple[LogOdds, Pullback]:
        """Return the log-odds (n,) and their exact pullback."""
        if (z := self._features(batch)) is None:
            return LogOdds(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(batch.matrix().shape))
        s, gradient = np.empty(len(z)), np.empty(z.shape)
        for rows in self._blocks(z):
            s[rows], slopes = self._score(z[rows])
            gradient[rows] = slopes()
        c, scale = self.calibrator_, self.scale_
        return LogOdds(c(s)), pullback(batch.x, lambda: c.slope * gradient / scale)  # (1)

    def _standardise(self, X: FloatArray, reference: FloatArray) -> FloatArray:
        """Learn mean, scale and dimension from the reference rows, and return the rows X standardised."""
        mean, spread = location_and_spread(reference)
        self.mean_, self.scale_ = mean, np.where(spread > 0, spread, 1)
        self.dimension_ = max(1, int(np.sum(spread > 0)))
        standardised: FloatArray = (X - mean) / self.scale_
        return standardised

    def _features(self, batch: Batch) -> FloatArray | None:
        """Return z, or None before the first fit."""
        if not hasattr(self, "mean_"):
            raise not_started_error(self)
        return None if self.mean_ is None else (np.asarray(batch.matrix(), dtype=float) - self.mean_) / self.scale_

    def _blocks(self, z: FloatArray) -> list[slice]:
        return list(blocks(len(z), self._n_rows))


def losses(r: FloatArray, real: BoolArray) -> FloatArray:
    """Return the cross-entropy of each label under log-odds log p/q, (n,), with the class counts put back."""
    m = r + np.log(np.sum(real) / np.sum(~real))
    loss: FloatArray = np.logaddexp(0, np.where(real, -m, m))
    return loss
