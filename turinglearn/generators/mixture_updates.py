"""How a mixture learns: by score function from losses, or by expectation-maximisation from weights."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.generators.mixture_law import MixtureLaw
from turinglearn.protocols import Array, Losses, Weights

__all__ = ["ScoreFunction", "WeightedEM"]

PSEUDO_COUNT = 1e-6  # of the present component, in shares of a batch: a component without samples stays what it is


class ScoreFunction(BaseEstimator):
    """Descend the expected loss along sum_i (l_i - b_i) grad log q(x_i) / n, by Adam.

    b_i is the mean loss of the other samples, so that the estimate is unbiased (leave-one-out baseline; Kool, van Hoof &
    Welling, 2019). learning_rate: in units of the genuine data's spread. betas: the decays of Adam's two moments.
    """

    learns_from = Losses

    def __init__(self, learning_rate: float = 0.05, *, betas: tuple[float, float] = (0.5, 0.99)) -> None:
        self.learning_rate = learning_rate
        self.betas = betas

    def start(self, law: MixtureLaw) -> None:
        """Begin with empty moments."""
        if not self.learning_rate > 0:
            raise ValueError(f"ScoreFunction(learning_rate={self.learning_rate}): expected a number above 0.")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"ScoreFunction(betas={self.betas}): expected two decays in [0, 1).")
        self.steps_ = 0
        self.first_ = [np.zeros_like(p) for p in law.parameters]
        self.second_ = [np.zeros_like(p) for p in law.parameters]

    def gradient(self, law: MixtureLaw, x: Array, h: Array, losses: Array) -> list[Array]:
        """The unbiased estimate of the expected loss's gradient, in the order of `law.parameters`."""
        n = len(losses)
        if n < 2:
            raise ValueError("ScoreFunction compares a sample with the others of its batch, so it needs at least 2.")
        baseline = (losses.sum() - losses) / (n - 1)
        return law.score(x, h, (losses - baseline) / n)

    def learn(self, law: MixtureLaw, x: Array, h: Array, losses: Array, floor: float) -> None:
        """One step down the mean of losses (n,) at x (n, d) under h (n, c); no conditional deviation falls below floor."""
        gradient = self.gradient(law, x, h, losses)
        beta1, beta2 = self.betas
        self.steps_ += 1
        for p, g, m, v in zip(law.parameters, gradient, self.first_, self.second_, strict=True):
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g**2 - v)
            unbiased_m, unbiased_v = m / (1 - beta1**self.steps_), v / (1 - beta2**self.steps_)
            p -= self.learning_rate * unbiased_m / (np.sqrt(unbiased_v) + 1e-8)
        np.minimum(law.log_precisions, -np.log(floor), out=law.log_precisions)


class WeightedEM(BaseEstimator):
    """One step of expectation-maximisation on weighted samples: an on-line step towards maximum likelihood on genuine data.

    The sufficient statistics of the batch, weighted by w_i, are mixed with those that the present parameters imply:
    s <- (1 - step) s + step s_batch (Cappé & Moulines, 2009). step is in (0, 1]; 1 forgets the present parameters.
    """

    learns_from = Weights

    def __init__(self, step: float = 0.2) -> None:
        self.step = step

    def start(self, law: MixtureLaw) -> None:
        """Nothing to remember between steps."""
        if not 0 < self.step <= 1:
            raise ValueError(f"WeightedEM(step={self.step}): expected a share of the batch's statistics in (0, 1].")

    def learn(self, law: MixtureLaw, x: Array, h: Array, weights: Array, floor: float) -> None:
        """One step on x (n, d) under h (n, c) with weights (n,) of mean 1; no deviation falls below floor in any direction."""
        n, present = len(weights), law.weights
        rho = self.step * weights * law.responsibilities(x, h) / n  # (K, n)
        kept = (1 - self.step) * present + PSEUDO_COUNT
        told = h.T @ h / n
        prior = (1 - self.step) * present[:, None, None] * told + PSEUDO_COUNT * np.eye(h.shape[1])
        weighted_h = rho[:, None] * h.T  # (K, c, n)

        old = law.coefficients
        new = np.linalg.solve(prior + weighted_h @ h, prior @ old + weighted_h @ x)  # weighted least squares
        shift, residuals = old - new, x - h @ new
        weighted_r = rho[..., None] * residuals
        mass = kept + rho.sum(axis=1)
        if law.regressions is None:
            spread = (shift * (prior @ shift)).sum(axis=1) + (weighted_r * residuals).sum(axis=1)
            covariances = (kept[:, None] * law.covariances + spread) / mass[:, None]
        else:
            spread = shift.mT @ prior @ shift + weighted_r.mT @ residuals
            covariances = (kept[:, None, None] * law.covariances + spread) / mass[:, None, None]

        law.logits[...] = np.log(mass / mass.sum())
        law.coefficients[...] = new
        law.set_covariances(covariances, floor**2)
