"""Intervals for the squared norm of a mean, and for the difference of two, from products of distinct replicates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import stdtrit

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, share

__all__ = ["squared_mean_difference", "squared_mean_interval", "squared_mean_of_products"]


def squared_mean_interval(value: float, errors: ArrayLike, *, level: float = 0.95, extra_error: float = 0.0) -> Interval:
    """Compute an interval for b = |E e|² from independent vectors e_r, where |e|² is the mean over their N elements.

    The mean of ⟨e_r, e_s⟩ over r ≠ s is unbiased. Whatever the distribution of e, with covariance Σ, its variance is::

        v(b) = 4 b λ / R + 2 tr Σ² / (R (R - 1)),    λ = ⟨E e, Σ E e⟩ / |E e|²                                   (1)

    (Hoeffding 1948). It grows with b, so that value ± t √v(value) would end too early above. The interval holds the b with ::

        (value - b)² <= t² (v(b) + extra_error²),                                                                (2)

    as Wilson's (1927) for a proportion, with R - 1 degrees of freedom, λ from the sample and tr Σ² by Srivastava's (2005)
    estimator. It may reach below 0, as the value may.

    Parameters
    ----------
    value : float
        Estimate of b.
    errors : array-like of shape (R, N)
        The vectors e_r, R >= 3.
    level : float
        Confidence level.
    extra_error : float
        Standard error of another, independent source.

    Returns
    -------
    Interval
    """
    e = np.asarray(errors, dtype=float)
    if e.ndim != 2 or len(e) < 3 or not e.shape[1]:
        raise ValueError(f"errors have shape {e.shape}; expected (R, N), one row for each of R >= 3 replicates.")
    return _invert(float(value), e @ e.T / e.shape[1], level, extra_error)


def squared_mean_of_products(products: ArrayLike, *, level: float = 0.95, extra_error: float = 0.0) -> Interval:
    """Compute an interval for |E e|² from products alone, as `squared_mean_interval` does from vectors.

    Parameters
    ----------
    products : array-like of shape (R, R)
        Products ⟨e_r, e_s⟩ of R >= 3 replicates, with any inner product, such as a kernel's.
    level : float
        Confidence level.
    extra_error : float
        Standard error of another, independent source.

    Returns
    -------
    Interval
    """
    square = _square(products)
    return _invert(_mean_of_distinct(square), square, level, extra_error)


def squared_mean_difference(
    products: ArrayLike, control: ArrayLike, *, level: float = 0.95, extra_error: float = 0.0
) -> Interval:
    """Compute an interval for δ = b - b', where b = |E e|² and b' = |E f|², paired by replicates.

    The difference h = ⟨e_r, e_s⟩ - ⟨f_r, f_s⟩ is a kernel of pairs of replicates. Its mean over r ≠ s is unbiased, with the
    variance::

        v(b, b') = 4 (b λ + b' λ' - 2 √(b b') κ) / R + 2 E h₂² / (R (R - 1))                                      (3)

    (Hoeffding 1948), with λ and λ' as in (1), κ the same of both together, and h₂ the rest of h without the parts of single
    replicates: effects of a replicate on both cancel. As v grows with b and with b', the interval ends above where a larger b,
    and below where a larger b', would still agree with the estimates::

        (value - δ)² <= t² (v + extra_error²),   v = v(b' + δ, b') for δ > value,  v(b, b - δ) for δ < value,       (4)

    with R - 1 degrees of freedom. Its standard error is the longer side over t, so that a test by it agrees with the interval.

    Parameters
    ----------
    products : array-like of shape (R, R)
        Products ⟨e_r, e_s⟩ of R >= 3 replicates.
    control : array-like of shape (R, R)
        Products ⟨f_r, f_s⟩ of the control in the same replicates.
    level : float
        Confidence level.
    extra_error : float
        Standard error of another, independent source.

    Returns
    -------
    Interval
    """
    ours, theirs = _square(products), _square(control)
    n = len(ours)
    if n != len(theirs):
        raise ValueError(
            f"There are products of {n} replicates and of {len(theirs)} of the control; expected the same replicates, in the "
            "same order. Leave out of both what failed in one."
        )
    t = float(stdtrit(n - 1, (1 + share(level, "level")) / 2))
    estimate, other_estimate = _mean_of_distinct(ours), _mean_of_distinct(theirs)
    (along, _), (other, _), (_, squares) = (_components(each) for each in (ours, theirs, ours - theirs))
    size, other_size = (max(float(each.mean()), 0.0) for each in (ours, theirs))
    slope, other_slope = (float(a @ a) / s if s > 0 else 0.0 for a, s in ((along, size), (other, other_size)))
    both = float(along @ other) / math.sqrt(size * other_size) if size * other_size > 0 else 0.0
    constant = 2 * squares / (n * (n - 1)) + extra_error**2

    def margin(b: float, other_b: float) -> float:
        x, y = max(b, 0.0), max(other_b, 0.0)
        linear = max(0.0, x * slope + y * other_slope - 2 * math.sqrt(x * y) * both) / (n - 1)
        return t * math.sqrt(4 * linear / n + constant)  # t √(3)

    up = _fixed_point(lambda d: margin(max(estimate, 0.0) + d, other_estimate))
    down = _fixed_point(lambda d: margin(estimate, max(other_estimate, 0.0) + d))
    difference = estimate - other_estimate
    return Interval(difference, difference - down, difference + up, max(up, down) / t)


def _fixed_point(margin: Callable[[float], float]) -> float:
    """Return the least d with margin(d) <= d; the margin grows slower than d."""
    far = margin(0.0)
    if far == 0.0:
        return 0.0
    while margin(far) > far:
        far *= 2
    return float(brentq(lambda d: margin(d) - d, 0.0, far, xtol=1e-12 * far))


def _invert(value: float, products: Floats, level: float, extra_error: float) -> Interval:
    """Return the interval (2)."""
    n = len(products)
    t = float(stdtrit(n - 1, (1 + share(level, "level")) / 2))
    size = float(products.mean())
    along, squares = _components(products)
    lambda_ = float(along @ along) / (n - 1) / size if size > 0 else 0.0
    linear, constant = 4 * lambda_ / n, 2 * squares / (n * (n - 1)) + extra_error**2  # (1)
    middle = value + t * t * linear / 2
    margin = math.sqrt(max(0.0, middle**2 - value**2 + t * t * constant))  # the roots of (2)
    error = math.sqrt(max(0.0, linear * max(value, 0.0) + constant))
    return Interval(value, min(value, middle - margin), max(value, middle + margin), error)


def _components(products: Floats) -> tuple[Floats, float]:
    """Return the part of each replicate in the products with the mean (R,), and tr Σ², or E h₂², of the rest."""
    n = len(products)
    along = products.mean(axis=1) - products.mean()
    around = products - products.mean(axis=0) - along[:, None]
    trace, squares = float(np.trace(around)) / (n - 1), float((around**2).sum()) / (n - 1) ** 2
    return along, max(0.0, (n - 1) ** 2 / ((n - 2) * (n + 1)) * (squares - trace**2 / (n - 1)))


def _mean_of_distinct(products: Floats) -> float:
    """Return the mean over pairs of distinct replicates."""
    n = len(products)
    return float(products.sum() - np.trace(products)) / (n * (n - 1))


def _square(products: ArrayLike) -> Floats:
    """Return products as an array (R, R), or raise a ValueError."""
    square = np.asarray(products, dtype=float)
    if square.ndim != 2 or len(square) < 3 or square.shape[0] != square.shape[1]:
        raise ValueError(f"products have shape {square.shape}; expected (R, R) of R >= 3 replicates.")
    return square
