"""Bias and variance of learned distributions.

The bias is the discrepancy between the mixture over seeds and the true distribution, the variance that between each seed and
the mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist, pdist

from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.squared_mean import squared_mean_difference, squared_mean_of_products
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, matrix
from turinglearn.protocols import Array

__all__ = [
    "DistributionParts",
    "DistributionSplit",
    "bias_difference",
    "energy_means",
    "energy_parts",
    "split",
    "split_energy",
    "split_mmd",
]

Kernel = Callable[[Floats], Floats]  # of distances
_BUFFER = 2**15  # distances at a time, in memory that is reused: allocating it takes longer than computing them


@dataclass(frozen=True, slots=True)
class DistributionSplit:
    """Discrepancy of learned distributions from the true one: total = bias + variance.

    Attributes
    ----------
    total : Interval
        Mean discrepancy between a learned distribution q_s and the true one.
    bias : Interval
        Discrepancy between their mixture q̄ and the true distribution.
    variance : Interval
        Mean discrepancy between a learned distribution and the mixture.
    """

    total: Interval
    bias: Interval
    variance: Interval


def split_energy(samples: Sequence[Array], real: Array, *, level: float = 0.95) -> DistributionSplit:
    """Split the mean squared energy distance of learned distributions from the true one into bias and variance over seeds.

    It is `split_mmd` with k(x, y) = -|x - y| (Székely and Rizzo 2013).

    Parameters
    ----------
    samples : list of arrays of shape (n, d)
        One sample of each of S >= 3 generators that differ only in their seed.
    real : array of shape (m, d)
        Held-out real rows.
    level : float
        Confidence level.

    Returns
    -------
    DistributionSplit
    """
    return split(energy_parts(samples, real), level=level)


def split_mmd(
    samples: Sequence[Array], real: Array, *, bandwidth: float | None = None, level: float = 0.95
) -> DistributionSplit:
    """Split the mean squared MMD of learned distributions q_s from the true one p into bias and variance over seeds::

        E_s D(p, q_s) = D(p, q̄) + E_s D(q_s, q̄),    D(p, q) = E k(X,X') + E k(Y,Y') - 2 E k(X,Y),        (1)
        D(p, q̄)        = mean k(p,p) + mean_{s≠s'} k(q_s,q_s') - 2 mean_s k(p,q_s),                          (2)
        E_s D(q_s, q̄)  = mean_s k(q_s,q_s) - mean_{s≠s'} k(q_s,q_s'),                                        (3)

    where q̄ is the mixture over all possible seeds, and k is exp(-|x-y|² / 2h²). Pairs of distinct seeds stand for q̄, and pairs
    of distinct samples of one seed for q_s: all three estimates are unbiased at any S and n, and can be negative. Samples are
    never pooled: a pooled mixture of S seeds would add 1/S of the variance to the bias.

    The bias is the squared norm of a mean in the kernel's space, with the interval of `squared_mean_of_products`. The interval
    of the variance is the jackknife's over seeds, that of the total, with one value per seed, Student's; both are corrected for
    skewness. Intervals of bias and total include the error of the real sample, by leaving out one row at a time.

    Parameters
    ----------
    samples : list of arrays of shape (n, d)
        One sample of each of S >= 3 generators that differ only in their seed.
    real : array of shape (m, d)
        Held-out real rows.
    bandwidth : float or None
        Bandwidth h of the kernel; None for the median distance within the real sample.
    level : float
        Confidence level.

    Returns
    -------
    DistributionSplit
    """
    y = matrix(real, "real", rows=2)
    h = float(np.median(pdist(y[:1000]))) if bandwidth is None else float(bandwidth)
    if not h > 0:
        raise ValueError(f"bandwidth={h}: expected a positive number, on the scale of the data.")
    return split(_parts(samples, real, lambda d: np.exp(-(d**2) / (2 * h * h))), level=level)


@dataclass(frozen=True)
class DistributionParts:
    """Means of a kernel that the split is computed from: within and between S seeds, and across to m real rows.

    Attributes
    ----------
    within, repeated : ndarray of shape (S,)
        k(q_s, q_s) over pairs of distinct samples, and over all pairs.
    between : ndarray of shape (S, S)
        k(q_s, q_s'), and 0 on the diagonal.
    across : ndarray of shape (S,)
        k(q_s, p).
    facing : ndarray of shape (m,)
        For each real row the mean of k(q_s, y_i) over seeds.
    real : ndarray of shape (m,)
        For each real row the mean of k(y_i, y_j) over j ≠ i.
    """

    within: Floats
    repeated: Floats
    between: Floats
    across: Floats
    facing: Floats
    real: Floats

    @cached_property
    def products(self) -> Floats:
        """Return ⟨μ_s - μ_p, μ_s' - μ_p⟩ (S, S), where μ are the mean embeddings of the distributions."""
        across = self.across
        return self.between + np.diag(self.repeated) - across[:, None] - across + self.real.mean()

    @property
    def real_error(self) -> float:
        """Return the standard error of k(p, p) - 2 mean_s k(p, q_s), by leaving out one real row at a time."""
        m, rows, facing = len(self.real), self.real, self.facing
        without = (m * rows.mean() - 2 * rows) / (m - 2) - 2 * (m * facing.mean() - facing) / (m - 1)
        return float(np.sqrt((m - 1) * without.var()))


def split(parts: DistributionParts, *, level: float = 0.95) -> DistributionSplit:
    """Compute total, bias and variance from the means of a kernel, as in `split_mmd`."""
    within, between, n = parts.within, parts.between, len(parts.within)
    variance = within.mean() - between.sum() / (n * (n - 1))  # (3)
    without = (within.sum() - within) / (n - 1) - (between.sum() - 2 * between.sum(axis=0)) / ((n - 1) * (n - 2))
    each = within + parts.real.mean() - 2 * parts.across  # (1)
    return DistributionSplit(
        mean_interval(each, level=level, skewed=True, extra_error=parts.real_error),
        squared_mean_of_products(parts.products, level=level, extra_error=parts.real_error),  # (2)
        mean_interval(n * variance - (n - 1) * without, level=level, skewed=True),  # the jackknife's, by leaving out a seed
    )


def bias_difference(parts: DistributionParts, control: DistributionParts, *, level: float = 0.95) -> Interval:
    """Compute the bias less that of a control with the same seeds and real sample, by `squared_mean_difference`."""
    differences = 2 * (parts.facing - control.facing)
    error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return squared_mean_difference(parts.products, control.products, level=level, extra_error=error)


def energy_parts(samples: Sequence[Array], real: Array, means: Floats | None = None) -> DistributionParts:
    """Compute the means of k(x, y) = -|x - y|; `means` are `energy_means` of the real sample, where they are known."""
    return _parts(samples, real, _negative, means)


def energy_means(real: Array) -> Floats:
    """Compute the mean of -|y_i - y_j| over j ≠ i, (m,)."""
    return _means(matrix(real, "real", rows=3), _negative)


def _negative(d: Floats) -> Floats:
    return np.negative(d, out=d)


def _means(y: Floats, kernel: Kernel) -> Floats:
    """Return the mean of k(y_i, y_j) over j ≠ i, (m,)."""
    sums: Floats = sum(part.sum(axis=0) for _, part in _chunks(y, lambda stop: y, kernel))
    return (sums - float(kernel(np.zeros(1))[0])) / (len(y) - 1)


def _chunks(x: Floats, others: Callable[[int], Floats], kernel: Kernel) -> Iterator[tuple[slice, Floats]]:
    """Yield k(x_i, y_j) for blocks of rows and the y of the last of them, in a buffer that the next block reuses."""
    most = len(others(len(x)))
    rows = max(1, _BUFFER // most)
    buffer = np.empty(rows * most)
    for i in range(0, len(x), rows):
        some = x[i : i + rows]
        y = others(i + len(some))
        yield slice(i, i + len(some)), kernel(cdist(some, y, out=buffer[: len(some) * len(y)].reshape(len(some), len(y))))


def _parts(samples: Sequence[Array], real: Array, kernel: Kernel, means: Floats | None = None) -> DistributionParts:
    """Compute the means of a kernel."""
    y, xs = matrix(real, "real", rows=3), [matrix(x, f"samples[{s}]", rows=2) for s, x in enumerate(samples)]
    n = len(xs)
    if n < 3 or any(x.shape[1] != y.shape[1] for x in xs):
        features = sorted({x.shape[1] for x in xs})
        raise ValueError(
            f"There are {n} samples with {' or '.join(map(str, features))} features, and {y.shape[1]} in the real one; "
            "expected a list of at least 3 samples, one for each seed, and then the real one, with the same number of features."
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
    return DistributionParts(
        within=(sizes * repeated - alone) / (sizes - 1),
        repeated=repeated,
        between=between,
        across=across / sizes,
        facing=facing / n,
        real=_means(y, kernel) if means is None else means,
    )
