"""A generator that learns from the leaves of its judge: within each, columns are drawn independently."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.contract import name_of
from turinglearn.generators.common import check_condition, check_fresh
from turinglearn.generators.forest_density import Columns, LeafLaw
from turinglearn.protocols import Array, Batch, Cells, PlayerError, Rng, Samples

__all__ = ["ForestGenerator"]

_FLOOR = 1e-3  # of the spread of a column: how narrow a leaf can be
_JUDGED = 500  # samples at most that decide between two laws


class ForestGenerator(BaseEstimator):
    """The law of an adversarial random forest, learned from the leaves of any forest that judges it.

    Each round parts genuine samples, which the judge was not fitted to, by its leaves: columns are independent within a leaf,
    each Gaussian with the mean of the leaf's samples and a variance that is theirs, shrunk by one sample towards that within
    all leaves of the tree. Where the judge can no longer tell, columns are independent within its leaves (Watson et al. 2023),
    but then its next leaves say nothing: a law is taken up only if, fitted to half of the samples, it gives the other half more
    likelihood than the present one does. Conditions are further columns: leaves weigh what they hold of the condition.

    The more genuine samples a round has, the finer the law: give the game a batch_size of a thousand or more. Samples are
    float64 NumPy arrays (n, *event); columns in which the example is constant stay so, and the law is that of the others.

    law_ : the present law, of varying columns in units of their spread. updates_, taken_up_ : lessons, and how many changed it.
    """

    learns_from = Cells

    def start(self, example: Batch, rng: Rng) -> None:
        """Independent Gaussians with the mean and the spread of the example's columns; no more of it is used."""
        self.event_ = tuple(example.x.shape[1:])
        rows = _rows(example)
        self.features_ = int(np.prod(self.event_))
        self.location_, self.spread_ = location_and_spread(rows)
        self.varies_ = self.spread_ > 0
        d = int(self.varies_.sum())
        self.law_ = gaussian_leaves(np.zeros(1), np.zeros((1, d)), np.ones((1, d)))  # of (rows - location) / spread
        self.updates_ = self.taken_up_ = 0

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event) of the present law; given is (n, c) where the game has conditions."""
        self._check_told(given, n)
        told = self._told()
        u = np.zeros((n, int(self.varies_.sum())))
        if len(told):
            u[:, told] = self._standardised(self.location_[: self.features_] + np.zeros((n, 1)), given)[:, told]
            u = self.law_.completed(u, told, rng)
        else:
            u = self.law_.sample(n, rng)
        x = np.tile(self.location_, (n, 1))
        x[:, self.varies_] += self.spread_[self.varies_] * u
        return Samples(x[:, : self.features_].reshape(n, *self.event_), given, self.updates_)

    def update(self, samples: Samples, feedback: Any) -> None:
        """Take up the leaves of the feedback's genuine samples."""
        check_fresh(self, samples.context, self.updates_)
        if not isinstance(feedback, Cells):
            raise PlayerError(
                f"ForestGenerator.update was given {name_of(feedback)}, but it learns from Cells. Let "
                "turinglearn.signals.bridge choose the signal."
            )
        u = self._standardised(flat(feedback.real.x), feedback.real.given)
        leaf = numbered(np.asarray(to_numpy(feedback.values)))
        half, rest = slice(0, None, 2), slice(1, 2 * _JUDGED, 2)  # the order of samples is random
        trial = shrunk_law(u[half], numbered(leaf[half]))
        if self.law_.log_density(u[rest]).sum() <= trial.log_density(u[rest]).sum():
            self.law_ = shrunk_law(u, leaf)
            self.taken_up_ += 1
        self.updates_ += 1

    def log_density(self, x: Array, given: Array | None = None) -> Array:
        """log q(x | given), exact, (n,), in the units of x (n, *event); of its varying columns, where some are constant."""
        self._check_told(given, len(x))
        u, told = self._standardised(flat(x), given), self._told()
        joint = self.law_.log_density(u) - np.log(self.spread_[: self.features_][self.varies_[: self.features_]]).sum()
        return joint - self.law_.log_density(u, columns=told) if len(told) else joint

    def _told(self) -> Any:
        """The columns of the law that are conditions."""
        return np.flatnonzero(np.flatnonzero(self.varies_) >= self.features_)

    def _standardised(self, x: Any, given: Array | None) -> Any:
        """Varying columns (n, d) of samples (n, features) and their conditions, in units of their spread."""
        rows = _rows(Batch(x, given))
        return (rows - self.location_)[:, self.varies_] / self.spread_[self.varies_]

    def _check_told(self, given: Array | None, n: int) -> None:
        if not hasattr(self, "law_"):
            raise PlayerError("ForestGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, given, n, len(self.location_) - self.features_)


def _rows(batch: Batch) -> Any:
    """Samples and their conditions side by side, (n, features)."""
    return flat(batch.x) if batch.given is None else np.hstack((flat(batch.x), flat(batch.given)))


def numbered(cells: Any) -> Any:
    """Leaves (n, trees) numbered from 0 on over all trees."""
    shape, trees = cells.shape, np.arange(cells.shape[1])
    number = np.unique(cells, return_inverse=True)[1].reshape(shape)
    return np.unique(number + (number.max() + 1) * trees, return_inverse=True)[1].reshape(shape)


def shrunk_law(u: Any, leaf: Any) -> LeafLaw:
    """The law of the rows u (n, d) in leaves (n, trees), whose variances are shrunk by a sample towards those of the tree."""
    (n, trees), (_, d), at = leaf.shape, u.shape, leaf.ravel()
    count = np.bincount(at)
    tree = np.empty(len(count), dtype=int)
    tree[at] = np.tile(np.arange(trees), n)
    mean, variance = np.empty((len(count), d)), np.empty((len(count), d))
    free = np.bincount(tree, count - 1)
    for j in range(d):
        values = np.repeat(u[:, j], trees)
        mean[:, j] = np.bincount(at, values) / count
        squares = np.bincount(at, (values - mean[at, j]) ** 2)
        within = np.where(free > 0, np.bincount(tree, squares) / np.maximum(free, 1), 1.0)
        variance[:, j] = (squares + within[tree]) / count
    return gaussian_leaves(np.log(count / (n * trees)), mean, np.sqrt(np.maximum(variance, _FLOOR**2)))


def gaussian_leaves(log_weights: Any, mean: Any, sd: Any) -> LeafLaw:
    """A mixture of Gaussians with independent columns, (L, d)."""
    d, zeros = mean.shape[1], np.zeros(mean.shape)
    plain = Columns(np.zeros(d, dtype=bool), np.zeros(d, dtype=int))
    return LeafLaw(plain, log_weights, zeros, zeros - np.inf, zeros + np.inf, mean, sd, zeros, {})
