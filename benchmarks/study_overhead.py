"""Overhead of a study: 1,000 cells that do nothing, on each engine; and a store of 100,000 finished cells.

python benchmarks/study_overhead.py --out benchmarks/results/study_overhead.md
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from provenance import provenance

from turinglearn.study import Cluster, Inline, Job, Limits, Outcome, Plan, Processes, Store, Writer, run
from turinglearn.study.parquet import export

MOST = 10.0  # milliseconds per cell
FUNCTION, LIMITS = "study_overhead:nothing", Limits(60.0, 2**30)
PAGE = """# Overhead of a study

Written by `python benchmarks/study_overhead.py`: {provenance}; load of the machine {load}.

{cells:,} cells that return at once, each a row on disk: milliseconds of wall-clock time per cell, from the first outcome to the
last, and so without the start of processes; and this start, to the first outcome, in seconds. The limit is {most:g} ms.

| engine | ms per cell | start, s |
|---|---|---|
{engines}

A store with {many:,} finished cells, in seconds:

| | s |
|---|---|
{store}
"""


def nothing(payload: dict[str, Any]) -> dict[str, float]:
    return {"value": float(payload["seed"])}


def plan(count: int) -> Plan:
    common = {"problem": "ring", "generator": "mixture", "discriminator": "forest", "objective": "classic", "budget": 1000}
    return Plan([Job(f"{seed:064x}", {"seed": seed, **common}) for seed in range(count)], FUNCTION, LIMITS)


def overhead(engine: Any, path: Path, cells: int) -> tuple[float, float]:
    """Return milliseconds per cell, and seconds to the first one."""
    planned, times = plan(cells), []
    begun = time.perf_counter()
    with Writer(path) as writer:
        writer.begin(planned)
        counts = run(planned, engine, writer, lambda outcome: times.append(time.perf_counter()))
    if counts["ok"] != cells:
        raise RuntimeError(f"of {cells} cells the outcomes are {counts}")
    return 1000 * (times[-1] - times[0]) / (cells - 1), times[0] - begun


def of_many(folder: Path, count: int) -> dict[str, float]:
    """Return the seconds that a large store takes to be written, opened, counted, read and exported."""
    path, planned, seconds = folder / "many.sqlite", plan(count), {}

    def timed(name: str, act: Callable[[], Any]) -> None:
        begun = time.perf_counter()
        act()
        seconds[name] = time.perf_counter() - begun

    def write() -> None:
        figures = {f"figure {i}": i / 7 for i in range(8)}
        with Writer(path) as writer:
            writer.begin(planned)
            for job in planned.jobs:
                writer.write(Outcome(job.identity, "ok", figures, "", 1.0, "2026-01-01T00:00:00.000+00:00", "here:1"))

    def status() -> None:
        with Store(path) as store:
            store.counts()

    def resume() -> None:
        with Writer(path) as writer:
            with Store(path) as store:
                again = store.plan()
            writer.begin(again)
            writer.finished()

    def read(name: str = "many.sqlite") -> None:
        with Store(folder / name) as store:
            for _ in store.rows():
                pass

    def to(name: str) -> None:
        with Store(path) as store:
            export(store, folder / name)

    timed("write one by one", write)
    timed("open and count", status)
    timed("begin a resume with nothing left", resume)
    timed("read every row", read)
    timed("export to CSV", lambda: to("many.csv"))
    timed("export to Parquet", lambda: to("many.parquet"))
    timed("open the Parquet file and read every row", lambda: read("many.parquet"))
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "study_overhead.md")
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    engines = {
        "inline": Inline(FUNCTION, LIMITS),
        "one process": Processes(FUNCTION, LIMITS, 1),
        "two processes": Processes(FUNCTION, LIMITS, 2),
        "Dask, two workers on this machine": Cluster(FUNCTION, LIMITS, workers=2),
    }
    with TemporaryDirectory() as folder:
        figures = {name: overhead(e, Path(folder) / f"{name}.sqlite", arguments.cells) for name, e in engines.items()}
        seconds = of_many(Path(folder), arguments.many)
    text = PAGE.format(
        provenance=provenance("distributed", "pyarrow"),
        load=load,
        cells=arguments.cells,
        most=MOST,
        engines="\n".join(f"| {name} | {each:.2f} | {start:.1f} |" for name, (each, start) in figures.items()),
        many=arguments.many,
        store="\n".join(f"| {name} | {took:.1f} |" for name, took in seconds.items()),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0 if all(each <= MOST for name, (each, _) in figures.items() if "Dask" not in name) else 1


if __name__ == "__main__":
    sys.exit(main())
