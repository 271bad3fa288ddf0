"""A Gaussian mixture as a generator: it knows its own density, so that it learns from losses or from weights."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.generators.common import Floats, check_condition, check_on_policy, feedback_type_of, feedback_values
from turinglearn.generators.mixture.distribution import MixtureDistribution
from turinglearn.generators.mixture.updates import ScoreFunction, WeightedEM
from turinglearn.protocols import Array, Batch, InputError, Losses, PlayerError, Rng, Samples, Weights

__all__ = ["MixtureGenerator", "ScoreFunction", "WeightedEM"]


class MixtureGenerator(BaseEstimator):
    """Mixture of Gaussians; with conditions c a mixture of linear regressions, with means affine in c.

    Its density is::

        q(x | c) = sum_k pi_k N(x; M_k^T [1, c], Sigma_k)

    Columns in which the example is constant stay so; the distribution is that of the others. Samples are float64 NumPy arrays
    (n, *event).

    Parameters
    ----------
    n_components : int
        Number K of Gaussians.
    covariance : "full" or "diagonal"
        Kind of the covariances Sigma_k.
    rule : WeightedEM, ScoreFunction or None
        Update rule: `WeightedEM` learns from weights, `ScoreFunction` from losses. None for ``WeightedEM()``.
    floor : float
        Smallest standard deviation of a component, in units of the spread of the real data.

    Attributes
    ----------
    weights_ : array of shape (K,)
        pi.
    coefficients_ : array of shape (K, 1 + c, d)
        M, in the units of the data.
    covariances_ : array of shape (K, d, d) or (K, d)
        Sigma, in the units of the data.
    updates_ : int
        Number of updates so far.
    """

    def __init__(
        self,
        n_components: int = 4,
        *,
        covariance: str = "full",
        rule: ScoreFunction | WeightedEM | None = None,
        floor: float = 1e-3,
    ) -> None:
        self.n_components = n_components
        self.covariance = covariance
        self.rule = rule
        self.floor = floor

    @property
    def feedback_type(self) -> type:
        """Type of feedback that the update rule learns from: `Weights` or `Losses`."""
        return feedback_type_of(self, WeightedEM() if self.rule is None else self.rule, "WeightedEM() or ScoreFunction()")

    def start(self, example: Batch, rng: Rng) -> None:
        """Begin with random centres around the mean of the example, and components as wide as the example."""
        self._check_parameters()
        x = flat(example.x)
        self.event_ = tuple(example.x.shape[1:])
        self.location_, self.spread_ = location_and_spread(x)
        self.varies_ = self.spread_ > 0
        condition = np.empty((len(x), 0)) if example.condition is None else flat(example.condition)
        self.condition_location_, spread = location_and_spread(condition)
        self.condition_spread_ = np.where(spread > 0, spread, 1)
        k, d, c = self.n_components, int(self.varies_.sum()), 1 + condition.shape[1]
        coefficients = np.zeros((k, c, d))
        coefficients[:, 0] = rng.standard_normal((k, d))
        regressions = np.zeros((k, d, d)) if self.covariance == "full" else None
        self.distribution_ = MixtureDistribution(
            np.zeros(k), coefficients, np.zeros((k, d)), regressions
        )  # of (x - location) / spread
        self.rule_ = WeightedEM() if self.rule is None else clone(self.rule)
        self.rule_.start(self.distribution_)
        self.updates_ = 0

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event) of the present distribution, under conditions (n, c) where the game has them."""
        h = self._regressors(n, condition)
        x = np.tile(self.location_, (n, 1))
        x[:, self.varies_] += self.spread_[self.varies_] * self.distribution_.sample(h, rng)
        return Samples(x.reshape(n, *self.event_), condition, self.updates_)

    def update(self, samples: Samples, feedback: Losses | Weights) -> None:
        """Take one step of the update rule on samples of the present distribution."""
        h = self._regressors(samples.n, samples.condition)
        check_on_policy(self, samples.context, self.updates_)
        values = feedback_values(self, self.feedback_type, feedback, (samples.n,))
        self.rule_.learn(self.distribution_, self._standardised(samples.x), h, values, self.floor)
        self.updates_ += 1

    def log_density(self, x: Array, condition: Array | None = None) -> Floats:
        """Compute log q(x | condition) exactly.

        Parameters
        ----------
        x : Array of shape (n, *event)
            Samples, of which constant columns are ignored.
        condition : Array of shape (n, c), or None
            Condition of each sample, if the game has conditions.

        Returns
        -------
        array of shape (n,)
            Logarithms of the density in the units of x.
        """
        h = self._regressors(len(x), condition)
        volume: float = np.log(self.spread_[self.varies_]).sum()
        return self.distribution_.log_density(self._standardised(x), h) - volume

    @property
    def weights_(self) -> Floats:
        """Weights pi, (K,)."""
        return self.distribution_.weights

    @property
    def coefficients_(self) -> Floats:
        """Coefficients M (K, 1 + c, d) in the units of the data: row 0 is the mean at condition 0, the others are slopes."""
        k, c, _ = self.distribution_.coefficients.shape
        coefficients = np.zeros((k, c, len(self.spread_)))
        coefficients[..., self.varies_] = self.distribution_.coefficients * self.spread_[self.varies_]
        coefficients[:, 1:] /= self.condition_spread_[:, None]
        coefficients[:, 0] += self.location_ - self.condition_location_ @ coefficients[:, 1:]
        return coefficients

    @property
    def covariances_(self) -> Floats:
        """Covariances Sigma (K, d, d), or variances (K, d) of diagonal components, in the units of the data."""
        spread = self.spread_[self.varies_]
        if self.covariance == "diagonal":
            variances = np.zeros((self.n_components, len(self.spread_)))
            variances[:, self.varies_] = self.distribution_.covariances * spread**2
            return variances
        covariances = np.zeros((self.n_components, len(self.spread_), len(self.spread_)))
        covariances[:, np.outer(self.varies_, self.varies_)] = (
            self.distribution_.covariances * np.outer(spread, spread)
        ).reshape(self.n_components, -1)
        return covariances

    def _standardised(self, x: Array) -> Floats:
        standardised: Floats = (flat(x) - self.location_)[:, self.varies_] / self.spread_[self.varies_]
        return standardised

    def _regressors(self, n: int, condition: Array | None) -> Floats:
        """Return h = [1, condition], (n, 1 + c), with the condition in standard units."""
        if not hasattr(self, "distribution_"):
            raise PlayerError("MixtureGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, condition, n, len(self.condition_location_))
        conditions = np.empty((n, 0)) if condition is None else flat(to_numpy(condition))
        return np.hstack((np.ones((n, 1)), (conditions - self.condition_location_) / self.condition_spread_))

    def _check_parameters(self) -> None:
        if not isinstance(self.n_components, numbers.Integral) or self.n_components < 1:
            raise InputError(f"MixtureGenerator(n_components={self.n_components!r}): expected an integer from 1 on.")
        if self.covariance not in ("full", "diagonal"):
            raise InputError(f"MixtureGenerator(covariance={self.covariance!r}): expected 'full' or 'diagonal'.")
        if not 0 < self.floor < 1:
            raise InputError(f"MixtureGenerator(floor={self.floor!r}): expected a share of the data's spread in (0, 1).")
