"""Activations that work on each feature by itself."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import erf, is_cupy, namespace
from turinglearn.nn import kernels_cupy
from turinglearn.nn.layers import Held, Layer
from turinglearn.nn.options import expect, is_real
from turinglearn.protocols import Array, Rng

__all__ = ["GELU", "Elementwise", "LeakyReLU", "ReLU", "Tanh"]

_DENSITY = 1 / math.sqrt(2 * math.pi)


class Elementwise(Layer):
    """y = f(x), feature by feature: J is the diagonal of f'."""

    @abstractmethod
    def derivative(self, kept: Any) -> Array:
        """f'(x), (n, features)."""

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """f'(x) t."""
        return t * self.derivative(kept)

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """f'(x) dy."""
        return dy * self.derivative(kept)


class _Curved(Elementwise):
    @abstractmethod
    def second_derivative(self, kept: Any) -> Array:
        """f''(x), (n, features)."""

    def bend(self, kept: Any, t: Array, dt: Array, held: Held) -> Array | None:
        """f''(x) t dt."""
        return self.second_derivative(kept) * t * dt


@dataclass(frozen=True)
class ReLU(Elementwise):
    """max(x, 0)."""

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """max(x, 0)."""
        if type(x) is np.ndarray:
            y = np.maximum(x, 0)
            return y, y
        if is_cupy(x):
            y = kernels_cupy.relu(x)
            return y, y
        xp = namespace(x)
        y = xp.where(x > 0, x, xp.zeros_like(x))
        return y, y

    def derivative(self, kept: Any) -> Array:
        """1 where y > 0, else 0; on NumPy as truth values, which multiply as fast."""
        return kept > 0 if type(kept) is np.ndarray else namespace(kept).astype(kept > 0, kept.dtype)

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """dy where y > 0, else 0."""
        return kernels_cupy.relu_backward(kept, dy) if is_cupy(kept) else super().backward(kept, dy, held)


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """x where x > 0, and slope * x elsewhere. Maas et al. (2013); 0.2 is DCGAN's (Radford et al. 2016)."""

    slope: float = 0.2

    def __post_init__(self) -> None:
        expect(self, is_real(self.slope) and 0 <= self.slope < 1, "slope", "a slope in [0, 1), such as 0.2")

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """The larger of x and slope * x."""
        return namespace(x).maximum(x, self.slope * x), x

    def derivative(self, kept: Any) -> Array:
        """1 or the slope."""
        rising = namespace(kept).astype(kept > 0, kept.dtype)
        rising *= 1 - self.slope
        rising += self.slope
        return rising


@dataclass(frozen=True)
class Tanh(_Curved):
    """The hyperbolic tangent."""

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """tanh x."""
        y = namespace(x).tanh(x)
        return y, y

    def derivative(self, kept: Any) -> Array:
        """1 - y^2."""
        return 1 - kept * kept

    def second_derivative(self, kept: Any) -> Array:
        """-2 y (1 - y^2)."""
        return 2 * kept * (kept * kept - 1)


@dataclass(frozen=True)
class GELU(_Curved):
    """x P(Z < x) for a standard normal Z, by the error function, not an approximation. Hendrycks & Gimpel (2016)."""

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """x P(Z < x); kept are x and the probability."""
        below = (1 + erf(x * math.sqrt(0.5))) * 0.5
        return x * below, (x, below)

    def derivative(self, kept: Any) -> Array:
        """P(Z < x) + x p(x)."""
        x, below = kept
        return below + x * _density(x)

    def second_derivative(self, kept: Any) -> Array:
        """(2 - x^2) p(x)."""
        x, _ = kept
        return (2 - x * x) * _density(x)


def _density(x: Array) -> Array:
    return _DENSITY * namespace(x).exp(-0.5 * x * x)
