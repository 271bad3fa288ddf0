"""The picture of the page on forests: its table of pets, and samples of the adversarial forest.

python docs/images/forests.py [--out docs/images/forests.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas
from matplotlib.figure import Figure

from turinglearn.generators import AdversarialForest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    species = rng.choice(["cat", "dog"], 1000)
    weight = np.where(species == "cat", rng.normal(4, 1, 1000), rng.normal(20, 8, 1000)).round(1)
    litter = rng.poisson(np.where(species == "cat", 4, 6))
    pets = pandas.DataFrame({"species": species, "weight": weight, "litter": litter})
    pets.loc[rng.random(1000) < 0.1, "weight"] = np.nan
    forest = AdversarialForest(random_state=0).fit(pets)

    figure = Figure(figsize=(8, 3), layout="constrained", facecolor="white")
    panels = {"table": pets, "samples": forest.sample(1000, random_state=0)}
    for axes, (name, frame) in zip(figure.subplots(1, 2, sharex=True, sharey=True), panels.items(), strict=True):
        for kind, colour in (("cat", "#0072B2"), ("dog", "#D55E00")):
            rows = frame[frame["species"] == kind]
            jitter = np.random.default_rng(1).uniform(-0.3, 0.3, len(rows))
            axes.scatter(rows["weight"], rows["litter"] + jitter, s=5, alpha=0.6, color=colour, linewidths=0, label=kind)
        axes.set(title=f"{name}, {frame['weight'].isna().mean():.0%} of the weights missing", xlabel="weight")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("litter")
    figure.axes[0].legend(frameon=False)
    figure.savefig(arguments.out, dpi=130)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
