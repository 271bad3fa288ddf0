"""Bias and variance of learned laws from the samples that rows keep, and the difference of both between two discriminators."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias import jackknife, split_energy
from turinglearn.metrics import Interval

__all__ = ["distance", "law_bias", "law_bias_difference", "law_variance"]


def law_bias(samples: Any, genuine: Any) -> Interval:
    """D(p, q̄) of samples (S, n, d), one per seed, to a genuine sample: see `split_energy`."""
    return split_energy(samples, genuine).bias


def law_variance(samples: Any, genuine: Any) -> Interval:
    """E D(q_s, q̄) of samples (S, n, d): see `split_energy`."""
    return split_energy(samples, genuine).variance


def law_bias_difference(ours: Any, theirs: Any, genuine: Any) -> Interval:
    """D(p, q̄) of ours less that of theirs, both (S, n, d) with the same seeds, by leaving out one seed of both at a time."""
    (across, between), (across_b, between_b) = (_parts(samples, genuine) for samples in (ours, theirs))

    def bias(kept: Any, across: Any, between: Any) -> float:
        mixed = between[np.ix_(kept, kept)].sum() / (len(kept) * (len(kept) - 1))
        return float(2 * across[kept].mean() - mixed)  # and less E|X - X'|, which both have

    return jackknife(lambda kept: bias(kept, across, between) - bias(kept, across_b, between_b), len(ours))


def distance(sample: Any, genuine: Any) -> float:
    """The squared energy distance of one sample, but for what all samples have in common."""
    return float(2 * cdist(sample, genuine).mean() - pdist(sample).mean())


def _parts(samples: Any, genuine: Any) -> tuple[Any, Any]:
    """Mean distances of each sample to the genuine one (S,), and to each other sample (S, S), 0 on the diagonal."""
    count = len(samples)
    between = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            between[i, j] = between[j, i] = cdist(samples[i], samples[j]).mean()
    return np.array([cdist(x, genuine).mean() for x in samples]), between
