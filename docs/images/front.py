"""The picture of the front page: held-out rows, and as many samples of the learner that the page fits.

python docs/images/front.py [--rounds 60] [--out docs/images/front.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from turinglearn import TuringLearner
from turinglearn.generators import MixtureGenerator
from turinglearn.plots import FAKE, REAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    columns = ["mean radius", "mean texture", "mean concavity"]
    train, test = train_test_split(load_breast_cancer(as_frame=True).data[columns], random_state=0)
    forest = RandomForestClassifier(50, min_samples_leaf=5)
    learner = TuringLearner(MixtureGenerator(), forest, rounds=arguments.rounds, random_state=0).fit(train)
    panels = {"held-out rows": (test.to_numpy(), REAL), "samples": (learner.sample(len(test)).to_numpy(), FAKE)}

    figure = Figure(figsize=(4, 4.6), layout="constrained", facecolor="white")
    for row, (which, labels) in enumerate([((0, 1), ("radius", "texture")), ((0, 2), ("radius", "concavity"))]):
        for column, (name, (x, colour)) in enumerate(panels.items()):
            axes = figure.add_subplot(2, 2, 2 * row + column + 1)
            axes.scatter(*x[:, which].T, s=9, color=colour, alpha=0.6, linewidths=0)
            low, high = test.iloc[:, list(which)].min().to_numpy(), test.iloc[:, list(which)].max().to_numpy()
            margin = 0.15 * (high - low)
            axes.set(**{f"{axis}lim": (low[i] - margin[i], high[i] + margin[i]) for i, axis in enumerate("xy")})
            axes.set_xlabel(labels[0])
            axes.tick_params(labelsize=7)
            if row == 0:
                axes.set_title(name, fontsize=10, color=colour, fontweight="bold")
            if column == 0:
                axes.set_ylabel(labels[1])
    figure.savefig(arguments.out, dpi=150)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
