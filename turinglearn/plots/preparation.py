"""Data for plots: samples as finite numbers, rows drawn from large samples, densities of histograms."""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import to_numpy
from turinglearn.protocols import Array

__all__ = ["Floats", "density", "floats", "sample_array", "subsample"]

Floats: TypeAlias = NDArray[np.float64]


def floats(x: object) -> Floats:
    """Return an array of any library, or a list, as a NumPy array of floats."""
    return np.asarray(to_numpy(cast("Array", x)), dtype=np.float64)


def sample_array(x: object, name: str) -> Floats:
    """Return samples as finite numbers on the host, (n, features) or (n, height, width). `name` is for error messages."""
    found = floats(x)
    if found.ndim not in (2, 3) or 0 in found.shape:
        raise ValueError(
            f"{name} has shape {found.shape}; expected (n, features), or (n, height, width) for images. Reshape it."
        )
    if not np.isfinite(found).all():
        raise ValueError(f"{name} contains NaN or infinity; expected finite numbers. Check whether the generator diverged.")
    return found


def subsample(x: Floats, most: int) -> Floats:
    """Return at most so many of the rows, in their order.

    They are drawn at random, since the first rows of sorted data do not represent the rest. They are the same for the same
    number of rows, so that a plot can be made again.
    """
    return x if len(x) <= most else x[np.sort(np.random.default_rng(0).choice(len(x), most, replace=False))]


def density(values: Floats, edges: Floats) -> Floats:
    """Return the heights of a histogram of values (n,), as a density; values outside of the edges count too."""
    heights: Floats = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
    return heights
