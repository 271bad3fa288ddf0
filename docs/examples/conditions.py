"""Conditions: both players see the species of each sample, and samples are drawn by species.

python docs/examples/conditions.py [--rounds 3000]
"""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np
from sklearn.datasets import load_iris

from turinglearn import Game
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3000)
    rounds = parser.parse_args().rounds

    iris = load_iris()
    species = np.eye(3)[iris.target]
    game = Game(NeuralGenerator(latent_dim=4, ema_decay=0.99), NeuralDiscriminator(), batch_size=64, random_state=0)
    for _ in islice(game.rounds(iris.data, condition=species), rounds):
        pass
    for kind, name in enumerate(iris.target_names):
        fake = game.sample(500, condition=np.tile(species[iris.target == kind][0], (500, 1)))
        real = iris.data[iris.target == kind]
        print(f"{name}: real means {real.mean(axis=0).round(2)}, fake means {fake.mean(axis=0).round(2)}")


if __name__ == "__main__":
    main()
