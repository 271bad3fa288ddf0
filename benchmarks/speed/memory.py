"""Memory of games: many at once, and one for many rounds: ``python -m benchmarks.speed.memory``.

Each case is a process of its own, and its memory is that of the whole process: Python, the libraries, the data and the game.
The exit code is 1 if a bound is exceeded.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

from benchmarks.provenance import provenance  # and no library: on Linux a child's peak begins at its parent's

__all__ = ["main", "measure"]

RESULTS = Path(__file__).parent.parent / "results" / "memory.md"
MANY, RESIDENT, TRACED = 1500.0, 2.0, 0.1  # the bounds, in MB

PAGE = """# The neural core's memory

Written by `python -m benchmarks.speed.memory`: {provenance}.

Each case is a process of its own; memory is in MB, 10^6 bytes. Resident memory is the peak of the process, from `getrusage`; it
includes Python, NumPy, SciPy, scikit-learn, torch where it is named, and 10,000 points of the plane. Traced memory is counted
by `tracemalloc`: Python's objects and NumPy's arrays.

## {games} games at once

2-128-128-2 against 2-128-128-1, batch 256, {games} games together for 20 rounds. Peak resident memory at most {many:g} MB:

| backend | before the game | at its end | |
| --- | --- | --- | --- |
{at_once}

## One game for many rounds

2-32-32-2 against 2-32-32-1, batch 128, on NumPy. From round {early:,} to round {late:,} resident memory may grow
by {resident:g} MB, for the allocator's pages, and traced memory by {traced:g} MB:

| memory | at round {early:,} | at round {late:,} | |
| --- | --- | --- | --- |
{for_long}
"""


def main(argv: list[str] | None = None) -> int:
    """Run every case and write the page; with --case, run that case in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=64)
    parser.add_argument(
        "--rounds", type=int, default=10_000, help="rounds of the long game; the first measurement is after a tenth of them"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--case", choices=("numpy", "torch", "resident", "traced"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.case:
        print(json.dumps(measure(options.case, options.games, options.rounds)))
        return 0
    at_once = {case: _alone(case, options) for case in ("numpy", "torch")}
    for_long = {case: _alone(case, options) for case in ("resident", "traced")}
    kept = {case: peak <= MANY for case, (_, peak) in at_once.items()}
    kept |= {case: late - early <= {"resident": RESIDENT, "traced": TRACED}[case] for case, (early, late) in for_long.items()}

    def rows(cases: dict[str, tuple[float, float]]) -> str:
        words = {True: "kept", False: "**exceeded**"}
        return "\n".join(f"| {case} | {a:.2f} | {b:.2f} | {words[kept[case]]} |" for case, (a, b) in cases.items())

    bounds = {"many": MANY, "resident": RESIDENT, "traced": TRACED}
    sizes = {"games": options.games, "early": options.rounds // 10, "late": options.rounds}
    text = PAGE.format(provenance=provenance(), at_once=rows(at_once), for_long=rows(for_long), **bounds, **sizes)
    options.out.write_text(text, encoding="utf-8")
    return 0 if all(kept.values()) else 1


def measure(case: str, games: int, rounds: int) -> tuple[float, float]:
    """Return MB of this process before the games and at their end, or early and late in a long game."""
    from benchmarks.speed.core import game
    from benchmarks.speed.problem import Size, chunk, data

    at_once = case in ("numpy", "torch")
    size = Size((128, 128), 256, rounds=20, games=games) if at_once else Size((32, 32), 128, rounds=rounds)
    x = data(size)
    if case == "torch":
        import torch  # noqa: F401 - its libraries count as memory before the game
    if case == "traced":
        tracemalloc.start()
    before = _resident()
    loop = game(size, case if at_once else "numpy").rounds(x)
    if at_once:
        chunk(loop, size.rounds)()
        return before, _resident()
    measured = _traced if case == "traced" else _resident
    chunk(loop, rounds // 10)()
    early = measured()
    chunk(loop, rounds - rounds // 10)()
    return early, measured()


def _alone(case: str, options: argparse.Namespace) -> tuple[float, float]:
    """Run one case in a process of its own."""
    command = ["-m", "benchmarks.speed.memory", "--case", case, "--games", str(options.games), "--rounds", str(options.rounds)]
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=True)
    before, after = json.loads(done.stdout)
    print(f"{case}: {before:.2f} MB, then {after:.2f} MB", flush=True)
    return before, after


def _resident() -> float:
    """Return the peak memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _traced() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


if __name__ == "__main__":
    sys.exit(main())
