"""A handwritten simulator against gradient boosting: the parameters of the g-and-k distribution.

    python benchmarks/g_and_k.py            # 20 seeds: prints a table and writes benchmarks/results/g_and_k.md

10,000 real samples with (a, b, g, k) = (3, 1, 2, .5). The simulator can only draw samples, and learns its parameters against
boosting. It is compared with maximum likelihood, which needs the density (here by inverting the quantile function), and with
the Cramér-Rao bound, from the mean outer product of the scores at the true parameters, by central differences on 400,000 draws.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from provenance import provenance
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier

from turinglearn import Game
from turinglearn.datasets import g_and_k, g_and_k_quantile
from turinglearn.generators import EvolvedGenerator

TRUTH, N = np.array([3.0, 1.0, 2.0, 0.5]), 10_000
BOUNDS = [(0, 10), (0.1, 5), (0, 5), (0, 1)]

PAGE = """# The g-and-k distribution, learned against gradient boosting

Written by `python benchmarks/g_and_k.py --seeds {seeds} --rounds {rounds}`: {provenance}.

{n} real samples with (a, b, g, k) = (3, 1, 2, .5), {seeds} seeds. `EvolvedGenerator` (16 candidates of 600 samples; bounds
(0, 10), (.1, 5), (0, 5), (0, 1); started in their middle) against `HistGradientBoostingClassifier(max_iter=50)` refitted each
round on all real samples and as many fakes, {rounds} rounds, {seconds:.0f} s of one core per seed (median).

| | a | b | g | k |
|---|---|---|---|---|
| Cramér-Rao bound | {bound} |
| maximum likelihood, RMSE | {likelihood} |
| simulator against boosting, RMSE | {rmse} |
| simulator against boosting, bias | {bias} |
| simulator's RMSE / bound | {ratio} |
| simulator's RMSE / maximum likelihood's | {relative} |

The goal was 3 times the bound: {verdict}.

| seed | a | b | g | k | a (ML) | b (ML) | g (ML) | k (ML) |
|---|---|---|---|---|---|---|---|---|
{rows}
"""


def simulate(parameters: Any, n: int, rng: np.random.Generator) -> Any:
    """Draw n samples (n, 1) of the g-and-k distribution."""
    return g_and_k_quantile(rng.standard_normal((n, 1)), *parameters)


def learn(seed: int, rounds: int) -> tuple[Any, Any, float]:
    """Return the simulator's parameters, those of maximum likelihood, and the seconds of the game."""
    with threadpoolctl.threadpool_limits(1):
        x = g_and_k(*TRUTH).sample(N, seed)
        generator = EvolvedGenerator(simulate, BOUNDS)
        discriminator = HistGradientBoostingClassifier(max_iter=50)
        game = Game(generator, discriminator, batch_size=9_600, samples_per_fit=N, random_state=seed)
        begun = time.process_time()
        for _ in islice(game.rounds(x), rounds):
            pass
        seconds = time.process_time() - begun
        best = minimize(lambda theta: _loss(theta, x), TRUTH, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-4})
    return generator.parameters_, best.x, seconds


def _loss(theta: Any, x: Any) -> float:
    if not (theta[1] > 0 and theta[3] >= 0):
        return np.inf
    return -float(np.sum(g_and_k(*theta).log_density(x)))


def cramer_rao(draws: int = 400_000, step: float = 1e-4) -> Any:
    """Return the bound on the standard deviation of each parameter from N samples."""
    x = g_and_k(*TRUTH).sample(draws, 12345)
    scores = np.stack(
        [
            (g_and_k(*(TRUTH + e)).log_density(x) - g_and_k(*(TRUTH - e)).log_density(x)) / (2 * step)
            for e in step * np.eye(len(TRUTH))
        ]
    )
    return np.sqrt(np.diag(np.linalg.inv(scores @ scores.T / draws)) / N)


def _cells(values: Any, form: str = ".4f") -> str:
    return " | ".join(format(value, form) for value in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=800)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "g_and_k.md")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        found, likeliest, seconds = zip(
            *pool.map(learn, range(arguments.seeds), [arguments.rounds] * arguments.seeds), strict=True
        )
    bound = cramer_rao()
    rmse, likelihood = (np.sqrt(np.mean((np.array(v) - TRUTH) ** 2, axis=0)) for v in (found, likeliest))
    ratio = rmse / bound
    text = PAGE.format(
        seeds=arguments.seeds,
        rounds=arguments.rounds,
        provenance=provenance(),
        n=N,
        seconds=np.median(seconds),
        bound=_cells(bound),
        likelihood=_cells(likelihood),
        rmse=_cells(rmse),
        bias=_cells(np.mean(found, axis=0) - TRUTH),
        ratio=_cells(ratio, ".1f"),
        relative=_cells(rmse / likelihood, ".1f"),
        verdict="reached for every parameter" if max(ratio) <= 3 else f"missed by {sum(ratio > 3)} of 4 parameters",
        rows="\n".join(
            f"| {seed} | {_cells(a)} | {_cells(b)} |" for seed, (a, b) in enumerate(zip(found, likeliest, strict=True))
        ),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
