"""A distribution from the leaves of a forest: a mixture of leaves, with independent columns within each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from turinglearn.generators.common import Booleans, Floats, Integers
from turinglearn.generators.forest import truncated
from turinglearn.protocols import Rng

__all__ = ["Columns", "LeafDistribution", "fit_distribution"]

_PAIRS = 2_000_000  # pairs of rows and leaves in memory at a time
_MIDDLE = 2 * 1.959964  # standard deviations around the middle 95 % of a Gaussian


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Kinds of the d columns.

    Parameters
    ----------
    integer : array of bool of shape (d,)
        Whether the column holds integers only.
    levels : array of int of shape (d,)
        Number of categories, which are numbered from 0 on; 0 for numbers.
    """

    integer: Booleans
    levels: Integers


@dataclass(frozen=True, eq=False, slots=True)
class LeafDistribution:
    """Mixture of leaves with independent columns, FORDE of Watson et al. (2023).

    With w_l the weight of leaf l its density is::

        q(x) = sum_l w_l prod_j q_lj(x_j)

    A missing value, NaN, is a value like others::

        q_lj = a_lj                        for a missing value,
        q_lj = (1 - a_lj) p_lj(category)   for a category,
        q_lj = (1 - a_lj) N(x; m_lj, s_lj^2) / P(low_lj < N < high_lj)   for a number within [low, high].

    The probability of an integer is what the Gaussian gives to half a unit on either side of it. Where low = high all mass
    is there.

    Parameters
    ----------
    columns : Columns
        Kinds of the d columns.
    log_weights : array of shape (L,)
        log w.
    absent : array of shape (L, d)
        a, the probability of a missing value.
    low, high : array of shape (L, d)
        Interval of each leaf.
    mean, sd : array of shape (L, d)
        m and s.
    log_norm : array of shape (L, d)
        log P(low < N < high).
    shares : dict from int to array of shape (L, levels)
        p, by the index of the column.
    """

    columns: Columns
    log_weights: Floats
    absent: Floats
    low: Floats
    high: Floats
    mean: Floats
    sd: Floats
    log_norm: Floats
    shares: dict[int, Floats]

    @property
    def d(self) -> int:
        """Number of columns."""
        return int(self.absent.shape[1])

    def log_density(self, x: Floats, leaves: Integers | None = None, columns: Sequence[int] | Integers | None = None) -> Floats:
        """Compute log q(x).

        Parameters
        ----------
        x : array of shape (n, d)
            Rows.
        leaves : array of int of shape (n, k), or None
            Leaves that each row can lie in; None for all.
        columns : sequence of int, or None
            Columns whose joint density it is; None for all.

        Returns
        -------
        array of shape (n,)
        """
        columns = range(self.d) if columns is None else columns
        if leaves is not None:
            log_density: Floats = logsumexp(self._log_joint(x, columns, leaves), axis=1)
            return log_density
        return np.concatenate([np.empty(0), *(logsumexp(terms, axis=1) for _, terms in self._all_leaves(x, columns))])

    def sample(self, n: int, rng: Rng) -> Floats:
        """Draw n rows (n, d)."""
        return self._filled(_drawn(np.exp(self.log_weights), rng.random(n)), rng)

    def completed(self, x: Floats, known: Sequence[int] | Integers, rng: Rng) -> Floats:
        """Draw rows (n, d) from the conditional distribution, given the values of x in the known columns."""
        leaf = np.empty(len(x), dtype=int)
        for rows, terms in self._all_leaves(x, known):
            top = terms.max(axis=1, keepdims=True)
            cumulative = np.cumsum(np.exp(terms - np.where(np.isfinite(top), top, 0)), axis=1)
            if not (cumulative[:, -1] > 0).all():
                raise ZeroDivisionError("the condition has probability 0")
            u = rng.random((len(terms), 1)) * cumulative[:, -1:]
            leaf[rows] = (cumulative <= u).sum(axis=1)
        made = self._filled(leaf, rng)
        made[:, known] = x[:, known]
        return made

    def where_between(self, j: int, low: float, high: float) -> LeafDistribution:
        """Return the distribution given that column j lies in [low, high]; raise a ZeroDivisionError at probability 0."""
        if self.columns.integer[j]:
            low, high = np.ceil(low) - 0.5, np.floor(high) + 0.5
        a, b = np.maximum(self.low[:, j], low), np.minimum(self.high[:, j], high)
        mass = truncated.log_mass(a, b, self.mean[:, j], self.sd[:, j])
        point = self.low[:, j] == self.high[:, j]
        norm = np.where(point, 0.0, mass)
        gain = np.where(point, np.where((low <= self.low[:, j]) & (self.high[:, j] <= high), 0.0, -np.inf), mass)
        distribution = self._narrowed(j, np.where(point, self.low[:, j], a), np.where(point, self.high[:, j], b), norm)
        return distribution._tilted(gain - self.log_norm[:, j] + _log(1 - self.absent[:, j]))

    def where_equal(self, j: int, value: float) -> LeafDistribution:
        """Return the distribution given the value of column j, NaN for missing; raise a ZeroDivisionError at probability 0."""
        gain = self._log_column(j, np.array([value]), np.arange(len(self.log_weights))[None, :])[0]
        if np.isnan(value):
            absent = self.absent.copy()
            absent[:, j] = 1
            return replace(self, absent=absent)._tilted(gain)
        if self.columns.levels[j]:
            return self.where_among(j, [int(value)])
        return self._narrowed(j, value, value, 0.0)._tilted(gain)

    def where_among(self, j: int, categories: list[int]) -> LeafDistribution:
        """Return the distribution given one of these categories in column j; raise a ZeroDivisionError at probability 0."""
        kept = np.zeros_like(self.shares[j])
        kept[:, categories] = self.shares[j][:, categories]
        mass = kept.sum(axis=1)
        shares = self.shares | {j: kept / np.where(mass > 0, mass, 1)[:, None]}
        gain = _log(mass) + _log(1 - self.absent[:, j])
        return replace(self._present(j), shares=shares)._tilted(gain)

    def _narrowed(self, j: int, low: Floats | float, high: Floats | float, log_norm: Floats | float) -> LeafDistribution:
        ends = {"low": low, "high": high, "log_norm": log_norm}
        changed = {name: getattr(self, name).copy() for name in ends}
        for name, values in ends.items():
            changed[name][:, j] = values
        return replace(self._present(j), **changed)

    def _present(self, j: int) -> LeafDistribution:
        absent = self.absent.copy()
        absent[:, j] = 0
        return replace(self, absent=absent)

    def _tilted(self, gain: Floats) -> LeafDistribution:
        """Return the distribution under weights w e^gain, without the leaves of weight 0."""
        log_weights = self.log_weights + gain
        kept = np.flatnonzero(np.isfinite(log_weights))
        if not kept.size:
            raise ZeroDivisionError("the condition has probability 0")
        arrays = {name: getattr(self, name)[kept] for name in ("absent", "low", "high", "mean", "sd", "log_norm")}
        shares = {j: share[kept] for j, share in self.shares.items()}
        return replace(self, log_weights=log_weights[kept] - logsumexp(log_weights[kept]), shares=shares, **arrays)

    def _all_leaves(self, x: Floats, columns: Iterable[int]) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows, and log w_l prod_j q_lj over the columns, (rows, L)."""
        leaves = np.arange(len(self.log_weights))[None, :]
        step = max(1, _PAIRS // leaves.size)
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            yield rows, self._log_joint(x[rows], columns, leaves)

    def _log_joint(self, x: Floats, columns: Iterable[int], leaves: Integers) -> Floats:
        terms = np.broadcast_to(self.log_weights[leaves], (len(x), leaves.shape[1])).copy()
        for j in columns:
            terms += self._log_column(j, x[:, j], leaves)
        return terms

    def _log_column(self, j: int, values: Floats, leaves: Integers) -> Floats:
        """Compute log q_lj of values (n,) in leaves (n, k) or (1, k)."""
        missing = np.isnan(values)[:, None]
        v = np.where(np.isnan(values), 0, values)[:, None]
        absent = self.absent[:, j][leaves]
        category = self.columns.levels[j] > 0
        present = _log(self.shares[j][leaves, v.astype(int)]) if category else self._log_number(j, v, leaves)
        if not (missing.any() or absent.any()):
            return present
        return np.where(missing, _log(absent), present + _log(1 - absent))

    def _log_number(self, j: int, v: Floats, leaves: Integers) -> Floats:
        low, high, mean, sd = (part[:, j][leaves] for part in (self.low, self.high, self.mean, self.sd))
        if self.columns.integer[j]:
            log_p = truncated.log_mass(np.maximum(low, v - 0.5), np.minimum(high, v + 0.5), mean, sd)
        else:
            log_p = np.where((low <= v) & (v <= high), truncated.log_density(v, mean, sd), -np.inf)
        return np.where(low == high, np.where(v == low, 0.0, -np.inf), log_p - self.log_norm[:, j][leaves])

    def _filled(self, leaf: Integers, rng: Rng) -> Floats:
        """Draw a row from each of the leaves, (n, d)."""
        u, missing = rng.random((len(leaf), self.d)), rng.random((len(leaf), self.d)) < self.absent[leaf]
        made = truncated.sample_truncated_normal(u, self.low[leaf], self.high[leaf], self.mean[leaf], self.sd[leaf])
        made[:, self.columns.integer] = np.rint(made[:, self.columns.integer])
        for j, shares in self.shares.items():
            made[:, j] = _drawn_rows(shares[leaf], u[:, j])
        made[missing] = np.nan
        return made


def fit_distribution(x: Floats, leaf: Integers, box: tuple[Floats, Floats], columns: Columns, alpha: float) -> LeafDistribution:
    """Fit the distribution of rows in leaves.

    The weight of a leaf is its share of the rows; its Gaussians have the mean and the standard deviation of its rows. Where all
    numbers of a leaf are equal its Gaussian spreads over the box, as far as the column has values.

    Parameters
    ----------
    x : array of shape (n, d)
        Rows.
    leaf : array of int of shape (n, trees)
        Leaf of each row in each tree, numbered from 0 on.
    box : two arrays of shape (L, d)
        Lower and upper ends of the leaves.
    columns : Columns
        Kinds of the columns.
    alpha : float
        Pseudo-count of each category that fits into the box of a leaf.

    Returns
    -------
    LeafDistribution
    """
    (n, trees), L, d = leaf.shape, len(box[0]), x.shape[1]
    at = leaf.ravel()
    size = np.bincount(at, minlength=L)
    absent, mean, sd = np.zeros((L, d)), np.zeros((L, d)), np.ones((L, d))
    low, high = box[0].copy(), box[1].copy()
    shares: dict[int, Floats] = {}
    for j in range(d):
        values = np.repeat(x[:, j], trees)
        present = ~np.isnan(values)
        where, values = at[present], values[present]
        count = np.bincount(where, minlength=L)
        absent[:, j] = 1 - count / size
        low[count == 0, j], high[count == 0, j] = -np.inf, np.inf  # where all are missing, trees may leave room for none
        if columns.levels[j]:
            shares[j] = _shares(where, values, count, (low[:, j], high[:, j]), columns.levels[j], alpha)
            low[:, j], high[:, j] = -np.inf, np.inf
        else:
            mean[:, j], sd[:, j] = _moments(where, values, count)
            ends = values.min() - 0.5 * columns.integer[j], values.max() + 0.5 * columns.integer[j]
            _spread(low[:, j], high[:, j], mean[:, j], sd[:, j], count, ends)
    log_norm = truncated.log_mass(low, high, mean, sd)
    log_norm[low == high] = 0
    return LeafDistribution(columns, np.log(size / (n * trees)), absent, low, high, mean, sd, log_norm, shares)


def _moments(where: Integers, values: Floats, count: Integers) -> tuple[Floats, Floats]:
    """Compute mean and standard deviation in each leaf; both are 0 in a leaf without values."""
    mean = np.bincount(where, values, len(count)) / np.maximum(count, 1)
    variance = np.bincount(where, (values - mean[where]) ** 2, len(count)) / np.maximum(count - 1, 1)
    return mean, np.sqrt(variance)


def _spread(low: Floats, high: Floats, mean: Floats, sd: Floats, count: Integers, ends: tuple[float, float]) -> None:
    """Widen the Gaussians of leaves without a spread, in place; a constant column keeps its value."""
    least, most = ends
    if least == most:
        low[:], high[:], mean[:], sd[:] = least, least, least, 1
        return
    sd[count == 0] = 1
    flat = ~(sd > 1e-12 * (most - least))
    a, b = np.maximum(low[flat], least), np.minimum(high[flat], most)
    sd[flat] = (b - a) / _MIDDLE
    mean[flat] = np.clip(mean[flat], a, b)


def _shares(where: Integers, values: Floats, count: Integers, box: tuple[Floats, Floats], levels: int, alpha: float) -> Floats:
    """Compute the smoothed frequencies of the categories in each leaf, (L, levels)."""
    counts = np.bincount(where * levels + values.astype(int), minlength=len(count) * levels).reshape(-1, levels)
    category = np.arange(levels)
    room = (box[0][:, None] < category) & (category < box[1][:, None])
    smoothed = counts + np.where(count > 0, alpha, 1)[:, None] * room
    shares: Floats = smoothed / smoothed.sum(axis=1, keepdims=True)
    return shares


def _drawn(weights: Floats, u: Floats) -> Integers:
    """Draw indices in proportion to the weights, one for each u in [0, 1)."""
    cumulative = np.cumsum(weights)
    index: Integers = np.searchsorted(cumulative, u * cumulative[-1], side="right")
    return index


def _drawn_rows(shares: Floats, u: Floats) -> Integers:
    """Draw a column in proportion to each row of shares, one for each u in [0, 1)."""
    cumulative = np.cumsum(shares, axis=1)
    column: Integers = (cumulative <= u[:, None] * cumulative[:, -1:]).sum(axis=1)
    return column


def _log(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.log(p)
