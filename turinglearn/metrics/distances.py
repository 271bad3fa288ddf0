"""How far two samples' laws are apart: unbiased U-statistics, computed in blocks so that memory stays small."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.metrics.inputs import pair, positive
from turinglearn.protocols import Array

__all__ = ["energy_distance", "mmd"]

_BLOCK = 2**18  # pairs held at a time, 2 MB: they stay in the processor's cache
_MEDIAN_ROWS = 1000
_FACTORS = (4.0, 2.0, 1.0, 0.5, 0.25)

KernelSum = Callable[[Any], float]  # squared distances, which it may overwrite -> sum of k over them


def energy_distance(x: Array, y: Array, /) -> float:
    """Squared energy distance between the laws of two samples; unbiased, so it can be negative.

    2 E|X-Y| - E|X-X'| - E|Y-Y'|, where no sample is paired with itself. x is (n, d), y is (m, d), of any array library;
    1-D is (n, 1), and events of any shape are flattened. In the units of x. ValueError for samples of fewer than two
    rows, of different dimensions, or that are not finite real numbers.

    Székely & Rizzo (2013), Journal of Statistical Planning and Inference 143.
    """
    x, y = pair(x, y)
    return _discrepancy(x, y, lambda squared: -float(np.sqrt(squared, out=squared).sum()))


def mmd(x: Array, y: Array, /, *, bandwidths: Iterable[float] | None = None) -> float:
    """Squared maximum mean discrepancy between the laws of two samples; unbiased, so it can be negative.

    E k(X, X') + E k(Y, Y') - 2 E k(X, Y), where no sample is paired with itself and k is the mean over the bandwidths h
    of exp(-|x-y|² / 2h²). Their default is 1/4, 1/2, 1, 2 and 4 times the median distance within y, the genuine sample,
    so that values against the same y compare; of more than 1,000 rows evenly spaced ones give the median. Shapes and
    errors as in `energy_distance`; no units.

    Gretton, Borgwardt, Rasch, Schölkopf & Smola (2012), Journal of Machine Learning Research 13.
    """
    x, y = pair(x, y)
    widths = _default_bandwidths(y) if bandwidths is None else _given_bandwidths(bandwidths)
    return _discrepancy(x, y, lambda squared: _gaussians(squared, widths)) / len(widths)


def _discrepancy(x: Any, y: Any, kernel_sum: KernelSum) -> float:
    """E k(X, X') + E k(Y, Y') - 2 E k(X, Y). For k = -|x-y| it is the energy distance (Sejdinovic et al. 2013)."""
    n, m = len(x), len(y)
    within_x = math.fsum(map(kernel_sum, _within(x))) / (n * (n - 1) / 2)
    within_y = math.fsum(map(kernel_sum, _within(y))) / (m * (m - 1) / 2)
    between = math.fsum(map(kernel_sum, _between(x, y))) / (n * m)
    return within_x + within_y - 2 * between


def _between(x: Any, y: Any) -> Iterator[Any]:
    """Squared distances of all pairs (x_i, y_j), in blocks."""
    rows, columns = max(1, _BLOCK // len(y)), _BLOCK
    for i in range(0, len(x), rows):
        for j in range(0, len(y), columns):
            yield cdist(x[i : i + rows], y[j : j + columns], "sqeuclidean")


def _within(x: Any) -> Iterator[Any]:
    """Squared distances of all pairs (x_i, x_j) with i < j, in blocks."""
    start = 0
    while start < len(x):
        stop = start + max(1, _BLOCK // (len(x) - start))
        yield pdist(x[start:stop], "sqeuclidean")
        if stop < len(x):
            yield from _between(x[start:stop], x[stop:])
        start = stop


def _gaussians(squared: Any, bandwidths: list[float]) -> float:
    """The sum over pairs and descending bandwidths. Half a bandwidth is the fourth power, cheaper than another exp."""
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


def _default_bandwidths(y: Any) -> list[float]:
    median = float(np.median(pdist(y[:: -(-len(y) // _MEDIAN_ROWS)])))
    if median == 0:
        raise ValueError(
            "The median distance within the second sample is 0: most of its rows repeat, and give no bandwidth. "
            "Give bandwidths=[...] on the scale of the data."
        )
    return [factor * median for factor in _FACTORS]


def _given_bandwidths(bandwidths: Iterable[float]) -> list[float]:
    widths = sorted((positive(h, "bandwidth") for h in bandwidths), reverse=True)
    if not widths:
        raise ValueError("bandwidths is empty; expected at least one number. Leave it out for the median heuristic.")
    return widths
