"""An objective of your own: the generator's loss of the squared Hellinger distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from turinglearn import Game
from turinglearn.datasets import moons
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance
from turinglearn.protocols import LogRatio


@dataclass(frozen=True)
class Hellinger:
    """l = -e^(r/2): its mean under q is -∫ √(p q), the squared Hellinger distance less 1, if r = log p/q.

    Its value and its slope are two methods, since a round needs slopes and only its reader needs values.
    """

    requires = LogRatio  # the discriminator must give log p/q, up to a constant
    pairwise = False  # each fake sample is scored by itself, not beside a real one
    equilibrium = -1.0

    def losses(self, r, reference=None):
        """Return the loss of each sample, (n,)."""
        return -np.exp(r / 2)

    def slopes(self, r, reference=None):
        """Return dl/dr, (n,)."""
        return -np.exp(r / 2) / 2


if __name__ == "__main__":
    X, test = moons().sample(5000, 0), moons().sample(2000, 1)
    game = Game(NeuralGenerator(ema_decay=0.99), NeuralDiscriminator(), objective=Hellinger(), random_state=0)
    for r in islice(game.rounds(X), 2000):
        if r.index % 1000 == 0:
            print(f"round {r.index}: loss {r.generator_loss:.3f}, at equilibrium {r.objective.equilibrium}")
    print(f"energy distance to held-out samples: {energy_distance(game.sample(2000), test):.4f}")
