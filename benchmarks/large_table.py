"""A large table through the command line: time and memory of fit and sample.

python benchmarks/large_table.py        # a million rows, 20 columns: writes benchmarks/results/large_table.md
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from provenance import provenance

PAGE = """# A large table through the command line

Written by `python benchmarks/large_table.py --rows {rows} --rounds {rounds}`: {provenance}.

{rows:,} rows of 20 columns (16 of correlated real numbers, a whole number, a date, two categories), {size:.0f} MB of CSV.
Peak memory is the largest resident set of the process. The limit is 2 GB.

| command | seconds | peak memory |
|---|---|---|
{lines}

After the fit, the squared energy distance of the samples to the first 5,000 rows is {distance:.4f}, in units of
each column's spread.
"""


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    factors, first = rng.standard_normal((4, 16)), True
    for start in range(0, rows, 100_000):
        n = min(100_000, rows - start)
        x = rng.standard_normal((n, 4)) @ factors + rng.standard_normal((n, 16))
        table = pd.DataFrame(x.round(3), columns=[f"x{i}" for i in range(16)])
        table["count"] = rng.poisson(3, n)
        table["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, n), unit="D")
        table["city"] = rng.choice(["Lima", "Oslo", "Rome", "Kyiv"], n)
        table["well"] = rng.random(n) < 0.3
        table.to_csv(path, mode="w" if first else "a", header=first, index=False)
        first = False


def run(*arguments: str) -> tuple[float, float, str]:
    """Run a command; return seconds, peak memory in MB, and standard output."""
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "turinglearn", *arguments], stdout=subprocess.PIPE, text=True)
    output = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"turinglearn {' '.join(arguments)} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024, output


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "large_table.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, model, fake, part = (str(Path(folder) / name) for name in ("table.csv", "model", "fake.csv", "part.csv"))
        write(Path(table), arguments.rows)
        pd.read_csv(table, nrows=5000).to_csv(part, index=False)
        commands = {
            f"fit --rounds {arguments.rounds}": ("fit", table, "--out", model, "--rounds", str(arguments.rounds)),
            f"sample -n {arguments.rows}": ("sample", model, "-n", str(arguments.rows), "--out", fake),
        }
        lines = []
        for name, command in commands.items():
            seconds, memory, _ = run(*command, "--random-state", "0")
            lines.append(f"| `turinglearn {name}` | {seconds:.0f} | {memory / 1000:.2f} GB |")
            print(lines[-1], flush=True)
        *_, scored = run("score", model, part, "--json")
        size = Path(table).stat().st_size / 1e6
    distance = float(scored.partition('"energy_distance": ')[2].partition(",")[0])
    text = PAGE.format(**vars(arguments), provenance=provenance(), size=size, lines="\n".join(lines), distance=distance)
    arguments.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
