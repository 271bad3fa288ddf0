"""Activations that act on each feature separately."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from turinglearn.arrays import erf, is_cupy, namespace
from turinglearn.nn import kernels_cupy
from turinglearn.nn.layers import Layer, LayerBuffers, Saved
from turinglearn.nn.validation import expect, is_real
from turinglearn.protocols import Array, Rng

__all__ = ["GELU", "Elementwise", "LeakyReLU", "ReLU", "Tanh"]

_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


class Elementwise(Layer[Saved]):
    """y = f(x), feature by feature: J is the diagonal of f'."""

    @abstractmethod
    def derivative(self, saved: Saved) -> Array:
        """Return f'(x), (n, features)."""

    def tangent(self, saved: Saved, t: Array, buffers: LayerBuffers) -> Array:
        """Return f'(x) t."""
        return t * self.derivative(saved)

    def backward(self, saved: Saved, dy: Array, buffers: LayerBuffers) -> Array:
        """Return f'(x) dy."""
        return dy * self.derivative(saved)


class _Curved(Elementwise[Saved]):
    @abstractmethod
    def second_derivative(self, saved: Saved) -> Array:
        """Return f''(x), (n, features)."""

    def second_order_vjp(self, saved: Saved, t: Array, dt: Array, buffers: LayerBuffers) -> Array | None:
        """Return f''(x) t dt."""
        return self.second_derivative(saved) * t * dt


@dataclass(frozen=True)
class ReLU(Elementwise[Array]):
    """Rectified linear unit, max(x, 0)."""

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Array]:
        """Return y = max(x, 0), and save it."""
        if type(x) is np.ndarray:
            y: Array = np.maximum(x, 0)
        elif is_cupy(x):
            y = kernels_cupy.relu(x)
        else:
            xp = namespace(x)
            y = xp.where(x > 0, x, xp.zeros_like(x))
        return y, y

    def derivative(self, saved: Array) -> Array:
        """Return 1 where y > 0, else 0; on NumPy as booleans, which multiply as fast."""
        return saved > 0 if type(saved) is np.ndarray else namespace(saved).astype(saved > 0, saved.dtype)

    def backward(self, saved: Array, dy: Array, buffers: LayerBuffers) -> Array:
        """Return dy where y > 0, else 0."""
        return kernels_cupy.relu_backward(saved, dy) if is_cupy(saved) else super().backward(saved, dy, buffers)


@dataclass(frozen=True)
class LeakyReLU(Elementwise[Array]):
    """Leaky rectified linear unit: x where x > 0, and slope * x elsewhere.

    Parameters
    ----------
    slope : float
        In [0, 1). The default, 0.2, is that of DCGAN (Radford et al. 2016).

    References
    ----------
    Maas, Hannun & Ng (2013), "Rectifier nonlinearities improve neural network acoustic models".
    """

    slope: float = 0.2

    def __post_init__(self) -> None:
        expect(self, is_real(self.slope) and 0 <= self.slope < 1, "slope", "a slope in [0, 1), such as 0.2")

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Array]:
        """Return the larger of x and slope * x, and save x."""
        return namespace(x).maximum(x, self.slope * x), x

    def derivative(self, saved: Array) -> Array:
        """Return 1 where x > 0, else the slope."""
        rising = namespace(saved).astype(saved > 0, saved.dtype)
        rising *= 1 - self.slope
        rising += self.slope
        return rising


@dataclass(frozen=True)
class Tanh(_Curved[Array]):
    """Hyperbolic tangent."""

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Array]:
        """Return y = tanh x, and save it."""
        y = namespace(x).tanh(x)
        return y, y

    def derivative(self, saved: Array) -> Array:
        """Return 1 - y^2."""
        return 1 - saved * saved

    def second_derivative(self, saved: Array) -> Array:
        """Return -2 y (1 - y^2)."""
        return 2 * saved * (saved * saved - 1)


@dataclass(frozen=True)
class GELU(_Curved[tuple[Array, Array]]):
    """Gaussian error linear unit: x P(Z < x) for a standard normal Z, by the error function, without approximation.

    References
    ----------
    Hendrycks & Gimpel (2016), "Gaussian error linear units (GELUs)".
    """

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, tuple[Array, Array]]:
        """Return x P(Z < x), and save x and the probability."""
        below = (1 + erf(x * math.sqrt(0.5))) * 0.5
        return x * below, (x, below)

    def derivative(self, saved: tuple[Array, Array]) -> Array:
        """Return P(Z < x) + x p(x)."""
        x, below = saved
        return below + x * _density(x)

    def second_derivative(self, saved: tuple[Array, Array]) -> Array:
        """Return (2 - x^2) p(x)."""
        x, _ = saved
        return (2 - x * x) * _density(x)


def _density(x: Array) -> Array:
    return _DENSITY_AT_0 * namespace(x).exp(-0.5 * x * x)
