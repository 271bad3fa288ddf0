"""The g-and-k law: easy to simulate, with a likelihood that only root finding gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import namespace
from turinglearn.datasets.densities import Problem
from turinglearn.metrics.inputs import positive
from turinglearn.protocols import Array, Rng

__all__ = ["GAndK", "g_and_k", "g_and_k_quantile"]

_BISECTIONS = 60  # beyond the size of the bracket: an error in z of 1e-18, or of rounding


def g_and_k_quantile(z: Array, a: Any, b: Any, g: Any, k: Any, c: float = 0.8) -> Array:
    """a + b (1 + c tanh(gz/2)) (1 + z²)^k z: the simulator, which turns standard normal z into g-and-k samples.

    a is the location, b the scale, g the skewness, k the weight of the tails; they broadcast against z, an array of any
    library. Rayner & MacGillivray (2002), Statistics and Computing 12.
    """
    return a + b * (1 + c * namespace(z).tanh(g * z / 2)) * (1 + z * z) ** k * z


@dataclass(frozen=True, slots=True)
class GAndK(Problem):
    """The law of g_and_k_quantile(z) for z ~ N(0, 1), in one dimension; `g_and_k` makes it."""

    a: float
    b: float
    g: float
    k: float
    c: float

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return 1

    def _points(self, n: int, rng: Rng) -> Any:
        return self._quantile(rng.standard_normal((n, 1)))

    def log_density(self, x: Array) -> Any:
        """The log-density at x (n, 1), (n,): log φ(z) - log Q'(z) where Q(z) = x, exact to rounding."""
        z = self._normal(self._checked(x)[:, 0])
        steepness = _steepness(z, self.g * z / 2, self.k, self.c)
        return -0.5 * (z * z + math.log(2 * math.pi)) - math.log(self.b) - self.k * np.log1p(z * z) - np.log(steepness)

    def _quantile(self, z: Any) -> Any:
        return g_and_k_quantile(z, self.a, self.b, self.g, self.k, self.c)

    def _normal(self, x: Any) -> Any:
        """z with Q(z) = x, by bisection: Q rises."""
        ends = np.array([-1.0, 1.0])
        lowest, highest = self._quantile(ends)
        while (x.min() < lowest or highest < x.max()) and ends[1] < 1e100:
            ends = 2 * ends
            lowest, highest = self._quantile(ends)
        low, high = np.full(len(x), ends[0]), np.full(len(x), ends[1])
        for _ in range(_BISECTIONS + round(math.log2(ends[1]))):
            middle = (low + high) / 2
            below = self._quantile(middle) < x
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2


def g_and_k(a: float, b: float, g: float, k: float, c: float = 0.8) -> GAndK:
    """The g-and-k law with location a, scale b > 0, skewness g and tails k > -1/2; c is .8 by convention.

    ValueError where its quantile function does not rise everywhere. Rayner & MacGillivray (2002), Statistics and
    Computing 12.
    """
    if not all(math.isfinite(value) for value in (a, g, k, c)):
        raise ValueError(f"g_and_k(a={a}, g={g}, k={k}, c={c}): expected finite numbers.")
    law = GAndK(float(a), positive(b, "b"), float(g), float(k), float(c))
    u = np.linspace(-20, 20, 4001)  # beyond it tanh is ±1
    z = 2 * u / max(abs(g), 1e-9)
    if k <= -0.5 or not 0 <= c < 1 or _steepness(z, u * bool(g), k, c).min() <= 0:
        raise ValueError(
            f"g_and_k(g={g}, k={k}, c={c}): its quantile function does not rise everywhere, so it is no law. "
            "Choose k >= 0 and 0 <= c <= .83, which always works."
        )
    return law


def _steepness(z: Any, u: Any, k: float, c: float) -> Any:
    """Q'(z) / (b (1 + z²)^k), where u = gz/2."""
    return (1 + c * np.tanh(u)) * (1 + 2 * k * z * z / (1 + z * z)) + c * u * (1 - np.tanh(u) ** 2)
