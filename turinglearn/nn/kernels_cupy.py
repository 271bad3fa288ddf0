"""The hot elementwise operations of the core on CuPy, each fused into one kernel.

The generic path launches a kernel for every operation, and small networks wait for launches. A kernel is compiled at its first
use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from turinglearn.arrays import namespace
from turinglearn.protocols import Array

__all__ = ["adam_step", "relu", "relu_backward"]

# Inputs, outputs that are changed in place, and the operation on each element.
RELU = ("T x", "T h", "h = x < T(0) ? T(0) : x")
RELU_BACKWARD = ("T h, T dh", "T dx", "dx = h > T(0) ? dh : T(0)")
ADAM = (
    "T g, T b1, T c1, T b2, T c2, T rate, T epsilon",
    "T p, T m, T v",
    "m = b1 * m + c1 * g; v = b2 * v + c2 * g * g; p -= rate * m / (sqrt(v) + epsilon)",
)


def relu(x: Array) -> Array:
    """Return max(x, 0)."""
    return _kernel("relu", RELU)(x, namespace(x).empty_like(x))


def relu_backward(h: Array, dh: Array) -> Array:
    """Return dh where h > 0, and 0 elsewhere."""
    return _kernel("relu_backward", RELU_BACKWARD)(h, dh, namespace(dh).empty_like(dh))


def adam_step(
    parameters: Array, gradient: Array, first: Array, second: Array, betas: tuple[float, float], rate: float, epsilon: float
) -> None:
    """Take one step of Adam, in place; rate and epsilon hold the bias correction (Kingma & Ba 2015, section 2)."""
    b1, b2 = betas  # their complements are taken here, in double precision
    _kernel("adam", ADAM)(gradient, b1, 1 - b1, b2, 1 - b2, rate, epsilon, parameters, first, second)


@cache
def _kernel(name: str, parts: tuple[str, str, str]) -> Callable[..., Array]:
    import cupy

    kernel: Callable[..., Array] = cupy.ElementwiseKernel(*parts, f"turinglearn_{name}")
    return kernel
