"""Bias and variance of learned laws from the samples that rows keep, and the difference of both between two discriminators."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.learned_laws import LawParts, LawSplit, bias_difference, energy_means, energy_parts, split
from turinglearn.metrics import Interval

__all__ = ["Genuine", "distance", "law_bias_difference", "law_split"]


class Genuine:
    """A genuine sample (m, d), and what of it is asked for many times and found once.

    rows: so many of its rows are compared; most: with so many of each learned sample.
    """

    def __init__(self, sample: Any, rows: int, most: int) -> None:
        self.rows, self.most, self._whole = sample[:rows], most, len(sample)
        self._parts, self._splits = cache(self._found), cache(self._split)

    @cached_property
    def means(self) -> Any:
        """The mean distance of each row to the others, negative, (m,)."""
        return energy_means(self.rows)

    def compared(self, longest: int) -> str:
        """What is said of the rows that stand for the laws, where a learned sample has at most so many."""
        learned = f"{self.most:,} of the {longest:,}" if longest > self.most else f"{longest:,}"
        genuine = f"{len(self.rows):,} of {self._whole:,}" if self._whole > len(self.rows) else f"{self._whole:,}"
        return f" Each learned law is known by {learned} rows that its run keeps, the genuine one by {genuine}."

    def parts(self, samples: Any) -> LawParts:
        """What bias and variance of samples (S, n, d) are made of."""
        return self._parts(*_frozen(samples))

    def split(self, samples: Any) -> LawSplit:
        """Their bias and variance."""
        return self._splits(*_frozen(samples))

    def _found(self, data: bytes, shape: tuple[int, ...]) -> LawParts:
        return energy_parts(list(np.frombuffer(data).reshape(shape)), self.rows, self.means)

    def _split(self, data: bytes, shape: tuple[int, ...]) -> LawSplit:
        return split(self._parts(data, shape))


def law_split(samples: Any, genuine: Genuine) -> LawSplit:
    """Bias D(p, q̄) and variance E D(q_s, q̄) of samples (S, n, d), one per seed, beside a genuine sample: see `split_energy`."""
    return genuine.split(samples)


def law_bias_difference(ours: Any, theirs: Any, genuine: Genuine) -> Interval:
    """D(p, q̄) of ours less that of theirs, both (S, n, d) with the same seeds: see `squared_mean_difference`."""
    return bias_difference(genuine.parts(ours), genuine.parts(theirs))


def distance(sample: Any, genuine: Genuine) -> float:
    """The squared energy distance of one sample, but for what all samples have in common."""
    return float(2 * cdist(sample, genuine.rows).mean() - pdist(sample).mean())


def _frozen(samples: Any) -> tuple[bytes, tuple[int, ...]]:
    return np.asarray(samples, dtype=float).tobytes(), np.shape(samples)
