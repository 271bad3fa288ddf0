"""Kernels between rows, with their pullbacks, and sums of them in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.spatial.distance import cdist

from turinglearn.discriminators.common import FloatArray

__all__ = [
    "Kernel",
    "Profile",
    "blocks",
    "dot_product",
    "expansion",
    "gaussian",
    "log_sums",
    "polynomial",
    "radial",
    "sigmoid",
    "squared_distances",
]

Profile = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""A function from an array of numbers u to φ(u) and dφ/du, both shaped like u."""

Kernel = Callable[[FloatArray, FloatArray], tuple[FloatArray, Callable[[FloatArray], FloatArray]]]
"""A function from X (n, d) and Z (m, d) to K (n, m) and the pullback from dL/dK (n, m) to dL/dX (n, d)."""

_BLOCK = 2**18  # entries of a kernel matrix computed at a time: 2 MiB
_FEW = 8  # the number of features up to which differences are as fast as products


def blocks(n: int, m: int) -> Iterator[slice]:
    """Return slices of n rows, so that the kernel matrix of a slice and m other rows takes about 2 MiB."""
    step = max(1, _BLOCK // m)
    return (slice(start, start + step) for start in range(0, n, step))


def expansion(kernel: Kernel, X: FloatArray, Z: FloatArray, weights: FloatArray) -> tuple[FloatArray, Callable[[], FloatArray]]:
    """Return f(x) = Σⱼ wⱼ k(x, zⱼ) of the rows of X, (n,), and the function that computes its gradient, (n, d)."""

    def gradient() -> FloatArray:
        return np.concatenate([kernel(X[rows], Z)[1](weights) for rows in blocks(len(X), len(Z))])

    return np.concatenate([kernel(X[rows], Z)[0] @ weights for rows in blocks(len(X), len(Z))]), gradient


def log_sums(L: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log Σⱼ exp Lᵢⱼ, (n,), and the shares of the terms, (n, m). The greatest term of each row of L is finite."""
    top = L.max(axis=1, keepdims=True)
    terms = np.exp(L - top)
    total = terms.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], terms / total


def squared_distances(X: FloatArray, Z: FloatArray) -> FloatArray:
    """Return |x - z|², (n, m)."""
    distances: FloatArray
    if X.shape[1] <= _FEW:
        distances = cdist(X, Z, "sqeuclidean")
        return distances
    middle = Z.mean(axis=0)  # far from the origin the products would cancel
    X, Z = X - middle, Z - middle
    distances = np.maximum(np.sum(X**2, axis=1)[:, None] + np.sum(Z**2, axis=1) - 2 * X @ Z.T, 0)
    return distances


def radial(profile: Profile, scale: float | FloatArray = 1.0) -> Kernel:
    """Return the kernel φ(s), s = |(x - z) / scale|²; `profile` returns φ and dφ/ds of s."""

    def kernel(X: FloatArray, Z: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        X, Z = X / scale, Z / scale
        K, slope = profile(squared_distances(X, Z))

        def pull(G: FloatArray) -> FloatArray:  # Σⱼ 2 Gⱼ φ'(sⱼ) (x - zⱼ) / scale²
            T = 2 * G * slope
            gradient: FloatArray = (T.sum(axis=1)[:, None] * X - T @ Z) / scale
            return gradient

        return K, pull

    return kernel


def gaussian(gamma: float) -> Kernel:
    """Return the kernel exp(-γ |x - z|²)."""

    def profile(s: FloatArray) -> tuple[FloatArray, FloatArray]:
        K = np.exp(-gamma * s)
        return K, -gamma * K

    return radial(profile)


def polynomial(gamma: float, constant: float, degree: int) -> Kernel:
    """Return the kernel (γ x.z + constant)^degree."""

    def function(u: FloatArray) -> tuple[FloatArray, FloatArray]:
        return u**degree, degree * u ** max(degree - 1, 0)

    return dot_product(function, gamma, constant)


def sigmoid(gamma: float, constant: float) -> Kernel:
    """Return the kernel tanh(γ x.z + constant)."""

    def function(u: FloatArray) -> tuple[FloatArray, FloatArray]:
        K = np.tanh(u)
        return K, 1 - K**2

    return dot_product(function, gamma, constant)


def dot_product(function: Profile, gamma: float = 1.0, constant: float = 0.0) -> Kernel:
    """Return the kernel φ(u), u = γ x.z + constant; `function` returns φ and dφ/du of u."""

    def kernel(X: FloatArray, Z: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        K, slope = function(gamma * (X @ Z.T) + constant)
        return K, lambda G: gamma * (G * slope) @ Z

    return kernel
