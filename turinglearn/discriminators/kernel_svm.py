"""A support vector machine with a Gaussian kernel, whose log-odds have an exact gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.svm import SVC

from turinglearn.arrays import location_and_spread, table
from turinglearn.discriminators.answers import labelled, pullback, unstarted
from turinglearn.discriminators.platt import hold_out, platt
from turinglearn.protocols import Array, Batch, LogOdds, Pullback, Rng

__all__ = ["KernelSVMDiscriminator"]

_BLOCK = 2**18  # entries of the kernel matrix computed at a time: 2 MiB


class KernelSVMDiscriminator(BaseEstimator):
    """A support vector machine that each update fits anew, on features z = (x - mean) / scale of the rows of its fit:

        f(x) = Σ αᵢ exp(-γ|z - zᵢ|²) + c                                                                     (1)
        r(x) = a f(x) + b                                                                                    (2)
        ∂f/∂z = -2γ Σ αᵢ (z - zᵢ) exp(-γ|z - zᵢ|²)                                                           (3)

    (a, b) are Platt's (1999), from rows held out of the fit, with b corrected by their counts. Where those rows
    contradict the machine, a is negative, and where it tells nothing about them r is about 0: as it should be when the
    counterfeits are as good as genuine. Far from all data r is a c + b. Between start and the first update r = 0.

    Parameters
    ----------
    gamma : float or "scale"
        γ, in units of the standardised features; "scale" is 1 / (their number × their variance), as in scikit-learn.
    C : float
        The price of margin violations.
    held_out : float
        The share of each class that is kept for Platt scaling, in (0, 1).

    Attributes
    ----------
    mean_, scale_, gamma_, vectors_, dual_, intercept_, slope_, level_ : mean, scale, γ, zᵢ, αᵢ, c, a and b.
    """

    says = LogOdds
    refits = True

    def __init__(self, gamma: float | str = "scale", C: float = 1.0, *, held_out: float = 1 / 3) -> None:
        self.gamma = gamma
        self.C = C
        self.held_out = held_out

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget every fit: no opinion."""
        self.vectors_: Array = None

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit the machine on most rows, and its log-odds on the others."""
        self._check()
        X, genuine = labelled(real, fake)
        X, held = np.asarray(X, dtype=float), hold_out(genuine, self.held_out, rng)
        self.mean_, spread = location_and_spread(X[~held])
        self.scale_ = np.where(spread > 0, spread, 1)
        z = (X - self.mean_) / self.scale_
        variance = float(np.var(z[~held]))
        self.gamma_ = 1 / (z.shape[1] * (variance or 1.0)) if self.gamma == "scale" else float(self.gamma)
        svc = SVC(C=self.C, gamma=self.gamma_, random_state=0)  # else it draws a seed, of no use here, from numpy.random
        svc.fit(z[~held], genuine[~held])  # False < True: f > 0 means genuine
        self.vectors_, self.dual_, self.intercept_ = svc.support_vectors_, svc.dual_coef_[0], float(svc.intercept_[0])
        self.slope_, self.level_ = platt(self._decision(z[held]), genuine[held])

    def examine(self, batch: Batch) -> LogOdds:
        """The log-odds of each sample, (n,)."""
        z = self._features(batch)
        return LogOdds(np.zeros(batch.n) if self.vectors_ is None else self.slope_ * self._decision(z) + self.level_)

    def vjp(self, batch: Batch) -> tuple[LogOdds, Pullback]:
        """The log-odds and their exact pullback."""
        z = self._features(batch)
        if self.vectors_ is None:
            return LogOdds(np.zeros(batch.n)), pullback(batch.x, lambda: np.zeros(z.shape))
        f, gradient = np.full(len(z), self.intercept_), np.empty(z.shape)
        for rows, terms in self._terms(z):
            total = terms.sum(axis=1)
            f[rows] += total  # (1)
            gradient[rows] = -2 * self.gamma_ * (total[:, None] * z[rows] - terms @ self.vectors_)  # (3)
        return LogOdds(self.slope_ * f + self.level_), pullback(batch.x, lambda: self.slope_ * gradient / self.scale_)

    def _decision(self, z: Array) -> Array:
        f = np.full(len(z), self.intercept_)
        for rows, terms in self._terms(z):
            f[rows] += terms.sum(axis=1)
        return f

    def _terms(self, z: Array) -> Iterator[tuple[slice, Array]]:
        """αⱼ exp(-γ|z_i - z_j|²), a block of rows i at a time."""
        vectors = self.vectors_
        lengths, step = np.sum(vectors**2, axis=1), max(1, _BLOCK // len(vectors))
        for start in range(0, len(z), step):
            rows = slice(start, start + step)
            squares = np.sum(z[rows] ** 2, axis=1)[:, None] + lengths - 2 * z[rows] @ vectors.T
            yield rows, self.dual_ * np.exp(-self.gamma_ * squares)

    def _features(self, batch: Batch) -> Array:
        if not hasattr(self, "vectors_"):
            raise unstarted(self)
        X = np.asarray(table(batch), dtype=float)
        return X if self.vectors_ is None else (X - self.mean_) / self.scale_

    def _check(self) -> None:
        if self.gamma != "scale" and (isinstance(self.gamma, str) or not 0 < self.gamma < np.inf):
            raise ValueError(f"KernelSVMDiscriminator(gamma={self.gamma!r}): expected a positive number or 'scale'.")
        if not 0 < self.held_out < 1:
            raise ValueError(f"KernelSVMDiscriminator(held_out={self.held_out!r}): expected a share of the rows in (0, 1).")
