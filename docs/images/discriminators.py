"""The picture of the README: real samples, and what one network learned from four discriminators.

python docs/images/discriminators.py [--rounds 1000] [--out docs/images/discriminators.png]
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from matplotlib.figure import Figure
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from turinglearn import Game
from turinglearn.datasets import moons
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import LinearDecay
from turinglearn.plots import FAKE, REAL

DRAWN = 1500


def fakes(discriminator, n_rounds, steps, X):
    """Return samples of a network that has learned from the discriminator for so many rounds."""
    rate = LinearDecay(3e-3, steps * n_rounds)
    game = Game(NeuralGenerator(learning_rate=rate, ema_decay=0.99), discriminator, generator_steps=steps, random_state=0)
    for _ in islice(game.rounds(X), n_rounds):
        pass
    return game.sample(DRAWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of discriminators that are refitted; the network plays 10 times more"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    problem = moons()
    X = problem.sample(10_000, 0)
    discriminators = {
        "a network": (NeuralDiscriminator(learning_rate=3e-3), 10 * arguments.rounds, 1),
        "a random forest": (RandomForestClassifier(30, min_samples_leaf=5), arguments.rounds, 5),
        "boosting": (HistGradientBoostingClassifier(max_iter=50), arguments.rounds, 5),
        "an RBF SVM": (KernelSVMDiscriminator(gamma=1.0), arguments.rounds, 5),
    }
    panels = {"real": problem.sample(DRAWN, 1)}
    panels |= {f"against {name}": fakes(*player, X) for name, player in discriminators.items()}

    figure = Figure(figsize=(10, 1.6), layout="constrained", facecolor="white")
    for axes, (name, x) in zip(figure.subplots(1, len(panels), sharex=True, sharey=True), panels.items(), strict=True):
        colour = REAL if name == "real" else FAKE
        axes.scatter(*x.T, s=2, color=colour, alpha=0.5, linewidths=0)
        axes.set_title(name, fontsize=10, color=colour, fontweight="bold")
        axes.set(xlim=(-1.7, 2.7), ylim=(-1.1, 1.6), aspect="equal", xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    figure.savefig(arguments.out, dpi=150, bbox_inches="tight", pad_inches=0.06)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
