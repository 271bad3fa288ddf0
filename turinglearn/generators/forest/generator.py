"""A generator that learns from the leaves of its discriminator: columns are independent within each leaf."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.generators.common import Floats, Integers, check_condition, check_feedback_type, check_on_policy
from turinglearn.generators.forest.density import Columns, LeafDistribution
from turinglearn.protocols import Array, Batch, Leaves, PlayerError, Rng, Samples

__all__ = ["ForestGenerator"]

_FLOOR = 1e-3  # smallest width of a leaf, as a share of the spread of a column
_SCORED = 500  # largest number of samples that decide between two distributions


class ForestGenerator(BaseEstimator):
    """Distribution of an adversarial random forest, learned from the leaves of any forest that is the discriminator.

    In each round the leaves of the discriminator divide real samples that it was not fitted to. Columns are independent within
    a leaf, each Gaussian with the mean of the leaf's samples and a variance that is theirs, shrunk by one sample towards that
    within all leaves of the tree. Where the discriminator can no longer tell real from fake, columns are independent within its
    leaves, but then its next leaves carry no information: a distribution is accepted only if, fitted to half of the samples, it
    gives the other half more likelihood than the present one does. Conditions are further columns, and the leaves are weighted
    by what they hold of the condition.

    The more real samples a round has, the finer the distribution: give the game a batch_size of a thousand or more. Samples are
    float64 NumPy arrays (n, *event); columns in which the example is constant stay so, and the distribution is that of the
    others.

    Attributes
    ----------
    distribution_ : LeafDistribution
        The present distribution, of varying columns in units of their spread.
    updates_ : int
        Number of updates so far.
    accepted_ : int
        Number of updates that changed the distribution.

    References
    ----------
    Watson, Blesch, Kapar & Wright (2023), "Adversarial random forests for density estimation and generative modeling".
    """

    feedback_type = Leaves

    def start(self, example: Batch, rng: Rng) -> None:
        """Begin with independent Gaussians of the mean and the spread of each column of the example."""
        self.event_ = tuple(example.x.shape[1:])
        rows = _rows(example)
        self.features_ = int(np.prod(self.event_))
        self.location_, self.spread_ = location_and_spread(rows)
        self.varies_ = self.spread_ > 0
        d = int(self.varies_.sum())
        self.distribution_ = gaussian_leaves(np.zeros(1), np.zeros((1, d)), np.ones((1, d)))  # of (rows - location) / spread
        self.updates_ = self.accepted_ = 0

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event) of the present distribution, under conditions (n, c) where the game has them."""
        self._check_condition(condition, n)
        known = self._condition_columns()
        u: Floats = np.zeros((n, int(self.varies_.sum())))
        if len(known):
            u[:, known] = self._standardised(self.location_[: self.features_] + np.zeros((n, 1)), condition)[:, known]
            u = self.distribution_.completed(u, known, rng)
        else:
            u = self.distribution_.sample(n, rng)
        x = np.tile(self.location_, (n, 1))
        x[:, self.varies_] += self.spread_[self.varies_] * u
        return Samples(x[:, : self.features_].reshape(n, *self.event_), condition, self.updates_)

    def update(self, samples: Samples, feedback: Leaves) -> None:
        """Fit the distribution to the real samples of the feedback and their leaves, and accept it if it is better."""
        check_on_policy(self, samples.context, self.updates_)
        check_feedback_type(self, Leaves, feedback)
        u = self._standardised(flat(feedback.real.x), feedback.real.condition)
        leaf = leaf_index(np.asarray(to_numpy(feedback.values)))
        half, rest = slice(0, None, 2), slice(1, 2 * _SCORED, 2)  # the order of samples is random
        trial = shrinkage_density(u[half], leaf_index(leaf[half]))
        if self.distribution_.log_density(u[rest]).sum() <= trial.log_density(u[rest]).sum():
            self.distribution_ = shrinkage_density(u, leaf)
            self.accepted_ += 1
        self.updates_ += 1

    def log_density(self, x: Array, condition: Array | None = None) -> Floats:
        """Compute log q(x | condition) exactly.

        Parameters
        ----------
        x : Array of shape (n, *event)
            Samples, of which constant columns are ignored.
        condition : Array of shape (n, c), or None
            Condition of each sample, if the game has conditions.

        Returns
        -------
        array of shape (n,)
            Logarithms of the density in the units of x.
        """
        self._check_condition(condition, len(x))
        u, known = self._standardised(flat(x), condition), self._condition_columns()
        volume: float = np.log(self.spread_[: self.features_][self.varies_[: self.features_]]).sum()
        joint = self.distribution_.log_density(u) - volume
        return joint - self.distribution_.log_density(u, columns=known) if len(known) else joint

    def _condition_columns(self) -> Integers:
        """Return the columns of the distribution that are conditions."""
        return np.flatnonzero(np.flatnonzero(self.varies_) >= self.features_)

    def _standardised(self, x: Floats, condition: Array | None) -> Floats:
        """Return the varying columns (n, d) of samples (n, features) and their conditions, in units of their spread."""
        rows = _rows(Batch(x, condition))
        standardised: Floats = (rows - self.location_)[:, self.varies_] / self.spread_[self.varies_]
        return standardised

    def _check_condition(self, condition: Array | None, n: int) -> None:
        if not hasattr(self, "distribution_"):
            raise PlayerError("ForestGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, condition, n, len(self.location_) - self.features_)


def _rows(batch: Batch) -> Floats:
    """Return samples and their conditions side by side, (n, features)."""
    return flat(batch.x) if batch.condition is None else np.hstack((flat(batch.x), flat(batch.condition)))


def leaf_index(leaves: Integers) -> Integers:
    """Number the leaves (n, trees) from 0 on over all trees."""
    shape, trees = leaves.shape, np.arange(leaves.shape[1])
    number = np.unique(leaves, return_inverse=True)[1].reshape(shape)
    return np.unique(number + (number.max() + 1) * trees, return_inverse=True)[1].reshape(shape)


def shrinkage_density(u: Floats, leaf: Integers) -> LeafDistribution:
    """Fit the distribution of rows u (n, d) in leaves (n, trees), with variances shrunk by a sample to those of the tree."""
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


def gaussian_leaves(log_weights: Floats, mean: Floats, sd: Floats) -> LeafDistribution:
    """Return a mixture of Gaussians with independent columns; weights are (L,), mean and sd (L, d)."""
    d, zeros = mean.shape[1], np.zeros(mean.shape)
    plain = Columns(np.zeros(d, dtype=bool), np.zeros(d, dtype=int))
    return LeafDistribution(plain, log_weights, zeros, zeros - np.inf, zeros + np.inf, mean, sd, zeros, {})
