"""Margins that are sums of kernels: support vector machines and Gaussian processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process import kernels as gp
from sklearn.svm import SVC, NuSVC

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.gradients.linear import linear
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.functions import (
    Kernel,
    Profile,
    dot_product,
    expansion,
    gaussian,
    polynomial,
    radial,
    sigmoid,
)

__all__ = ["covariance", "gaussian_process", "support_vectors"]


# ------------------------------------------------------------------------------------------------ support vector machines
def support_vectors(fitted: SVC | NuSVC, X: FloatArray) -> Margins:
    """Return the decision function Σ αⱼ k(x, xⱼ) + c."""
    if fitted.kernel == "linear":
        return linear(fitted, X)
    gamma = fitted._gamma  # the value of "scale" and "auto"; it has no public name
    kernels: dict[str, Callable[[], Kernel]] = {
        "rbf": lambda: gaussian(gamma),
        "poly": lambda: polynomial(gamma, fitted.coef0, fitted.degree),
        "sigmoid": lambda: sigmoid(gamma, fitted.coef0),
    }
    f, gradient = expansion(kernels[fitted.kernel](), X, fitted.support_vectors_, fitted.dual_coef_[0])
    return f + fitted.intercept_[0], gradient


# ----------------------------------------------------------------------------------------------------- Gaussian processes
def gaussian_process(fitted: GaussianProcessClassifier, X: FloatArray) -> Margins:
    """Return the latent mean Σ (yⱼ - πⱼ) k(x, xⱼ) of Laplace's approximation (Rasmussen & Williams 2006, algorithm 3.2)."""
    laplace = fitted.base_estimator_
    kernel = covariance(laplace.kernel_)
    assert kernel is not None  # as closed_form(fitted) checked
    return expansion(kernel, X, laplace.X_train_, laplace.y_train_ - laplace.pi_)


def covariance(kernel: gp.Kernel | None) -> Kernel | None:
    """Return a kernel of scikit-learn's Gaussian processes with its pullback; None for a kernel without a closed form."""
    kind = type(kernel)
    if kernel is None:  # the classifier's default
        return gaussian(0.5)
    if kind in (gp.Sum, gp.Product):
        left, right = covariance(kernel.k1), covariance(kernel.k2)
        if left is None or right is None:
            return None
        return _product(left, right) if kind is gp.Product else _sum(left, right)
    if kind is gp.Exponentiation:
        base = covariance(kernel.kernel)
        return None if base is None else _power(base, kernel.exponent)
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


def _sum(left: Kernel, right: Kernel) -> Kernel:
    def kernel(X: FloatArray, Z: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        (K, pull_left), (L, pull_right) = left(X, Z), right(X, Z)
        return K + L, lambda G: pull_left(G) + pull_right(G)

    return kernel


def _product(left: Kernel, right: Kernel) -> Kernel:
    def kernel(X: FloatArray, Z: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        (K, pull_left), (L, pull_right) = left(X, Z), right(X, Z)
        return K * L, lambda G: pull_left(G * L) + pull_right(G * K)

    return kernel


def _power(base: Kernel, exponent: float) -> Kernel:
    def kernel(X: FloatArray, Z: FloatArray) -> tuple[FloatArray, Callable[[FloatArray], FloatArray]]:
        K, pull = base(X, Z)
        return K**exponent, lambda G: pull(G * exponent * K ** (exponent - 1))

    return kernel


# Functions of the squared scaled distance s, and their derivatives.
def _squared_exponential(kernel: gp.RBF | None, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    K = np.exp(-s / 2)
    return K, -K / 2


def _rational_quadratic(kernel: gp.RationalQuadratic, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    base = 1 + s / (2 * kernel.alpha)
    return base**-kernel.alpha, -(base ** (-kernel.alpha - 1)) / 2


def _periodic(kernel: gp.ExpSineSquared, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    turns, width = np.sqrt(s) / kernel.periodicity, kernel.length_scale
    K = np.exp(-2 * (np.sin(np.pi * turns) / width) ** 2)
    return K, -2 * (np.pi / (kernel.periodicity * width)) ** 2 * np.sinc(2 * turns) * K


def _matern(kernel: gp.Matern, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    return _MATERN[kernel.nu](s)


def _half(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    r = np.sqrt(s)
    K = np.exp(-r)
    return K, np.divide(-K, 2 * r, out=np.zeros_like(r), where=r > 0)  # there is a kink at each fitted point


def _three_halves(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    r = np.sqrt(3 * s)
    return (1 + r) * np.exp(-r), -1.5 * np.exp(-r)


def _five_halves(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    r = np.sqrt(5 * s)
    return (1 + r + r**2 / 3) * np.exp(-r), -5 / 6 * (1 + r) * np.exp(-r)


_MATERN: dict[float, Profile] = {
    0.5: _half,
    1.5: _three_halves,
    2.5: _five_halves,
    np.inf: lambda s: _squared_exponential(None, s),
}
_PROFILES: dict[type, Callable[[Any, FloatArray], tuple[FloatArray, FloatArray]]] = {
    gp.RBF: _squared_exponential,
    gp.Matern: _matern,
    gp.RationalQuadratic: _rational_quadratic,
    gp.ExpSineSquared: _periodic,
}
