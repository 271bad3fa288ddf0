"""The law of a mixture of linear regressions: q(x | h) = sum_k pi_k N(x; M_k^T h, Sigma_k), and its derivatives.

h = [1, condition]; without a condition h = [1] and the law is a Gaussian mixture. The precision of each component is
A^T A with A = diag(e^a) (I + B), B strictly lower triangular: a modified Cholesky factor, in which a and B are free and
the precision is positive definite whatever they are. Row j of -B regresses x_j on the coordinates before it, and e^-a_j is
the standard deviation that is left over (Pourahmadi, 1999). Diagonal covariances have no B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from turinglearn.protocols import Array, Rng

__all__ = ["MixtureLaw"]


@dataclass
class MixtureLaw:
    """Parameters of K components over x (n, d) under h (n, c).

    logits (K,), coefficients M (K, c, d), log_precisions a (K, d), regressions B (K, d, d) or None for diagonal covariances.
    """

    logits: Array
    coefficients: Array
    log_precisions: Array
    regressions: Array | None

    @property
    def parameters(self) -> list[Array]:
        """The parameters, themselves and not copies, in the order of `score`."""
        theta = [self.logits, self.coefficients, self.log_precisions]
        return theta if self.regressions is None else [*theta, self.regressions]

    @property
    def weights(self) -> Array:
        """pi (K,)."""
        return softmax(self.logits)

    @property
    def covariances(self) -> Array:
        """Sigma (K, d, d), or the variances (K, d) of diagonal components."""
        if self.regressions is None:
            return np.exp(-2 * self.log_precisions)
        factors = self._covariance_factors()
        return factors @ factors.mT

    def sample(self, h: Array, rng: Rng) -> Array:
        """One sample (n, d) under each row of h."""
        n, d = len(h), self.log_precisions.shape[1]
        component = rng.choice(len(self.logits), n, p=self.weights)
        noise = rng.standard_normal((n, d))
        x = np.empty((n, d))
        factors = None if self.regressions is None else self._covariance_factors()
        for k, mean in enumerate(self.coefficients):
            rows = component == k
            delta = noise[rows] * np.exp(-self.log_precisions[k]) if factors is None else noise[rows] @ factors[k].T
            x[rows] = h[rows] @ mean + delta
        return x

    def log_density(self, x: Array, h: Array) -> Array:
        """log q(x_i | h_i), (n,)."""
        return logsumexp(self._joint(self._whiten(self._residuals(x, h))), axis=0)

    def responsibilities(self, x: Array, h: Array) -> Array:
        """rho (K, n): the probability that component k made x_i."""
        return softmax(self._joint(self._whiten(self._residuals(x, h))), axis=0)

    def score(self, x: Array, h: Array, a: Array) -> list[Array]:
        """sum_i a_i grad log q(x_i | h_i), in the order of `parameters`; a is (n,)."""
        residuals = self._residuals(x, h)
        z = self._whiten(residuals)
        w = a * softmax(self._joint(z), axis=0)
        precise = np.exp(self.log_precisions)[:, None] * z  # e^a z
        pull = precise if self.regressions is None else precise + precise @ self.regressions  # A^T z
        gradient = [
            w.sum(axis=1) - a.sum() * self.weights,
            h.T @ (w[..., None] * pull),
            (w[..., None] * (1 - z**2)).sum(axis=1),
        ]
        if self.regressions is not None:
            gradient.append(-np.tril((w[..., None] * precise).mT @ residuals, k=-1))
        return gradient

    def set_covariances(self, covariances: Array, least: float) -> None:
        """Take these covariances, shaped like `covariances`, with no variance in any direction below `least`."""
        if self.regressions is None:
            self.log_precisions[...] = -0.5 * np.log(np.maximum(covariances, least))
            return
        variances, axes = np.linalg.eigh(covariances)
        scaled = axes * np.sqrt(np.maximum(variances, least))[:, None]
        factors = np.linalg.cholesky(scaled @ scaled.mT)
        scales = np.diagonal(factors, axis1=1, axis2=2)
        self.log_precisions[...] = -np.log(scales)
        self.regressions[...] = np.tril(scales[..., None] * np.linalg.inv(factors), k=-1)

    def _residuals(self, x: Array, h: Array) -> Array:
        return x - h @ self.coefficients  # (K, n, d)

    def _whiten(self, residuals: Array) -> Array:
        innovations = residuals if self.regressions is None else residuals + residuals @ self.regressions.mT
        return np.exp(self.log_precisions)[:, None] * innovations  # z = A (x - mean)

    def _joint(self, z: Array) -> Array:
        """log pi_k N(x_i; k), (K, n)."""
        volume = self.log_precisions.sum(axis=1) - 0.5 * z.shape[-1] * np.log(2 * np.pi)
        return (log_softmax(self.logits) + volume)[:, None] - 0.5 * (z**2).sum(axis=-1)

    def _covariance_factors(self) -> Array:
        d = self.log_precisions.shape[1]
        lower = np.eye(d) if self.regressions is None else np.eye(d) + self.regressions
        return np.linalg.inv(lower) * np.exp(-self.log_precisions)[:, None]  # A^-1
