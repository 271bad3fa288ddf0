"""The ratio of two kernel density estimates, whose logarithm has an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.base import KernelDiscriminator, losses
from turinglearn.discriminators.kernels.functions import log_sums, squared_distances
from turinglearn.protocols import InputError, Rng

__all__ = ["KernelDensityDiscriminator"]

_FACTORS = (1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)  # multiples of Scott's bandwidth among which "loo" chooses
_WIDE = 2.0  # bandwidth of the row that is added to each class, in units of all rows


class KernelDensityDiscriminator(KernelDiscriminator):
    """The ratio of two kernel density estimates, p̂ of the real rows and q̂ of the fakes, which each update fits again.

    On features z = (x - mean) / scale of the rows of its fit ::

        p̂(z) = [Σ N(z; zᵢ, h₁²I) + N(z; 0, 2²I)] / (n₁ + 1),   q̂ likewise by h₀                              (1)
        r(x) = a log p̂(z)/q̂(z) + b                                                                           (2)
        ∂log p̂/∂z = [Σ N(z; zᵢ, h₁²I) (zᵢ - z) / h₁² - N(z; 0, 2²I) z / 2²] / (n₁ + 1) p̂(z)                  (3)

    Each class has one more row, with a wide kernel: n rows cannot prove more, and far from all data r is a constant. (a, b) are
    found by Platt scaling [1]_ from log-ratios that leave each row out of its own density. At the rows themselves their own
    kernels dominate, so score new ones. Time grows with the square of the number of rows, memory does not; it is meant for some
    thousands of rows. High dimensions need many more rows [2]_.

    Parameters
    ----------
    bandwidth : {"scott", "loo"} or float, default="scott"
        h. "scott" is Scott's rule, h = n^(-1/(d + 4)) times the spread of a class. "loo" is the pair among multiples of it,
        from 0.1 to 1.5, with the least log-loss on rows left out. A number is in units of the standardised features.
        Scott's rule is wide for a class with several modes: it discriminates less, but reaches a generator at a greater
        distance. Narrow bandwidths are uninformative between separate modes.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (features,)
        Mean and scale of the rows.
    rows_ : ndarray of shape (n, features)
        All zᵢ, real ones first.
    n_real_ : int
        n₁.
    bandwidths_ : tuple of float
        (h₁, h₀).
    calibrator_ : Platt
        The map from s to r: slope a and intercept b.

    References
    ----------
    .. [1] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    .. [2] Scott, Multivariate Density Estimation, 1992.
    """

    rows_: FloatArray
    n_real_: int
    bandwidths_: tuple[float, float]

    def __init__(self, bandwidth: float | str = "scott") -> None:
        self.bandwidth = bandwidth

    def _fit(self, X: FloatArray, real: BoolArray, rng: Rng) -> tuple[FloatArray, BoolArray]:
        """Choose the bandwidths, and return log-ratios that leave each row out of its own density."""
        z = self._standardise(X, X)
        self.rows_, self.n_real_ = z, int(real.sum())
        pairs = [self._candidates(z[real]), self._candidates(z[~real])]
        logs = [np.empty((len(candidates), len(z))) for candidates in pairs]
        for rows in self._blocks(z):
            S = squared_distances(z[rows], z)
            S[np.arange(len(S)), np.arange(len(z))[rows]] = np.inf
            for densities, candidates, columns in zip(logs, pairs, self._classes(), strict=True):
                for density, h in zip(densities, candidates, strict=True):
                    density[rows] = self._log_density(z[rows], S[:, columns], h)[0]
        p, q = logs[0] - np.log(np.where(real, self.n_real_, self.n_real_ + 1)), logs[1]
        q = q - np.log(np.where(real, len(z) - self.n_real_ + 1, len(z) - self.n_real_))
        loss = [[losses(log_p - log_q, real).mean() for log_q in q] for log_p in p]
        i, j = np.unravel_index(np.argmin(loss), (len(p), len(q)))
        self.bandwidths_ = (float(pairs[0][i]), float(pairs[1][j]))
        return p[i] - q[j], real

    def _score(self, z: FloatArray) -> Margins:
        S = squared_distances(z, self.rows_)
        real, fake = self._classes()
        h1, h0 = self.bandwidths_
        p, p_weights = self._log_density(z, S[:, real], h1)
        q, q_weights = self._log_density(z, S[:, fake], h0)
        level = np.log((len(self.rows_) - self.n_real_ + 1) / (self.n_real_ + 1))

        def gradient() -> FloatArray:  # (3); the share of the wide row is 1 less the weights of the others
            attraction = p_weights @ self.rows_[real] / h1**2 - q_weights @ self.rows_[fake] / h0**2
            p_share, q_share = p_weights.sum(axis=1), q_weights.sum(axis=1)
            slopes: FloatArray = attraction - (p_share / h1**2 - q_share / h0**2 + (q_share - p_share) / _WIDE**2)[:, None] * z
            return slopes

        return p - q + level, gradient

    def _log_density(self, z: FloatArray, S: FloatArray, h: float) -> tuple[FloatArray, FloatArray]:
        """Return the log of (1) up to a constant, (n,), and the share of each row in it, (n, rows)."""
        d = self.dimension_
        wide = -np.sum(z**2, axis=1) / (2 * _WIDE**2) - d * np.log(_WIDE)
        near, shares = log_sums(-S / (2 * h**2) - d * np.log(h))
        total = np.logaddexp(near, wide)
        return total, shares * np.exp(near - total)[:, None]

    def _candidates(self, z: FloatArray) -> FloatArray:
        """Return the bandwidths to choose from for the rows z of a class."""
        if not isinstance(self.bandwidth, str):
            return np.array([float(self.bandwidth)])
        spread = np.sqrt(np.sum(np.var(z, axis=0)) / self.dimension_)
        scott = max(spread, 1e-3) * len(z) ** (-1 / (self.dimension_ + 4))
        candidates: FloatArray = scott * np.array(_FACTORS if self.bandwidth == "loo" else (1.0,))
        return candidates

    def _classes(self) -> tuple[slice, slice]:
        """Return the slices of the real and of the fake rows."""
        return slice(0, self.n_real_), slice(self.n_real_, None)

    @property
    def _n_rows(self) -> int:
        return len(self.rows_)

    def _check(self) -> None:
        h = self.bandwidth
        if not (h in ("scott", "loo") if isinstance(h, str) else 0 < h < np.inf):
            raise InputError(
                f"KernelDensityDiscriminator(bandwidth={self.bandwidth!r}): expected 'scott', 'loo' or a positive number."
            )
