"""Bias and variance of learned laws from the samples that rows keep, and the difference of both between two discriminators."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.learned_laws import LawParts, LawSplit, bias_difference, energy_means, energy_parts, split
from turinglearn.metrics import Interval

__all__ = ["distance", "law_bias_difference", "law_split"]


def law_split(samples: Any, genuine: Any) -> LawSplit:
    """Bias D(p, q̄) and variance E D(q_s, q̄) of samples (S, n, d), one per seed, beside a genuine sample: see `split_energy`."""
    return split(_parts(samples, genuine))


def law_bias_difference(ours: Any, theirs: Any, genuine: Any) -> Interval:
    """D(p, q̄) of ours less that of theirs, both (S, n, d) with the same seeds: see `squared_mean_difference`."""
    return bias_difference(_parts(ours, genuine), _parts(theirs, genuine))


def distance(sample: Any, genuine: Any) -> float:
    """The squared energy distance of one sample, but for what all samples have in common."""
    return float(2 * cdist(sample, genuine).mean() - pdist(sample).mean())


def _parts(samples: Any, genuine: Any) -> LawParts:
    return _of_bytes(*(part for x in (samples, genuine) for part in (np.asarray(x, float).tobytes(), np.shape(x))))


@lru_cache(maxsize=256)  # of one control there are many contrasts
def _of_bytes(samples: bytes, shape: tuple[int, ...], genuine: bytes, rows: tuple[int, ...]) -> LawParts:
    y = np.frombuffer(genuine).reshape(rows)
    return energy_parts(list(np.frombuffer(samples).reshape(shape)), y, _means(genuine, rows))


@lru_cache(maxsize=64)  # of one genuine sample there are many settings
def _means(genuine: bytes, rows: tuple[int, ...]) -> Any:
    return energy_means(np.frombuffer(genuine).reshape(rows))
