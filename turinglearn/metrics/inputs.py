"""Validation of the arguments of metrics: finite real samples, one per row, and numbers in range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turinglearn.arrays import Array, is_array, to_numpy

__all__ = ["Floats", "Integers", "SeedLike", "matrix", "pair", "positive", "share", "whole"]

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
SeedLike = int | np.random.Generator | np.random.RandomState | None

_LARGEST = 1e150  # the square of anything larger may overflow


def matrix(x: Array | ArrayLike, name: str, *, rows: int = 1) -> Floats:
    """Return samples as a NumPy matrix in float64.

    Parameters
    ----------
    x : array of shape (n, *event), or (n,)
        Samples, of any array library. Events are flattened; 1-D is read as (n, 1).
    name : str
        Name of the samples in errors.
    rows : int
        Least number of samples.

    Returns
    -------
    ndarray of shape (n, d)

    Raises
    ------
    ValueError
        Unless x has at least `rows` rows of finite real numbers.
    """
    data = to_numpy(x) if is_array(x) else np.asarray(x)
    if data.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {data.dtype} values; expected real numbers. Convert it to a numeric array.")
    if data.ndim == 0:
        raise ValueError(f"{name} is a single number; expected samples, (n, d). Give an array with one sample per row.")
    if len(data) < rows:
        raise ValueError(f"{name} has shape {data.shape}; expected at least {rows} row{'s' * (rows > 1)}. Give more samples.")
    if 0 in data.shape[1:]:
        raise ValueError(f"{name} has no features, shape {data.shape}; expected at least one. Give a column of data.")
    table = np.ascontiguousarray(data.reshape(len(data), -1), dtype=np.float64)
    finite = (np.abs(table) <= _LARGEST).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{name} has {len(table) - finite.sum()} rows with NaN, infinity or values beyond {_LARGEST:g}, the first is row "
            f"{finite.argmin()}; expected finite numbers. Drop those rows, or see why the generator diverged."
        )
    return table


def pair(
    x: Array | ArrayLike,
    y: Array | ArrayLike,
    names: tuple[str, str] = ("The first sample", "The second sample"),
    *,
    rows: int = 2,
) -> tuple[Floats, Floats]:
    """Return two samples as matrices (n, d) and (m, d), or raise a ValueError as `matrix` does, or for different d."""
    first, second = matrix(x, names[0], rows=rows), matrix(y, names[1], rows=rows)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[0]} has {first.shape[1]} features, {names[1][:1].lower() + names[1][1:]} has {second.shape[1]}; expected "
            "the same number. Give both as (n, d) with the same d."
        )
    return first, second


def positive(value: float, name: str) -> float:
    """Return a finite number above 0, or raise a ValueError with its name."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r}: expected a finite number above 0. Choose one on the scale of the data.")
    return float(value)


def share(value: float, name: str) -> float:
    """Return a number strictly between 0 and 1, or raise a ValueError with its name."""
    if not 0 < value < 1:
        raise ValueError(f"{name}={value!r}: expected a number between 0 and 1, both excluded.")
    return float(value)


def whole(value: object, name: str, *, least: int = 1) -> int:
    """Return an integer of at least `least`, or raise a ValueError with its name."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: expected a whole number from {least} on. Give an int.")
    return int(value)
