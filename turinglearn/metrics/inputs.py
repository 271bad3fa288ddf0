"""What a measure accepts: finite real samples, one per row."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.protocols import Array

__all__ = ["matrix", "positive"]

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


def positive(value: float, name: str) -> float:
    """value, if it is a finite number above zero; a ValueError that calls it name otherwise."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name}={value!r}: expected a finite number above 0. Choose one on the scale of the data.")
    return float(value)
