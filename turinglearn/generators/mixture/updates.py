"""Update rules of a mixture: score function from losses, or expectation-maximisation from weights."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.generators.common import Floats
from turinglearn.generators.mixture.distribution import MixtureDistribution
from turinglearn.protocols import InputError, Losses, Weights

__all__ = ["ScoreFunction", "WeightedEM"]

PSEUDO_COUNT = 1e-6  # of the present component, as a share of a batch: a component without samples stays what it is


class ScoreFunction(BaseEstimator):
    """Rule that descends the expected loss along its score-function gradient, by Adam.

    The gradient is estimated from samples x_i with losses l_i as::

        sum_i (l_i - b_i) grad log q(x_i) / n

    where the baseline b_i is the mean loss of the other samples, so that the estimate is unbiased.

    Parameters
    ----------
    learning_rate : float
        Length of a step, in units of the spread of the real data.
    betas : tuple of two floats
        Decays of Adam's two moments, in [0, 1).

    References
    ----------
    Kool, van Hoof & Welling (2019), "Buy 4 REINFORCE samples, get a baseline for free!", for the leave-one-out baseline.

    Kingma & Ba (2015), "Adam: a method for stochastic optimization".
    """

    feedback_type = Losses

    def __init__(self, learning_rate: float = 0.05, *, betas: tuple[float, float] = (0.5, 0.99)) -> None:
        self.learning_rate = learning_rate
        self.betas = betas

    def start(self, distribution: MixtureDistribution) -> None:
        """Begin with empty moments."""
        if not self.learning_rate > 0:
            raise InputError(f"ScoreFunction(learning_rate={self.learning_rate}): expected a number above 0.")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"ScoreFunction(betas={self.betas}): expected two decays in [0, 1).")
        self.steps_ = 0
        self.first_ = [np.zeros_like(p) for p in distribution.parameters]
        self.second_ = [np.zeros_like(p) for p in distribution.parameters]

    def gradient(self, distribution: MixtureDistribution, x: Floats, h: Floats, losses: Floats) -> list[Floats]:
        """Estimate the gradient of the expected loss without bias, in the order of `distribution.parameters`."""
        n = len(losses)
        if n < 2:
            raise InputError("ScoreFunction compares a sample with the others of its batch, so it needs at least 2.")
        baseline = (losses.sum() - losses) / (n - 1)
        return distribution.score(x, h, (losses - baseline) / n)

    def learn(self, distribution: MixtureDistribution, x: Floats, h: Floats, losses: Floats, floor: float) -> None:
        """Take one step.

        Parameters
        ----------
        distribution : MixtureDistribution
            The mixture, which is changed in place.
        x : array of shape (n, d)
            Its samples, in units of the spread.
        h : array of shape (n, c)
            Their regressors.
        losses : array of shape (n,)
            Their losses.
        floor : float
            Smallest conditional standard deviation.
        """
        gradient = self.gradient(distribution, x, h, losses)
        beta1, beta2 = self.betas
        self.steps_ += 1
        for p, g, m, v in zip(distribution.parameters, gradient, self.first_, self.second_, strict=True):
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g**2 - v)
            unbiased_m, unbiased_v = m / (1 - beta1**self.steps_), v / (1 - beta2**self.steps_)
            p -= self.learning_rate * unbiased_m / (np.sqrt(unbiased_v) + 1e-8)
        np.minimum(distribution.log_precisions, -np.log(floor), out=np.asarray(distribution.log_precisions))


class WeightedEM(BaseEstimator):
    """Rule that takes one step of on-line expectation-maximisation on weighted samples.

    With exact weights it is a step towards maximum likelihood on real data. The sufficient statistics of the batch, weighted by
    w_i, are mixed with those that the present parameters imply::

        s <- (1 - step) s + step s_batch

    Parameters
    ----------
    step : float
        Share of the batch in the statistics, in (0, 1]; 1 forgets the present parameters.

    References
    ----------
    Cappé & Moulines (2009), "On-line expectation-maximization algorithm for latent data models".
    """

    feedback_type = Weights

    def __init__(self, step: float = 0.2) -> None:
        self.step = step

    def start(self, distribution: MixtureDistribution) -> None:
        """Check the step; the rule keeps no state."""
        if not 0 < self.step <= 1:
            raise InputError(f"WeightedEM(step={self.step}): expected a share of the batch's statistics in (0, 1].")

    def learn(self, distribution: MixtureDistribution, x: Floats, h: Floats, weights: Floats, floor: float) -> None:
        """Take one step.

        Parameters
        ----------
        distribution : MixtureDistribution
            The mixture, which is changed in place.
        x : array of shape (n, d)
            Its samples, in units of the spread.
        h : array of shape (n, c)
            Their regressors.
        weights : array of shape (n,)
            Their weights, of mean 1.
        floor : float
            Smallest standard deviation in any direction.
        """
        n, present = len(weights), distribution.weights
        rho = self.step * weights * distribution.responsibilities(x, h) / n  # (K, n)
        present_mass = (1 - self.step) * present + PSEUDO_COUNT
        moments = h.T @ h / n
        prior = (1 - self.step) * present[:, None, None] * moments + PSEUDO_COUNT * np.eye(h.shape[1])
        weighted_h = rho[:, None] * h.T  # (K, c, n)

        old = distribution.coefficients
        new = np.linalg.solve(prior + weighted_h @ h, prior @ old + weighted_h @ x)  # weighted least squares
        shift, residuals = old - new, x - h @ new
        weighted_r = rho[..., None] * residuals
        mass = present_mass + rho.sum(axis=1)
        if distribution.regressions is None:
            spread = (shift * (prior @ shift)).sum(axis=1) + (weighted_r * residuals).sum(axis=1)
            covariances = (present_mass[:, None] * distribution.covariances + spread) / mass[:, None]
        else:
            spread = shift.mT @ prior @ shift + weighted_r.mT @ residuals
            covariances = (present_mass[:, None, None] * distribution.covariances + spread) / mass[:, None, None]

        distribution.logits[...] = np.log(mass / mass.sum())
        distribution.coefficients[...] = new
        distribution.set_covariances(covariances, floor**2)
