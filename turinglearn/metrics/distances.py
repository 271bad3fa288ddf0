"""Distances between the distributions of two samples: unbiased U-statistics, computed in blocks to save memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.metrics.inputs import Floats, pair, positive
from turinglearn.protocols import Array

__all__ = ["energy_distance", "mmd"]

_BLOCK = 2**18  # pairs held at a time, 2 MB: they stay in the processor's cache
_MEDIAN_ROWS = 1000
_FACTORS = (4.0, 2.0, 1.0, 0.5, 0.25)

KernelSum = Callable[[Floats], float]  # squared distances, which it may overwrite -> sum of k over them


def energy_distance(x: Array, y: Array, /) -> float:
    """Compute the squared energy distance between the distributions of two samples.

    It is 2 E|X-Y| - E|X-X'| - E|Y-Y'|, where no sample is paired with itself. The estimate is unbiased, so that it can be
    negative.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    y : array of shape (m, d)
        Second sample.

    Returns
    -------
    float
        The squared distance, in the units of x.

    Raises
    ------
    ValueError
        For samples of fewer than two rows, of different dimensions, or that are not finite real numbers.

    References
    ----------
    Székely and Rizzo (2013), Journal of Statistical Planning and Inference 143.
    """
    return _discrepancy(*pair(x, y), lambda squared: -float(np.sqrt(squared, out=squared).sum()))


def mmd(x: Array, y: Array, /, *, bandwidths: Iterable[float] | None = None) -> float:
    """Compute the squared maximum mean discrepancy between the distributions of two samples.

    It is E k(X, X') + E k(Y, Y') - 2 E k(X, Y), where no sample is paired with itself and k is the mean over the bandwidths
    h of exp(-|x-y|² / 2h²). The estimate is unbiased, so that it can be negative.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, as in `energy_distance`.
    y : array of shape (m, d)
        Second sample: the real one.
    bandwidths : iterable of float, or None
        Bandwidths of the kernels, on the scale of the data. None for 1/4, 1/2, 1, 2 and 4 times the median distance within
        y, so that values against the same y can be compared. Of more than 1,000 rows, evenly spaced ones give the median.

    Returns
    -------
    float
        The squared discrepancy, without units.

    Raises
    ------
    ValueError
        As in `energy_distance`; for bandwidths that are not positive; if the median distance within y is 0.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), Journal of Machine Learning Research 13.
    """
    first, second = pair(x, y)
    widths = _default_bandwidths(second) if bandwidths is None else _checked_bandwidths(bandwidths)
    return _discrepancy(first, second, lambda squared: _gaussians(squared, widths)) / len(widths)


def _discrepancy(x: Floats, y: Floats, kernel_sum: KernelSum) -> float:
    """Return E k(X, X') + E k(Y, Y') - 2 E k(X, Y). For k = -|x-y| it is the energy distance (Sejdinovic et al. 2013)."""
    n, m = len(x), len(y)
    within_x = math.fsum(map(kernel_sum, _within(x))) / (n * (n - 1) / 2)
    within_y = math.fsum(map(kernel_sum, _within(y))) / (m * (m - 1) / 2)
    between = math.fsum(map(kernel_sum, _between(x, y))) / (n * m)
    return within_x + within_y - 2 * between


def _between(x: Floats, y: Floats) -> Iterator[Floats]:
    """Yield the squared distances of all pairs (x_i, y_j), in blocks."""
    rows, columns = max(1, _BLOCK // len(y)), _BLOCK
    for i in range(0, len(x), rows):
        for j in range(0, len(y), columns):
            yield cdist(x[i : i + rows], y[j : j + columns], "sqeuclidean")


def _within(x: Floats) -> Iterator[Floats]:
    """Yield the squared distances of all pairs (x_i, x_j) with i < j, in blocks."""
    start = 0
    while start < len(x):
        stop = start + max(1, _BLOCK // (len(x) - start))
        yield pdist(x[start:stop], "sqeuclidean")
        if stop < len(x):
            yield from _between(x[start:stop], x[stop:])
        start = stop


def _gaussians(squared: Floats, bandwidths: list[float]) -> float:
    """Sum over pairs and descending bandwidths; half a bandwidth is the fourth power, which is cheaper than another exp."""
    total, wider, k = 0.0, math.inf, squared
    for h in bandwidths:
        if wider == 2 * h:
            k *= k
            k *= k
        else:
            k = np.exp(squared / (-2 * h * h))
        total += float(k.sum())
        wider = h
    return total


def _default_bandwidths(y: Floats) -> list[float]:
    median = float(np.median(pdist(y[:: -(-len(y) // _MEDIAN_ROWS)])))
    if median == 0:
        raise ValueError(
            "The median distance within the second sample is 0: most of its rows repeat, and give no bandwidth. "
            "Give bandwidths=[...] on the scale of the data."
        )
    return [factor * median for factor in _FACTORS]


def _checked_bandwidths(bandwidths: Iterable[float]) -> list[float]:
    widths = sorted((positive(h, "bandwidth") for h in bandwidths), reverse=True)
    if not widths:
        raise ValueError("bandwidths is empty; expected at least one number. Leave it out for the median heuristic.")
    return widths
