"""Neighbours weighted by kernels, whose log-odds have an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernel_judge import KernelJudge, losses
from turinglearn.discriminators.kernels import log_sums, squared_distances
from turinglearn.discriminators.platt import platt
from turinglearn.protocols import Array, Rng

__all__ = ["NeighboursDiscriminator"]

_NUMBERS = (4, 8, 16, 32, 64, 128)  # of neighbours, that "loo" chooses from
_LEAST = 1e-3  # the least width, in units of all rows: duplicates are at no distance


class NeighboursDiscriminator(KernelJudge):
    """Soft nearest neighbours: each row speaks for its kind, as far as its own k-th neighbour. Each update fits them anew:

        kᵢ(z) = (1 + |z - zᵢ|² / ν hᵢ²)^(-(d + ν) / 2) / hᵢᵈ                                                 (1)
        r(x) = a [log Σ kᵢ(z) / n₁ over genuine rows - log Σ kᵢ(z) / n₀ over counterfeits] + b               (2)
        ∂log Σ kᵢ/∂z = Σ kᵢ (d + ν) (zᵢ - z) / (ν hᵢ² + |z - zᵢ|²) / Σ kᵢ                                     (3)

    on features z = (x - mean) / scale; hᵢ is the distance from zᵢ to its k-th neighbour among the rows of both kinds
    (variable kernels: Breiman, Meisel & Purcell 1977), so that both are smoothed alike at a place. A heavy tail reaches a
    generator that is far from all genuine rows. (a, b) are Platt's (1999), from log-ratios that leave each row out; at the
    rows themselves their own kernels speak, so examine fresh ones. Time grows as the square of the rows of the fit, memory
    does not; some thousands are meant.

    Parameters
    ----------
    neighbours : int or "loo"
        k; "loo" chooses among 4, 8, 16, 32, 64 and 128 the greatest whose log-loss on rows left out is within a standard error
        of the least.
    tail : float
        ν, the degrees of freedom of the kernels' Student distribution; infinite for Gaussians, the better evidence on laws
        without gaps but the narrower view.

    Attributes
    ----------
    mean_, scale_, rows_, genuine_, neighbours_, widths_, slope_, level_ : mean, scale, all zᵢ, n₁, k, hᵢ, a and b.
    """

    def __init__(self, neighbours: int | str = 16, *, tail: float = 1.0) -> None:
        self.neighbours = neighbours
        self.tail = tail

    def _fit(self, X: Array, genuine: Array, rng: Rng) -> tuple[Array, Array]:
        """Find k and the widths; log-ratios that leave each row out."""
        self._standardise(X)
        z = (X - self.mean_) / self.scale_
        self.rows_, self.genuine_ = z, int(genuine.sum())
        wanted = _NUMBERS if self.neighbours == "loo" else (int(self.neighbours),)
        numbers = sorted({min(k, len(z) - 1) for k in wanted})
        widths = np.empty((len(numbers), len(z)))
        for rows in self._blocks(z):
            S = np.partition(self._others(z, rows), [k - 1 for k in numbers], axis=1)
            widths[:, rows] = np.sqrt(np.maximum(S[:, [k - 1 for k in numbers]], _LEAST**2)).T
        scores = np.empty(widths.shape)
        counts = np.log((self.genuine_ - genuine) / (len(z) - self.genuine_ - ~genuine))
        for rows in self._blocks(z):
            S = self._others(z, rows)
            for score, h in zip(scores, widths, strict=True):
                L = self._log_kernels(S, h)
                score[rows] = log_sums(L[:, : self.genuine_])[0] - log_sums(L[:, self.genuine_ :])[0] - counts[rows]
        best = _widest([losses(*_calibrated(score, genuine)) for score in scores])
        self.neighbours_, self.widths_ = numbers[best], widths[best]
        return scores[best], genuine

    def _score(self, z: Array) -> Margins:
        n = self.genuine_
        S = squared_distances(z, self.rows_)
        L = self._log_kernels(S, self.widths_)
        (p, p_shares), (q, q_shares) = log_sums(L[:, :n]), log_sums(L[:, n:])

        def gradient() -> Array:  # (3)
            T = self._reach(S) * np.concatenate((p_shares, -q_shares), axis=1)
            return T @ self.rows_ - T.sum(axis=1)[:, None] * z

        return p - q - np.log(n / (len(self.rows_) - n)), gradient

    def _log_kernels(self, S: Array, h: Array) -> Array:
        """log kᵢ of squared distances, (1)."""
        d, nu = self.dimension_, self.tail
        shape = -S / (2 * h**2) if nu == np.inf else -(d + nu) / 2 * np.log1p(S / (nu * h**2))
        return shape - d * np.log(h)

    def _reach(self, S: Array) -> Array:
        """By what (zᵢ - z) is multiplied in the gradient of log kᵢ."""
        h, d, nu = self.widths_, self.dimension_, self.tail
        return np.broadcast_to(1 / h**2, S.shape) if nu == np.inf else (d + nu) / (nu * h**2 + S)

    def _others(self, z: Array, rows: slice) -> Array:
        """Squared distances from these rows to all, infinite to themselves."""
        S = squared_distances(z[rows], z)
        S[np.arange(len(S)), np.arange(len(z))[rows]] = np.inf
        return S

    @property
    def _rows(self) -> int:
        return len(self.rows_)

    def _check(self) -> None:
        k = self.neighbours
        if k != "loo" and (isinstance(k, str) or int(k) != k or k < 1):
            raise ValueError(f"NeighboursDiscriminator(neighbours={k!r}): expected a whole number from 1 on, or 'loo'.")
        if not self.tail > 0:
            raise ValueError(f"NeighboursDiscriminator(tail={self.tail!r}): expected a positive number, or infinity.")


def _calibrated(scores: Array, genuine: Array) -> tuple[Array, Array]:
    a, b = platt(scores, genuine)
    return a * scores + b, genuine


def _widest(losses: list[Array]) -> int:
    """The last whose mean is within a standard error of the least (Breiman et al. 1984): the smoothest that does as well."""
    means = np.mean(losses, axis=1)
    least = int(np.argmin(means))
    return int(np.flatnonzero(means <= means[least] + np.std(losses[least]) / np.sqrt(len(losses[least])))[-1])
