"""The picture of two signals: the log-odds of a forest, and where gradients that are estimated from it move fake samples.

python docs/images/signals.py [--rounds 1] [--out docs/images/signals.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestClassifier

from turinglearn.datasets import moons
from turinglearn.discriminators import as_discriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.objectives import NonSaturating
from turinglearn.plots import FAKE, REAL
from turinglearn.protocols import Batch
from turinglearn.signals import Smoothed, Student, make_signal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1, help="ignored: nothing is played")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    real, fake = moons().sample(1500, 0), rng.normal([0.5, 0.25], 0.7, (1500, 2))
    forest = as_discriminator(RandomForestClassifier(30, min_samples_leaf=5))
    forest.start(Batch(real), rng)
    forest.update(Batch(real[:750]), Batch(fake[:750]), rng)
    u, v = np.meshgrid(np.linspace(-1.7, 2.7, 120), np.linspace(-1.4, 1.9, 120))
    log_odds = forest.score_samples(Batch(np.stack([u.ravel(), v.ravel()], axis=1))).values.reshape(u.shape)

    figure = Figure(figsize=(9, 3.1), layout="constrained", facecolor="white")
    x = fake[750:1000]
    for axes, signal in zip(figure.subplots(1, 2, sharex=True, sharey=True), (Smoothed(), Student()), strict=True):
        bound = make_signal(NeuralGenerator(), forest, NonSaturating(), signal)
        feedback = bound(Batch(x), Batch(real[750:1000]), np.random.default_rng(1))
        step = -np.asarray(getattr(feedback, "feedback", feedback).values)
        step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-12)
        axes.contourf(u, v, log_odds, levels=np.linspace(-5, 5, 11), cmap="PuOr", extend="both", alpha=0.35)
        axes.scatter(*real[:500].T, s=3, color=REAL, alpha=0.5, linewidths=0)
        axes.quiver(*x.T, *step.T, color=FAKE, scale=25, width=0.003)
        axes.set_title(type(signal).__name__, fontsize=10)
        axes.set(xlim=(-1.7, 2.7), ylim=(-1.4, 1.9), aspect="equal", xticks=[], yticks=[])
    figure.savefig(arguments.out, dpi=130)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
