"""A signal of your own: feedback as ranks, for a generator that needs only an order of its samples."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from sklearn.linear_model import LogisticRegression

from turinglearn import Game
from turinglearn.contract import score_samples
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Feedback, Samples
from turinglearn.signals import ScoredFeedback, Signal


class Ranks(Feedback):
    """Rank of each fake in its batch, (n,): 0 for the one that looks least real, 1 for the one that looks most real."""


@dataclass(frozen=True)
class RankSignal(Signal):
    """Ranks of the scores. They need an order of the fakes, so every discriminator can give them."""

    serves = Ranks  # found by this: the generator's feedback_type

    def __call__(self, fake, real, rng):
        """Return the ranks of fakes, with the scores that they were made from."""
        scores = score_samples(self.discriminator, fake)
        order = np.argsort(np.argsort(scores.values))
        return ScoredFeedback(Ranks(order / (fake.n - 1)), scores, self.reference(real))


class EvolutionStrategy:
    """A Gaussian with unit covariance, whose mean follows the samples of high rank."""

    feedback_type = Ranks

    def __init__(self, dimension, step=0.5):
        self.mean, self.step = np.zeros(dimension), step

    def propose(self, n, rng, condition=None):
        """Draw n samples."""
        return Samples(self.mean + rng.normal(size=(n, len(self.mean))), condition)

    def update(self, samples, feedback):
        """Move the mean along (2 rank - 1) (x - mean), on average."""
        weights = 2 * feedback.values - 1
        self.mean = self.mean + self.step * np.mean(weights[:, None] * (samples.x - self.mean), axis=0)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    X, test = (rng.normal([2, -1], 1, (2000, 2)) for _ in range(2))
    game = Game(EvolutionStrategy(2), LogisticRegression(), random_state=0)
    print(f"signal: {type(game.signal).__name__}")
    for r in islice(game.rounds(X), 60):
        if r.index % 20 == 0:
            print(f"round {r.index}: mean {np.round(game.generator.mean, 2)}")
    print(f"energy distance to held-out samples: {energy_distance(game.sample(2000), test):.4f}")
