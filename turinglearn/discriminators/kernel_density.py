"""The ratio of two kernel density estimates, whose logarithm has an exact gradient."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernel_judge import KernelJudge, losses
from turinglearn.discriminators.kernels import log_sums, squared_distances
from turinglearn.protocols import Array, Rng

__all__ = ["KernelDensityDiscriminator"]

_FACTORS = (1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)  # of Scott's bandwidth, that "loo" chooses from
_WIDE = 2.0  # how widely the one row that is added to each class is spread, in units of all rows


class KernelDensityDiscriminator(KernelJudge):
    """Two kernel densities, p̂ of the genuine rows and q̂ of the counterfeits, that each update fits anew:

        p̂(z) = [Σ N(z; zᵢ, h₁²I) + N(z; 0, 2²I)] / (n₁ + 1),   q̂ likewise by h₀                              (1)
        r(x) = a log p̂(z)/q̂(z) + b                                                                           (2)
        ∂log p̂/∂z = [Σ N(z; zᵢ, h₁²I) (zᵢ - z) / h₁² - N(z; 0, 2²I) z / 2²] / (n₁ + 1) p̂(z)                  (3)

    on features z = (x - mean) / scale. One more row, spread widely, goes to each class: n rows cannot prove more, and far
    from all data r is a constant. (a, b) are Platt's (1999), from log-ratios that leave each row out of its own density; at
    the rows themselves their own kernels speak, so examine fresh ones. Time grows as the square of the rows of the fit, memory
    does not; some thousands are meant. Many features need many more rows (Scott 1992).

    Parameters
    ----------
    bandwidth : "scott", "loo" or float
        h: by Scott's rule, h = n^(-1/(d + 4)) times the spread of a class; the pair among multiples of it, from 0.1 to 1.5,
        that leaves the least log-loss on rows left out; or a number, in units of the standardised features. Scott's is wide
        where a class has several modes: it tells less, but reaches a generator at a greater distance. Narrow ones tell
        nothing between separate modes.

    Attributes
    ----------
    mean_, scale_, rows_, genuine_, bandwidths_, slope_, level_ : mean, scale, all zᵢ, n₁, (h₁, h₀), a and b.
    """

    def __init__(self, bandwidth: float | str = "scott") -> None:
        self.bandwidth = bandwidth

    def _fit(self, X: Array, genuine: Array, rng: Rng) -> tuple[Array, Array]:
        """Find the bandwidths; log-ratios that leave each row out of its own density."""
        self._standardise(X)
        z = (X - self.mean_) / self.scale_
        self.rows_, self.genuine_ = z, int(genuine.sum())
        pairs = [self._candidates(z[genuine]), self._candidates(z[~genuine])]
        logs = [np.empty((len(candidates), len(z))) for candidates in pairs]
        for rows in self._blocks(z):
            S = squared_distances(z[rows], z)
            S[np.arange(len(S)), np.arange(len(z))[rows]] = np.inf
            for densities, candidates, of in zip(logs, pairs, self._classes(), strict=True):
                for density, h in zip(densities, candidates, strict=True):
                    density[rows] = self._log_density(z[rows], S[:, of], h)[0]
        p, q = logs[0] - np.log(np.where(genuine, self.genuine_, self.genuine_ + 1)), logs[1]
        q = q - np.log(np.where(genuine, len(z) - self.genuine_ + 1, len(z) - self.genuine_))
        loss = [[losses(one - other, genuine).mean() for other in q] for one in p]
        i, j = np.unravel_index(np.argmin(loss), (len(p), len(q)))
        self.bandwidths_ = (float(pairs[0][i]), float(pairs[1][j]))
        return p[i] - q[j], genuine

    def _score(self, z: Array) -> Margins:
        S = squared_distances(z, self.rows_)
        of_p, of_q = self._classes()
        h, k = self.bandwidths_
        p, p_weights = self._log_density(z, S[:, of_p], h)
        q, q_weights = self._log_density(z, S[:, of_q], k)
        level = np.log((len(self.rows_) - self.genuine_ + 1) / (self.genuine_ + 1))

        def gradient() -> Array:  # (3), the share of the wide row being what the weights lack to 1
            moved = p_weights @ self.rows_[of_p] / h**2 - q_weights @ self.rows_[of_q] / k**2
            share, other = p_weights.sum(axis=1), q_weights.sum(axis=1)
            return moved - (share / h**2 - other / k**2 + (other - share) / _WIDE**2)[:, None] * z

        return p - q + level, gradient

    def _log_density(self, z: Array, S: Array, h: float) -> tuple[Array, Array]:
        """log of (1) but for constants, (n,), and the share of each row in it, (n, rows)."""
        d = self.dimension_
        wide = -np.sum(z**2, axis=1) / (2 * _WIDE**2) - d * np.log(_WIDE)
        near, shares = log_sums(-S / (2 * h**2) - d * np.log(h))
        total = np.logaddexp(near, wide)
        return total, shares * np.exp(near - total)[:, None]

    def _candidates(self, z: Array) -> Array:
        """The bandwidths that a class may have."""
        if not isinstance(self.bandwidth, str):
            return np.array([float(self.bandwidth)])
        spread = np.sqrt(np.sum(np.var(z, axis=0)) / self.dimension_)
        scott = max(spread, 1e-3) * len(z) ** (-1 / (self.dimension_ + 4))
        return scott * np.array(_FACTORS if self.bandwidth == "loo" else (1.0,))

    def _classes(self) -> Iterable[slice]:
        return slice(0, self.genuine_), slice(self.genuine_, None)

    @property
    def _rows(self) -> int:
        return len(self.rows_)

    def _check(self) -> None:
        number = not isinstance(self.bandwidth, str)
        if not (0 < self.bandwidth < np.inf if number else self.bandwidth in ("scott", "loo")):  # type: ignore[operator]
            raise ValueError(
                f"KernelDensityDiscriminator(bandwidth={self.bandwidth!r}): expected 'scott', 'loo' or a positive number."
            )
