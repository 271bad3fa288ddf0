"""Exact distances and reproducible noise by words of 64 bits, for the columns of tables."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["apart", "moved", "noisy", "reflected"]

_WORD = 2**64
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio


def apart(values: Any, origin: int) -> Any:
    """values - origin for integers of 64 bits, exact until it is rounded to a float; 2**64 is 0 in their arithmetic."""
    words, start = values.astype(np.uint64), np.uint64(origin % _WORD)
    return np.where(values >= origin, (words - start).astype(float), -(start - words).astype(float))


def moved(offsets: Any, origin: int, low: int, high: int) -> Any:
    """origin + offsets for whole offsets, clipped to low and high, as exact integers of 64 bits."""
    wide = np.int64 if low < 0 else np.uint64
    start, inside = np.uint64(origin % _WORD), (offsets > float(low - origin)) & (offsets < float(high - origin))
    size = np.where(inside, np.abs(offsets), 0.0).astype(np.uint64)
    moved = np.where(offsets < 0, start - size, start + size).astype(wide)
    ends = np.where(offsets >= float(high - origin), wide(high), wide(low))
    return np.where(inside, moved, ends)


def noisy(clean: Any, reaches: list[float], seed: int) -> Any:
    """Clean features with uniform noise, drawn by hashing the row and how many equal ones are before it."""
    import pandas

    rows = np.full(len(clean), seed % _WORD, dtype=np.uint64)
    for feature in (clean + 0.0).T:
        rows = _mixed(rows ^ np.ascontiguousarray(feature).view(np.uint64))
    rows = _mixed(rows ^ pandas.Series(rows).groupby(rows).cumcount().to_numpy().astype(np.uint64))
    for j, reach in enumerate(reaches):
        if reach:
            uniform = (_mixed(rows + np.uint64((j + 1) * _GOLDEN % _WORD)) >> np.uint64(11)) * 2.0**-53
            clean[:, j] += reach * (2 * uniform - 1)
    return clean


def _mixed(words: Any) -> Any:
    """Words of 64 bits with every bit depending on all: SplitMix64 (Steele, Lea & Flood 2014)."""
    words = words + np.uint64(_GOLDEN)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def reflected(x: Any, low: float, high: float) -> Any:
    """x folded back at low and high until it lies between them: clipped, counterfeits would pile up at the ends."""
    width = high - low
    if width <= 0:
        return np.full_like(x, low)
    beyond = np.mod(x - low, 2 * width)
    return np.where((low <= x) & (x <= high), x, low + np.minimum(beyond, 2 * width - beyond))
