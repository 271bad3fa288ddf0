"""Bias and variance of learned laws: how far the mixture over seeds is from the truth, and each seed from the mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.jackknife import jackknife
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import matrix
from turinglearn.protocols import Array

__all__ = ["LawSplit", "split_energy", "split_mmd"]


@dataclass(frozen=True, slots=True)
class LawSplit:
    """total = bias + variance: the mean discrepancy of a learned law q_s, of their mixture q̄, and of each from the mixture."""

    total: Interval
    bias: Interval
    variance: Interval


def split_energy(samples: Sequence[Array], genuine: Array, *, level: float = 0.95) -> LawSplit:
    """The mean squared energy distance of learned laws to the truth, split into bias and variance over seeds.

    samples: one sample (n, d) of each of S >= 3 generators that differ only in their seed; genuine: (m, d), that none has
    seen. As `split_mmd` with k(x, y) = -|x - y|. Székely & Rizzo (2013).
    """
    return _split(samples, genuine, lambda d: -d, level)


def split_mmd(samples: Sequence[Array], genuine: Array, *, bandwidth: float | None = None, level: float = 0.95) -> LawSplit:
    """The mean squared MMD of learned laws q_s to the truth p, split into bias and variance over seeds:

        E_s D(p, q_s) = D(p, q̄) + E_s D(q_s, q̄),    D(p, q) = E k(X,X') + E k(Y,Y') - 2 E k(X,Y),        (1)
        D(p, q̄)        = mean k(p,p) + mean_{s≠s'} k(q_s,q_s') - 2 mean_s k(p,q_s),                          (2)
        E_s D(q_s, q̄)  = mean_s k(q_s,q_s) - mean_{s≠s'} k(q_s,q_s'),                                        (3)

    q̄ being the mixture over all seeds there could be. Pairs of distinct seeds stand for it, pairs of distinct samples
    within one for q_s: all three are unbiased at any S and n, and can be negative. Samples are never pooled: a pooled
    mixture of S seeds would carry 1/S of the variance into the bias. k is exp(-|x-y|² / 2h²); bandwidth h is by default the
    median distance within the genuine sample. The interval of the bias is the jackknife's over seeds, that of the variance the
    jackknife's of its logarithm, and that of the total, one value per seed, Student's with the skewness taken out. The genuine
    sample is held fixed, so give many rows.
    """
    y = matrix(genuine, "genuine", rows=2)
    h = float(np.median(pdist(y[:1000]))) if bandwidth is None else float(bandwidth)
    if not h > 0:
        raise ValueError(f"bandwidth={h}: expected a positive number, on the scale of the data.")
    return _split(samples, genuine, lambda d: np.exp(-(d**2) / (2 * h * h)), level)


def _split(samples: Sequence[Array], genuine: Array, kernel: Any, level: float) -> LawSplit:
    y, xs = matrix(genuine, "genuine", rows=2), [matrix(x, f"samples[{s}]", rows=2) for s, x in enumerate(samples)]
    n = len(xs)
    if n < 3 or any(x.shape[1] != y.shape[1] for x in xs):
        raise ValueError(
            f"There are {n} samples with {[x.shape[1] for x in xs]} features, and {y.shape[1]} in the genuine one; expected at "
            "least 3 samples, one for each seed, with as many features as the genuine one."
        )
    within = np.array([kernel(pdist(x)).mean() for x in xs])  # k(q_s, q_s)
    truth, across = kernel(pdist(y)).mean(), np.array([kernel(cdist(x, y)).mean() for x in xs])  # k(p, p), k(p, q_s)
    between = np.zeros((n, n))  # k(q_s, q_s'), s ≠ s'
    for i in range(n):
        for j in range(i):
            between[i, j] = between[j, i] = kernel(cdist(xs[i], xs[j])).mean()

    def mixed(kept: Any) -> Any:
        return between[np.ix_(kept, kept)].sum() / (len(kept) * (len(kept) - 1))

    def bias(kept: Any) -> Any:
        return truth + mixed(kept) - 2 * across[kept].mean()  # (2)

    def variance(kept: Any) -> Any:
        return within[kept].mean() - mixed(kept)  # (3)

    return LawSplit(
        mean_interval(truth + within - 2 * across, level=level, skewed=True),  # (1)
        jackknife(bias, n, level=level),
        jackknife(variance, n, level=level, log=True),
    )
