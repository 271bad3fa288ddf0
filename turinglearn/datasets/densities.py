"""Distributions with known density: mixtures of Gaussians, and the moons. Each is an endless source of real samples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import roots_legendre

from turinglearn.metrics.inputs import Floats, SeedLike, matrix, positive, whole
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.streams import as_seed

__all__ = ["KnownDistribution", "Mixture", "Moons", "gaussian", "grid", "mixture", "moons", "ring"]


class KnownDistribution(ABC):
    """Base of distributions with known density that can be sampled without end.

    It is a `turinglearn.protocols.Source`: give it to a game in the place of data, so that each batch is fresh. Samples are
    float64, (n, dimension). A subclass also has ``log_density(x)``.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of features of a sample."""

    @abstractmethod
    def _draw(self, n: int, rng: Rng) -> Floats:
        """Draw n samples, (n, dimension)."""

    @abstractmethod
    def log_density(self, x: Array) -> Floats:
        """Return the log-density (n,) at x (n, dimension)."""

    def draw(self, n: int, rng: Rng) -> Batch:
        """Draw n real samples as a batch, as a game asks for them."""
        return Batch(self._draw(whole(n, "n", least=0), rng))

    def sample(self, n: int, random_state: SeedLike = None) -> Floats:
        """Draw n real samples.

        Parameters
        ----------
        n : int
            Number of samples.
        random_state : int, numpy Generator or RandomState, or None
            Seed; None for fresh entropy.

        Returns
        -------
        ndarray of shape (n, dimension)
        """
        return self._draw(whole(n, "n", least=0), np.random.default_rng(as_seed(random_state)))

    def _checked(self, x: Array) -> Floats:
        """Return x as a matrix with as many features as the distribution, or raise a ValueError."""
        x = matrix(x, "x")
        if x.shape[1] != self.dimension:
            raise ValueError(
                f"x has {x.shape[1]} features, but the distribution has {self.dimension}. Give x as (n, {self.dimension})."
            )
        return x


@dataclass(frozen=True, slots=True, eq=False)
class Mixture(KnownDistribution):
    """A mixture of Gaussians, made by `mixture`, `gaussian`, `ring` or `grid`. Its arrays are read-only.

    Attributes
    ----------
    weights : ndarray of shape (K,)
        Probability of each component.
    modes : ndarray of shape (K, d)
        Means.
    covariances : ndarray of shape (K, d, d)
        Covariances.
    factors : ndarray of shape (K, d, d)
        Lower Cholesky factors of the covariances.
    sigma : float or None
        Standard deviation that all components have in all directions; None where they differ.
    """

    weights: Floats
    modes: Floats
    covariances: Floats
    factors: Floats
    sigma: float | None

    def __repr__(self) -> str:
        return f"<Mixture of {len(self.modes)} Gaussians in {self.dimension} dimensions>"

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return int(self.modes.shape[1])

    def _draw(self, n: int, rng: Rng) -> Floats:
        which = np.searchsorted(np.cumsum(self.weights)[:-1], rng.random(n), side="right")
        z = rng.standard_normal((n, self.dimension))
        x = self.modes.take(which, axis=0)
        if self.sigma is not None:
            return x + self.sigma * z
        for k, factor in enumerate(self.factors):
            rows = which == k
            x[rows] += z[rows] @ factor.T
        return x

    def log_density(self, x: Array) -> Floats:
        """Return the exact log-density (n,), natural logarithm, at x (n, d)."""
        x = self._checked(x)
        total = np.full(len(x), -np.inf)
        for weight, mean, factor in zip(self.weights, self.modes, self.factors, strict=True):
            z = solve_triangular(factor, (x - mean).T, lower=True)
            normaliser = np.log(np.diag(factor)).sum() + 0.5 * self.dimension * math.log(2 * math.pi)
            total = np.logaddexp(total, math.log(weight) - 0.5 * (z * z).sum(axis=0) - normaliser)
        return total


def mixture(weights: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> Mixture:
    """Make a mixture of K Gaussians.

    Parameters
    ----------
    weights : array-like of shape (K,)
        Probability of each component, above 0, with sum 1.
    means : array-like of shape (K, d)
        Means.
    covariances : array-like of shape (K, d, d)
        Covariances, symmetric and positive definite.

    Returns
    -------
    Mixture
    """
    modes = matrix(means, "means")
    k, d = modes.shape
    p, sigmas = _shaped(weights, "weights", (k,)), _shaped(covariances, "covariances", (k, d, d))
    if not (p > 0).all() or abs(p.sum() - 1) > 1e-8:
        raise ValueError(f"weights={p}: expected numbers above 0 with sum 1. Drop empty components and divide by the sum.")
    factors = np.stack([_cholesky(c, f"covariances[{i}]") for i, c in enumerate(sigmas)])
    sigma = float(factors[0, 0, 0])
    alike = bool((sigmas == sigmas[0, 0, 0] * np.eye(d)).all())
    p, modes, sigmas = p / p.sum(), modes.copy(), sigmas.copy()
    for array in (p, modes, sigmas, factors):
        array.flags.writeable = False
    return Mixture(p, modes, sigmas, factors, sigma if alike else None)


def gaussian(mean: ArrayLike, covariance: ArrayLike) -> Mixture:
    """Make a Gaussian, as a mixture of one component with `modes[0]` and `covariances[0]`.

    Parameters
    ----------
    mean : array-like of shape (d,)
        Mean.
    covariance : array-like of shape (d, d)
        Covariance, symmetric and positive definite.

    Returns
    -------
    Mixture
    """
    row = matrix(mean, "mean").reshape(1, -1)
    return mixture([1.0], row, _shaped(covariance, "covariance", (row.size, row.size))[None])


def ring(modes: int = 8, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Make equally likely round Gaussians, evenly spaced on a circle in the plane, the first at (radius, 0).

    The defaults are those of PacGAN.

    Parameters
    ----------
    modes : int
        Number of Gaussians.
    radius : float
        Radius of the circle.
    sigma : float
        Standard deviation of each Gaussian.

    Returns
    -------
    Mixture

    References
    ----------
    Lin, Khetan, Fanti and Oh, "PacGAN", NeurIPS 2018.
    """
    angle = 2 * np.pi * np.arange(whole(modes, "modes")) / modes  # not linspace(0, 2π, K): that repeats the first mode
    return _round(positive(radius, "radius") * np.column_stack((np.cos(angle), np.sin(angle))), sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """Make equally likely round Gaussians on a square lattice in the plane, centred at the origin.

    The defaults are those of PacGAN.

    Parameters
    ----------
    side : int
        Number of Gaussians along each side; there are side² of them.
    spacing : float
        Distance between neighbours.
    sigma : float
        Standard deviation of each Gaussian.

    Returns
    -------
    Mixture

    References
    ----------
    Lin, Khetan, Fanti and Oh, "PacGAN", NeurIPS 2018.
    """
    ticks = positive(spacing, "spacing") * (np.arange(whole(side, "side")) - (side - 1) / 2)
    return _round(np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2), sigma)


@dataclass(frozen=True, slots=True)
class Moons(KnownDistribution):
    """Two interleaving half circles of radius 1 with Gaussian noise, made by `moons`.

    Attributes
    ----------
    noise : float
        Standard deviation of the noise.
    """

    noise: float

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return 2

    def _draw(self, n: int, rng: Rng) -> Floats:
        upper, t = rng.random(n) < 0.5, np.pi * rng.random(n)
        x = np.where(upper[:, None], *_half_circles(t))
        return x + self.noise * rng.standard_normal((n, 2))

    def log_density(self, x: Array) -> Floats:
        """Return the log-density (n,) at x (n, 2): an integral along the arcs by quadrature.

        The error is below 1e-8 where |x| <= 5 and noise >= .01. Time and number of nodes grow as 1 / noise.
        """
        x = self._checked(x)
        u, du = roots_legendre(math.ceil(32 + 20 / self.noise))
        centres = np.concatenate(_half_circles(np.pi * (u + 1) / 2))
        return _round(centres, self.noise, np.tile(du / 4, 2)).log_density(x)


def moons(noise: float = 0.1) -> Moons:
    """Make two interleaving half circles, equally likely and uniform along the arc, as scikit-learn's `make_moons` does.

    Parameters
    ----------
    noise : float
        Standard deviation of the Gaussian noise.

    Returns
    -------
    Moons
    """
    return Moons(positive(noise, "noise"))


def _half_circles(t: Floats) -> tuple[Floats, Floats]:
    """Return the points of both half circles at the angles t."""
    upper = np.column_stack((np.cos(t), np.sin(t)))
    return upper, np.array([1.0, 0.5]) - upper


def _round(modes: Floats, sigma: float, weights: Floats | None = None) -> Mixture:
    """Make a mixture of round Gaussians with one standard deviation."""
    k, d = modes.shape
    weights = np.full(k, 1 / k) if weights is None else weights
    return mixture(weights, modes, np.tile(positive(sigma, "sigma") ** 2 * np.eye(d), (k, 1, 1)))


def _shaped(x: ArrayLike, name: str, shape: tuple[int, ...]) -> Floats:
    """Return x as an array of this shape, or raise a ValueError."""
    if np.shape(x) != shape:
        raise ValueError(
            f"{name} has shape {np.shape(x)}; expected {shape}. Give one per component, in the dimension of the mean."
        )
    return matrix(x, name).reshape(shape)


def _cholesky(covariance: Floats, name: str) -> Floats:
    """Return the lower Cholesky factor of a covariance, or raise a ValueError."""
    try:
        if np.allclose(covariance, covariance.T):
            return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        pass
    raise ValueError(
        f"{name} is not a covariance: expected a symmetric, positive definite matrix. Add a little to its diagonal."
    )
