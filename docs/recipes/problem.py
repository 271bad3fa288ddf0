"""A problem of your own: a distribution that can be sampled without end, with its exact log-density."""

from __future__ import annotations

from itertools import islice

import numpy as np

from turinglearn import Game
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Batch


class Spiral:
    """One arm of a spiral: angle t uniform in (1, 3π), radius t / 3π, and Gaussian noise of width sigma."""

    def __init__(self, sigma=0.03):
        self.sigma = sigma

    def draw(self, n, rng):
        """Return a batch of n real samples: all that a game asks for."""
        t = rng.uniform(1, 3 * np.pi, n)
        x = np.stack([np.cos(t), np.sin(t)], axis=1) * (t / (3 * np.pi))[:, None]
        return Batch(x + self.sigma * rng.standard_normal((n, 2)))


if __name__ == "__main__":
    problem, rng = Spiral(), np.random.default_rng(0)
    game = Game(NeuralGenerator(latent_dim=2, ema_decay=0.99), NeuralDiscriminator(), random_state=0)
    for r in islice(game.rounds(problem), 4000):
        if r.index % 2000 == 0:
            distance = energy_distance(game.sample(2000), problem.draw(2000, rng).x)
            print(f"round {r.index}: energy distance {distance:.4f}")
    floor = energy_distance(problem.draw(2000, rng).x, problem.draw(2000, rng).x)
    print(f"between real samples: {floor:.4f}")
