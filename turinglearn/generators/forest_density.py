"""A law from the leaves of a forest: a mixture of leaves, with independent columns within each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import logsumexp

from turinglearn.generators import truncated
from turinglearn.protocols import Rng

__all__ = ["Columns", "LeafLaw", "fitted_law"]

_PAIRS = 2_000_000  # of rows and leaves that are held at once
_MIDDLE = 2 * 1.959964  # the standard deviations that hold the middle 95 % of a Gaussian


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """What the d columns hold: whole (d,), whether only whole numbers; levels (d,), how many categories, 0 for numbers.

    Categories are numbered from 0 on.
    """

    whole: Any
    levels: Any


@dataclass(frozen=True, eq=False, slots=True)
class LeafLaw:
    """q(x) = sum_l w_l prod_j q_lj(x_j), FORDE of Watson et al. (2023); a missing value, NaN, is a value like others:

        q_lj = a_lj                        for a missing value,
        q_lj = (1 - a_lj) p_lj(category)   for a category,
        q_lj = (1 - a_lj) N(x; m_lj, s_lj^2) / P(low_lj < N < high_lj)   for a number within [low, high].

    The probability of a whole number is what the Gaussian gives to half a unit on either side of it. Where low = high all mass
    is there. log_weights (L,): log w. absent (L, d): a. low, high, mean, sd (L, d); log_norm (L, d): log P(low < N < high).
    shares: p, (L, levels), by the index of the column.
    """

    columns: Columns
    log_weights: Any
    absent: Any
    low: Any
    high: Any
    mean: Any
    sd: Any
    log_norm: Any
    shares: dict[int, Any]

    @property
    def d(self) -> int:
        """How many columns there are."""
        return int(self.absent.shape[1])

    def log_density(self, x: Any, leaves: Any = None, columns: Any = None) -> Any:
        """log q(x), (n,), of x (n, d), or of these columns of it; leaves (n, k): where x can lie, None for anywhere."""
        columns = range(self.d) if columns is None else columns
        if leaves is not None:
            return logsumexp(self._log_joint(x, columns, leaves), axis=1)
        return np.concatenate([np.empty(0), *(logsumexp(terms, axis=1) for _, terms in self._all_leaves(x, columns))])

    def sample(self, n: int, rng: Rng) -> Any:
        """n rows (n, d)."""
        return self._filled(_drawn(np.exp(self.log_weights), rng.random(n)), rng)

    def completed(self, x: Any, told: Any, rng: Rng) -> Any:
        """Rows (n, d) that have the values of x in the columns told, and are drawn from the conditional law in the others."""
        leaf = np.empty(len(x), dtype=int)
        for rows, terms in self._all_leaves(x, told):
            top = terms.max(axis=1, keepdims=True)
            cumulative = np.cumsum(np.exp(terms - np.where(np.isfinite(top), top, 0)), axis=1)
            if not (cumulative[:, -1] > 0).all():
                raise ZeroDivisionError("the condition has probability 0")
            u = rng.random((len(terms), 1)) * cumulative[:, -1:]
            leaf[rows] = (cumulative <= u).sum(axis=1)
        made = self._filled(leaf, rng)
        made[:, told] = x[:, told]
        return made

    def where_between(self, j: int, low: float, high: float) -> LeafLaw:
        """The law of the rows whose number in column j lies in [low, high]; ZeroDivisionError if there are none."""
        if self.columns.whole[j]:
            low, high = np.ceil(low) - 0.5, np.floor(high) + 0.5
        a, b = np.maximum(self.low[:, j], low), np.minimum(self.high[:, j], high)
        held = truncated.log_mass(a, b, self.mean[:, j], self.sd[:, j])
        point = self.low[:, j] == self.high[:, j]
        norm = np.where(point, 0.0, held)
        gain = np.where(point, np.where((low <= self.low[:, j]) & (self.high[:, j] <= high), 0.0, -np.inf), held)
        law = self._narrowed(j, np.where(point, self.low[:, j], a), np.where(point, self.high[:, j], b), norm)
        return law._tilted(gain - self.log_norm[:, j] + _log(1 - self.absent[:, j]))

    def where_equal(self, j: int, value: float) -> LeafLaw:
        """The law of the rows with this value in column j, or none for NaN; ZeroDivisionError if there are none."""
        gain = self._log_column(j, np.array([value]), np.arange(len(self.log_weights))[None, :])[0]
        if np.isnan(value):
            absent = self.absent.copy()
            absent[:, j] = 1
            return replace(self, absent=absent)._tilted(gain)
        if self.columns.levels[j]:
            return self.where_among(j, [int(value)])
        return self._narrowed(j, value, value, 0.0)._tilted(gain)

    def where_among(self, j: int, categories: Any) -> LeafLaw:
        """The law of the rows with one of these categories in column j; raises ZeroDivisionError if there are none."""
        kept = np.zeros_like(self.shares[j])
        kept[:, categories] = self.shares[j][:, categories]
        mass = kept.sum(axis=1)
        shares = self.shares | {j: kept / np.where(mass > 0, mass, 1)[:, None]}
        gain = _log(mass) + _log(1 - self.absent[:, j])
        return replace(self._present(j), shares=shares)._tilted(gain)

    def _narrowed(self, j: int, low: Any, high: Any, log_norm: Any) -> LeafLaw:
        ends = {"low": low, "high": high, "log_norm": log_norm}
        changed = {name: getattr(self, name).copy() for name in ends}
        for name, values in ends.items():
            changed[name][:, j] = values
        return replace(self._present(j), **changed)

    def _present(self, j: int) -> LeafLaw:
        absent = self.absent.copy()
        absent[:, j] = 0
        return replace(self, absent=absent)

    def _tilted(self, gain: Any) -> LeafLaw:
        """The law under weights w e^gain, without the leaves that have none."""
        log_weights = self.log_weights + gain
        kept = np.flatnonzero(np.isfinite(log_weights))
        if not kept.size:
            raise ZeroDivisionError("the condition has probability 0")
        arrays = {name: getattr(self, name)[kept] for name in ("absent", "low", "high", "mean", "sd", "log_norm")}
        shares = {j: share[kept] for j, share in self.shares.items()}
        return replace(self, log_weights=log_weights[kept] - logsumexp(log_weights[kept]), shares=shares, **arrays)

    def _all_leaves(self, x: Any, told: Any) -> Any:
        """Rows, a part at a time, and log w_l prod_j q_lj over the columns told, (rows, L)."""
        leaves = np.arange(len(self.log_weights))[None, :]
        step = max(1, _PAIRS // leaves.size)
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            yield rows, self._log_joint(x[rows], told, leaves)

    def _log_joint(self, x: Any, told: Any, leaves: Any) -> Any:
        terms = np.broadcast_to(self.log_weights[leaves], (len(x), leaves.shape[1])).copy()
        for j in told:
            terms += self._log_column(j, x[:, j], leaves)
        return terms

    def _log_column(self, j: int, values: Any, leaves: Any) -> Any:
        """log q_lj of values (n,) in leaves (n, k) or (1, k)."""
        missing = np.isnan(values)[:, None]
        v = np.where(np.isnan(values), 0, values)[:, None]
        absent = self.absent[:, j][leaves]
        category = self.columns.levels[j] > 0
        present = _log(self.shares[j][leaves, v.astype(int)]) if category else self._log_number(j, v, leaves)
        if not (missing.any() or absent.any()):
            return present
        return np.where(missing, _log(absent), present + _log(1 - absent))

    def _log_number(self, j: int, v: Any, leaves: Any) -> Any:
        low, high, mean, sd = (part[:, j][leaves] for part in (self.low, self.high, self.mean, self.sd))
        if self.columns.whole[j]:
            held = truncated.log_mass(np.maximum(low, v - 0.5), np.minimum(high, v + 0.5), mean, sd)
        else:
            held = np.where((low <= v) & (v <= high), truncated.log_density(v, mean, sd), -np.inf)
        return np.where(low == high, np.where(v == low, 0.0, -np.inf), held - self.log_norm[:, j][leaves])

    def _filled(self, leaf: Any, rng: Rng) -> Any:
        """A row from each of the leaves, (n, d)."""
        u, missing = rng.random((len(leaf), self.d)), rng.random((len(leaf), self.d)) < self.absent[leaf]
        made = truncated.between(u, self.low[leaf], self.high[leaf], self.mean[leaf], self.sd[leaf])
        made[:, self.columns.whole] = np.rint(made[:, self.columns.whole])
        for j, shares in self.shares.items():
            made[:, j] = _drawn_rows(shares[leaf], u[:, j])
        made[missing] = np.nan
        return made


def fitted_law(x: Any, leaf: Any, box: tuple[Any, Any], columns: Columns, alpha: float) -> LeafLaw:
    """The law of the rows x (n, d) that lie in leaves (n, trees), numbered from 0 on, with boxes (L, d), (L, d).

    A leaf weighs what it holds; its Gaussians have the mean and the standard deviation of what it holds. alpha: the
    pseudo-count of each category that a leaf's box has room for. Where all numbers of a leaf are equal its Gaussian spreads
    over the box, as far as the column has values.
    """
    (n, trees), L, d = leaf.shape, len(box[0]), x.shape[1]
    at = leaf.ravel()
    held = np.bincount(at, minlength=L)
    absent, mean, sd = np.zeros((L, d)), np.zeros((L, d)), np.ones((L, d))
    low, high = box[0].copy(), box[1].copy()
    shares: dict[int, Any] = {}
    for j in range(d):
        values = np.repeat(x[:, j], trees)
        seen = ~np.isnan(values)
        where, values = at[seen], values[seen]
        count = np.bincount(where, minlength=L)
        absent[:, j] = 1 - count / held
        low[count == 0, j], high[count == 0, j] = -np.inf, np.inf  # where all are missing, trees may leave room for none
        if columns.levels[j]:
            shares[j] = _shares(where, values, count, (low[:, j], high[:, j]), columns.levels[j], alpha)
            low[:, j], high[:, j] = -np.inf, np.inf
        else:
            mean[:, j], sd[:, j] = _moments(where, values, count)
            ends = values.min() - 0.5 * columns.whole[j], values.max() + 0.5 * columns.whole[j]
            _spread(low[:, j], high[:, j], mean[:, j], sd[:, j], count, ends)
    log_norm = truncated.log_mass(low, high, mean, sd)
    log_norm[low == high] = 0
    return LeafLaw(columns, np.log(held / (n * trees)), absent, low, high, mean, sd, log_norm, shares)


def _moments(where: Any, values: Any, count: Any) -> tuple[Any, Any]:
    """Mean and standard deviation in each leaf; that of a leaf without values is 0."""
    mean = np.bincount(where, values, len(count)) / np.maximum(count, 1)
    variance = np.bincount(where, (values - mean[where]) ** 2, len(count)) / np.maximum(count - 1, 1)
    return mean, np.sqrt(variance)


def _spread(low: Any, high: Any, mean: Any, sd: Any, count: Any, ends: tuple[float, float]) -> None:
    """Give leaves without a spread one, in place; a constant column keeps its value."""
    least, most = ends
    if least == most:
        low[:], high[:], mean[:], sd[:] = least, least, least, 1
        return
    sd[count == 0] = 1
    flat = ~(sd > 1e-12 * (most - least))
    a, b = np.maximum(low[flat], least), np.minimum(high[flat], most)
    sd[flat] = (b - a) / _MIDDLE
    mean[flat] = np.clip(mean[flat], a, b)


def _shares(where: Any, values: Any, count: Any, box: tuple[Any, Any], levels: int, alpha: float) -> Any:
    """The smoothed frequencies of the categories in each leaf, (L, levels)."""
    counts = np.bincount(where * levels + values.astype(int), minlength=len(count) * levels).reshape(-1, levels)
    category = np.arange(levels)
    room = (box[0][:, None] < category) & (category < box[1][:, None])
    smoothed = counts + np.where(count > 0, alpha, 1)[:, None] * room
    return smoothed / smoothed.sum(axis=1, keepdims=True)


def _drawn(weights: Any, u: Any) -> Any:
    """Indices in proportion to the weights, one for each u in [0, 1)."""
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative, u * cumulative[-1], side="right")


def _drawn_rows(shares: Any, u: Any) -> Any:
    """A column in proportion to each row of shares, one for each u in [0, 1)."""
    cumulative = np.cumsum(shares, axis=1)
    return (cumulative <= u[:, None] * cumulative[:, -1:]).sum(axis=1)


def _log(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(p)
