"""A Gaussian mixture as a generator: it can evaluate its own density, so it learns from losses or from weights."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.generators.common import check_condition, check_fresh, feedback_values, teaches
from turinglearn.generators.mixture_law import MixtureLaw
from turinglearn.generators.mixture_updates import ScoreFunction, WeightedEM
from turinglearn.protocols import Array, Batch, PlayerError, Rng, Samples

__all__ = ["MixtureGenerator", "ScoreFunction", "WeightedEM"]


class MixtureGenerator(BaseEstimator):
    """Mixture of Gaussians; under conditions c a mixture of linear regressions, with means affine in c.

    q(x | c) = sum_k pi_k N(x; M_k^T [1, c], Sigma_k). covariance: "full" or "diagonal". rule: how it learns, `WeightedEM()`
    (the default) from weights or `ScoreFunction()` from losses. floor: the smallest standard deviation of a component, in
    units of the spread of the genuine data. Columns in which the example is constant stay so; the law is that of the others.
    Samples are float64 NumPy arrays (n, *event).
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
    def learns_from(self) -> type:
        """What the update rule learns from: `Weights` or `Losses`."""
        return teaches(self, WeightedEM() if self.rule is None else self.rule, "WeightedEM() or ScoreFunction()")

    def start(self, example: Batch, rng: Rng) -> None:
        """Centres at random around the example's mean, each component as wide as the example; no more of it is used."""
        self._check_parameters()
        x = flat(example.x)
        self.event_ = tuple(example.x.shape[1:])
        self.location_, self.spread_ = location_and_spread(x)
        self.varies_ = self.spread_ > 0
        told = np.empty((len(x), 0)) if example.given is None else flat(example.given)
        self.condition_location_, spread = location_and_spread(told)
        self.condition_spread_ = np.where(spread > 0, spread, 1)
        k, d, c = self.n_components, int(self.varies_.sum()), 1 + told.shape[1]
        coefficients = np.zeros((k, c, d))
        coefficients[:, 0] = rng.standard_normal((k, d))
        regressions = np.zeros((k, d, d)) if self.covariance == "full" else None
        self.law_ = MixtureLaw(np.zeros(k), coefficients, np.zeros((k, d)), regressions)  # of (x - location) / spread
        self.rule_ = WeightedEM() if self.rule is None else clone(self.rule)
        self.rule_.start(self.law_)
        self.updates_ = 0

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event) of the present law; given is (n, c) where the game has conditions."""
        h = self._regressors(n, given)
        x = np.tile(self.location_, (n, 1))
        x[:, self.varies_] += self.spread_[self.varies_] * self.law_.sample(h, rng)
        return Samples(x.reshape(n, *self.event_), given, self.updates_)

    def update(self, samples: Samples, feedback: Any) -> None:
        """One step of the update rule on samples of the present law."""
        h = self._regressors(samples.n, samples.given)
        check_fresh(self, samples.context, self.updates_)
        values = feedback_values(self, samples, feedback, (samples.n,))
        self.rule_.learn(self.law_, self._standardised(samples.x), h, values, self.floor)
        self.updates_ += 1

    def log_density(self, x: Array, given: Array | None = None) -> Array:
        """log q(x | given), exact, (n,), in the units of x (n, *event); of its varying columns, where some are constant."""
        h = self._regressors(len(x), given)
        return self.law_.log_density(self._standardised(x), h) - np.log(self.spread_[self.varies_]).sum()

    @property
    def weights_(self) -> Array:
        """pi (K,)."""
        return self.law_.weights

    @property
    def coefficients_(self) -> Array:
        """M (K, 1 + c, d) in the units of the data: row 0 is the mean at condition 0, the others are slopes."""
        k, c, _ = self.law_.coefficients.shape
        coefficients = np.zeros((k, c, len(self.spread_)))
        coefficients[..., self.varies_] = self.law_.coefficients * self.spread_[self.varies_]
        coefficients[:, 1:] /= self.condition_spread_[:, None]
        coefficients[:, 0] += self.location_ - self.condition_location_ @ coefficients[:, 1:]
        return coefficients

    @property
    def covariances_(self) -> Array:
        """Sigma (K, d, d), or the variances (K, d) of diagonal components, in the units of the data."""
        spread = self.spread_[self.varies_]
        if self.covariance == "diagonal":
            variances = np.zeros((self.n_components, len(self.spread_)))
            variances[:, self.varies_] = self.law_.covariances * spread**2
            return variances
        covariances = np.zeros((self.n_components, len(self.spread_), len(self.spread_)))
        covariances[:, np.outer(self.varies_, self.varies_)] = (self.law_.covariances * np.outer(spread, spread)).reshape(
            self.n_components, -1
        )
        return covariances

    def _standardised(self, x: Array) -> Array:
        return (flat(x) - self.location_)[:, self.varies_] / self.spread_[self.varies_]

    def _regressors(self, n: int, given: Array | None) -> Array:
        """h = [1, condition], (n, 1 + c), the condition in standard units."""
        if not hasattr(self, "law_"):
            raise PlayerError("MixtureGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, given, n, len(self.condition_location_))
        told = np.empty((n, 0)) if given is None else flat(to_numpy(given))
        return np.hstack((np.ones((n, 1)), (told - self.condition_location_) / self.condition_spread_))

    def _check_parameters(self) -> None:
        if not isinstance(self.n_components, numbers.Integral) or self.n_components < 1:
            raise ValueError(f"MixtureGenerator(n_components={self.n_components!r}): expected a whole number from 1 on.")
        if self.covariance not in ("full", "diagonal"):
            raise ValueError(f"MixtureGenerator(covariance={self.covariance!r}): expected 'full' or 'diagonal'.")
        if not 0 < self.floor < 1:
            raise ValueError(f"MixtureGenerator(floor={self.floor!r}): expected a share of the data's spread in (0, 1).")
