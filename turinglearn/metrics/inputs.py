"""What a measure accepts: finite real samples, one per row."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.protocols import Array

__all__ = ["matrix", "pair", "positive", "share", "whole"]

_LARGEST = 1e150  # the square of anything larger may overflow


def matrix(x: Array, name: str, *, rows: int = 1) -> Any:
    """x as a float64 NumPy matrix (n, d): 1-D as (n, 1), events of any shape flattened.

    Raises ValueError, in which x is called name, unless x has at least `rows` rows of finite real numbers.
    """
    x = to_numpy(x)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {x.dtype} values; expected real numbers. Convert it to a numeric array.")
    if x.ndim == 0:
        raise ValueError(f"{name} is a single number; expected samples, (n, d). Give an array with one sample per row.")
    if len(x) < rows:
        raise ValueError(f"{name} has shape {x.shape}; expected at least {rows} row{'s' * (rows > 1)}. Give more samples.")
    if 0 in x.shape[1:]:
        raise ValueError(f"{name} has no features, shape {x.shape}; expected at least one. Give a column of data.")
    x = np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.float64)
    fine = (np.abs(x) <= _LARGEST).all(axis=1)
    if not fine.all():
        raise ValueError(
            f"{name} has {len(x) - fine.sum()} rows with NaN, infinity or values beyond {_LARGEST:g}, the first is row "
            f"{fine.argmin()}; expected finite numbers. Drop those rows, or see why the generator diverged."
        )
    return x


def pair(x: Array, y: Array, names: tuple[str, str] = ("The first sample", "The second sample"), *, rows: int = 2) -> Any:
    """Both as matrices, (n, d) and (m, d), of at least `rows` rows each; ValueError as in `matrix`, or for different d."""
    x, y = matrix(x, names[0], rows=rows), matrix(y, names[1], rows=rows)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"{names[0]} has {x.shape[1]} features, {names[1][:1].lower() + names[1][1:]} has {y.shape[1]}; expected as many. "
            "Give both as (n, d) with the same d."
        )
    return x, y


def positive(value: float, name: str) -> float:
    """value, if it is a finite number above zero; a ValueError that calls it name otherwise."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r}: expected a finite number above 0. Choose one on the scale of the data.")
    return float(value)


def share(value: float, name: str) -> float:
    """value, if it is a number strictly between 0 and 1; a ValueError that calls it name otherwise."""
    if not 0 < value < 1:
        raise ValueError(f"{name}={value!r}: expected a number between 0 and 1, both excluded.")
    return float(value)


def whole(value: Any, name: str, *, least: int = 1) -> int:
    """value, if it is a whole number from `least` on; a ValueError that calls it name otherwise."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: expected a whole number from {least} on. Give an int.")
    return int(value)
