"""Intervals for the squared length of a mean, and for the difference of two, from products of distinct replicates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import t as student_t

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import share

__all__ = ["squared_mean_difference", "squared_mean_interval", "squared_mean_of_products"]


def squared_mean_interval(value: float, errors: Any, *, level: float = 0.95, also: float = 0.0) -> Interval:
    """Interval for b = |E e|², estimated by value, from independent e_r in errors (R, N), |e|² being the mean over N.

    The mean of ⟨e_r, e_s⟩ over r ≠ s is unbiased and has, whatever the law of e with covariance Σ, the variance

        v(b) = 4 b λ / R + 2 tr Σ² / (R (R - 1)),    λ = ⟨E e, Σ E e⟩ / |E e|²                                   (1)

    (Hoeffding 1948), which grows with b: value ± t √v(value) would end too early above. The interval holds the b with

        (value - b)² <= t² (v(b) + also²),                                                                       (2)

    as Wilson's (1927) for a proportion, with R - 1 degrees of freedom, λ from the sample and tr Σ² by Srivastava's (2005)
    estimator. It may reach below 0, as value may. also: the standard error of another, independent source. R >= 3.
    """
    errors = np.asarray(errors, dtype=float)
    if errors.ndim != 2 or len(errors) < 3 or not errors.shape[1]:
        raise ValueError(f"errors have shape {errors.shape}; expected (R, N), one row for each of R >= 3 replicates.")
    return _inverted(float(value), errors @ errors.T / errors.shape[1], level, also)


def squared_mean_of_products(products: Any, *, level: float = 0.95, also: float = 0.0) -> Interval:
    """As `squared_mean_interval`, from the products ⟨e_r, e_s⟩ (R, R) alone, of whatever inner product, such as a kernel's."""
    products = _square(products)
    return _inverted(_distinct(products), products, level, also)


def squared_mean_difference(products: Any, control: Any, *, level: float = 0.95, also: float = 0.0) -> Interval:
    """Interval for |E e|² - |E f|² from the products ⟨e_r, e_s⟩ and ⟨f_r, f_s⟩ (R, R), e_r and f_r paired by replicates.

    The difference h = ⟨e_r, e_s⟩ - ⟨f_r, f_s⟩ is a kernel of pairs of replicates; its mean over r ≠ s is unbiased with variance

        4 Var h₁ / R + 2 E h₂² / (R (R - 1)),    h₁(r) = E_s h(r, s),    h₂ = h - h₁(r) - h₁(s) + E h              (3)

    (Hoeffding 1948), so that what a replicate does to both falls out. Student's, with R - 1 degrees of freedom.
    """
    h, n = _square(products) - _square(control), len(products)
    linear, squares = _components(h)
    error = math.sqrt(4 * float(linear @ linear) / (n - 1) / n + 2 * squares / (n * (n - 1)) + also**2)  # (3)
    value, margin = _distinct(h), error * float(student_t.ppf((1 + share(level, "level")) / 2, n - 1))
    return Interval(value, value - margin, value + margin, error)


def _inverted(value: float, products: Any, level: float, also: float) -> Interval:
    n = len(products)
    t = float(student_t.ppf((1 + share(level, "level")) / 2, n - 1))
    length = float(products.mean())  # of the mean
    along, squares = _components(products)
    steepness = float(along @ along) / (n - 1) / length if length > 0 else 0.0  # λ
    rising, constant = 4 * steepness / n, 2 * squares / (n * (n - 1)) + also**2  # (1)
    middle = value + t * t * rising / 2
    margin = math.sqrt(max(0.0, middle**2 - value**2 + t * t * constant))  # the roots of (2)
    error = math.sqrt(max(0.0, rising * max(value, 0.0) + constant))
    return Interval(value, min(value, middle - margin), max(value, middle + margin), error)


def _components(products: Any) -> tuple[Any, float]:
    """Of each replicate its share in the products with the mean (R,); and tr Σ², or E h₂², of what is left."""
    n = len(products)
    along = products.mean(axis=1) - products.mean()
    around = products - products.mean(axis=0) - along[:, None]
    trace, squares = float(np.trace(around)) / (n - 1), float((around**2).sum()) / (n - 1) ** 2
    return along, max(0.0, (n - 1) ** 2 / ((n - 2) * (n + 1)) * (squares - trace**2 / (n - 1)))


def _distinct(products: Any) -> float:
    n = len(products)
    return float(products.sum() - np.trace(products)) / (n * (n - 1))


def _square(products: Any) -> Any:
    products = np.asarray(products, dtype=float)
    if products.ndim != 2 or len(products) < 3 or products.shape[0] != products.shape[1]:
        raise ValueError(f"products have shape {products.shape}; expected (R, R) of R >= 3 replicates.")
    return products
