"""The picture of how a game goes: samples of a generator after some rounds, over the real ones.

python docs/images/idea.py [--rounds 2000] [--out docs/images/idea.png]
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from matplotlib.figure import Figure

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.plots import FAKE, REAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    X = ring(sigma=0.1).sample(10_000, random_state=0)
    game = Game(NeuralGenerator(latent_dim=2, ema_decay=0.99), NeuralDiscriminator(), batch_size=256, random_state=0)
    stages = {max(1, round(share * arguments.rounds)): None for share in (0.01, 0.05, 0.25, 1)}
    for r in islice(game.rounds(X), arguments.rounds):
        if r.index in stages:
            stages[r.index] = game.sample(800)

    figure = Figure(figsize=(9, 2.5), layout="constrained", facecolor="white")
    for axes, (index, fake) in zip(figure.subplots(1, len(stages), sharex=True, sharey=True), stages.items(), strict=True):
        axes.scatter(*X[:800].T, s=2, color=REAL, alpha=0.25, linewidths=0)
        axes.scatter(*fake.T, s=2, color=FAKE, alpha=0.6, linewidths=0)
        axes.set_title(f"{index} rounds", fontsize=10)
        axes.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal", xticks=[], yticks=[])
    figure.savefig(arguments.out, dpi=130)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
