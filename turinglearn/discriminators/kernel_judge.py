"""What judges that compare samples with the rows of their fit, by kernels, have in common."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import location_and_spread, table
from turinglearn.discriminators.answers import labelled, pullback, unstarted
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels import blocks
from turinglearn.discriminators.platt import platt
from turinglearn.protocols import Array, Batch, LogOdds, Pullback, Rng

__all__ = ["KernelJudge", "losses"]

_ROUNDING = 1e-10  # scores that differ by less are equal


class KernelJudge(BaseEstimator):
    """A judge that each update fits anew, on features z = (x - mean) / scale, with the log-odds

        r(x) = a s(z) + b,   ∂r/∂x = a ∂s/∂z / scale.                                                        (1)

    (a, b) are Platt's (1999), from the scores s of rows that the score was not fitted to. Where these contradict it a is
    negative, and where it tells nothing about them r is about 0: as it should be when the counterfeits are as good as
    genuine. Between start and the first update r = 0. Samples are compared with the rows of the fit in blocks of 2 MiB.
    """

    says = LogOdds
    refits = True

    @abstractmethod
    def _check(self) -> None:
        """Raise ValueError for bad parameters."""

    @abstractmethod
    def _fit(self, X: Array, genuine: Array, rng: Rng) -> tuple[Array, Array]:
        """Fit the score; scores of rows that were left out, and which of them are genuine. The genuine rows of X come first."""

    @abstractmethod
    def _score(self, z: Array) -> Margins:
        """s(z) and the function that computes its gradient."""

    @property
    @abstractmethod
    def _rows(self) -> int:
        """How many rows each sample is compared with."""

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.mean_: Array = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit the score, and its log-odds on rows that are left out of it."""
        self._check()
        X, genuine = labelled(real, fake)
        for kind, n in (("genuine", real.n), ("counterfeit", fake.n)):
            if n < 2:
                raise ValueError(
                    f"{type(self).__name__} leaves rows of each class out of the fit, but there are {n} {kind} samples; "
                    "expected at least 2. Give the discriminator larger batches."
                )
        scores, left_out = self._fit(np.asarray(X, dtype=float), genuine, rng)
        alike = np.ptp(scores) < _ROUNDING
        self.slope_, self.level_ = (0.0, 0.0) if alike else platt(scores, left_out)

    def examine(self, batch: Batch) -> LogOdds:
        """The log-odds of each sample, (n,)."""
        if (z := self._features(batch)) is None:
            return LogOdds(np.zeros(batch.n))
        return LogOdds(self.slope_ * np.concatenate([self._score(z[rows])[0] for rows in self._blocks(z)]) + self.level_)

    def vjp(self, batch: Batch) -> tuple[LogOdds, Pullback]:
        """The log-odds and their exact pullback."""
        if (z := self._features(batch)) is None:
            return LogOdds(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(table(batch).shape))
        s, gradient = np.empty(len(z)), np.empty(z.shape)
        for rows in self._blocks(z):
            s[rows], slopes = self._score(z[rows])
            gradient[rows] = slopes()
        return LogOdds(self.slope_ * s + self.level_), pullback(batch.x, lambda: self.slope_ * gradient / self.scale_)

    def _standardise(self, X: Array) -> None:
        """Learn mean, scale, and how many features vary."""
        self.mean_, spread = location_and_spread(X)
        self.scale_ = np.where(spread > 0, spread, 1)
        self.dimension_ = max(1, int(np.sum(spread > 0)))

    def _features(self, batch: Batch) -> Array:
        """z, or None before the first fit."""
        if not hasattr(self, "mean_"):
            raise unstarted(self)
        return None if self.mean_ is None else (np.asarray(table(batch), dtype=float) - self.mean_) / self.scale_

    def _blocks(self, z: Array) -> list[slice]:
        return list(blocks(len(z), self._rows))


def losses(r: Array, genuine: Array) -> Array:
    """The cross-entropy of each label under log-odds log p/q, (n,), the counts of the classes being put back."""
    m = r + np.log(np.sum(genuine) / np.sum(~genuine))
    return np.logaddexp(0, np.where(genuine, -m, m))
