"""The picture of the generator's losses: their values and slopes against the score of a fake sample.

python docs/images/objectives.py [--out docs/images/objectives.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from turinglearn.objectives import ForwardKL, LeastSquaresLoss, Minimax, NonSaturating, ReverseKL

LOSSES = (NonSaturating(), Minimax(), ReverseKL(), ForwardKL(), LeastSquaresLoss())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    r = np.linspace(-4, 4, 201)
    figure = Figure(figsize=(9, 3.2), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    for i, loss in enumerate(LOSSES):
        style = {"label": type(loss).__name__, "color": f"C{i}", "linestyle": ("-", "--")[i % 2]}
        left.plot(r, loss.losses(r, None), **style)
        right.plot(r, loss.slopes(r, None), **style)
    left.set(title="loss", xlabel="score of a fake sample, r", ylim=(-5, 5))
    right.set(title="slope", xlabel="score of a fake sample, r", ylim=(-5, 2))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(arguments.out, dpi=130)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
