"""Problems whose law is known: mixtures of Gaussians, the moons. Each is an endless source of genuine samples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import roots_legendre

from turinglearn.metrics.inputs import matrix, positive, whole
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.streams import as_seed

__all__ = ["Mixture", "Moons", "Problem", "gaussian", "grid", "mixture", "moons", "ring"]


class Problem(ABC):
    """A law that can be sampled without end, so that every genuine sample is one that no player has seen.

    It is a `turinglearn.protocols.Source`: give it to a game in the place of data. Samples are float64, (n, dimension).
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dimension(self) -> int:
        """How many features a sample has."""

    @abstractmethod
    def _points(self, n: int, rng: Rng) -> Any: ...

    def draw(self, n: int, rng: Rng) -> Batch:
        """n genuine samples, as a game asks for them."""
        return Batch(self._points(whole(n, "n", least=0), rng))

    def sample(self, n: int, random_state: Any = None) -> Any:
        """n genuine samples, (n, dimension); random_state is None, a whole number, a Generator or a RandomState."""
        return self._points(whole(n, "n", least=0), np.random.default_rng(as_seed(random_state)))

    def _checked(self, x: Array) -> Any:
        x = matrix(x, "x")
        if x.shape[1] != self.dimension:
            raise ValueError(f"x has {x.shape[1]} features, but the law has {self.dimension}. Give x as (n, {self.dimension}).")
        return x


@dataclass(frozen=True, slots=True, eq=False)
class Mixture(Problem):
    """A mixture of Gaussians; `mixture`, `gaussian`, `ring` and `grid` make it. Its arrays are read-only.

    weights (K,); modes (K, d): the means; covariances (K, d, d); factors (K, d, d): their lower Cholesky factors;
    sigma: the standard deviation that all components have in all directions, or None where they differ.
    """

    weights: Any
    modes: Any
    covariances: Any
    factors: Any
    sigma: float | None

    def __repr__(self) -> str:
        return f"<Mixture of {len(self.modes)} Gaussians in {self.dimension} dimensions>"

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return int(self.modes.shape[1])

    def _points(self, n: int, rng: Rng) -> Any:
        which = np.searchsorted(np.cumsum(self.weights)[:-1], rng.random(n), side="right")
        z = rng.standard_normal((n, self.dimension))
        x = self.modes.take(which, axis=0)
        if self.sigma is not None:
            return x + self.sigma * z
        for k, factor in enumerate(self.factors):
            rows = which == k
            x[rows] += z[rows] @ factor.T
        return x

    def log_density(self, x: Array) -> Any:
        """The exact log-density at x (n, d), natural logarithm, (n,)."""
        x = self._checked(x)
        total = np.full(len(x), -np.inf)
        for weight, mean, factor in zip(self.weights, self.modes, self.factors, strict=True):
            z = solve_triangular(factor, (x - mean).T, lower=True)
            normaliser = np.log(np.diag(factor)).sum() + 0.5 * self.dimension * math.log(2 * math.pi)
            total = np.logaddexp(total, math.log(weight) - 0.5 * (z * z).sum(axis=0) - normaliser)
        return total


def mixture(weights: Array, means: Array, covariances: Array) -> Mixture:
    """A mixture of K Gaussians: weights (K,) above 0 with sum 1, means (K, d), covariances (K, d, d)."""
    modes = matrix(means, "means")
    k, d = modes.shape
    weights = _shaped(weights, "weights", (k,))
    covariances = _shaped(covariances, "covariances", (k, d, d))
    if not (weights > 0).all() or abs(weights.sum() - 1) > 1e-8:
        raise ValueError(
            f"weights={weights}: expected numbers above 0 with sum 1. Drop empty components and divide by the sum."
        )
    factors = np.stack([_cholesky(c, f"covariances[{i}]") for i, c in enumerate(covariances)])
    sigma = float(factors[0, 0, 0])
    alike = bool((covariances == covariances[0, 0, 0] * np.eye(d)).all())
    weights, modes, covariances = weights / weights.sum(), modes.copy(), covariances.copy()
    for held in (weights, modes, covariances, factors):
        held.flags.writeable = False
    return Mixture(weights, modes, covariances, factors, sigma if alike else None)


def gaussian(mean: Array, covariance: Array) -> Mixture:
    """One Gaussian, mean (d,) and covariance (d, d), as a mixture of one: its `modes[0]` and `covariances[0]`."""
    mean = matrix(mean, "mean").reshape(1, -1)
    return mixture([1.0], mean, _shaped(covariance, "covariance", (mean.size, mean.size))[None])


def ring(modes: int = 8, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Equally likely round Gaussians, evenly spaced on a circle in the plane, the first at (radius, 0).

    The defaults are those of PacGAN: Lin, Khetan, Fanti & Oh, NeurIPS 2018.
    """
    angle = 2 * np.pi * np.arange(whole(modes, "modes")) / modes  # not linspace(0, 2π, K): that repeats the first mode
    return _round(positive(radius, "radius") * np.column_stack((np.cos(angle), np.sin(angle))), sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """Equally likely round Gaussians on a square lattice in the plane, side² of them, centred at the origin.

    The defaults are those of PacGAN: Lin, Khetan, Fanti & Oh, NeurIPS 2018.
    """
    ticks = positive(spacing, "spacing") * (np.arange(whole(side, "side")) - (side - 1) / 2)
    return _round(np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2), sigma)


@dataclass(frozen=True, slots=True)
class Moons(Problem):
    """Two interleaving half circles of radius 1, blurred with standard deviation noise; `moons` makes it."""

    noise: float

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return 2

    def _points(self, n: int, rng: Rng) -> Any:
        upper, t = rng.random(n) < 0.5, np.pi * rng.random(n)
        x = np.where(upper[:, None], *_half_circles(t))
        return x + self.noise * rng.standard_normal((n, 2))

    def log_density(self, x: Array) -> Any:
        """The log-density at x (n, 2), (n,): an integral along the arcs by quadrature.

        The error is below 1e-8 where |x| <= 5 and noise >= .01. Time and nodes grow as 1 / noise.
        """
        x = self._checked(x)
        u, du = roots_legendre(math.ceil(32 + 20 / self.noise))
        centres = np.concatenate(_half_circles(np.pi * (u + 1) / 2))
        return _round(centres, self.noise, np.tile(du / 4, 2)).log_density(x)


def moons(noise: float = 0.1) -> Moons:
    """Two interleaving half circles, equally likely, uniform along the arc, as of scikit-learn's `make_moons`."""
    return Moons(positive(noise, "noise"))


def _half_circles(t: Any) -> tuple[Any, Any]:
    upper = np.column_stack((np.cos(t), np.sin(t)))
    return upper, np.array([1.0, 0.5]) - upper


def _round(modes: Any, sigma: float, weights: Any = None) -> Mixture:
    k, d = modes.shape
    weights = np.full(k, 1 / k) if weights is None else weights
    return mixture(weights, modes, np.tile(positive(sigma, "sigma") ** 2 * np.eye(d), (k, 1, 1)))


def _shaped(x: Array, name: str, shape: tuple[int, ...]) -> Any:
    shown = np.shape(x)
    if shown != shape:
        raise ValueError(f"{name} has shape {shown}; expected {shape}. Give one per component, in the dimension of the mean.")
    return matrix(x, name).reshape(shape)


def _cholesky(covariance: Any, name: str) -> Any:
    try:
        if np.allclose(covariance, covariance.T):
            return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        pass
    raise ValueError(f"{name} is no covariance: expected a symmetric, positive definite matrix. Add a little to its diagonal.")
