"""Density ratios p/q fitted directly, without a density: sums of Gaussians around genuine rows."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernel_judge import KernelJudge
from turinglearn.discriminators.kernels import gaussian, squared_distances
from turinglearn.protocols import Array, Rng

__all__ = ["RatioJudge"]


class RatioJudge(KernelJudge):
    """A judge whose score is the logarithm of a fitted density ratio:

        w(z) = Σ αₗ exp(-|z - cₗ|² / 2σ²),   αₗ ≥ 0                                                          (1)
        s(z) = log [w(z) + 1 / (n₀ + 1)]                                                                     (2)
        ∂s/∂z = Σ αₗ exp(-|z - cₗ|² / 2σ²) (cₗ - z) / σ² [w(z) + 1 / (n₀ + 1)]                               (3)

    The centres cₗ are genuine rows. n₀ counterfeits cannot prove that the ratio is less than 1 / (n₀ + 1).
    """

    centres: int
    widths: tuple[float, ...]

    @abstractmethod
    def _solve(self, P: Array, Q: Array, widths: Array, rng: Rng) -> tuple[float, Array, Array, Array]:
        """σ, α, ratios at genuine rows and at counterfeits that were left out. P, Q: their squared distances to the centres."""

    def _fit(self, X: Array, genuine: Array, rng: Rng) -> tuple[Array, Array]:
        self._standardise(X)
        z = (X - self.mean_) / self.scale_
        n = int(genuine.sum())
        self.centres_ = z[np.sort(rng.permutation(n)[: self.centres])]
        self.floor_ = 1 / (len(z) - n + 1)
        S = squared_distances(z, self.centres_)
        unit = np.sqrt(np.median(S)) or 1.0
        self.width_, self.weights_, p, q = self._solve(S[:n], S[n:], unit * np.array(self.widths, dtype=float), rng)
        return np.log(np.concatenate((p, q)) + self.floor_), np.arange(len(p) + len(q)) < len(p)

    def _score(self, z: Array) -> Margins:
        K, pull = gaussian(1 / (2 * self.width_**2))(z, self.centres_)
        w = K @ self.weights_ + self.floor_
        return np.log(w), lambda: pull(self.weights_) / w[:, None]

    @property
    def _rows(self) -> int:
        return len(self.centres_)

    def _check(self) -> None:
        name, widths = type(self).__name__, np.asarray(self.widths, dtype=float)
        if isinstance(self.centres, str) or int(self.centres) != self.centres or self.centres < 1:
            raise ValueError(f"{name}(centres={self.centres!r}): expected a whole number from 1 on.")
        if widths.ndim != 1 or widths.size == 0 or not np.all(np.isfinite(widths) & (widths > 0)):
            raise ValueError(f"{name}(widths={self.widths!r}): expected positive numbers, in units of the median distance.")
