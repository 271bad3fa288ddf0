"""How well a network learns from judges that are no networks, in a minute of one core.

    python benchmarks/frontier.py                      # every cell: writes results/frontier.csv and .md beside this file
    python benchmarks/frontier.py --only ring/forest   # the cells whose name begins so
    python benchmarks/frontier.py --page               # the page alone, from the cells that are kept

Seconds are CPU time of the process (``time.process_time``) with OMP_NUM_THREADS=1, the whole game in them, the measuring not.
Each cell is kept as it ends, so that a run that was stopped goes on where it stood.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from provenance import provenance
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from turinglearn import Game
from turinglearn.datasets import digits, ring
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage
from turinglearn.objectives import ReverseKL
from turinglearn.replay import Replay
from turinglearn.signals import Smoothed, Student

POINTS = 10_000  # counterfeits measured, and as many fresh genuine points
BARS = {"modes": 8, "high_quality": 0.9, "reverse_kl": 0.05, "energy": 0.003}
FIELDS = ("part", "family", "arm", "seed", "seconds", "fits", "steps", "modes", "high_quality", "reverse_kl", "energy",
          "svm_accuracy", "boosting_accuracy")  # fmt: skip


class ClockDecay:
    """A learning rate that falls linearly to 0 over so many seconds of CPU time, from when it is first asked."""

    def __init__(self, initial: float, seconds: float) -> None:
        self.initial, self.seconds, self.begun = initial, seconds, None

    def __call__(self, step: int) -> float:
        if self.begun is None:
            self.begun = time.process_time()
        return self.initial * max(0.0, 1 - (time.process_time() - self.begun) / self.seconds)


class Narrowing:
    """Smoothing whose scales go from wide to narrow, geometrically in the CPU time since it was first asked."""

    def __init__(self, wide: tuple[float, ...], narrow: tuple[float, ...], seconds: float) -> None:
        self.wide, self.narrow, self.seconds, self.begun = np.array(wide), np.array(narrow), seconds, None

    def scales(self) -> tuple[float, ...]:
        """The scales at this time."""
        if self.begun is None:
            self.begun = time.process_time()
        gone = min(1.0, (time.process_time() - self.begun) / self.seconds)
        return tuple(self.wide * (self.narrow / self.wide) ** gone)

    def vjp(self, discriminator: Any, fake: Any, real: Any, rng: Any) -> Any:
        """The evidence, and the pullback of its version that is smoothed at present."""
        return Smoothed(self.scales(), len(self.wide)).vjp(discriminator, fake, real, rng)


@dataclass(frozen=True)
class Arm:
    """A judge and how the game with it is played. note: what it shows. signal: one, or a function of the seconds to play."""

    judge: Callable[[], Any]
    note: str = ""
    rate: float = 3e-3
    decays: bool = True
    averaging: float = 0.99
    signal: Any = None
    fit: int | None = None
    steps: int | None = 5
    objective: Any = None
    replay: Callable[[], Any] = field(default=lambda: None)


@dataclass(frozen=True)
class Cell:
    """What is played once: a part of the page, a family of judges, an arm, a seed and a budget."""

    part: str
    family: str
    arm: str
    seed: int
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.part}/{self.family}/{self.arm}/{self.seed}"


def boosting(**options: Any) -> HistGradientBoostingClassifier:
    """Twenty shallow trees that take long steps: a fit of 2,000 + 2,000 points in some 35 ms."""
    usual = {"max_iter": 20, "learning_rate": 0.3, "max_leaf_nodes": 8, "max_bins": 64, "early_stopping": False}
    return HistGradientBoostingClassifier(**{**usual, **options})


def forest(trees: int = 10, leaf: int = 10) -> ExtraTreesClassifier:
    """A small forest with random thresholds."""
    return ExtraTreesClassifier(trees, min_samples_leaf=leaf)


WIDE = Smoothed((0.1, 0.25, 0.7), 3)
BEST = {
    "forest": Arm(forest, "10 extra trees, leaf 10", 5e-3, signal=WIDE, fit=2000),
    "boosting": Arm(boosting, "20 × 8 leaves, rate .3, 64 bins", signal=WIDE, fit=2000),
    "SVM": Arm(lambda: KernelSVMDiscriminator(10.0, 10.0), "γ 10, C 10, exact gradient", fit=300, steps=3),
    "kNN": Arm(
        lambda: KNeighborsClassifier(10), "k 10, scales .1 to 1", 6e-3, signal=Smoothed((0.1, 0.3, 1.0), 3), fit=1000, steps=1
    ),
}


def narrowing(seconds: float) -> Narrowing:
    """From the distance between modes to the width of one, in three fifths of the time."""
    return Narrowing((0.4, 0.6, 1.0), (0.04, 0.15, 0.6), 0.6 * seconds)


NARROW = {  # for modes of a third of the width
    "forest": replace(BEST["forest"], judge=lambda: forest(10, 5), rate=6e-3, signal=narrowing,
                      note="leaf 5, scales narrowing"),
    "boosting": replace(BEST["boosting"], judge=lambda: boosting(max_leaf_nodes=16, max_bins=255), signal=narrowing,
                        note="16 leaves, 255 bins, scales narrowing"),
    "SVM": replace(BEST["SVM"], judge=lambda: KernelSVMDiscriminator(20.0, 10.0), signal=narrowing,
                   note="γ 20, C 10, scales narrowing"),
    "kNN": replace(BEST["kNN"], signal=narrowing, note="k 10, scales narrowing"),
}  # fmt: skip


MANY = {  # for 64 features, where a probe sees one line of many
    "forest": replace(BEST["forest"], judge=lambda: forest(30, 3), rate=3e-3, signal=Student(), fit=500),
    "boosting": replace(BEST["boosting"], signal=Student(), fit=500),
    "SVM": replace(BEST["SVM"], judge=lambda: KernelSVMDiscriminator(C=10.0), rate=2e-3, fit=500),
    "kNN": replace(BEST["kNN"], rate=3e-3, signal=Student(), fit=500, steps=5),
}


def tries() -> dict[str, dict[str, Arm]]:
    """What was tried beside the best arm, one change at a time unless the note says otherwise."""
    b = BEST
    plain = {"rate": 1e-3, "decays": False, "averaging": 0.0, "signal": None, "fit": None, "steps": None}

    def usual(judge: Callable[[], Any], note: str) -> Arm:
        return Arm(judge, note, **plain)

    return {
        "neural": {"reference": Arm(lambda: NeuralDiscriminator((64, 64)), "a network as judge, for comparison", rate=1e-3)},
        "forest": {
            "best": b["forest"],
            "defaults": usual(RandomForestClassifier, "RandomForestClassifier(), every default of the library"),
            "bootstrap": replace(b["forest"], judge=lambda: RandomForestClassifier(10, min_samples_leaf=10),
                                 note="random forest of 10 trees, leaf 10"),
            "larger": replace(b["forest"], judge=lambda: forest(60, 5), note="60 extra trees, leaf 5"),
            "narrow scales": replace(b["forest"], signal=Smoothed((0.02, 0.05, 0.1, 0.3), 8), note="scales .02 to .3"),
            "student": replace(b["forest"], signal=Student(), note="a student's gradient in place of smoothing"),
            "constant rate": replace(b["forest"], decays=False, rate=1e-3, note="rate .001 without decay"),
            "no averaging": replace(b["forest"], averaging=0.0, note="the last generator, not the averaged"),
            "replay": replace(b["forest"], replay=Replay, note="half of the counterfeits from the past"),
            "reverse KL": replace(b["forest"], objective=ReverseKL(), note="loss -r"),
        },
        "boosting": {
            "best": b["boosting"],
            "defaults": usual(HistGradientBoostingClassifier, "HistGradientBoostingClassifier(), every default"),
            "ten steps": replace(b["boosting"], steps=10, note="10 generator steps per fit"),
            "two steps": replace(b["boosting"], steps=2, note="2 generator steps per fit"),
            "longer": replace(b["boosting"], judge=lambda: boosting(max_iter=100, learning_rate=0.1),
                              note="100 trees, rate .1"),
        },
        "SVM": {
            "best": b["SVM"],
            "defaults": usual(KernelSVMDiscriminator, "KernelSVMDiscriminator(), every default"),
            "smoothed": replace(b["SVM"], signal=WIDE, note="smoothed, not exact"),
            "larger": replace(b["SVM"], fit=2000, note="2,000 + 2,000 points per fit"),
        },
        "kNN": {
            "best": b["kNN"],
            "defaults": usual(KNeighborsClassifier, "KNeighborsClassifier(), every default"),
        },
    }  # fmt: skip


def cells() -> list[Cell]:
    """Every cell, the most telling first."""
    rings = [Cell("ring", family, "best", seed, 60.0) for seed in range(5) for family in BEST]
    tried = [Cell("tries", family, arm, 0, 30.0) for family, arms in tries().items() for arm in arms]
    narrow = [Cell("narrow", family, "best", seed, 60.0) for seed in range(2) for family in BEST]
    return rings + narrow + [Cell("digits", family, "best", 0, 60.0) for family in BEST] + tried


def arm_of(cell: Cell) -> Arm:
    """The arm of a cell; narrow modes and many features have best arms of their own."""
    if cell.part == "tries":
        return tries()[cell.family][cell.arm]
    return {"ring": BEST, "narrow": NARROW, "digits": MANY}[cell.part][cell.family]


def play(cell: Cell) -> dict[str, Any]:
    """One cell, measured."""
    arm, seed = arm_of(cell), cell.seed
    if cell.part == "digits":
        table = digits(seed)
        train, latent, width = table.train, 16, (128, 128)
    else:
        sigma = 0.03 if cell.part == "narrow" else 0.1
        truth = ring(sigma=sigma)
        train, latent, width = truth.sample(20_000, seed), 2, (64, 64)
    rate = ClockDecay(arm.rate, cell.seconds) if arm.decays else arm.rate
    generator = NeuralGenerator(latent, width, learning_rate=rate, averaging=arm.averaging)
    signal = arm.signal(cell.seconds) if callable(arm.signal) else arm.signal
    game = Game(generator, arm.judge(), objective=arm.objective, signal=signal, samples_per_fit=arm.fit,
                generator_steps=arm.steps, replay=arm.replay(), random_state=seed)  # fmt: skip
    rounds, begun = game.rounds(train.astype(np.float32)), time.process_time()
    while time.process_time() - begun < cell.seconds:
        next(rounds)
    spent = time.process_time() - begun
    found = {"part": cell.part, "family": cell.family, "arm": cell.arm, "seed": seed, "seconds": round(spent, 2),
             "fits": game.index, "steps": generator.optimizer_.steps}  # fmt: skip
    if cell.part == "digits":
        x = np.asarray(game.sample(len(table.held_out)))
        return {**found, **fresh_judges(x, table.held_out, seed)}
    x, y = np.asarray(game.sample(POINTS)), truth.sample(POINTS, 10_000 + seed)
    cover = mode_coverage(x, truth.modes, sigma)
    return {**found, "modes": cover.captured, "high_quality": cover.high_quality, "reverse_kl": cover.reverse_kl,
            "energy": energy_distance(x, y)}  # fmt: skip


def fresh_judges(x: Any, y: Any, seed: int) -> dict[str, float]:
    """Accuracies of judges that never played, five-fold, on counterfeits x against held-out genuine rows y; 1/2 is the goal."""
    rows = np.concatenate((x, y)).astype(float)
    labels = np.repeat([0, 1], [len(x), len(y)])
    order = np.random.default_rng(seed).permutation(len(rows))
    judges = {
        "svm_accuracy": make_pipeline(StandardScaler(), SVC()),
        "boosting_accuracy": HistGradientBoostingClassifier(random_state=0),
    }
    return {name: float(cross_val_score(judge, rows[order], labels[order], cv=5).mean()) for name, judge in judges.items()}


# ------------------------------------------------------------------------------------------------------------- the record
def kept(record: Path) -> list[dict[str, str]]:
    """The cells that were played before."""
    if not record.exists():
        return []
    with record.open(newline="") as file:
        return list(csv.DictReader(file))


def name_of(row: dict[str, Any]) -> str:
    return "/".join(str(row[key]) for key in ("part", "family", "arm", "seed"))


def keep(record: Path, row: dict[str, Any]) -> None:
    """One more cell at the end of the record."""
    fresh = not record.exists()
    with record.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})


# --------------------------------------------------------------------------------------------------------------- the page
PAGE = """# Judges that are no networks, and a generator that is one

Written by `python benchmarks/frontier.py`: {provenance}. One core; seconds are CPU time of the process, the game's alone.

The generator is 2-64-64-2 with Adam (β₁ .5), its rate falling linearly to 0 over the budget, deployed as a moving average
(decay .99), taught by the non-saturating loss in batches of 256. Genuine data are 20,000 points of a ring of 8 modes. HQ is the
share within 3σ of a mode (the truth has 98.9 %), the energy distance is the squared one, unbiased, on {points:,} fresh points
on each side: genuine against genuine gives {floor}. Gradients are smoothed with
probes of scales {scales} in units of the data's spread, unless it says otherwise.

## σ = .1, 60 s: 8 modes, HQ ≥ 90 %, reverse KL ≤ .05, energy distance ≤ .003 on every seed

{ring}

## What each thing tried did: σ = .1, 30 s, one seed

Each line is the best arm of its family with one thing changed, unless it says otherwise; a single seed, so that small
differences mean little.

{tries}

## σ = .03, 60 s, two seeds

The scales of "narrowing" go from .4, .6, 1 to .04, .15, .6 in the first three fifths of the time: masses settle while modes are
blurred together.

{narrow}

## Digits (1,079 rows of 64 pixels), 60 s

Accuracy of judges that never played on as many counterfeits as held-out genuine rows, five-fold, in %; 50 is the goal.
Generator 16-128-128-64; the SVM with γ "scale" and its exact gradient, 30 extra trees of leaf 3, boosting and kNN as above
with `Student()`; 500 + 500 points per fit.

{digits}
"""


def floor(pairs: int = 6) -> str:
    """The energy distance of genuine points against genuine points."""
    truth = ring(sigma=0.1)
    found = [energy_distance(truth.sample(POINTS, i), truth.sample(POINTS, 100 + i)) for i in range(pairs)]
    return f"{np.mean(found):.5f} on average and {max(found):.5f} at most ({pairs} pairs)"


def table(head: str, rows: list[str]) -> str:
    columns = head.count("|") + 1
    return f"| {head} |\n{'|---' * columns}|\n" + "\n".join(rows)


def values(rows: list[dict[str, str]], key: str, scale: float = 1.0, form: str = ".1f") -> str:
    """The figure of each seed, worst and best at the ends."""
    found = sorted(scale * float(row[key]) for row in rows)
    return f"{found[0]:{form}}" if len(found) == 1 else f"{found[0]:{form}} to {found[-1]:{form}}"


def passes(row: dict[str, str]) -> bool:
    return (
        int(row["modes"]) >= BARS["modes"]
        and float(row["high_quality"]) >= BARS["high_quality"]
        and float(row["reverse_kl"]) <= BARS["reverse_kl"]
        and float(row["energy"]) <= BARS["energy"]
    )


def grouped(rows: list[dict[str, str]], part: str) -> list[tuple[str, str, list[dict[str, str]]]]:
    """Families, arms and their cells, in the order in which they are named above."""
    order = [(family, arm) for family, arms in tries().items() for arm in arms]
    chosen = [row for row in rows if row["part"] == part]
    groups = [(f, a, [row for row in chosen if (row["family"], row["arm"]) == (f, a)]) for f, a in order]
    return [group for group in groups if group[-1]]


def measured(group: list[dict[str, str]]) -> str:
    """Fits and what the generator was worth, as cells of a table."""
    figures = [values(group, "fits", form=".0f"), values(group, "modes", form=".0f"), values(group, "high_quality", 100)]
    return " | ".join([*figures, values(group, "reverse_kl", form=".4f"), values(group, "energy", form=".5f")])


def ring_table(rows: list[dict[str, str]], part: str, arms: dict[str, Arm]) -> str:
    return table(
        "judge | what | seeds that pass | fits | modes | HQ % | reverse KL | energy distance",
        [
            f"| {family} | {arms[family].note} | {sum(map(passes, group))} of {len(group)} | {measured(group)} |"
            for family, _, group in grouped(rows, part)
        ],
    )


def page(rows: list[dict[str, str]]) -> str:
    """The page, from the record alone."""
    tried = [f"| {f} | {tries()[f][arm].note} | {measured(group)} |" for f, arm, group in grouped(rows, "tries")]
    pictures = [
        f"| {f} | {values(group, 'fits', form='.0f')} | {values(group, 'svm_accuracy', 100)} | "
        f"{values(group, 'boosting_accuracy', 100)} |"
        for f, _, group in grouped(rows, "digits")
    ]
    return PAGE.format(
        provenance=provenance(),
        points=POINTS,
        floor=floor(),
        scales=", ".join(map(str, WIDE.scales)),
        ring=ring_table(rows, "ring", BEST),
        tries=table("judge | what | fits | modes | HQ % | reverse KL | energy distance", tried),
        narrow=ring_table(rows, "narrow", NARROW),
        digits=table("judge | fits | RBF SVM | boosting", pictures),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="play the cells whose name, part/family/arm/seed, begins so")
    parser.add_argument("--seconds", type=float, default=None, help="CPU seconds per cell; by default each part's own")
    parser.add_argument("--page", action="store_true", help="play nothing")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "frontier.csv"
    wanted = [] if arguments.page else [c for c in cells() if c.name.startswith(tuple(arguments.only))]
    with threadpoolctl.threadpool_limits(1):
        for cell in wanted:
            if cell.name in map(name_of, kept(record)):
                continue
            row = play(cell if arguments.seconds is None else replace(cell, seconds=arguments.seconds))
            keep(record, row)
            print(row, flush=True)
        text = page(kept(record))
    (arguments.out / "frontier.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
