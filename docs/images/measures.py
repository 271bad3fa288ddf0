"""The picture of a metric during a game: energy distance to held-out samples, for three discriminators, and its floor.

python docs/images/measures.py [--rounds 2000] [--out docs/images/measures.png]
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.ensemble import ExtraTreesClassifier

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000, help="of the network; the others play a fifth of them")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    problem = ring(sigma=0.1)
    X, test, other = (problem.sample(2000, random_state=seed) for seed in range(3))
    discriminators = {
        "network": (NeuralDiscriminator(), arguments.rounds),
        "extra trees": (ExtraTreesClassifier(10, min_samples_leaf=10), arguments.rounds // 5),
        "SVM": (KernelSVMDiscriminator(gamma=10.0), arguments.rounds // 5),
    }
    figure = Figure(figsize=(7, 3), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    for name, (discriminator, rounds) in discriminators.items():
        game = Game(NeuralGenerator(latent_dim=2, ema_decay=0.99), discriminator, batch_size=256, random_state=0)
        stages = {max(1, round(s)) for s in np.geomspace(1, rounds, 25)}
        curve = [
            (r.index, energy_distance(game.sample(2000), test)) for r in islice(game.rounds(X), rounds) if r.index in stages
        ]
        axes.plot(*zip(*curve, strict=True), label=name)
    axes.axhline(abs(energy_distance(other, test)), color="black", linestyle="--", linewidth=1, label="real samples")
    axes.set(xscale="log", yscale="log", xlabel="round", ylabel="energy distance")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(arguments.out, dpi=130)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
