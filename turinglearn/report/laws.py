"""Bias and variance of learned laws from the samples that rows keep, and the difference of both between two discriminators."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias import jackknife
from turinglearn.metrics import Interval

__all__ = ["Genuine", "distance", "law_bias", "law_bias_difference", "law_variance"]


class Genuine:
    """A genuine sample (m, d), and its mean distances to others, each of which is asked for many times and found once."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._known: dict[bytes, Any] = {}

    @cached_property
    def within(self) -> float:
        """E |Y - Y'| of distinct rows."""
        return float(pdist(self.rows).mean())

    def across(self, samples: Any) -> Any:
        """E |X - Y| for each of samples (S, n, d)."""
        return np.array([self._once(x, lambda x: cdist(x, self.rows).mean()) for x in samples])

    def between(self, samples: Any) -> Any:
        """E |X - X'| for each two of samples (S, n, d), 0 on the diagonal."""
        return self._once(samples, _between)

    def _once(self, x: Any, find: Any) -> Any:
        key = hashlib.blake2b(x.tobytes(), digest_size=16).digest() + bytes([x.ndim])
        if key not in self._known:
            self._known[key] = find(x)
        return self._known[key]


def law_bias(samples: Any, genuine: Genuine) -> Interval:
    """D(p, q̄) of samples (S, n, d), one per seed, to a genuine one: as `turinglearn.bias.split_energy` has it."""
    across, between = genuine.across(samples), genuine.between(samples)
    return jackknife(lambda kept: -genuine.within - _mixed(kept, between) + 2 * across[kept].mean(), len(samples))


def law_variance(samples: Any, genuine: Genuine) -> Interval:
    """E D(q_s, q̄) of samples (S, n, d): as `turinglearn.bias.split_energy` has it."""
    between, within = genuine.between(samples), np.array([pdist(x).mean() for x in samples])
    return jackknife(lambda kept: _mixed(kept, between) - within[kept].mean(), len(samples), log=True)


def law_bias_difference(ours: Any, theirs: Any, genuine: Genuine) -> Interval:
    """D(p, q̄) of ours less that of theirs, both (S, n, d) with the same seeds, by leaving out one seed of both at a time."""
    mine, other = ((genuine.across(samples), genuine.between(samples)) for samples in (ours, theirs))

    def bias(kept: Any, across: Any, between: Any) -> float:
        return float(2 * across[kept].mean() - _mixed(kept, between))  # and less E|Y - Y'|, which both have

    return jackknife(lambda kept: bias(kept, *mine) - bias(kept, *other), len(ours))


def distance(sample: Any, genuine: Genuine) -> float:
    """The squared energy distance of one sample, but for what all samples have in common."""
    return float(2 * genuine.across(sample[None])[0] - pdist(sample).mean())


def _mixed(kept: Any, between: Any) -> Any:
    """The mean over two distinct samples of those kept."""
    return between[np.ix_(kept, kept)].sum() / (len(kept) * (len(kept) - 1))


def _between(samples: Any) -> Any:
    count = len(samples)
    found = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            found[i, j] = found[j, i] = cdist(samples[i], samples[j]).mean()
    return found
