"""Further distributions with exact densities: heavy tails, a bent Gaussian, and independent bits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from turinglearn.datasets.densities import KnownDistribution
from turinglearn.metrics.inputs import Floats, positive, whole
from turinglearn.protocols import Array, Rng

__all__ = ["Banana", "Bits", "StudentT", "banana", "bits", "student_t"]


@dataclass(frozen=True, slots=True)
class StudentT(KnownDistribution):
    """Independent features, each Student's t about a location, made by `student_t`.

    Attributes
    ----------
    degrees : float
        Degrees of freedom.
    location : tuple of float
        Location of each feature.
    """

    degrees: float
    location: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return len(self.location)

    def _draw(self, n: int, rng: Rng) -> Floats:
        return self.location + rng.standard_t(self.degrees, (n, self.dimension))

    def log_density(self, x: Array) -> Floats:
        """Return the exact log-density (n,) at x (n, d)."""
        return student.logpdf(self._checked(x) - self.location, self.degrees).sum(axis=1)


def student_t(degrees: float = 3.0, location: ArrayLike = (0.0, 0.0)) -> StudentT:
    """Make a distribution of independent features that are Student's (1908) t.

    Parameters
    ----------
    degrees : float
        Degrees of freedom.
    location : array-like of shape (d,)
        Location of each feature.

    Returns
    -------
    StudentT
    """
    place = tuple(float(a) for a in np.ravel(location))
    if not place or not np.all(np.isfinite(place)):
        raise ValueError(f"location={location!r}: expected finite numbers, one for each feature.")
    return StudentT(positive(degrees, "degrees"), place)


@dataclass(frozen=True, slots=True)
class Banana(KnownDistribution):
    """A bent standard Gaussian, made by `banana`: x₁ = z₁, x₂ = z₂ + b (z₁² - 1), and all other features as they are.

    Attributes
    ----------
    bend : float
        The bend b.
    features : int
        Number of features.
    """

    bend: float
    features: int

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return self.features

    def _draw(self, n: int, rng: Rng) -> Floats:
        x = rng.standard_normal((n, self.features))
        x[:, 1] += self.bend * (x[:, 0] ** 2 - 1)
        return x

    def log_density(self, x: Array) -> Floats:
        """Return the exact log-density (n,) at x (n, d); the bend does not change volumes."""
        z = self._checked(x).copy()
        z[:, 1] -= self.bend * (z[:, 0] ** 2 - 1)
        return -0.5 * ((z**2).sum(axis=1) + self.features * math.log(2 * math.pi))


def banana(bend: float = 0.5, dimension: int = 2) -> Banana:
    """Make the bent Gaussian of Haario, Saksman and Tamminen (1999), with unit variance before the bend.

    Parameters
    ----------
    bend : float
        The bend; 0 is a Gaussian.
    dimension : int
        Number of features, at least 2.

    Returns
    -------
    Banana
    """
    if not math.isfinite(bend):
        raise ValueError(f"bend={bend!r}: expected a finite number; 0 is a Gaussian.")
    return Banana(float(bend), whole(dimension, "dimension", least=2))


@dataclass(frozen=True, slots=True)
class Bits(KnownDistribution):
    """Independent bits, 0.0 or 1.0, made by `bits`. Densities are with respect to the counting measure.

    Attributes
    ----------
    probabilities : tuple of float
        Probability that each bit is 1.
    """

    probabilities: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return len(self.probabilities)

    def _draw(self, n: int, rng: Rng) -> Floats:
        return (rng.random((n, self.dimension)) < self.probabilities).astype(float)

    def log_density(self, x: Array) -> Floats:
        """Return the exact log-probability (n,) of x (n, d); minus infinity off the corners of the cube."""
        x, ones = self._checked(x), np.asarray(self.probabilities)
        corners = np.all((x == 0) | (x == 1), axis=1)
        return np.where(corners, np.where(x == 1, np.log(ones), np.log1p(-ones)).sum(axis=1), -np.inf)


def bits(probabilities: ArrayLike) -> Bits:
    """Make a distribution of independent bits.

    Parameters
    ----------
    probabilities : array-like of shape (d,)
        Probability that each bit is 1, strictly between 0 and 1.

    Returns
    -------
    Bits
    """
    ones = tuple(float(a) for a in np.ravel(probabilities))
    if not ones or not all(0 < a < 1 for a in ones):
        raise ValueError(f"probabilities={probabilities!r}: expected numbers strictly between 0 and 1, one for each feature.")
    return Bits(ones)
