"""Every classifier as a discriminator: whether it plays, what a generator learns from it, and its cost.

    python benchmarks/zoo.py                                # all, 3 seeds: writes benchmarks/results/zoo.md and zoo.csv
    python benchmarks/zoo.py --only SVC LGBMClassifier --seeds 1 --rounds 5 --out small       # a small run

The classifiers are those of `sklearn.utils.all_estimators`, and of other libraries where these are installed. The same network,
with the same initial weights, learns from each. Every row is written when it has been played: an interrupted run continues
with what is not recorded. Delete zoo.csv to start from scratch.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
import warnings
from dataclasses import asdict, astuple, dataclass, fields
from itertools import groupby, islice
from pathlib import Path

import numpy as np
import threadpoolctl
from provenance import provenance
from zoo_discriminators import LIBRARIES, discriminators

from turinglearn import Game
from turinglearn.datasets import mixture
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance
from turinglearn.nn import LinearDecay

PROBLEM = mixture((0.6, 0.4), ((2.0, 1.0), (4.0, -1.0)), (((0.5, 0.2), (0.2, 0.3)), ((0.3, -0.1), (-0.1, 0.6))))
N, SCORED, FIT, STEPS = 2_000, 5_000, 250, 3

PAGE = """# Every classifier as a discriminator

Written by `python benchmarks/zoo.py --seeds {seeds} --rounds {rounds}`: {provenance}. The rows are in zoo.csv.

{n:,} real samples of a mixture of two Gaussians in the plane. `NeuralGenerator(4, (64, 64))`, rate 5e-3 falling to 0,
plays {rounds} rounds; in each the discriminator learns from {fit} real samples and {fit} fakes, and the generator makes
{steps} steps on {fit} fresh fakes. Evidence is differentiated exactly where the discriminator has a closed form, and smoothed
elsewhere. Energy: the unbiased squared energy distance of {scored:,} samples to as many real ones, for each of {seeds} seeds;
before the first round it is {before}, and between real samples {floor}. Seconds: of one core, the longest seed. Nothing was
tuned: options are the classifier's defaults, unless the page names them.

Of {total} classifiers {plays} play and {refused} are refused; {failed} failed. The slowest seed took {slowest}.

| discriminator | evidence | energy, median | energy, each seed | seconds |
|---|---|---|---|---|
{table}

## Refused

| discriminator | reason |
|---|---|
{refusals}
"""


@dataclass(frozen=True)
class Row:
    """One discriminator, one seed."""

    discriminator: str
    made_as: str
    seed: int
    rounds: int
    verdict: str
    score_type: str
    energy: float
    seconds: float
    reason: str


def play(name: str, seed: int, rounds: int) -> Row:
    """Play a game against the discriminator; a refusal or an error is recorded in the row."""
    made_as, make = discriminators()[name]
    real, held_out = PROBLEM.sample(N, 10 * seed), PROBLEM.sample(SCORED, 10 * seed + 1)
    generator = NeuralGenerator(4, (64, 64), learning_rate=LinearDecay(5e-3, STEPS * rounds))
    options = {"batch_size": FIT, "samples_per_fit": FIT, "generator_steps": STEPS, "random_state": seed}
    begun = time.process_time()
    try:
        with warnings.catch_warnings(), threadpoolctl.threadpool_limits(1):
            warnings.simplefilter("ignore")  # of the classifiers themselves: deprecation, stopping early
            game = Game(generator, make(), **options)
            for _ in islice(game.rounds(real), rounds):
                pass
            energy = energy_distance(game.sample(SCORED), held_out)
    except (ValueError, TypeError, ImportError) as refusal:
        return Row(name, made_as, seed, rounds, "refused", "", np.nan, np.nan, _line(refusal))
    except Exception as error:
        return Row(name, made_as, seed, rounds, "failed", "", np.nan, np.nan, f"{type(error).__name__}: {_line(error)}")
    seconds = time.process_time() - begun
    return Row(name, made_as, seed, rounds, "plays", game.discriminator.score_type.__name__, energy, seconds, "")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def recorded(path: Path, rounds: int) -> list[Row]:
    """Return the rows of an earlier run with the same number of rounds."""
    if not path.exists():
        return []
    kinds = {"seed": int, "rounds": int, "energy": float, "seconds": float}
    with path.open(newline="") as file:
        rows = [Row(**{k: kinds.get(k, str)(v) for k, v in row.items()}) for row in csv.DictReader(file)]
    return [row for row in rows if row.rounds == rounds]


def append(path: Path, row: Row) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(field.name for field in fields(Row))
        writer.writerow(astuple(row))


def before(seed: int) -> float:
    """Return the distance of a generator that has learned nothing."""
    game = Game(NeuralGenerator(4, (64, 64), learning_rate=1e-12), discriminators()["DummyClassifier"][1](), random_state=seed)
    next(game.rounds(PROBLEM.sample(N, 10 * seed)))
    return energy_distance(game.sample(SCORED), PROBLEM.sample(SCORED, 10 * seed + 1))


def page(rows: list[Row], seeds: int, rounds: int) -> str:
    rows = [row for row in rows if row.seed < seeds]
    by_discriminator = {
        name: list(group)
        for name, group in groupby(sorted(rows, key=lambda r: (r.discriminator, r.seed)), lambda r: r.discriminator)
    }
    played = {name: group for name, group in by_discriminator.items() if all(row.verdict == "plays" for row in group)}
    order = sorted(played, key=lambda name: statistics.median(row.energy for row in played[name]))
    others = {
        name: next(r for r in group if r.verdict != "plays") for name, group in by_discriminator.items() if name not in played
    }
    table = []
    for name in order:
        energies = [row.energy for row in played[name]]
        slowest = max(row.seconds for row in played[name])
        made_as = f" `{row.made_as}`" if (row := played[name][0]).made_as != f"{name}()" else ""
        cells = f"{statistics.median(energies):.4f} | {', '.join(f'{e:.4f}' for e in energies)} | {slowest:.1f}"
        table.append(f"| {name}{made_as} | {row.score_type} | {cells} |")
    slowest_row = max((row for row in rows if row.verdict == "plays"), key=lambda row: row.seconds)
    floor = energy_distance(PROBLEM.sample(SCORED, 2), PROBLEM.sample(SCORED, 1))
    return PAGE.format(
        seeds=seeds,
        rounds=rounds,
        provenance=provenance(*LIBRARIES),
        n=N,
        fit=FIT,
        steps=STEPS,
        scored=SCORED,
        before=", ".join(f"{before(seed):.3f}" for seed in range(seeds)),
        floor=f"{floor:.4f}",
        total=len(by_discriminator),
        plays=len(played),
        refused=sum(row.verdict == "refused" for row in others.values()),
        failed=sum(row.verdict == "failed" for row in others.values()),
        slowest=f"{slowest_row.seconds:.0f} s ({slowest_row.discriminator})",
        table="\n".join(table),
        refusals="\n".join(f"| `{row.made_as}` | {row.verdict}: {row.reason.replace('|', '/')} |" for row in others.values()),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument(
        "--only", nargs="*", default=list(discriminators()), choices=list(discriminators()), metavar="DISCRIMINATOR"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "zoo.csv"
    rows = recorded(path, arguments.rounds)
    done = {(row.discriminator, row.seed) for row in rows}
    for seed in range(arguments.seeds):
        for name in arguments.only:
            if (name, seed) in done:
                continue
            row = play(name, seed, arguments.rounds)
            append(path, row)
            rows.append(row)
            print(*asdict(row).values(), flush=True)
    (arguments.out / "zoo.md").write_text(page(rows, arguments.seeds, arguments.rounds))
    print(f"wrote {arguments.out / 'zoo.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
