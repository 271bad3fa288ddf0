"""The distribution of a mixture of linear regressions, q(x | h) = sum_k pi_k N(x; M_k^T h, Sigma_k), and its derivatives.

h = [1, condition]; without a condition h = [1] and the distribution is a Gaussian mixture. The precision of each component is
A^T A with A = diag(e^a) (I + B), B strictly lower triangular: a modified Cholesky factor, in which a and B are free and
the precision is always positive definite. Row j of -B regresses x_j on the coordinates before it, and e^-a_j is
the standard deviation that is left over (Pourahmadi, 1999). Diagonal covariances have no B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from turinglearn.generators.common import Floats
from turinglearn.protocols import Rng

__all__ = ["MixtureDistribution"]


@dataclass
class MixtureDistribution:
    """Mixture of K components over x (n, d) under h (n, c).

    Parameters
    ----------
    logits : array of shape (K,)
        Logarithms of the weights, up to a constant.
    coefficients : array of shape (K, c, d)
        M.
    log_precisions : array of shape (K, d)
        a.
    regressions : array of shape (K, d, d), or None
        B; None for diagonal covariances.
    """

    logits: Floats
    coefficients: Floats
    log_precisions: Floats
    regressions: Floats | None

    @property
    def parameters(self) -> list[Floats]:
        """The parameters themselves, without copies, in the order of `score`."""
        theta = [self.logits, self.coefficients, self.log_precisions]
        return theta if self.regressions is None else [*theta, self.regressions]

    @property
    def weights(self) -> Floats:
        """Weights pi, (K,)."""
        weights: Floats = softmax(self.logits)
        return weights

    @property
    def covariances(self) -> Floats:
        """Covariances Sigma (K, d, d), or the variances (K, d) of diagonal components."""
        if self.regressions is None:
            return np.exp(-2 * self.log_precisions)
        factors = self._covariance_factors()
        return factors @ factors.mT

    def sample(self, h: Floats, rng: Rng) -> Floats:
        """Draw one sample under each row of h, (n, d)."""
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

    def log_density(self, x: Floats, h: Floats) -> Floats:
        """Compute log q(x_i | h_i), (n,)."""
        log_density: Floats = logsumexp(self._joint(self._whiten(self._residuals(x, h))), axis=0)
        return log_density

    def responsibilities(self, x: Floats, h: Floats) -> Floats:
        """Compute rho (K, n), the probability that x_i comes from component k."""
        rho: Floats = softmax(self._joint(self._whiten(self._residuals(x, h))), axis=0)
        return rho

    def score(self, x: Floats, h: Floats, a: Floats) -> list[Floats]:
        """Compute sum_i a_i grad log q(x_i | h_i), in the order of `parameters`; a is (n,)."""
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

    def set_covariances(self, covariances: Floats, least: float) -> None:
        """Set the covariances, shaped like `covariances`, with every variance in any direction raised to `least`."""
        if self.regressions is None:
            self.log_precisions[...] = -0.5 * np.log(np.maximum(covariances, least))
            return
        variances, axes = np.linalg.eigh(covariances)
        scaled = axes * np.sqrt(np.maximum(variances, least))[:, None]
        factors = np.linalg.cholesky(scaled @ scaled.mT)
        scales = np.diagonal(factors, axis1=1, axis2=2)
        self.log_precisions[...] = -np.log(scales)
        self.regressions[...] = np.tril(scales[..., None] * np.linalg.inv(factors), k=-1)

    def _residuals(self, x: Floats, h: Floats) -> Floats:
        return x - h @ self.coefficients  # (K, n, d)

    def _whiten(self, residuals: Floats) -> Floats:
        innovations = residuals if self.regressions is None else residuals + residuals @ self.regressions.mT
        return np.exp(self.log_precisions)[:, None] * innovations  # z = A (x - mean)

    def _joint(self, z: Floats) -> Floats:
        """Compute log pi_k N(x_i; k), (K, n)."""
        volume = self.log_precisions.sum(axis=1) - 0.5 * z.shape[-1] * np.log(2 * np.pi)
        joint: Floats = (log_softmax(self.logits) + volume)[:, None] - 0.5 * (z**2).sum(axis=-1)
        return joint

    def _covariance_factors(self) -> Floats:
        d = self.log_precisions.shape[1]
        lower = np.eye(d) if self.regressions is None else np.eye(d) + self.regressions
        factors: Floats = np.asarray(np.linalg.inv(lower), dtype=np.float64) * np.exp(-self.log_precisions)[:, None]  # A^-1
        return factors
