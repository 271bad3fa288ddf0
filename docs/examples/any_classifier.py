"""One network against several discriminators: another network, a forest, boosting, an SVM with its exact gradient.

python docs/examples/any_classifier.py [--rounds 60]
"""

from __future__ import annotations

import argparse
from itertools import islice

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="of refitted discriminators; the network plays 25 times more")
    rounds = parser.parse_args().rounds

    problem = ring(sigma=0.1)
    X, held_out = problem.sample(10_000, 0), problem.sample(5_000, 1)
    discriminators = {
        "network": (NeuralDiscriminator(), 25 * rounds),
        "random forest": (RandomForestClassifier(30, min_samples_leaf=5), rounds),  # adapted by itself
        "boosting": (HistGradientBoostingClassifier(max_iter=30), rounds),
        "RBF SVM": (KernelSVMDiscriminator(gamma=1.0), rounds),
    }
    print(f"real against real: energy distance {energy_distance(problem.sample(5_000, 2), held_out):.4f}")
    for name, (discriminator, n) in discriminators.items():
        game = Game(NeuralGenerator(latent_dim=2, ema_decay=0.99), discriminator, random_state=0)
        *_, r = islice(game.rounds(X), n)
        fake = game.sample(5_000)
        modes = mode_coverage(fake, problem.modes, problem.sigma)
        print(
            f"{name}: {n} rounds, energy distance {energy_distance(fake, held_out):.4f}, {modes.captured} of 8 modes, "
            f"{modes.high_quality:.0%} of high quality, accuracy {r.accuracy:.2f}"
        )


if __name__ == "__main__":
    main()
