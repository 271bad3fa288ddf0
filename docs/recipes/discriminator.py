"""A discriminator of your own: two histograms, whose log-ratio is its evidence."""

from __future__ import annotations

from itertools import islice

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn import Game
from turinglearn.checks import check_discriminator
from turinglearn.generators import MixtureGenerator
from turinglearn.protocols import LogOdds


class HistogramDiscriminator(BaseEstimator):
    """log p/q of each feature from counts in bins, summed over the features as naive Bayes does."""

    score_type = LogOdds
    refits = True  # each update is a fit from scratch

    def __init__(self, bins=20):
        self.bins = bins

    def update(self, real, fake, rng):
        """Take the edges of the bins from the real samples, and count both kinds; one is added to each count."""
        shares = np.linspace(0, 1, self.bins + 1)[1:-1]
        self.edges_ = np.quantile(real.x.reshape(real.n, -1), shares, axis=0)  # (bins - 1, features)
        shares = [(self._counts(batch) + 1) / (batch.n + self.bins) for batch in (real, fake)]
        self.log_odds_ = np.log(shares[0]) - np.log(shares[1])

    def score_samples(self, batch):
        """Return one number for each sample, higher for more real."""
        return LogOdds(np.take_along_axis(self.log_odds_, self._bin(batch), axis=0).sum(axis=1))

    def _bin(self, batch):
        columns = zip(batch.x.reshape(batch.n, -1).T, self.edges_.T, strict=True)
        return np.stack([np.searchsorted(edges, x) for x, edges in columns], axis=1)

    def _counts(self, batch):
        return np.stack([np.bincount(column, minlength=self.bins) for column in self._bin(batch).T], axis=1)


if __name__ == "__main__":
    X = np.random.default_rng(0).exponential(4.0, (5000, 1))
    game = Game(MixtureGenerator(4), HistogramDiscriminator(), random_state=0)
    for r in islice(game.rounds(X), 60):
        if r.index % 20 == 0:
            print(f"round {r.index}: accuracy {r.accuracy:.2f}, mean of the samples {game.sample(2000).mean():.2f}")
    results = [check.run() for check in check_discriminator(HistogramDiscriminator(), real=X)]
    print(f"contract: {sum(r.status == 'failed' for r in results)} of {len(results)} checks fail")
