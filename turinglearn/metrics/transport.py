"""Wasserstein distances: the cost of transporting one sample to another, exactly or along random lines."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

from turinglearn.metrics.inputs import Floats, SeedLike, pair, whole
from turinglearn.protocols import Array
from turinglearn.streams import as_seed

__all__ = ["sliced_wasserstein", "wasserstein"]

_PAIRS = 9_000_000  # distances in an exact plan: half a gigabyte within POT, and seconds
_BLOCK = 2**21  # projected values held at a time, 16 MB


def wasserstein(x: Array, y: Array, /, *, p: float = 1) -> float:
    """Compute the Wasserstein distance of order p between two samples, exactly.

    It is (min over plans of E|X-Y|^p)^(1/p). One feature needs sorting only. More features need POT (the extra `measures`),
    and the time grows about as the cube of the rows. The distance is above 0 even where the distributions are equal, by
    about n^(-1/d) for d > 2: compare it with that between two real samples of the same sizes.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    y : array of shape (m, d)
        Second sample. With more than one feature, n m may be at most 9 million.
    p : float
        Order of the distance, at least 1.

    Returns
    -------
    float
        The distance, in the units of x.

    Raises
    ------
    ValueError
        For p below 1, too many pairs, or invalid samples.
    ImportError
        If POT is needed and not installed.

    References
    ----------
    Peyré and Cuturi, "Computational Optimal Transport", 2019. Bonneel, van de Panne, Paris and Heidrich (2011) for the solver.
    """
    x, y = pair(x, y, rows=1)
    p = _order(p)
    if x.shape[1] == 1:
        return _root_mean_power(*_quantile_gaps(np.sort(x, axis=0), np.sort(y, axis=0)), p)
    if len(x) * len(y) > _PAIRS:
        raise ValueError(
            f"An exact plan between {len(x)} and {len(y)} rows has {len(x) * len(y):,} pairs; expected at most {_PAIRS:,}. "
            "Use sliced_wasserstein, or give fewer rows."
        )
    distances = cdist(x, y)
    largest = distances.max()
    if largest == 0:
        return 0.0
    return float(largest * _cheapest_plan((distances / largest) ** p) ** (1 / p))


def sliced_wasserstein(x: Array, y: Array, /, *, p: float = 2, projections: int = 500, random_state: SeedLike = None) -> float:
    """Compute the sliced Wasserstein distance of order p between two samples.

    It is (E over directions u of W_p(u·X, u·Y)^p)^(1/p), with u uniform on the sphere. It needs no POT, and its time grows
    as n log n: 50,000 rows take seconds. Two distributions that differ by a shift of length s have a distance of s / √d for
    p = 2. Like every plug-in estimate it is above 0 where the distributions are equal, but at the rate of one feature,
    whatever d is.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, as in `wasserstein`.
    y : array of shape (m, d)
        Second sample.
    p : float
        Order of the distance, at least 1.
    projections : int
        Number of random directions that the mean is over.
    random_state : int, numpy generator or None
        Seed of the directions. Give one for comparisons, so that they share the directions.

    Returns
    -------
    float
        The distance, in the units of x.

    Raises
    ------
    ValueError
        As in `wasserstein`.

    References
    ----------
    Bonneel, Rabin, Peyré and Pfister (2015), Journal of Mathematical Imaging and Vision 51.
    """
    x, y = pair(x, y, rows=1)
    p, projections = _order(p), whole(projections, "projections")
    directions = np.random.default_rng(as_seed(random_state)).standard_normal((x.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    columns = max(1, _BLOCK // max(len(x), len(y)))
    gaps = [_sliced(x, y, directions[:, i : i + columns], p) for i in range(0, projections, columns)]
    return _root_mean_power(np.concatenate(gaps), np.full(projections, 1 / projections), p)


def _sliced(x: Floats, y: Floats, directions: Floats, p: float) -> Floats:
    """Return W_p along each direction, (k,)."""
    gaps, widths = _quantile_gaps(np.sort(x @ directions, axis=0), np.sort(y @ directions, axis=0))
    return np.array([_root_mean_power(gap, widths, p) for gap in gaps.T])


def _quantile_gaps(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return |F⁻¹ - G⁻¹| of sorted columns, (s, k), on the s steps where both quantile functions are constant; their widths.

    Levels are counted in whole multiples of 1 / nm, so that no step is lost to rounding.
    """
    n, m = len(x), len(y)
    if n == m:
        return np.abs(x - y), np.full(n, 1 / n)
    ends = np.union1d(m * np.arange(1, n + 1), n * np.arange(1, m + 1))
    gaps = np.abs(x[(ends - 1) // m] - y[(ends - 1) // n])
    return gaps, np.diff(ends, prepend=0) / (n * m)


def _root_mean_power(gaps: Floats, weights: Floats, p: float) -> float:
    """Return (sum of w gap^p)^(1/p), scaled so that no power overflows."""
    gaps = gaps.ravel()
    largest = gaps.max()
    return float(largest * (weights @ (gaps / largest) ** p) ** (1 / p)) if largest > 0 else 0.0


def _cheapest_plan(costs: Floats) -> float:
    """Return the least mean cost of a plan with uniform margins; costs (n, m) are at most 1."""
    try:
        import ot
    except ImportError as error:
        raise ImportError(
            f"wasserstein in more than one dimension needs POT, which cannot be imported ({error}). Install it: "
            "pip install 'turinglearn[measures]'. Or use sliced_wasserstein."
        ) from error
    total, log = ot.emd2([], [], costs, numItermax=10**8, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"POT found no cheapest plan: {log['warning']}. Use sliced_wasserstein, or give fewer rows.")
    return max(float(total), 0.0)


def _order(p: float) -> float:
    """Return the order of a distance, or raise a ValueError."""
    if not 1 <= p < math.inf:
        raise ValueError(f"p={p!r}: expected a finite number from 1 on, such as 1 or 2.")
    return float(p)
