"""Bias and variance of learned distributions from kept samples, and their differences between two discriminators."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.learned_distributions import (
    DistributionParts,
    DistributionSplit,
    bias_difference,
    energy_means,
    energy_parts,
    split,
)
from turinglearn.metrics import Interval

__all__ = ["RealSample", "distance", "distribution_bias_difference", "distribution_split"]

_Floats = NDArray[np.float64]


class RealSample:
    """A real sample, and its distances to learned samples, each of which is computed once.

    Parameters
    ----------
    sample : array (m, d)
        Real sample.
    rows : int
        Number of its rows that are compared.
    most : int
        Number of rows of each learned sample that they are compared with.
    """

    def __init__(self, sample: _Floats, rows: int, most: int) -> None:
        self.rows, self.most, self._size = sample[:rows], most, len(sample)
        self._known_parts, self._known_splits = cache(self._parts), cache(self._split)

    @cached_property
    def means(self) -> _Floats:
        """Minus the mean distance of each row to the others, (m,)."""
        found: _Floats = energy_means(self.rows)
        return found

    def sizes(self, longest: int) -> str:
        """Return a sentence on the rows that stand for the distributions, where the longest learned sample has so many."""
        learned = f"{self.most:,} of the {longest:,}" if longest > self.most else f"{longest:,}"
        real = f"{len(self.rows):,} of {self._size:,}" if self._size > len(self.rows) else f"{self._size:,}"
        return f" Each learned distribution is represented by {learned} rows that its run keeps, the real one by {real}."

    def parts(self, samples: _Floats) -> DistributionParts:
        """Return the components of bias and variance of samples (S, n, d)."""
        return self._known_parts(*_frozen(samples))

    def split(self, samples: _Floats) -> DistributionSplit:
        """Return bias and variance of samples (S, n, d)."""
        return self._known_splits(*_frozen(samples))

    def _parts(self, data: bytes, shape: tuple[int, ...]) -> DistributionParts:
        return energy_parts(list(np.frombuffer(data).reshape(shape)), self.rows, self.means)

    def _split(self, data: bytes, shape: tuple[int, ...]) -> DistributionSplit:
        return split(self._known_parts(data, shape))


def distribution_split(samples: _Floats, real: RealSample) -> DistributionSplit:
    """Return bias D(p, q̄) and variance E D(q_s, q̄) of samples (S, n, d), one per seed; see `split_energy`."""
    return real.split(samples)


def distribution_bias_difference(first: _Floats, second: _Floats, real: RealSample) -> Interval:
    """Return D(p, q̄) of the first samples minus that of the second, (S, n, d) with the same seeds."""
    return bias_difference(real.parts(first), real.parts(second))


def distance(sample: _Floats, real: RealSample) -> float:
    """Return the squared energy distance of one sample, up to a constant that all samples share."""
    return float(2 * cdist(sample, real.rows).mean() - pdist(sample).mean())


def _frozen(samples: _Floats) -> tuple[bytes, tuple[int, ...]]:
    return np.asarray(samples, dtype=float).tobytes(), np.shape(samples)
