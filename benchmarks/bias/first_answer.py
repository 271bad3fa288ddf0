"""Does replacing the network that judges raise the bias of what is learned? Eight judges, three signals, five problems.

    python benchmarks/bias/first_answer.py                    # 1,200 cells of a few seconds: results/bias_first_answer.{csv,md}
    python benchmarks/bias/first_answer.py --seeds 3          # fewer seeds
    python benchmarks/bias/first_answer.py --page             # the page alone, from the cells that are kept

In each cell a Gaussian with free mean and covariance learns a problem from 1,000 rows by deceiving a judge for 100 rounds. It
learns from gradients (an affine network), from losses (the score function) or from weights (a weighted fit), always down the
same divergence, KL(p ‖ q), whose minimum is the problem's own mean and covariance, also where the problem is no Gaussian. All
judges get the same rows, the same initial generator and the same number of rounds; a judge that refits does so on 500 + 500
samples, the network takes 20 steps on as many. Cells are kept as they end, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parent.parent))
from provenance import provenance
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from turinglearn import Game
from turinglearn.bias import completion, holm, jackknife
from turinglearn.datasets import banana, gaussian, student_t
from turinglearn.discriminators import KernelDensityDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import MixtureGenerator, NeuralGenerator, ScoreFunction, WeightedEM
from turinglearn.metrics import Interval
from turinglearn.nn import LinearDecay
from turinglearn.objectives import ForwardKL

ROWS, ROUNDS, BATCH, FIT, STEPS = 1_000, 100, 250, 500, 20
CONTROL = "network"


def _correlated(d: int, rho: float) -> Any:
    steps = np.abs(np.arange(d)[:, None] - np.arange(d))
    return gaussian(np.linspace(1, -1, d), rho**steps)


PROBLEMS: dict[str, tuple[Any, Any, Any]] = {  # the law, its mean, its covariance
    "normal, d 1": (gaussian([1.0], [[4.0]]), np.ones(1), 4 * np.eye(1)),
    "correlated, d 2": (_correlated(2, 0.8), np.array([1.0, -1.0]), np.array([[1, 0.8], [0.8, 1]])),
    "correlated, d 5": (_correlated(5, 0.7), np.linspace(1, -1, 5), 0.7 ** np.abs(np.arange(5)[:, None] - np.arange(5))),
    "banana": (banana(0.5), np.zeros(2), np.diag([1.0, 1.5])),
    "Student, 5 degrees": (student_t(5, np.zeros(2)), np.zeros(2), 5 / 3 * np.eye(2)),
}
JUDGES: dict[str, Callable[[], Any]] = {
    CONTROL: lambda: NeuralDiscriminator((32, 32), learning_rate=3e-3),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "quadratic logistic": lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()),
    "RBF SVM": KernelSVMDiscriminator,
    "forest": lambda: RandomForestClassifier(30, min_samples_leaf=5),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False),
    "30 neighbours": lambda: KNeighborsClassifier(30),
    "kernel density": KernelDensityDiscriminator,
}
SIGNALS: dict[str, Callable[[int], Any]] = {
    "gradients": lambda d: NeuralGenerator(d, (), learning_rate=LinearDecay(0.02, 5 * ROUNDS), averaging=0.95),
    "losses": lambda d: MixtureGenerator(1, rule=ScoreFunction()),
    "weights": lambda d: MixtureGenerator(1, rule=WeightedEM()),
}
FIELDS = ("judge", "signal", "problem", "seed", "status", "seconds", "errors")
Cell = tuple[str, str, str, int]


def errors_of(x: Any, problem: str) -> list[float]:
    """Errors of mean and covariance in the units of the problem, such that KL is about half their squared length."""
    _, mean, covariance = PROBLEMS[problem]
    inverse = np.linalg.inv(np.linalg.cholesky(covariance))
    spread = inverse @ np.atleast_2d(np.cov(x.T)) @ inverse.T - np.eye(len(mean))
    return [*(inverse @ (x.mean(axis=0) - mean)), *(spread / np.sqrt(2)).ravel()]


def play(cell: Cell) -> dict[str, Any]:
    """One cell; a failure is a row too."""
    judge, signal, problem, seed = cell
    kept = {"judge": judge, "signal": signal, "problem": problem, "seed": seed}
    begun = time.process_time()
    try:
        with threadpoolctl.threadpool_limits(1):
            law = PROBLEMS[problem][0]
            steps = STEPS if judge == CONTROL else 1
            game = Game(
                SIGNALS[signal](law.dimension),
                JUDGES[judge](),
                objective=ForwardKL(),
                batch_size=BATCH,
                samples_per_fit=BATCH if judge == CONTROL else FIT,
                discriminator_steps=steps,
                generator_steps=5 if signal == "gradients" else 1,
                random_state=seed,
            )
            for _ in islice(game.rounds(law.sample(ROWS, 1_000 + seed)), ROUNDS):
                pass
            errors = errors_of(game.sample(50_000), problem)
        status = "ok" if np.all(np.isfinite(errors)) else "not finite"
    except Exception as error:  # a row, whatever it was
        errors, status = [], f"{type(error).__name__}: {error}"[:200]
    return {**kept, "status": status, "seconds": round(time.process_time() - begun, 2), "errors": json.dumps(errors)}


# ------------------------------------------------------------------------------------------------------------- the page
def _pairs(errors: Any) -> float:
    """|E e|², unbiased, from the errors (S, k) of as many seeds."""
    n = len(errors)
    return float(((errors.sum(axis=0) ** 2).sum() - (errors**2).sum()) / (n * (n - 1)))


def contrast(ours: list[Any], control: list[Any], level: float) -> Interval:
    """The interval of the rise of squared bias, the mean over signals, by the jackknife over seeds."""
    n = len(ours[0])
    return jackknife(
        lambda kept: np.mean([_pairs(a[kept]) - _pairs(b[kept]) for a, b in zip(ours, control, strict=True)]), n, level=level
    )


def _p_value(interval: Interval, seeds: int, margin: float = 0.0) -> float:
    if interval.standard_error == 0:
        return 1.0
    return float(2 * student.sf(abs(interval.value - margin) / interval.standard_error, seeds - 1))


def verdicts(
    found: dict[tuple[str, str, str], Any], floors: dict[str, float], seeds: int
) -> dict[tuple[str, str], tuple[Any, str]]:
    """For each judge and problem the contrast with the network, and "true", "false" or "undecided" after Holm's correction."""
    contrasts, rises, equals = {}, {}, {}
    for judge, problem in product(JUDGES, PROBLEMS):
        cells = [found.get((judge, signal, problem)) for signal in SIGNALS]
        control = [found.get((CONTROL, signal, problem)) for signal in SIGNALS]
        if judge == CONTROL or any(cell is None for cell in (*cells, *control)):
            continue
        interval = contrast(cells, control, 0.95)
        contrasts[judge, problem] = interval
        rises[judge, problem] = _p_value(interval, seeds) if interval.value > 0 else 1.0
        below = interval.value < floors[problem]
        equals[judge, problem] = _p_value(interval, seeds, floors[problem]) if below else 1.0
    rises, equals = holm(rises), holm(equals)
    return {
        key: (interval, "true" if rises[key] < 0.05 else "false" if equals[key] < 0.05 else "undecided")
        for key, interval in contrasts.items()
    }


PAGE = """# Does replacing the network raise the bias of what is learned?

Written by `python benchmarks/bias/first_answer.py --seeds {seeds}`: {provenance}.

A Gaussian with free mean and covariance learns from {rows} rows in {rounds} rounds, down KL(p ‖ q), by deceiving a judge:
{cells} cells ({judges} judges × {signals} signals × {problems} problems × {seeds} seeds), {done} done, {failed} failed. An
error is the learned mean and covariance less the problem's, in the problem's own units, so that KL is about half its squared
length. Squared bias is the squared length of the mean error over seeds, unbiased by products of distinct seeds; it may be
negative.

## The sentence "replacing the network by X raises the bias", for each judge and problem

{summary}

The contrast is squared bias with the judge less that with the network, the mean over the three signals, with the jackknife's
95 % interval over seeds. *True*: it is above 0. *False*: it is below the mean square error of maximum likelihood on the same
rows, the least that matters. Both at level .05 after Holm's correction over the {family} sentences; *undecided*: neither.

| judge | {heads} |
|---|{lines}|
{table}
| mean square error of maximum likelihood | {floors} |

## Squared bias and variance by signal

| judge | signal | {heads} |
|---|---|{lines}|
{details}

Each entry: squared bias / variance, over the seeds that ended.

## Completion

| judge | cells done | mean square error: failures dropped | failures as the worst | seconds of one core, median |
|---|---|---|---|---|
{completed}
"""


def page(rows: list[dict[str, str]], seeds: int) -> str:
    """The page of the cells that are kept, with seeds below the number that was asked for."""
    rows = [row for row in rows if int(row["seed"]) < seeds]
    found, floors = {}, {}
    for judge, signal, problem in product(JUDGES, SIGNALS, PROBLEMS):
        chosen = [r for r in rows if (r["judge"], r["signal"], r["problem"], r["status"]) == (judge, signal, problem, "ok")]
        if len(chosen) == seeds:
            found[judge, signal, problem] = np.array(
                [json.loads(r["errors"]) for r in sorted(chosen, key=lambda r: int(r["seed"]))]
            )
    for problem, (law, _, _) in PROBLEMS.items():
        floors[problem] = float(
            np.mean([np.sum(np.square(errors_of(law.sample(ROWS, 1_000 + s), problem))) for s in range(seeds)])
        )
    decided = verdicts(found, floors, seeds) if seeds > 2 else {}
    counts = {word: sum(verdict == word for _, verdict in decided.values()) for word in ("true", "false", "undecided")}
    table = []
    for judge in JUDGES:
        if judge != CONTROL:
            table.append(f"| {judge} | " + " | ".join(_said(decided.get((judge, problem))) for problem in PROBLEMS) + " |")
    details = [
        f"| {judge} | {signal} | " + " | ".join(_split(found.get((judge, signal, problem))) for problem in PROBLEMS) + " |"
        for judge, signal in product(JUDGES, SIGNALS)
    ]
    return PAGE.format(
        seeds=seeds,
        provenance=provenance(),
        rows=f"{ROWS:,}",
        rounds=ROUNDS,
        cells=f"{len(JUDGES) * len(SIGNALS) * len(PROBLEMS) * seeds:,}",
        judges=len(JUDGES),
        signals=len(SIGNALS),
        problems=len(PROBLEMS),
        done=sum(row["status"] == "ok" for row in rows),
        failed=sum(row["status"] != "ok" for row in rows),
        summary=f"Of {len(decided)}, {counts['true']} are true, {counts['false']} false, {counts['undecided']} undecided.",
        family=len(decided),
        heads=" | ".join(PROBLEMS),
        lines="|".join(["---"] * len(PROBLEMS)),
        table="\n".join(table),
        floors=" | ".join(f"{floors[problem]:.4f}" for problem in PROBLEMS),
        details="\n".join(details),
        completed="\n".join(_completed(rows)),
    )


def _said(decided: Any) -> str:
    if decided is None:
        return "not run"
    interval, verdict = decided
    return f"**{verdict}** {interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _split(errors: Any) -> str:
    return "not run" if errors is None or len(errors) < 2 else f"{_pairs(errors):.3f} / {errors.var(axis=0, ddof=1).sum():.3f}"


def _completed(rows: list[dict[str, str]]) -> list[str]:
    squares = {id(row): sum(e * e for e in json.loads(row["errors"])) if row["status"] == "ok" else np.nan for row in rows}
    worst = max((v for v in squares.values() if np.isfinite(v)), default=0.0)
    lines = []
    for judge in JUDGES:
        mine = [row for row in rows if row["judge"] == judge]
        if mine:
            how = completion([squares[id(row)] for row in mine], worst)
            seconds = np.median([float(row["seconds"]) for row in mine])
            lines.append(f"| {judge} | {how.rate:.1%} of {len(mine)} | {how.dropped:.3f} | {how.imputed:.3f} | {seconds:.1f} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", action="store_true", help="play nothing; write the page of the cells that are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "results" / "bias_first_answer.csv")
    arguments = parser.parse_args()
    rows: list[dict[str, str]] = []
    if arguments.out.exists():
        with arguments.out.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    kept = {(row["judge"], row["signal"], row["problem"], int(row["seed"])) for row in rows}
    cells = [(j, s, p, seed) for seed, j, s, p in product(range(arguments.seeds), JUDGES, SIGNALS, PROBLEMS)]
    left = [] if arguments.page else [cell for cell in cells if cell not in kept]
    if left:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        with arguments.out.open("a", newline="", encoding="utf-8") as file, ProcessPoolExecutor(arguments.workers) as pool:
            writer = csv.DictWriter(file, FIELDS)
            if not rows:
                writer.writeheader()
            for count, future in enumerate(as_completed([pool.submit(play, cell) for cell in left]), 1):
                row = future.result()
                writer.writerow(row)
                file.flush()
                rows.append({name: str(value) for name, value in row.items()})
                if count % 20 == 0:
                    print(f"{count} of {len(left)} cells", flush=True)
    text = page(rows, arguments.seeds)
    arguments.out.with_suffix(".md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
