"""Intervals for the squared length of a mean, and for the difference of two, from products of distinct replicates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

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
    """Interval for δ = b - b', b = |E e|² and b' = |E f|², from ⟨e_r, e_s⟩ and ⟨f_r, f_s⟩ (R, R), paired by replicates r.

    The difference h = ⟨e_r, e_s⟩ - ⟨f_r, f_s⟩ is a kernel of pairs of replicates; its mean over r ≠ s is unbiased with variance

        v(b, b') = 4 (b λ + b' λ' - 2 √(b b') κ) / R + 2 E h₂² / (R (R - 1))                                      (3)

    (Hoeffding 1948), λ and λ' as in (1), κ the same of both together, h₂ what is left of h without the parts of single
    replicates: what a replicate does to both falls out. As v grows with both, the interval ends above where a larger b, and
    below where a larger b', would make the estimates no surprise,

        (value - δ)² <= t² (v + also²),   v = v(b' + δ, b') for δ > value,  v(b, b - δ) for δ < value,              (4)

    with R - 1 degrees of freedom. Its standard error is the longer side over t, so that a test by it agrees.
    """
    products, control = _square(products), _square(control)
    n = len(products)
    if n != len(control):
        raise ValueError(
            f"There are products of {n} replicates and of {len(control)} of the control; expected as many replicates, in the "
            "same order. Leave out of both what failed in one."
        )
    t = float(stdtrit(n - 1, (1 + share(level, "level")) / 2))
    ours, theirs = _distinct(products), _distinct(control)
    (along, _), (other, _), (_, squares) = (_components(each) for each in (products, control, products - control))
    size, size_other = (max(float(each.mean()), 0.0) for each in (products, control))
    steep, steep_other = (float(a @ a) / s if s > 0 else 0.0 for a, s in ((along, size), (other, size_other)))
    both = float(along @ other) / math.sqrt(size * size_other) if size * size_other > 0 else 0.0
    constant = 2 * squares / (n * (n - 1)) + also**2

    def reach(b: float, b_other: float) -> float:
        x, y = max(b, 0.0), max(b_other, 0.0)
        linear = max(0.0, x * steep + y * steep_other - 2 * math.sqrt(x * y) * both) / (n - 1)
        return t * math.sqrt(4 * linear / n + constant)  # t √(3)

    up = _fixed(lambda d: reach(max(ours, 0.0) + d, theirs))
    down = _fixed(lambda d: reach(ours, max(theirs, 0.0) + d))
    return Interval(ours - theirs, ours - theirs - down, ours - theirs + up, max(up, down) / t)


def _fixed(reach: Callable[[float], float]) -> float:
    """The least d with reach(d) <= d, beyond which an estimate would be a surprise; reach grows slower than d."""
    far = reach(0.0)
    if far == 0.0:
        return 0.0
    while reach(far) > far:
        far *= 2
    return float(brentq(lambda d: reach(d) - d, 0.0, far, xtol=1e-12 * far))


def _inverted(value: float, products: Any, level: float, also: float) -> Interval:
    n = len(products)
    t = float(stdtrit(n - 1, (1 + share(level, "level")) / 2))
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
