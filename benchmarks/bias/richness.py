"""Richness of a discriminator and efficiency of what is learned: adversarial structural estimation, replicated.

    python benchmarks/bias/richness.py                        # some ten minutes of one core: results/bias_richness.md
    python benchmarks/bias/richness.py --replications 80      # a tenth of them

Kaji, Manresa and Pouliot (Econometrica 2023) estimate the parameters of a simulator so that the best discriminator of a class
separates its rows least from the real ones. Here the models are small enough that maximum likelihood and every asymptotic
variance are known, and the discriminators range from one moment to far too many. Intervals decide what is replicated.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from richness_arms import MODELS, adversarial, likeliest, oracle
from richness_claims import Cell, Found
from richness_network import network
from richness_page import page

RATIO = 4  # fakes per real row
SPLINES = [f"splines, {knots} knots" for knots in (5, 10, 40)]
POWERS = [f"x to x^{degree}" for degree in (3, 7, 11)]
ALWAYS = [*SPLINES, "score", "oracle", "network"]
PLAN = {  # the numbers of real rows, and the discriminators of each model
    "logistic location": ((50, 200, 800), ["x", *POWERS, *ALWAYS]),
    "Student location": ((50, 200, 800), ["x", "arctan x/2", *ALWAYS]),
    "Gaussian location and scale": ((800,), ["x, abs x", SPLINES[0], "score", "oracle", "network"]),
}
PUBLISHED = [Cell("logistic location", 300, ratio, "score") for ratio in (1, 2, 10)]  # the published design
SHARES = {  # of the replications; fewer for slow discriminators, more where claims are about a few per cent
    **dict.fromkeys(["x", "arctan x/2", "score"], 2.0),
    **dict.fromkeys([POWERS[1], SPLINES[1], "oracle"], 0.5),
    **dict.fromkeys([POWERS[2], SPLINES[2]], 0.25),
    "x, abs x": 1.5,
    SPLINES[0]: 0.7,
    "network": 0.06,
}
SIZES = 5, 20, 80, 320, 1_280  # of maximum likelihood's own table
LIKELIEST = 20  # times as many replications there


def cells() -> list[Cell]:
    """Return all cells: the plan, with networks for the smallest and largest n only, and the published design."""
    planned = [
        Cell(model, n, RATIO, discriminator)
        for model, (sizes, discriminators) in PLAN.items()
        for n in sizes
        for discriminator in discriminators
    ]
    ends = {(model, n) for model, (sizes, _) in PLAN.items() for n in (min(sizes), max(sizes))}
    return [cell for cell in planned if cell.discriminator != "network" or (cell.model, cell.n) in ends] + PUBLISHED


def found_by(cell: Cell, replications: int) -> Found:
    """Return errors of the discriminator and of maximum likelihood, on the same data sets and noise for all discriminators."""
    model = MODELS[cell.model]
    count = max(4, round(replications * (3.0 if cell in PUBLISHED else SHARES.get(cell.discriminator, 1.0))))
    x = np.stack([model.distribution.rvs(cell.n, random_state=np.random.default_rng([0, cell.n, r])) for r in range(count)])
    errors, begun = [], time.process_time()
    for r, rows in enumerate(x):
        if cell.discriminator == "network":
            theta = network(model, rows, r)
        else:
            u = model.distribution.rvs(cell.ratio * cell.n, random_state=np.random.default_rng([1, cell.n, r]))
            theta = (
                oracle(model, rows, u) if cell.discriminator == "oracle" else adversarial(model, cell.discriminator, rows, u)
            )
        errors.append(theta - model.truth)
    print(f"{', '.join(map(str, cell))}: {count} in {time.process_time() - begun:.1f} s", flush=True)
    return Found(np.array(errors), likeliest(model, x) - model.truth)


def errors_of_likelihood(name: str, n: int, replications: int, at_once: int = 500) -> Any:
    """Return errors (R, k) of maximum likelihood on R data sets of n rows."""
    model, parts = MODELS[name], []
    for begin in range(0, replications, at_once):
        rng = np.random.default_rng([2, n, begin])
        x = model.distribution.rvs((min(at_once, replications - begin), n), random_state=rng)
        parts.append(likeliest(model, x) - model.truth)
    return np.concatenate(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=600, help="of fast discriminators; slow ones have a share")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "results" / "bias_richness.md")
    arguments = parser.parse_args()
    replications, begun = arguments.replications, time.process_time()
    with threadpoolctl.threadpool_limits(1):
        found = {cell: found_by(cell, replications) for cell in cells()}
        alone = {(name, n): errors_of_likelihood(name, n, LIKELIEST * replications) for name in MODELS for n in SIZES}
        text = page(found, alone, RATIO, replications, time.process_time() - begun)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
