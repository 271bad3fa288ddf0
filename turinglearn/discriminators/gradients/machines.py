"""Margins that are sums of kernels: support vector machines and Gaussian processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.gaussian_process import kernels as gp

from turinglearn.discriminators.gradients.linear import linear
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels import Kernel, dot_product, expansion, gaussian, polynomial, radial, sigmoid
from turinglearn.protocols import Array

__all__ = ["covariance", "gaussian_process", "support_vectors"]


# ------------------------------------------------------------------------------------------------ support vector machines
def support_vectors(fitted: Any, X: Array) -> Margins:
    """The decision function Σ αⱼ k(x, xⱼ) + c."""
    if fitted.kernel == "linear":
        return linear(fitted, X)
    gamma = fitted._gamma  # what "scale" and "auto" came to; it has no public name
    kernels: dict[str, Callable[[], Kernel]] = {
        "rbf": lambda: gaussian(gamma),
        "poly": lambda: polynomial(gamma, fitted.coef0, fitted.degree),
        "sigmoid": lambda: sigmoid(gamma, fitted.coef0),
    }
    f, gradient = expansion(kernels[fitted.kernel](), X, fitted.support_vectors_, fitted.dual_coef_[0])
    return f + fitted.intercept_[0], gradient


# ----------------------------------------------------------------------------------------------------- Gaussian processes
def gaussian_process(fitted: Any, X: Array) -> Margins:
    """The latent mean Σ (yⱼ - πⱼ) k(x, xⱼ) of Laplace's approximation (Rasmussen & Williams 2006, algorithm 3.2)."""
    laplace = fitted.base_estimator_
    kernel = covariance(laplace.kernel_)
    assert kernel is not None  # closed_form(fitted) said so
    return expansion(kernel, X, laplace.X_train_, laplace.y_train_ - laplace.pi_)


def covariance(kernel: Any) -> Kernel | None:
    """A kernel of scikit-learn's Gaussian processes, with its pullback; None for one that is not known here."""
    kind = type(kernel)
    if kernel is None:  # the usual one of the classifier
        return gaussian(0.5)
    if kind in (gp.Sum, gp.Product):
        parts = covariance(kernel.k1), covariance(kernel.k2)
        return None if None in parts else _joined(*parts, product=kind is gp.Product)  # type: ignore[arg-type]
    if kind is gp.Exponentiation:
        base = covariance(kernel.kernel)
        return None if base is None else _powered(base, kernel.exponent)
    if kind in (gp.ConstantKernel, gp.WhiteKernel):  # noise belongs to the fitted points alone
        level = kernel.constant_value if kind is gp.ConstantKernel else 0.0
        return lambda X, Z: (np.full((len(X), len(Z)), level), lambda G: np.zeros_like(X))
    if kind is gp.DotProduct:
        return dot_product(lambda u: (u, np.ones_like(u)), constant=kernel.sigma_0**2)
    if kind is gp.Matern and kernel.nu not in _MATERN:
        return None
    profile = _PROFILES.get(kind)
    if profile is None:
        return None
    scale = 1.0 if kind is gp.ExpSineSquared else kernel.length_scale
    return radial(lambda s: profile(kernel, s), scale)


def _joined(left: Kernel, right: Kernel, *, product: bool) -> Kernel:
    def kernel(X: Array, Z: Array) -> tuple[Array, Callable[[Array], Array]]:
        (K, pull), (L, push) = left(X, Z), right(X, Z)
        if product:
            return K * L, lambda G: pull(G * L) + push(G * K)
        return K + L, lambda G: pull(G) + push(G)

    return kernel


def _powered(base: Kernel, exponent: float) -> Kernel:
    def kernel(X: Array, Z: Array) -> tuple[Array, Callable[[Array], Array]]:
        K, pull = base(X, Z)
        return K**exponent, lambda G: pull(G * exponent * K ** (exponent - 1))

    return kernel


# Functions of the squared scaled distance s, and their slopes.
def _squared_exponential(kernel: Any, s: Array) -> tuple[Array, Array]:
    K = np.exp(-s / 2)
    return K, -K / 2


def _rational_quadratic(kernel: Any, s: Array) -> tuple[Array, Array]:
    base = 1 + s / (2 * kernel.alpha)
    return base**-kernel.alpha, -(base ** (-kernel.alpha - 1)) / 2


def _periodic(kernel: Any, s: Array) -> tuple[Array, Array]:
    turns, width = np.sqrt(s) / kernel.periodicity, kernel.length_scale
    K = np.exp(-2 * (np.sin(np.pi * turns) / width) ** 2)
    return K, -2 * (np.pi / (kernel.periodicity * width)) ** 2 * np.sinc(2 * turns) * K


def _matern(kernel: Any, s: Array) -> tuple[Array, Array]:
    return _MATERN[kernel.nu](s)


def _half(s: Array) -> tuple[Array, Array]:
    r = np.sqrt(s)
    K = np.exp(-r)
    return K, np.divide(-K, 2 * r, out=np.zeros_like(r), where=r > 0)  # it has a kink where x is one of the fitted points


def _three_halves(s: Array) -> tuple[Array, Array]:
    r = np.sqrt(3 * s)
    return (1 + r) * np.exp(-r), -1.5 * np.exp(-r)


def _five_halves(s: Array) -> tuple[Array, Array]:
    r = np.sqrt(5 * s)
    return (1 + r + r**2 / 3) * np.exp(-r), -5 / 6 * (1 + r) * np.exp(-r)


_MATERN: dict[float, Callable[[Array], tuple[Array, Array]]] = {
    0.5: _half,
    1.5: _three_halves,
    2.5: _five_halves,
    np.inf: lambda s: _squared_exponential(None, s),
}
_PROFILES: dict[type, Callable[[Any, Array], tuple[Array, Array]]] = {
    gp.RBF: _squared_exponential,
    gp.Matern: _matern,
    gp.RationalQuadratic: _rational_quadratic,
    gp.ExpSineSquared: _periodic,
}
