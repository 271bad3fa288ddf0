"""Bias of what is learned if the discriminating network is replaced: eight discriminators, three signals, five problems.

    python benchmarks/bias/first_answer.py                    # 2 x 1,200 cells: results/bias_first_answer.{csv,md}
    python benchmarks/bias/first_answer.py --seeds 3          # fewer seeds
    python benchmarks/bias/first_answer.py --page             # the page alone, from the recorded cells

In each cell a Gaussian with free mean and covariance learns a problem from 1,000 rows against a discriminator. It learns from
gradients (an affine network), from losses (the score function) or from weights (a weighted fit), and always minimises the same
divergence, KL(p ‖ q), whose minimum is the problem's own mean and covariance, also where the problem is not Gaussian. All
discriminators get the same number of trials when they are tuned, the same rows and the same initial generator; a discriminator
that refits does so on 500 + 500 samples, the network takes 20 steps on as many. There are two arms: all play 100 rounds; or as
many as they do in a second of one core, at the median pace of the first arm. A handwritten discriminator that knows p is added
for comparison. Settings and cells are recorded when they end, so that an interrupted run continues.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from first_answer_cells import ARMS, DISCRIMINATORS, FIELDS, FLOOR, PROBLEMS, ROUNDS, SIGNALS, Cell, play, tuned
from first_answer_page import page

SECONDS, LEAST, MOST = 1.0, 5, 2_000  # of a cell in the arm at equal time, and the limits of its rounds


def settings_of(path: Path, pool: Executor) -> dict[str, dict[str, Any]]:
    """Return the tuned settings of each discriminator and problem, which are recorded in a file when they are found."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    wanted = [
        (discriminator, problem)
        for discriminator, problem in product(DISCRIMINATORS, PROBLEMS)
        if f"{discriminator} / {problem}" not in kept
    ]
    for (discriminator, problem), future in {key: pool.submit(tuned, *key) for key in wanted}.items():
        kept[f"{discriminator} / {problem}"] = future.result()
        path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
        print(f"tuned: {discriminator} / {problem}", flush=True)
    return kept


def paces(rows: list[dict[str, str]]) -> dict[tuple[str, str, str], int]:
    """Return the rounds of each discriminator, signal and problem in a second of one core, from the arm at equal rounds."""
    times: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        if row["arm"] == ARMS[0]:
            times.setdefault((row["discriminator"], row["signal"], row["problem"]), []).append(float(row["seconds"]))
    return {key: int(np.clip(round(ROUNDS * SECONDS / np.median(spent)), LEAST, MOST)) for key, spent in times.items()}


def played(
    cells: list[Cell], settings: Mapping[str, Any], rounds: Mapping[Any, int], pool: Executor
) -> Iterator[dict[str, Any]]:
    def chosen(cell: Cell) -> dict[str, Any]:
        found = {} if cell.discriminator == FLOOR else settings[f"{cell.discriminator} / {cell.problem}"]["settings"]
        return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}

    futures = [pool.submit(play, cell, chosen(cell), rounds.get(cell[1:4], ROUNDS)) for cell in cells]
    for count, future in enumerate(as_completed(futures), 1):
        yield future.result()
        if count % 20 == 0:
            print(f"{cells[0].arm}: {count} of {len(cells)} cells", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", action="store_true", help="write the page only, from the recorded cells")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "results" / "bias_first_answer.csv")
    arguments = parser.parse_args()
    out: Path = arguments.out
    rows: list[dict[str, str]] = []
    if out.exists():
        with out.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    kept = {(*(row[name] for name in FIELDS[:4]), int(row["seed"])) for row in rows}
    out.parent.mkdir(parents=True, exist_ok=True)
    settings_path = out.with_name(f"{out.stem}_settings.json")
    if not arguments.page:
        with out.open("a", newline="", encoding="utf-8") as file, ProcessPoolExecutor(arguments.workers) as pool:
            settings = settings_of(settings_path, pool)
            writer = csv.DictWriter(file, FIELDS)
            if not rows:
                writer.writeheader()
            for arm in ARMS:
                every = product(range(arguments.seeds), (*DISCRIMINATORS, FLOOR), SIGNALS, PROBLEMS)
                cells = [Cell(arm, discriminator, signal, problem, seed) for seed, discriminator, signal, problem in every]
                rounds = {} if arm == ARMS[0] else paces(rows)
                for row in played([cell for cell in cells if tuple(cell) not in kept], settings, rounds, pool):
                    writer.writerow(row)
                    file.flush()
                    rows.append({name: str(value) for name, value in row.items()})
    text = page(rows, json.loads(settings_path.read_text()), arguments.seeds, SECONDS)
    out.with_suffix(".md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
