"""Bias and variance of learned laws: how far the mixture over seeds is from the truth, and each seed from the mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.squared_mean import squared_mean_difference, squared_mean_of_products
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import matrix
from turinglearn.protocols import Array

__all__ = ["LawParts", "LawSplit", "bias_difference", "energy_means", "energy_parts", "split", "split_energy", "split_mmd"]

Kernel = Callable[[Any], Any]  # of distances
_ROOM = 2**15  # distances at a time, in memory that is used again: fresh memory takes longer than they do


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
    return split(energy_parts(samples, genuine), level=level)


def split_mmd(samples: Sequence[Array], genuine: Array, *, bandwidth: float | None = None, level: float = 0.95) -> LawSplit:
    """The mean squared MMD of learned laws q_s to the truth p, split into bias and variance over seeds:

        E_s D(p, q_s) = D(p, q̄) + E_s D(q_s, q̄),    D(p, q) = E k(X,X') + E k(Y,Y') - 2 E k(X,Y),        (1)
        D(p, q̄)        = mean k(p,p) + mean_{s≠s'} k(q_s,q_s') - 2 mean_s k(p,q_s),                          (2)
        E_s D(q_s, q̄)  = mean_s k(q_s,q_s) - mean_{s≠s'} k(q_s,q_s'),                                        (3)

    q̄ being the mixture over all seeds there could be. Pairs of distinct seeds stand for it, pairs of distinct samples
    within one for q_s: all three are unbiased at any S and n, and can be negative. Samples are never pooled: a pooled
    mixture of S seeds would carry 1/S of the variance into the bias. k is exp(-|x-y|² / 2h²); bandwidth h is by default the
    median distance within the genuine sample.

    The bias is the squared length of a mean in the kernel's space: its interval is `squared_mean_of_products`. That of the
    variance is the jackknife's over seeds, and that of the total, one value per seed, Student's, both with skewness taken out.
    The error of the genuine sample, by leaving out one row at a time, is in the first and the last.
    """
    y = matrix(genuine, "genuine", rows=2)
    h = float(np.median(pdist(y[:1000]))) if bandwidth is None else float(bandwidth)
    if not h > 0:
        raise ValueError(f"bandwidth={h}: expected a positive number, on the scale of the data.")
    return split(_parts(samples, genuine, lambda d: np.exp(-(d**2) / (2 * h * h))), level=level)


@dataclass(frozen=True)
class LawParts:
    """The means of a kernel that all figures are made of: within and between S seeds, and across to m genuine rows.

    within, repeated (S,): k(q_s, q_s) over pairs of distinct samples, and over all pairs; between (S, S): k(q_s, q_s'), and 0
    on the diagonal; across (S,): k(q_s, p). Of each genuine row, for its error: facing (m,), the mean of k(q_s, y_i) over
    seeds, and genuine (m,), that of k(y_i, y_j) over j ≠ i.
    """

    within: Any
    repeated: Any
    between: Any
    across: Any
    facing: Any
    genuine: Any

    @cached_property
    def products(self) -> Any:
        """⟨μ_s - μ_p, μ_s' - μ_p⟩ (S, S), μ the mean embeddings of the laws."""
        across = self.across
        return self.between + np.diag(self.repeated) - across[:, None] - across + self.genuine.mean()

    @property
    def genuine_error(self) -> float:
        """The standard error of k(p, p) - 2 mean_s k(p, q_s), by leaving out one genuine row at a time."""
        m, rows, facing = len(self.genuine), self.genuine, self.facing
        without = (m * rows.mean() - 2 * rows) / (m - 2) - 2 * (m * facing.mean() - facing) / (m - 1)
        return float(np.sqrt((m - 1) * without.var()))


def split(parts: LawParts, *, level: float = 0.95) -> LawSplit:
    """Total, bias and variance from the means of a kernel; see `split_mmd`."""
    within, between, n = parts.within, parts.between, len(parts.within)
    variance = within.mean() - between.sum() / (n * (n - 1))  # (3)
    without = (within.sum() - within) / (n - 1) - (between.sum() - 2 * between.sum(axis=0)) / ((n - 1) * (n - 2))
    each = within + parts.genuine.mean() - 2 * parts.across  # (1)
    return LawSplit(
        mean_interval(each, level=level, skewed=True, also=parts.genuine_error),
        squared_mean_of_products(parts.products, level=level, also=parts.genuine_error),  # (2)
        mean_interval(n * variance - (n - 1) * without, level=level, skewed=True),  # the jackknife's, by leaving out a seed
    )


def bias_difference(parts: LawParts, control: LawParts, *, level: float = 0.95) -> Interval:
    """The bias less that of a control with the same seeds, beside the same genuine sample: see `squared_mean_difference`."""
    apart = 2 * (parts.facing - control.facing)
    also = float(apart.std(ddof=1)) / np.sqrt(len(apart))
    return squared_mean_difference(parts.products, control.products, level=level, also=also)


def energy_parts(samples: Sequence[Array], genuine: Array, means: Any = None) -> LawParts:
    """The means of k(x, y) = -|x - y|; see `split_energy`. means: `energy_means` of the genuine sample, where known."""
    return _parts(samples, genuine, _negative, means)


def energy_means(genuine: Array) -> Any:
    """The mean of -|y_i - y_j| over j ≠ i, (m,)."""
    return _means(matrix(genuine, "genuine", rows=3), _negative)


def _negative(d: Any) -> Any:
    return np.negative(d, out=d)


def _means(y: Any, kernel: Kernel) -> Any:
    sums = sum(part.sum(axis=0) for _, part in _chunks(y, lambda stop: y, kernel))
    return (sums - float(kernel(np.zeros(1))[0])) / (len(y) - 1)


def _chunks(x: Any, others: Callable[[int], Any], kernel: Kernel) -> Iterator[tuple[slice, Any]]:
    """k(x_i, y_j) of some rows at a time, for the y of the last of them, in memory that the next ones take."""
    most = len(others(len(x)))
    rows = max(1, _ROOM // most)
    room = np.empty(rows * most)
    for i in range(0, len(x), rows):
        some = x[i : i + rows]
        y = others(i + len(some))
        yield slice(i, i + len(some)), kernel(cdist(some, y, out=room[: len(some) * len(y)].reshape(len(some), len(y))))


def _parts(samples: Sequence[Array], genuine: Array, kernel: Kernel, means: Any = None) -> LawParts:
    y, xs = matrix(genuine, "genuine", rows=3), [matrix(x, f"samples[{s}]", rows=2) for s, x in enumerate(samples)]
    n = len(xs)
    if n < 3 or any(x.shape[1] != y.shape[1] for x in xs):
        features = sorted({x.shape[1] for x in xs})
        raise ValueError(
            f"There are {n} samples with {' or '.join(map(str, features))} features, and {y.shape[1]} in the genuine one; "
            "expected a list of at least 3 samples, one for each seed, and then the genuine one, with as many features."
        )
    together, sizes, alone = np.concatenate(xs), np.array([len(x) for x in xs]), float(kernel(np.zeros(1))[0])  # k(x, x)
    ends, owner = np.cumsum(sizes), np.repeat(np.arange(n), sizes)
    between, across, facing = np.zeros((n, n)), np.zeros(n), np.zeros(len(y))
    for rows, k in _chunks(together, lambda stop: together[: ends[owner[stop - 1]]], kernel):  # with all before, and themselves
        those = owner[rows]
        np.add.at(between[:, : those[-1] + 1], those, np.add.reduceat(k, (ends - sizes)[: those[-1] + 1], axis=1))
    for rows, k in _chunks(together, lambda stop: y, kernel):
        np.add.at(across, owner[rows], k.mean(axis=1))
        facing += (1 / sizes[owner[rows]]) @ k
    between = np.tril(between) / np.outer(sizes, sizes)
    between += np.tril(between, -1).T
    repeated = between.diagonal().copy()
    np.fill_diagonal(between, 0.0)
    return LawParts(
        within=(sizes * repeated - alone) / (sizes - 1),
        repeated=repeated,
        between=between,
        across=across / sizes,
        facing=facing / n,
        genuine=_means(y, kernel) if means is None else means,
    )
