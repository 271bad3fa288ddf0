"""Quality of what a network learns from other discriminators, in a minute of one core.

    python benchmarks/frontier.py                      # all cells: writes results/frontier.csv and .md beside this file
    python benchmarks/frontier.py --only ring/forest   # the cells whose name begins so
    python benchmarks/frontier.py --page               # the page alone, from the recorded cells

Seconds are CPU time of the process (``time.process_time``) with OMP_NUM_THREADS=1, including the whole game, without the
evaluation. Each cell is recorded when it ends, so that an interrupted run continues.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from frontier_arms import BEST, MANY, NARROW, Arm, BlurredGenerator, BlurredSource, ClockDecay, tries
from frontier_page import POINTS, page
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from turinglearn import Game
from turinglearn.datasets import digits, ring
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage

FIELDS = ("part", "family", "arm", "seed", "seconds", "fits", "steps", "modes", "high_quality", "reverse_kl", "energy",
          "svm_accuracy", "boosting_accuracy")  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One game: a part of the page, a family of discriminators, an arm, a seed and a budget."""

    part: str
    family: str
    arm: str
    seed: int
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.part}/{self.family}/{self.arm}/{self.seed}"


def cells() -> list[Cell]:
    """Return all cells, the most informative first."""
    rings = [Cell("ring", family, "best", seed, 60.0) for seed in range(5) for family in BEST]
    tried = [Cell("tries", family, arm, 0, 15.0) for family, arms in tries().items() for arm in arms]
    narrow = [Cell("narrow", family, "best", seed, 60.0) for seed in range(2) for family in BEST]
    return rings + narrow + [Cell("digits", family, "best", 0, 60.0) for family in BEST] + tried


def arm_of(cell: Cell) -> Arm:
    """Return the arm of a cell; narrow modes and many features have best arms of their own."""
    if cell.part == "tries":
        return tries()[cell.family][cell.arm]
    return {"ring": BEST, "narrow": NARROW, "digits": MANY}[cell.part][cell.family]


def play(cell: Cell) -> dict[str, Any]:
    """Play a cell and return its figures."""
    arm, seed = arm_of(cell), cell.seed
    if cell.part == "digits":
        table = digits(seed)
        train, latent, width = table.train, 16, (128, 128)
    else:
        sigma = 0.03 if cell.part == "narrow" else 0.1
        truth = ring(sigma=sigma)
        train, latent, width = truth.sample(20_000, seed), 2, (64, 64)
    rate = ClockDecay(arm.rate, cell.seconds) if arm.decays else arm.rate
    network = {"latent_dim": latent, "hidden": width, "learning_rate": rate, "ema_decay": arm.ema_decay}
    generator, source, signal = NeuralGenerator(**network), train.astype(np.float32), arm.signal
    if arm.blur is not None:
        noise = arm.blur(cell.seconds)
        generator, source = BlurredGenerator(**network).blurs(noise), BlurredSource(source, noise)
        signal = None if arm.signal is None else noise  # exact gradients stay exact
    game = Game(generator, arm.discriminator(), objective=arm.objective, signal=signal, samples_per_fit=arm.fit,
                generator_steps=arm.steps, replay=arm.replay(), random_state=seed)  # fmt: skip
    rounds, begun = game.rounds(source), time.process_time()
    while time.process_time() - begun < cell.seconds:
        next(rounds)
    spent = time.process_time() - begun
    found = {"part": cell.part, "family": cell.family, "arm": cell.arm, "seed": seed, "seconds": round(spent, 2),
             "fits": game.index, "steps": generator.optimizer_.steps}  # fmt: skip
    if cell.part == "digits":
        x = np.asarray(game.sample(len(table.held_out)))
        return {**found, **fresh_discriminators(x, table.held_out, seed)}
    x, y = np.asarray(game.sample(POINTS)), truth.sample(POINTS, 10_000 + seed)
    cover = mode_coverage(x, truth.modes, sigma)
    return {**found, "modes": cover.captured, "high_quality": cover.high_quality, "reverse_kl": cover.reverse_kl,
            "energy": energy_distance(x, y)}  # fmt: skip


def fresh_discriminators(x: Any, y: Any, seed: int) -> dict[str, float]:
    """Return five-fold accuracies of fresh discriminators on fakes x and held-out real rows y; 1/2 is best."""
    rows = np.concatenate((x, y)).astype(float)
    labels = np.repeat([0, 1], [len(x), len(y)])
    order = np.random.default_rng(seed).permutation(len(rows))
    discriminators = {
        "svm_accuracy": make_pipeline(StandardScaler(), SVC()),
        "boosting_accuracy": HistGradientBoostingClassifier(random_state=0),
    }
    return {
        name: float(cross_val_score(discriminator, rows[order], labels[order], cv=5).mean())
        for name, discriminator in discriminators.items()
    }


# ------------------------------------------------------------------------------------------------------------- the record
def recorded(record: Path) -> list[dict[str, str]]:
    """Return the recorded cells."""
    if not record.exists():
        return []
    with record.open(newline="") as file:
        return list(csv.DictReader(file))


def name_of(row: dict[str, Any]) -> str:
    return "/".join(str(row[key]) for key in ("part", "family", "arm", "seed"))


def append(record: Path, row: dict[str, Any]) -> None:
    """Append a cell to the record."""
    fresh = not record.exists()
    with record.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="play the cells whose name, part/family/arm/seed, begins so")
    parser.add_argument("--seconds", type=float, default=None, help="CPU seconds per cell; by default each part's own")
    parser.add_argument("--page", action="store_true", help="write the page only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "frontier.csv"
    wanted = [] if arguments.page else [c for c in cells() if c.name.startswith(tuple(arguments.only))]
    with threadpoolctl.threadpool_limits(1):
        for cell in wanted:
            if cell.name in map(name_of, recorded(record)):
                continue
            row = play(cell if arguments.seconds is None else replace(cell, seconds=arguments.seconds))
            append(record, row)
            print(row, flush=True)
        text = page(recorded(record))
    (arguments.out / "frontier.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
