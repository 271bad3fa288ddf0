"""Time that `turinglearn study status` and `study report` take on a store of 100,000 finished cells.

make bench-bias
python benchmarks/study_report.py bench-bias/smoke.sqlite --out benchmarks/results/study_report.md

The cells are those of a finished store, many times: ten times the seeds of each setting, and as many settings as it takes,
which differ in a budget. Each figure is off by some hundredths, by chance, so that no two cells are alike.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from provenance import provenance

from turinglearn.study import Job, Limits, Outcome, Plan, Store, Writer
from turinglearn.study.store import Row

MOST = 30.0  # seconds
TIMES = 10  # the seeds of each setting
SPREAD = 0.03  # of a figure, relative
DISTINGUISHED = {"discriminator": "n", "game": "batch_size"}
PAGE = """# A store of many finished cells

Written by `python benchmarks/study_report.py`: {provenance}; load of the machine {load}.

{cells:,} cells with {seeds:,} seeds ({kinds}) in a store of {size:.0f} MB. Each command is a process of its own, from its start
to its end, median of {repeats}; the limit is {most:g} s.

| command | s | size of what it wrote |
|---|---|---|
{commands}
"""


def many(rows: list[Row], cells: int, rng: np.random.Generator) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield cells and their figures without end."""
    yield from ((Job(row.identity, row.payload), row.figures) for row in rows if row.payload["kind"] == "truth")
    played = [row for row in rows if row.payload["kind"] != "truth"]
    seeds = 1 + max(seed for row in played for seed in row.payload["seeds"])
    for turn in count():
        setting, more = divmod(turn, TIMES)
        for row in played:
            payload, name = row.payload, DISTINGUISHED[row.payload["kind"]]
            budget = payload["budget"] | {name: payload["budget"].get(name, 0) + setting}
            payload = payload | {"seeds": [seeds * more + seed for seed in payload["seeds"]], "budget": budget}
            identity = hashlib.sha256(f"{row.identity} {turn}".encode()).hexdigest()
            yield Job(identity, payload), blurred(row.figures, rng)


def blurred(content: Any, rng: np.random.Generator) -> Any:
    """Return the same figures, each changed a little."""
    if isinstance(content, dict):
        return {name: blurred(value, rng) for name, value in content.items()}
    if isinstance(content, list):
        return [blurred(value, rng) for value in content]
    return content if content is None else float(f"{content * (1 + SPREAD * rng.normal()):.6g}")


def written(path: Path, rows: list[Row], cells: int) -> int:
    """Write the store; return the number of seeds of its cells."""
    found = list(islice(many(rows, cells, np.random.default_rng(0)), cells))
    with Writer(path) as writer:
        writer.begin(Plan([job for job, _ in found], "a:b", Limits(1.0, 2**30), "Many cells", cells))
        for job, figures in found:
            writer.write(Outcome(job.identity, "ok", figures, "", 1.0, "2026-01-01T00:00:00.000+00:00", "here:1"))
    return sum(len(job.payload["seeds"]) for job, _ in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="a finished store, such as that of make bench-bias")
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "study_report.md")
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    with Store(arguments.store) as store:
        rows = list(store.rows("ok"))
    kinds = {kind: sum(row.payload["kind"] == kind for row in rows) for kind in ("discriminator", "game")}
    with TemporaryDirectory() as folder:
        path, out = Path(folder) / "many.sqlite", Path(folder) / "report"
        seeds = written(path, rows, arguments.cells)
        size = path.stat().st_size / 1e6
        commands = {"status": [str(path)], "report": [str(path), "--out", str(out)]}
        took = {name: seconds_of([name, *rest], arguments.repeats) for name, rest in commands.items()}
        wrote = {name: f"{sum(f.stat().st_size for f in out.rglob('*') if f.is_file()) / 1e6:.0f} MB" for name in ("report",)}
    text = PAGE.format(
        provenance=provenance(),
        load=load,
        cells=arguments.cells,
        seeds=seeds,
        kinds=", ".join(f"{kind}s {n / sum(kinds.values()):.0%}" for kind, n in kinds.items()),
        size=size,
        repeats=arguments.repeats,
        most=MOST,
        commands="\n".join(f"| `study {name}` | {seconds:.1f} | {wrote.get(name, '')} |" for name, seconds in took.items()),
    )
    arguments.out.write_text(text)
    print(text)
    return 0 if max(took.values()) <= MOST else 1


def seconds_of(arguments: list[str], repeats: int) -> float:
    """Return the median time of a command from start to end."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "turinglearn", "study", *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


if __name__ == "__main__":
    sys.exit(main())
