"""A generator and a discriminator of your own, without a base class: two methods each.

The generator is an exponential distribution with unknown mean, and learns it from losses. The
discriminator is a histogram of real and fake samples, whose log-ratio is its evidence. Neither is a network, and
each could meet any other player.

    python docs/examples/own_players.py [--rounds 200]
"""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np

from turinglearn import Game
from turinglearn.protocols import LogOdds, Losses, Samples


class ExponentialGenerator:
    """x ~ Exp(mean). It learns from losses, by the score function with the batch mean as baseline."""

    feedback_type = Losses

    def __init__(self, mean: float = 1.0, rate: float = 0.05) -> None:
        self.log_mean, self.rate = np.log(mean), rate

    def propose(self, n, rng, condition=None):
        return Samples(rng.exponential(np.exp(self.log_mean), (n, 1)), condition)

    def update(self, samples, feedback):
        slope = samples.x[:, 0] / np.exp(self.log_mean) - 1  # d log q(x) / d log mean
        losses = feedback.values - feedback.values.mean()
        self.log_mean -= self.rate * np.mean(losses * slope)


class HistogramDiscriminator:
    """log p/q from the counts of real and fake samples in bins, with one of each added."""

    score_type = LogOdds

    def __init__(self, edges) -> None:
        self.edges, self.log_odds = np.asarray(edges), None

    def update(self, real, fake, rng):
        counts = [1 + np.bincount(self._bin(batch), minlength=len(self.edges) + 1) for batch in (real, fake)]
        shares = [count / count.sum() for count in counts]
        self.log_odds = np.log(shares[0]) - np.log(shares[1])

    def score_samples(self, batch):
        return LogOdds(self.log_odds[self._bin(batch)])

    def _bin(self, batch):
        return np.digitize(batch.x[:, 0], self.edges)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds

    truth = 4.0
    X = np.random.default_rng(0).exponential(truth, (5000, 1))
    generator = ExponentialGenerator()
    game = Game(generator, HistogramDiscriminator(np.arange(0.5, 20, 0.5)), samples_per_fit=1000, random_state=0)
    for r in islice(game.rounds(X), rounds):
        if r.index % 50 == 0:
            print(f"round {r.index}: mean {np.exp(generator.log_mean):.2f}, accuracy {r.accuracy:.2f}")
    print(f"found {np.exp(generator.log_mean):.2f}; the sample mean is {X.mean():.2f}, the truth {truth}")


if __name__ == "__main__":
    main()
