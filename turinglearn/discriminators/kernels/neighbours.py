"""Neighbours weighted by kernels, whose log-odds have an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.classifiers.calibration import Platt
from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.base import KernelDiscriminator, losses
from turinglearn.discriminators.kernels.functions import log_sums, squared_distances
from turinglearn.protocols import InputError, Rng

__all__ = ["NeighboursDiscriminator"]

_NUMBERS = (4, 8, 16, 32, 64, 128)  # of neighbours among which "loo" chooses
_LEAST = 1e-3  # the least width, in units of all rows: duplicates have distance 0


class NeighboursDiscriminator(KernelDiscriminator):
    """Soft nearest neighbours: kernels whose width is the distance to the k-th neighbour. Each update fits them again.

    On features z = (x - mean) / scale of the rows of its fit ::

        kᵢ(z) = (1 + |z - zᵢ|² / ν hᵢ²)^(-(d + ν) / 2) / hᵢᵈ                                                 (1)
        r(x) = a [log Σ kᵢ(z) / n₁ over real rows - log Σ kᵢ(z) / n₀ over fakes] + b               (2)
        ∂log Σ kᵢ/∂z = Σ kᵢ (d + ν) (zᵢ - z) / (ν hᵢ² + |z - zᵢ|²) / Σ kᵢ                                     (3)

    hᵢ is the distance from zᵢ to its k-th neighbour among the rows of both classes (variable kernels [1]_), so that both are
    smoothed equally at each place. A heavy tail reaches a generator that is far from all real rows. (a, b) are found by Platt
    scaling [2]_ from log-ratios that leave each row out. At the rows themselves their own kernels dominate, so score new ones.
    Time grows with the square of the number of rows, memory does not; it is meant for some thousands of rows.

    Parameters
    ----------
    neighbours : int or "loo", default=16
        k. "loo" chooses among 4, 8, 16, 32, 64 and 128 the greatest whose log-loss on rows left out is within a standard error
        of the least.
    tail : float, default=1.0
        ν, the degrees of freedom of the kernels' Student distribution. Infinity is for Gaussian kernels: better evidence on
        distributions without gaps, but a shorter reach.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (features,)
        Mean and scale of the rows.
    rows_ : ndarray of shape (n, features)
        All zᵢ, real ones first.
    n_real_ : int
        n₁.
    neighbours_ : int
        k.
    widths_ : ndarray of shape (n,)
        hᵢ.
    calibrator_ : Platt
        The map from s to r: slope a and intercept b.

    References
    ----------
    .. [1] Breiman, Meisel & Purcell, Variable kernel estimates of multivariate densities, Technometrics 1977.
    .. [2] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    """

    rows_: FloatArray
    n_real_: int
    neighbours_: int
    widths_: FloatArray

    def __init__(self, neighbours: int | str = 16, *, tail: float = 1.0) -> None:
        self.neighbours = neighbours
        self.tail = tail

    def _fit(self, X: FloatArray, real: BoolArray, rng: Rng) -> tuple[FloatArray, BoolArray]:
        """Choose k and the widths, and return log-ratios that leave each row out."""
        z = self._standardise(X, X)
        self.rows_, self.n_real_ = z, int(real.sum())
        wanted = _NUMBERS if self.neighbours == "loo" else (int(self.neighbours),)
        numbers = sorted({min(k, len(z) - 1) for k in wanted})
        widths = np.empty((len(numbers), len(z)))
        for rows in self._blocks(z):
            S = np.partition(self._distances_to_others(z, rows), [k - 1 for k in numbers], axis=1)
            widths[:, rows] = np.sqrt(np.maximum(S[:, [k - 1 for k in numbers]], _LEAST**2)).T
        scores = np.empty(widths.shape)
        counts = np.log((self.n_real_ - real) / (len(z) - self.n_real_ - ~real))
        for rows in self._blocks(z):
            S = self._distances_to_others(z, rows)
            for score, h in zip(scores, widths, strict=True):
                L = self._log_kernels(S, h)
                score[rows] = log_sums(L[:, : self.n_real_])[0] - log_sums(L[:, self.n_real_ :])[0] - counts[rows]
        best = _smoothest([losses(Platt.fit(score, real)(score), real) for score in scores])
        self.neighbours_, self.widths_ = numbers[best], widths[best]
        return scores[best], real

    def _score(self, z: FloatArray) -> Margins:
        n = self.n_real_
        S = squared_distances(z, self.rows_)
        L = self._log_kernels(S, self.widths_)
        (p, p_shares), (q, q_shares) = log_sums(L[:, :n]), log_sums(L[:, n:])

        def gradient() -> FloatArray:  # (3)
            T = self._attraction(S) * np.concatenate((p_shares, -q_shares), axis=1)
            slopes: FloatArray = T @ self.rows_ - T.sum(axis=1)[:, None] * z
            return slopes

        return p - q - np.log(n / (len(self.rows_) - n)), gradient

    def _log_kernels(self, S: FloatArray, h: FloatArray) -> FloatArray:
        """Return log kᵢ of (1) from squared distances."""
        d, nu = self.dimension_, self.tail
        shape: FloatArray = -S / (2 * h**2) if nu == np.inf else -(d + nu) / 2 * np.log1p(S / (nu * h**2))
        kernels: FloatArray = shape - d * np.log(h)
        return kernels

    def _attraction(self, S: FloatArray) -> FloatArray:
        """Return the factor of (zᵢ - z) in the gradient of log kᵢ, from squared distances."""
        h, d, nu = self.widths_, self.dimension_, self.tail
        return np.broadcast_to(1 / h**2, S.shape) if nu == np.inf else (d + nu) / (nu * h**2 + S)

    def _distances_to_others(self, z: FloatArray, rows: slice) -> FloatArray:
        """Return squared distances from these rows to all, infinite to themselves."""
        S = squared_distances(z[rows], z)
        S[np.arange(len(S)), np.arange(len(z))[rows]] = np.inf
        return S

    @property
    def _n_rows(self) -> int:
        return len(self.rows_)

    def _check(self) -> None:
        k = self.neighbours
        if k != "loo" and (isinstance(k, str) or int(k) != k or k < 1):
            raise InputError(f"NeighboursDiscriminator(neighbours={k!r}): expected a whole number from 1 on, or 'loo'.")
        if not self.tail > 0:
            raise InputError(f"NeighboursDiscriminator(tail={self.tail!r}): expected a positive number, or infinity.")


def _smoothest(losses: list[FloatArray]) -> int:
    """Return the index of the last losses with a mean within a standard error of the least mean (Breiman et al. 1984)."""
    means = np.mean(losses, axis=1)
    least = int(np.argmin(means))
    return int(np.flatnonzero(means <= means[least] + np.std(losses[least]) / np.sqrt(len(losses[least])))[-1])
