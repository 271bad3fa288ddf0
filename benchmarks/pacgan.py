"""PacGAN's synthetic experiments (Lin et al. 2018), at a fraction of their budget, each game in ten replicas.

    python benchmarks/pacgan.py --steps 4000                     # all cells: writes benchmarks/results/pacgan.{csv,md}
    python benchmarks/pacgan.py --steps 4000 --only ring/plain   # one cell again, or one more; the page is written from the CSV

As published: ring (8 modes, radius 1, σ .01) and grid (25 modes, σ .05) of 100,000 points in raw units, in shuffled passes; 100
tuples a step, both players stepping at once on the same fakes; noise N(0, I) in the plane; a generator of 4 × 400 with
ReLU and batch normalisation, a discriminator of 3 × 200 maxout units of 5 pieces; weights from N(0, .02²), biases 0; Adam at
1e-4 with β₁ .8; 2,500 samples measured. The published budget is 400 epochs of 1,000 steps.

Differences: the steps (--steps); batch normalisation of a packed batch as a whole, where the published code normalises each
place of the tuples separately, with running averages at a momentum of .1, not .05; hidden biases of the generator, which batch
normalisation cancels; and the last arm, "RpGAN + R1 + R2" (Huang et al. 2024), which the paper does not have: the relativistic
criterion with both gradient penalties, unpacked.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from provenance import provenance

from turinglearn import Replicas
from turinglearn.arrays import like
from turinglearn.datasets import grid, ring
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import mode_coverage
from turinglearn.nn import R1, R2, Adam, BatchNorm, Maxout
from turinglearn.objectives import Logistic, Relativistic
from turinglearn.protocols import Batch, Rng

PROBLEMS = {"ring": ring, "grid": grid}
WEIGHT = 0.1  # of each gradient penalty
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"pack": 1},
    "packed 2": {"pack": 2},
    "packed 4": {"pack": 4},
    "RpGAN + R1 + R2": {"pack": 1, "criterion": Relativistic(), "penalties": (R1(WEIGHT), R2(WEIGHT))},
}
PUBLISHED = {  # modes, high quality %, reverse KL, each with its standard error over 10 runs: Lin et al. (2018), table 1
    ("ring", "plain"): "6.3 ± .5 / 98.2 ± .2 / .45 ± .09",
    ("ring", "packed 2"): "7.9 ± .1 / 95.6 ± 2.0 / .07 ± .03",
    ("ring", "packed 4"): "7.8 ± .1 / 95.9 ± 1.4 / .07 ± .02",
    ("grid", "plain"): "17.3 ± .8 / 94.8 ± .7 / .70 ± .07",
    ("grid", "packed 2"): "23.8 ± .7 / 91.3 ± .8 / .13 ± .04",
    ("grid", "packed 4"): "24.8 ± .2 / 93.6 ± .6 / .04 ± .01",
}
TUPLES, SCORED, EPOCHS = 100, 2_500, 400

PAGE = """# PacGAN's synthetic experiments

Written by `python benchmarks/pacgan.py --steps {steps}`: {provenance}.

{steps} of the published {published:,} steps ({share:.2g} %), {replicas} replicas; the script lists the differences from
the paper. Figures of a replica are from {scored} samples; the table has mean ± standard error over replicas. Real samples have
98.9 % high quality and a reverse KL of .001 (ring) and .005 (grid). Published: Lin et al. (2018), with the full budget.

| problem | arm | modes | high quality % | reverse KL | published: modes / HQ % / reverse KL | minutes of one core |
|---|---|---|---|---|---|---|
{rows}

Reverse KL is over the replicas that have a sample of high quality; the number of replicas without one is in parentheses.
"""


class Decoder(NeuralGenerator):
    """The published generator: raw units, and initial weights from N(0, .02²)."""

    def start(self, example: Batch, rng: Rng) -> None:
        """Start as the base class does, then draw the weights from N(0, .02²)."""
        super().start(example, rng)
        _as_published(self, rng)
        self.spread_[...] = 1


class Critic(NeuralDiscriminator):
    """The published discriminator: raw units, and initial weights from N(0, .02²)."""

    def start(self, example: Batch, rng: Rng) -> None:
        """Start as the base class does, then draw the weights from N(0, .02²)."""
        super().start(example, rng)
        _as_published(self, rng)
        self.scale_[...] = 1


def _as_published(player: Any, rng: Rng) -> None:
    player.location_[...] = 0
    for matrix in player.network_.matrices(player.network_.parameters):
        weights = rng.normal(0, 0.02, tuple(matrix.shape))
        weights[-1] = 0  # biases
        matrix[...] = like(weights, matrix)


def play(problem: str, arm: str, steps: int, replicas: int) -> list[dict[str, Any]]:
    """Return the figures of each replica of one cell."""
    distribution, options = PROBLEMS[problem](), {"criterion": Logistic(), "penalties": (), **ARMS[arm]}
    pack, adam = options.pop("pack"), Adam((0.8, 0.999))
    common = {"learning_rate": 1e-4, "optimizer": adam, "backend": "torch"}
    with threadpoolctl.threadpool_limits(1):
        import torch

        torch.set_num_threads(1)
        begun = time.process_time()
        game = Replicas(
            Decoder(2, (400,) * 4, normalization=BatchNorm(), **common),
            Critic((200,) * 3, activation=Maxout(5), **options, **common),
            replicas,
            batch_size=TUPLES * pack,
            pack=pack,
            simultaneous=True,
            random_state=0,
        )
        for _ in islice(game.rounds(distribution.sample(100_000, 1).astype(np.float32)), steps):
            pass
        seconds = time.process_time() - begun
        found = [mode_coverage(x, distribution.modes, distribution.sigma) for x in game.sample(SCORED)]
    return [
        {
            "problem": problem,
            "arm": arm,
            "steps": steps,
            "seed": i,
            "modes": f.captured,
            "high_quality": f.high_quality,
            "reverse_kl": f.reverse_kl,
            "seconds": round(seconds / replicas, 1),
        }
        for i, f in enumerate(found)
    ]


def table(records: list[dict[str, str]]) -> str:
    """Return the rows of the page: mean ± standard error over the replicas of each cell."""
    rows = []
    for problem in PROBLEMS:
        for arm in ARMS:
            cell = [r for r in records if (r["problem"], r["arm"]) == (problem, arm)]
            if not cell:
                continue
            modes, quality, kl = (np.array([float(r[k]) for r in cell]) for k in ("modes", "high_quality", "reverse_kl"))
            finite = kl[np.isfinite(kl)]
            none = f" ({kl.size - finite.size} without)" if finite.size < kl.size else ""
            minutes = sum(float(r["seconds"]) for r in cell) / 60
            rows.append(
                f"| {problem} | {arm} | {_mean(modes, 1)} | {_mean(100 * quality, 1)} | {_mean(finite, 3)}{none} "
                f"| {PUBLISHED.get((problem, arm), '')} | {minutes:.0f} |"
            )
    return "\n".join(rows)


def _mean(values: Any, digits: int) -> str:
    if len(values) < 2:
        return "".join(f"{v:.{digits}f}" for v in values) or "none"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1) / len(values) ** 0.5:.{digits}f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--replicas", type=int, default=10)
    parser.add_argument("--only", nargs="*", help="cells, such as 'ring/packed 2'; all of them if left out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    cells = [f"{problem}/{arm}" for problem in PROBLEMS for arm in ARMS]
    wanted = arguments.only or cells
    unknown = [cell for cell in wanted if cell not in cells]
    if unknown:
        parser.error(f"no such cell: {', '.join(unknown)}. Choose from: {', '.join(cells)}.")
    record = arguments.out / "pacgan.csv"
    with ProcessPoolExecutor(arguments.workers) as pool:
        pending = [pool.submit(play, *cell.split("/"), arguments.steps, arguments.replicas) for cell in wanted]
        for done in as_completed(pending):
            keep(record, done.result())
            with record.open(newline="") as file:
                records = [r for r in csv.DictReader(file) if int(r["steps"]) == arguments.steps]
            text = PAGE.format(
                steps=arguments.steps,
                published=EPOCHS * 1000,
                share=arguments.steps / (10 * EPOCHS),
                replicas=arguments.replicas,
                scored=SCORED,
                provenance=provenance(),
                rows=table(records),
            )
            (arguments.out / "pacgan.md").write_text(text)
            print(text, flush=True)
    return 0


def keep(record: Path, new: list[dict[str, Any]]) -> None:
    """Add the figures of a cell to the record, replacing older ones with the same number of steps."""
    old = list(csv.DictReader(record.open(newline=""))) if record.exists() else []
    cell = {(r["problem"], r["arm"], str(r["steps"])) for r in new}
    kept = [r for r in old if (r["problem"], r["arm"], r["steps"]) not in cell]
    with record.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(new[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *new])


if __name__ == "__main__":
    sys.exit(main())
