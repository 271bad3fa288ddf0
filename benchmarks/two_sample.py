"""Size and power of the classifier two-sample test at level .05.

    python benchmarks/two_sample.py     # prints a table and writes benchmarks/results/two_sample.md

Size: share of rejections where the distributions are equal. A valid test rejects in .05 of such runs, and 1,000 runs measure
it to within ±.014 (two standard errors). Power: share of rejections where one coordinate is shifted by half a standard
deviation.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import threadpoolctl
from provenance import provenance
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from turinglearn.metrics import two_sample_test

LEVEL, NULL_RUNS, RUNS, SHIFT, DIMENSION = 0.05, 1000, 200, 0.5, 2
NULL_ROWS, ROWS = 100, (50, 100, 200, 400, 800)
CLASSIFIERS = {"default (extremely randomised trees)": None, "logistic regression": LogisticRegression()}

PAGE = """# Size and power of the classifier two-sample test

Written by `python benchmarks/two_sample.py`: {provenance}.

Two normal samples of n rows in {dimension} dimensions, half of them held out, 199 permutations, level {level}. Size
is the share of rejections where the distributions are equal, power the share where one coordinate is shifted by {shift}
standard deviations. The best power is that of the most powerful test, which knows both distributions and uses all rows.
Intervals are of 95 % (Wilson). Milliseconds of processor time per test, on a machine that was not otherwise idle.

| classifier | shift | n | runs | rejected | 95 % interval | best power | ms |
|---|---|---|---|---|---|---|---|
{rows}
"""


def rejects(seed: int, name: str, shift: float, n: int) -> bool:
    rng = np.random.default_rng([seed, n, int(shift > 0)])
    x, y = rng.standard_normal((2, n, DIMENSION))
    x[:, 0] += shift
    return two_sample_test(x, y, classifier=CLASSIFIERS[name], random_state=rng).p_value <= LEVEL


def cell(name: str, shift: float, n: int, runs: int) -> str:
    """Return one row of the table."""
    begun = time.process_time()
    with threadpoolctl.threadpool_limits(1):
        share = sum(rejects(seed, name, shift, n) for seed in range(runs)) / runs
    milliseconds = 1000 * (time.process_time() - begun) / runs
    low, high = wilson(share, runs)
    return (
        f"| {name} | {shift} | {n} | {runs} | {share:.3f} | {low:.3f} to {high:.3f} | {best(shift, n):.3f} "
        f"| {milliseconds:.0f} |"
    )


def wilson(share: float, runs: int) -> tuple[float, float]:
    z = 1.96
    middle, reach = share + z * z / (2 * runs), z * math.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs))
    return (middle - reach) / (1 + z * z / runs), (middle + reach) / (1 + z * z / runs)


def best(shift: float, n: int) -> float:
    """Return the power of the one-sided z test on the difference of means along the shift."""
    return float(norm.sf(norm.ppf(1 - LEVEL) - shift * math.sqrt(n / 2)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "two_sample.md")
    arguments = parser.parse_args()
    cells = [(name, 0.0, NULL_ROWS, NULL_RUNS) for name in CLASSIFIERS]
    cells += [(name, SHIFT, n, RUNS) for name, n in product(CLASSIFIERS, ROWS)]
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = list(pool.map(cell, *zip(*cells, strict=True)))
    text = PAGE.format(provenance=provenance(), dimension=DIMENSION, level=LEVEL, shift=SHIFT, rows="\n".join(rows))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
