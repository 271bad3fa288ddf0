"""A handwritten simulator with unknown parameters learns them by deceiving gradient boosting.

The simulator is the g-and-k distribution, which is easy to draw from and has no simple density. Parameters are location,
scale, skewness and heaviness of the tails.

    python docs/examples/handwritten_simulator.py [--rounds 60]
"""

from __future__ import annotations

import argparse
from itertools import islice

from sklearn.ensemble import HistGradientBoostingClassifier

from turinglearn import Game
from turinglearn.datasets import g_and_k, g_and_k_quantile
from turinglearn.generators import EvolvedGenerator


def simulate(parameters, n, rng):
    """n samples (n, 1) of the g-and-k distribution with these parameters."""
    return g_and_k_quantile(rng.standard_normal((n, 1)), *parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds

    truth = (3.0, 1.0, 2.0, 0.5)
    X = g_and_k(*truth).sample(5_000, 0)
    generator = EvolvedGenerator(simulate, bounds=[(0, 10), (0.1, 5), (0, 5), (0, 1)])
    discriminator = HistGradientBoostingClassifier(max_iter=50)
    game = Game(generator, discriminator, batch_size=1600, samples_per_fit=1600, random_state=0)
    for r in islice(game.rounds(X), rounds):
        if r.index % 20 == 0:
            print(f"round {r.index}: {generator.parameters_.round(2)}, accuracy {r.accuracy:.2f}")
    print(f"found {generator.parameters_.round(2)}, the truth is {truth}")


if __name__ == "__main__":
    main()
