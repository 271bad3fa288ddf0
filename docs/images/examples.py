"""The pictures on the cards of the page of examples.

python docs/images/examples.py [--rounds 1] [--out docs/images]

--rounds is a factor on the number of rounds of each.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

from handwritten_simulator import simulate
from own_players import ExponentialGenerator, HistogramDiscriminator
from torch_networks import discriminator, fast, generator, slow

from turinglearn import Game, TuringLearner
from turinglearn.datasets import g_and_k, ring
from turinglearn.discriminators import NeuralDiscriminator, TorchDiscriminator
from turinglearn.generators import EvolvedGenerator, NeuralGenerator, TorchGenerator
from turinglearn.plots import FAKE, REAL


def play(game, X, rounds, *conditions):
    """The game, after so many rounds."""
    for _ in islice(game.rounds(X, *conditions), max(2, round(rounds))):
        pass
    return game


def points(axes, real, fake, size=3):
    for x, colour in ((real, REAL), (fake, FAKE)):
        axes.scatter(*x.T[:2], s=size, color=colour, alpha=0.4, linewidths=0)


def histograms(axes, real, fake, bins):
    for x, colour in ((real, REAL), (fake, FAKE)):
        axes.hist(x[:, 0], bins=bins, color=colour, alpha=0.5, density=True)


def any_classifier(axes, factor):
    X = ring(sigma=0.1).sample(5000, 0)
    game = Game(NeuralGenerator(latent_dim=2, ema_decay=0.99), RandomForestClassifier(10, min_samples_leaf=10), random_state=0)
    points(axes, X[:800], play(game, X, 400 * factor).sample(800))


def torch_networks(axes, factor):
    X = ring(sigma=0.1).sample(5000, 0)
    players = TorchGenerator(generator, latent_dim=2, optimizer=slow), TorchDiscriminator(discriminator, optimizer=fast)
    learner = TuringLearner(*players, rounds=max(2, round(3000 * factor)), batch_size=256, random_state=0).fit(X)
    points(axes, X[:800], learner.sample(800))


def conditions(axes, factor):
    iris = load_iris()
    species = np.eye(3)[iris.target]
    game = Game(NeuralGenerator(latent_dim=4, ema_decay=0.99), NeuralDiscriminator(), batch_size=64, random_state=0)
    play(game, iris.data, 3000 * factor, species)
    points(axes, iris.data[:, 2:], game.sample(150, species)[:, 2:], size=14)


def handwritten_simulator(axes, factor):
    X = g_and_k(3.0, 1.0, 2.0, 0.5).sample(5000, 0)
    evolved = EvolvedGenerator(simulate, bounds=[(0, 10), (0.1, 5), (0, 5), (0, 1)])
    classifier = HistGradientBoostingClassifier(max_iter=50)
    game = Game(evolved, classifier, batch_size=1600, samples_per_fit=1600, random_state=0)
    histograms(axes, X, play(game, X, 60 * factor).sample(5000), np.linspace(0, 15, 60))


def grid_search(axes, factor):
    means = {(2, 2): -0.028, (2, 8): -0.044, (10, 2): -0.027, (10, 8): -0.034}  # what the example prints
    labels = [f"leaf {leaf}, {parts} Gaussians" for leaf, parts in means]
    axes.barh(labels, means.values(), color=REAL)
    axes.tick_params(labelsize=9, labelleft=True)


def own_players(axes, factor):
    X = np.random.default_rng(0).exponential(4.0, (5000, 1))
    game = Game(ExponentialGenerator(), HistogramDiscriminator(np.arange(0.5, 20, 0.5)), samples_per_fit=1000, random_state=0)
    histograms(axes, X, play(game, X, 400 * factor).sample(5000), np.linspace(0, 20, 40))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=float, default=1.0, help="a factor on the rounds of each")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    for draw in (any_classifier, torch_networks, conditions, handwritten_simulator, grid_search, own_players):
        figure = Figure(figsize=(4, 2.6), layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        draw(axes, arguments.rounds)
        if draw is not grid_search:
            axes.set(xticks=[], yticks=[])
        axes.spines[["top", "right"]].set_visible(False)
        out = arguments.out / f"example_{draw.__name__}.png"
        figure.savefig(out, dpi=110)
        print(f"{out}: {out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
