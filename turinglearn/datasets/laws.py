"""Laws beside the Gaussian ones: heavy tails, a bent Gaussian, and bits. Each with its exact density."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from turinglearn.datasets.densities import Problem
from turinglearn.metrics.inputs import positive, whole
from turinglearn.protocols import Array, Rng

__all__ = ["Banana", "Bits", "StudentT", "banana", "bits", "student_t"]


@dataclass(frozen=True, slots=True)
class StudentT(Problem):
    """Independent features, each Student's t about a location; `student_t` makes it."""

    degrees: float
    location: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return len(self.location)

    def _points(self, n: int, rng: Rng) -> Any:
        return self.location + rng.standard_t(self.degrees, (n, self.dimension))

    def log_density(self, x: Array) -> Any:
        """The exact log-density at x (n, d), (n,)."""
        return student.logpdf(self._checked(x) - self.location, self.degrees).sum(axis=1)


def student_t(degrees: float = 3.0, location: Array = (0.0, 0.0)) -> StudentT:
    """Student's (1908) t in each feature, with this many degrees of freedom, about location (d,)."""
    place = tuple(float(a) for a in np.ravel(location))
    if not place or not np.all(np.isfinite(place)):
        raise ValueError(f"location={location!r}: expected finite numbers, one for each feature.")
    return StudentT(positive(degrees, "degrees"), place)


@dataclass(frozen=True, slots=True)
class Banana(Problem):
    """A standard Gaussian, bent: x₁ = z₁, x₂ = z₂ + b (z₁² - 1), the others as they are; `banana` makes it."""

    bend: float
    features: int

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return self.features

    def _points(self, n: int, rng: Rng) -> Any:
        x = rng.standard_normal((n, self.features))
        x[:, 1] += self.bend * (x[:, 0] ** 2 - 1)
        return x

    def log_density(self, x: Array) -> Any:
        """The exact log-density at x (n, d), (n,): the bend leaves volumes what they are."""
        z = self._checked(x).copy()
        z[:, 1] -= self.bend * (z[:, 0] ** 2 - 1)
        return -0.5 * ((z**2).sum(axis=1) + self.features * math.log(2 * math.pi))


def banana(bend: float = 0.5, dimension: int = 2) -> Banana:
    """The bent Gaussian of Haario, Saksman & Tamminen (1999), with unit variance before the bend."""
    if not math.isfinite(bend):
        raise ValueError(f"bend={bend!r}: expected a finite number; 0 is a Gaussian.")
    return Banana(float(bend), whole(dimension, "dimension", least=2))


@dataclass(frozen=True, slots=True)
class Bits(Problem):
    """Independent bits, 0.0 or 1.0; `bits` makes it. Densities are with respect to counting."""

    shares: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return len(self.shares)

    def _points(self, n: int, rng: Rng) -> Any:
        return (rng.random((n, self.dimension)) < self.shares).astype(float)

    def log_density(self, x: Array) -> Any:
        """The exact log-probability of x (n, d), (n,); minus infinity off the corners of the cube."""
        x, ones = self._checked(x), np.asarray(self.shares)
        corners = np.all((x == 0) | (x == 1), axis=1)
        return np.where(corners, np.where(x == 1, np.log(ones), np.log1p(-ones)).sum(axis=1), -np.inf)


def bits(shares: Array) -> Bits:
    """Independent bits that are 1 with these chances, (d,), each strictly between 0 and 1."""
    ones = tuple(float(a) for a in np.ravel(shares))
    if not ones or not all(0 < a < 1 for a in ones):
        raise ValueError(f"shares={shares!r}: expected chances strictly between 0 and 1, one for each feature.")
    return Bits(ones)
