"""Density ratios p/q fitted directly, without densities: sums of Gaussians around real rows."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.base import KernelDiscriminator
from turinglearn.discriminators.kernels.functions import gaussian, squared_distances
from turinglearn.protocols import InputError, Rng

__all__ = ["RatioDiscriminator", "RatioFit"]

RatioFit = tuple[float, FloatArray, FloatArray, FloatArray]
"""σ, α (L,), and ratios w at real rows and at fakes that were left out of their fit."""


class RatioDiscriminator(KernelDiscriminator):
    """Base class of discriminators whose score is the logarithm of a fitted density ratio.

    ::

        w(z) = Σ αₗ exp(-|z - cₗ|² / 2σ²),   αₗ ≥ 0                                                          (1)
        s(z) = log [w(z) + 1 / (n₀ + 1)]                                                                     (2)
        ∂s/∂z = Σ αₗ exp(-|z - cₗ|² / 2σ²) (cₗ - z) / σ² [w(z) + 1 / (n₀ + 1)]                               (3)

    The centres cₗ are real rows. n₀ fakes cannot prove that the ratio is less than 1 / (n₀ + 1).
    """

    centres_: FloatArray
    floor_: float
    width_: float
    weights_: FloatArray
    centres: int
    widths: tuple[float, ...]

    @abstractmethod
    def _solve(self, P: FloatArray, Q: FloatArray, widths: FloatArray, rng: Rng) -> RatioFit:
        """Choose σ among the widths and fit α, from squared distances P (n₁, L) of real rows and Q (n₀, L) of fakes."""

    def _fit(self, X: FloatArray, real: BoolArray, rng: Rng) -> tuple[FloatArray, BoolArray]:
        z = self._standardise(X, X)
        n = int(real.sum())
        self.centres_ = z[np.sort(rng.permutation(n)[: self.centres])]
        self.floor_ = 1 / (len(z) - n + 1)
        S = squared_distances(z, self.centres_)
        unit = np.sqrt(np.median(S)) or 1.0
        self.width_, self.weights_, p, q = self._solve(S[:n], S[n:], unit * np.array(self.widths, dtype=float), rng)
        return np.log(np.concatenate((p, q)) + self.floor_), np.arange(len(p) + len(q)) < len(p)

    def _score(self, z: FloatArray) -> Margins:
        K, pull = gaussian(1 / (2 * self.width_**2))(z, self.centres_)
        w = K @ self.weights_ + self.floor_
        return np.log(w), lambda: pull(self.weights_) / w[:, None]

    @property
    def _n_rows(self) -> int:
        return len(self.centres_)

    def _check(self) -> None:
        name, widths = type(self).__name__, np.asarray(self.widths, dtype=float)
        if isinstance(self.centres, str) or int(self.centres) != self.centres or self.centres < 1:
            raise InputError(f"{name}(centres={self.centres!r}): expected a whole number from 1 on.")
        if widths.ndim != 1 or widths.size == 0 or not np.all(np.isfinite(widths) & (widths > 0)):
            raise InputError(f"{name}(widths={self.widths!r}): expected positive numbers, in units of the median distance.")
