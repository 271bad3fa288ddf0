"""The g-and-k distribution: easy to simulate, with a likelihood that needs root finding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from turinglearn.arrays import namespace, to_numpy
from turinglearn.datasets.densities import KnownDistribution
from turinglearn.metrics.inputs import Floats, positive
from turinglearn.protocols import Array, Rng

__all__ = ["GAndK", "g_and_k", "g_and_k_quantile"]

_BISECTIONS = 60  # beyond the size of the bracket: an error in z of 1e-18, or of rounding


def g_and_k_quantile(z: Array, a: float | Array, b: float | Array, g: float | Array, k: float | Array, c: float = 0.8) -> Array:
    """Turn standard normal samples into g-and-k samples: a + b (1 + c tanh(gz/2)) (1 + z²)^k z.

    Parameters
    ----------
    z : array
        Standard normal samples, of any array library.
    a, b, g, k : float or array
        Location, scale, skewness and weight of the tails; they broadcast against z.
    c : float
        Size of the skewness, .8 by convention.

    Returns
    -------
    array

    References
    ----------
    Rayner and MacGillivray (2002), Statistics and Computing 12.
    """
    return a + b * (1 + c * namespace(z).tanh(g * z / 2)) * (1 + z * z) ** k * z


@dataclass(frozen=True, slots=True)
class GAndK(KnownDistribution):
    """The distribution of g_and_k_quantile(z) for z ~ N(0, 1), in one dimension, made by `g_and_k`.

    Attributes
    ----------
    a, b, g, k, c : float
        As in `g_and_k_quantile`.
    """

    a: float
    b: float
    g: float
    k: float
    c: float

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return 1

    def _draw(self, n: int, rng: Rng) -> Floats:
        return self._quantile(rng.standard_normal((n, 1)))

    def log_density(self, x: Array) -> Floats:
        """Return the log-density (n,) at x (n, 1): log φ(z) - log Q'(z) where Q(z) = x, exact to rounding."""
        z = self._normal(self._checked(x)[:, 0])
        steepness = _steepness(z, self.g * z / 2, self.k, self.c)
        return -0.5 * (z * z + math.log(2 * math.pi)) - math.log(self.b) - self.k * np.log1p(z * z) - np.log(steepness)

    def _quantile(self, z: Floats) -> Floats:
        return to_numpy(g_and_k_quantile(z, self.a, self.b, self.g, self.k, self.c))

    def _normal(self, x: Floats) -> Floats:
        """Return z with Q(z) = x, by bisection: Q increases."""
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
    """Make a g-and-k distribution.

    Parameters
    ----------
    a : float
        Location.
    b : float
        Scale, above 0.
    g : float
        Skewness.
    k : float
        Weight of the tails, above -1/2.
    c : float
        Size of the skewness, .8 by convention.

    Returns
    -------
    GAndK

    Raises
    ------
    ValueError
        If the quantile function does not increase everywhere.

    References
    ----------
    Rayner and MacGillivray (2002), Statistics and Computing 12.
    """
    if not all(math.isfinite(value) for value in (a, g, k, c)):
        raise ValueError(f"g_and_k(a={a}, g={g}, k={k}, c={c}): expected finite numbers.")
    distribution = GAndK(float(a), positive(b, "b"), float(g), float(k), float(c))
    u = np.linspace(-20, 20, 4001)  # beyond it tanh is ±1
    z = 2 * u / max(abs(g), 1e-9)
    if k <= -0.5 or not 0 <= c < 1 or _steepness(z, u * bool(g), k, c).min() <= 0:
        raise ValueError(
            f"g_and_k(g={g}, k={k}, c={c}): its quantile function does not increase everywhere, so it is not a distribution. "
            "Choose k >= 0 and 0 <= c <= .83, which always works."
        )
    return distribution


def _steepness(z: Floats, u: Floats, k: float, c: float) -> Floats:
    """Return Q'(z) / (b (1 + z²)^k), where u = gz/2."""
    return (1 + c * np.tanh(u)) * (1 + 2 * k * z * z / (1 + z * z)) + c * u * (1 - np.tanh(u) ** 2)
