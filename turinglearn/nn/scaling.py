"""Where the genuine data lie: the affine map between data units and the units in which networks work."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.protocols import Batch

__all__ = ["location_and_spread", "width_of"]


def location_and_spread(example: Batch) -> tuple[Any, Any]:
    """Mean and standard deviation of every feature of the example, (features,) each, in float64 on the host."""
    x = np.asarray(to_numpy(example.x), dtype=float).reshape(example.n, -1)
    return x.mean(axis=0), x.std(axis=0)


def width_of(batch: Batch) -> tuple[int, int]:
    """How many features the events have, flattened, and how many the condition has (0 without one)."""
    given = 0 if batch.given is None else math.prod(batch.given.shape[1:])
    return math.prod(batch.x.shape[1:]), given
