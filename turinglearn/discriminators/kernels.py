"""Kernels between rows, with their pullbacks, and sums of them in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.spatial.distance import cdist

from turinglearn.protocols import Array

__all__ = [
    "Kernel",
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

Kernel = Callable[[Array, Array], tuple[Array, Callable[[Array], Array]]]
"""X (n, d) and Z (m, d) -> K (n, m), and the pullback from dL/dK (n, m) to dL/dX (n, d)."""

_BLOCK = 2**18  # entries of a kernel matrix computed at a time: 2 MiB
_FEW = 8  # features up to which differences are as quick as products


def blocks(n: int, m: int) -> Iterator[slice]:
    """Slices of n rows, so that a block of them against m others has some 2 MiB."""
    step = max(1, _BLOCK // m)
    return (slice(start, start + step) for start in range(0, n, step))


def expansion(kernel: Kernel, X: Array, Z: Array, weights: Array) -> tuple[Array, Callable[[], Array]]:
    """f(x) = Σⱼ wⱼ k(x, zⱼ) for the rows of X, (n,), and the function that computes its gradient, (n, d)."""

    def gradient() -> Array:
        return np.concatenate([kernel(X[rows], Z)[1](weights) for rows in blocks(len(X), len(Z))])

    return np.concatenate([kernel(X[rows], Z)[0] @ weights for rows in blocks(len(X), len(Z))]), gradient


def log_sums(L: Array) -> tuple[Array, Array]:
    """log Σⱼ exp Lᵢⱼ, (n,), and the shares of the terms in the sum, (n, m). Each row of L has a finite greatest term."""
    top = L.max(axis=1, keepdims=True)
    terms = np.exp(L - top)
    total = terms.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], terms / total


def squared_distances(X: Array, Z: Array) -> Array:
    """|x - z|², (n, m)."""
    if X.shape[1] <= _FEW:
        return cdist(X, Z, "sqeuclidean")
    middle = Z.mean(axis=0)  # far from the origin the products would lose their digits
    X, Z = X - middle, Z - middle
    return np.maximum(np.sum(X**2, axis=1)[:, None] + np.sum(Z**2, axis=1) - 2 * X @ Z.T, 0)


def radial(profile: Callable[[Array], tuple[Array, Array]], scale: Array = 1.0) -> Kernel:
    """k(x, z) = φ(s), s = |(x - z) / scale|²; profile gives φ and dφ/ds of s."""

    def kernel(X: Array, Z: Array) -> tuple[Array, Callable[[Array], Array]]:
        X, Z = X / scale, Z / scale
        K, slope = profile(squared_distances(X, Z))

        def pull(G: Array) -> Array:  # Σⱼ 2 Gⱼ φ'(sⱼ) (x - zⱼ) / scale²
            T = 2 * G * slope
            return (T.sum(axis=1)[:, None] * X - T @ Z) / scale

        return K, pull

    return kernel


def gaussian(gamma: float) -> Kernel:
    """exp(-γ |x - z|²)."""

    def profile(s: Array) -> tuple[Array, Array]:
        K = np.exp(-gamma * s)
        return K, -gamma * K

    return radial(profile)


def polynomial(gamma: float, constant: float, degree: int) -> Kernel:
    """(γ x.z + constant)^degree."""

    def function(u: Array) -> tuple[Array, Array]:
        return u**degree, degree * u ** max(degree - 1, 0)

    return dot_product(function, gamma, constant)


def sigmoid(gamma: float, constant: float) -> Kernel:
    """tanh(γ x.z + constant)."""

    def function(u: Array) -> tuple[Array, Array]:
        K = np.tanh(u)
        return K, 1 - K**2

    return dot_product(function, gamma, constant)


def dot_product(function: Callable[[Array], tuple[Array, Array]], gamma: float = 1.0, constant: float = 0.0) -> Kernel:
    """φ(u), u = γ x.z + constant; function gives φ and dφ/du of u."""

    def kernel(X: Array, Z: Array) -> tuple[Array, Callable[[Array], Array]]:
        K, slope = function(gamma * (X @ Z.T) + constant)
        return K, lambda G: gamma * (G * slope) @ Z

    return kernel
