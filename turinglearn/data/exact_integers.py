"""Exact differences of 64-bit integers, reproducible noise and reflection, for the columns of tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["difference", "dither", "offset", "reflect"]

_MODULUS = 2**64  # of the arithmetic of uint64
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio, the increment of SplitMix64


def difference(values: NDArray[np.integer[Any]], origin: int) -> NDArray[np.float64]:
    """Compute ``values - origin`` for 64-bit integers, exactly until the result is rounded to a float.

    Parameters
    ----------
    values : ndarray of int64 or uint64
        Integers.
    origin : int
        The number to subtract, within the range of 64-bit integers.

    Returns
    -------
    ndarray of float64
        The differences, in the shape of `values`.
    """
    unsigned, start = values.astype(np.uint64), np.uint64(origin % _MODULUS)
    return np.where(values >= origin, (unsigned - start).astype(float), -(start - unsigned).astype(float))


def offset(offsets: NDArray[np.float64], origin: int, low: int, high: int) -> NDArray[np.integer[Any]]:
    """Compute ``origin + offsets`` as exact 64-bit integers, clipped to ``[low, high]``.

    Parameters
    ----------
    offsets : ndarray of float64
        Whole numbers.
    origin, low, high : int
        The number to add to, and the range of the result.

    Returns
    -------
    ndarray of int64 or uint64
        Signed integers where `low` is negative, else unsigned ones, in the shape of `offsets`.
    """
    dtype = np.int64 if low < 0 else np.uint64
    start, inside = np.uint64(origin % _MODULUS), (offsets > float(low - origin)) & (offsets < float(high - origin))
    size = np.where(inside, np.abs(offsets), 0.0).astype(np.uint64)
    total = np.where(offsets < 0, start - size, start + size).astype(dtype)
    ends = np.where(offsets >= float(high - origin), dtype(high), dtype(low))
    return np.where(inside, total, ends)


def dither(clean: NDArray[np.float64], amplitudes: list[float], seed: int) -> NDArray[np.float64]:
    """Add uniform noise to features, in place, by hashing each row and the number of equal rows before it.

    Parameters
    ----------
    clean : ndarray of shape (n, features)
        Features without noise; they are overwritten.
    amplitudes : list of float
        Half the width of each feature's noise; 0 for none.
    seed : int
        The seed of the hash.

    Returns
    -------
    ndarray of shape (n, features)
        `clean`, with noise.
    """
    import pandas

    hashes = np.full(len(clean), seed % _MODULUS, dtype=np.uint64)
    for feature in (clean + 0.0).T:
        hashes = _splitmix64(hashes ^ np.ascontiguousarray(feature).view(np.uint64))
    hashes = _splitmix64(hashes ^ pandas.Series(hashes).groupby(hashes).cumcount().to_numpy().astype(np.uint64))
    for j, amplitude in enumerate(amplitudes):
        if amplitude:
            counter = np.uint64((j + 1) * _GOLDEN_GAMMA % _MODULUS)
            uniform = (_splitmix64(hashes + counter) >> np.uint64(11)) * 2.0**-53
            clean[:, j] += amplitude * (2 * uniform - 1)
    return clean


def _splitmix64(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash 64-bit integers so that each output bit depends on all input bits: SplitMix64 (Steele, Lea & Flood 2014)."""
    state = state + np.uint64(_GOLDEN_GAMMA)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def reflect(x: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Fold values back at both ends of an interval until they lie inside; clipping would pile fakes up at the ends.

    Parameters
    ----------
    x : ndarray of float64
        Values.
    low, high : float
        The interval; where it is empty, `low` is returned.

    Returns
    -------
    ndarray of float64
        Values in ``[low, high]``, in the shape of `x`; those that were inside are unchanged.
    """
    width = high - low
    if width <= 0:
        return np.full_like(x, low)
    beyond = np.mod(x - low, 2 * width)
    return np.where((low <= x) & (x <= high), x, low + np.minimum(beyond, 2 * width - beyond))
