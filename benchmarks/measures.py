"""Time and memory of the metrics at 50,000 × 50,000 points of the plane: ``python benchmarks/measures.py``.

Set OMP_NUM_THREADS=1, so that figures can be compared. Writes results/measures.md beside this file.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from pathlib import Path

import numpy as np
import scipy

from turinglearn.datasets import grid
from turinglearn.metrics import (
    authenticity,
    energy_distance,
    frechet_distance,
    memorisation,
    mmd,
    precision_recall,
    sliced_wasserstein,
)

POINTS = 50_000
RESULTS = Path(__file__).parent / "results" / "measures.md"
METRICS = {
    "energy_distance": energy_distance,
    "mmd": mmd,
    "sliced_wasserstein": lambda x, y: sliced_wasserstein(x, y, random_state=0),
    "frechet_distance": frechet_distance,
    "precision_recall, its coverage": lambda x, y: precision_recall(x, y).coverage,
    "authenticity": authenticity,
    "memorisation, its ratio": lambda x, y: memorisation(x, y, grid().sample(POINTS, 2), random_state=0).ratio,
}


def peak_megabytes() -> float:
    """Return the peak memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    x, y = (grid().sample(POINTS, seed) for seed in (0, 1))
    at_start = peak_megabytes()
    rows = []
    for name, metric in METRICS.items():
        start = time.perf_counter()
        value = metric(x, y)
        seconds = time.perf_counter() - start
        rows.append(f"| {name} | {seconds:.1f} | {peak_megabytes():.0f} | {value:.3g} |")
        print(rows[-1], flush=True)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one process, wall time"
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    threads = f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        f"# Metrics at {POINTS:,} × {POINTS:,} points\n\n"
        "Written by `python benchmarks/measures.py`: two samples of the distribution `grid()`, so that true distances are 0, "
        "coverage .969, the ratio of memorisation 1 and authenticity .378 in the limit of many rows per mode; Wasserstein and "
        f"Fréchet distances of samples are above 0. Memory is the peak of the process so far, in MB; {at_start:.0f} before the "
        "first.\n\n"
        f"{versions}; {threads}; {machine}.\n\n"
        "| metric | seconds | peak resident MB | value |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    main()
