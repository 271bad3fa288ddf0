"""Page of benchmarks/bias/first_answer.py, from its cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from first_answer_cells import ARMS, CONTROL, DISCRIMINATORS, FLOOR, PROBLEMS, ROUNDS, ROWS, SIGNALS, TRIALS, errors_of
from provenance import provenance
from scipy.stats import t as student

from turinglearn import Game
from turinglearn.bias import completion, holm, squared_mean_difference
from turinglearn.metrics import Interval
from turinglearn.objectives import ForwardKL
from turinglearn.signals import Student

__all__ = ["page", "verdicts"]

FLOORS = 400  # samples of which the margin is the mean
Key = tuple[str, str, str]
Row = dict[str, str]

PAGE = """# Bias of what is learned if the network is replaced

Written by `python benchmarks/bias/first_answer.py --seeds {seeds}`: {provenance}.

A Gaussian with free mean and covariance learns from {rows} rows by minimising KL(p ‖ q). {discriminators} discriminators ×
{signals} signals × {problems} problems × {seeds} seeds are {cells} cells, once with {rounds} rounds each and once with
{seconds:g} s of one core each.

An error is the learned mean less the problem's, and the matrix logarithm of the learned covariance, in the problem's own units,
so that KL is about half its squared norm, and a diverging covariance can still be averaged. Squared bias is the squared norm of
the mean error over seeds, estimated without bias by products of distinct seeds; it may be negative. Each discriminator was
tuned for each problem with {trials} trials of cross-validated log-loss.

The contrast is the squared bias less that of the network, averaged over the three signals, with its 95 % interval over seeds
(`squared_mean_difference`). *True*: it is above 0. *False*: it is below the smallest relevant difference, the mean square error
of a Gaussian fitted to as many rows by maximum likelihood (over {floors} samples). Both are at level .05 after Holm's
correction over the hypotheses of the arm. *Undecided*: neither, or a seed failed.

Gradients are exact where a discriminator has them. For {students} they are a student network's (`Student`), so that
results by gradients for these are of discriminator and student together.
{arms}
## Tuning

Cross-validated log-loss with default settings → with the best of {trials} settings, on real rows and a Gaussian that is
shifted, wider, and without correlation.

| discriminator | {heads} |
|---|{lines}|
{tuned}
"""

ARM = """
## {arm}: the hypothesis "replacing the network by X increases the bias", for each discriminator and problem

{done} cells done, {failed} failed. {summary}

| discriminator | {heads} |
|---|{lines}|
{table}
| mean square error of a Gaussian by maximum likelihood | {floors} |

Squared bias / variance by signal, over the seeds that ended. "{floor}" is handwritten: log p less the log-density of the
fakes' Gaussian.

| discriminator | signal | {heads} |
|---|---|{lines}|
{details}

Squared errors over all cells of a discriminator, with failures dropped, or counted as the worst observed:

| discriminator | cells done | median | mean, dropped | mean, worst | rounds, median | seconds, median |
|---|---|---|---|---|---|---|
{completed}
"""


def page(rows: list[Row], settings: Mapping[str, Any], seeds: int, seconds: float) -> str:
    """Return the page of the recorded cells with these seeds."""
    rows = [row for row in rows if int(row["seed"]) < seeds]
    floors = {
        problem: float(
            np.mean([np.sum(logged(errors_of(distribution.sample(ROWS, 1_000 + s), problem)) ** 2) for s in range(FLOORS)])
        )
        for problem, (distribution, _, _) in PROBLEMS.items()
    }
    common = {"heads": " | ".join(PROBLEMS), "lines": "|".join(["---"] * len(PROBLEMS))}
    return PAGE.format(
        seeds=seeds,
        provenance=provenance(),
        rows=f"{ROWS:,}",
        rounds=ROUNDS,
        seconds=seconds,
        cells=f"{len(DISCRIMINATORS) * len(SIGNALS) * len(PROBLEMS) * seeds:,}",
        discriminators=len(DISCRIMINATORS),
        signals=len(SIGNALS),
        problems=len(PROBLEMS),
        trials=TRIALS,
        floors=FLOORS,
        students=", ".join(discriminator for discriminator in DISCRIMINATORS if _through_a_student(discriminator)),
        arms="".join(_arm(arm, [row for row in rows if row["arm"] == arm], floors, seeds, common) for arm in ARMS),
        tuned="\n".join(
            f"| {discriminator} | " + " | ".join(_tuned(settings, discriminator, p) for p in PROBLEMS) + " |"
            for discriminator in DISCRIMINATORS
        ),
        **common,
    )


def _arm(arm: str, rows: list[Row], floors: dict[str, float], seeds: int, common: dict[str, str]) -> str:
    found = {}
    for key in product((*DISCRIMINATORS, FLOOR), SIGNALS, PROBLEMS):
        chosen = [row for row in rows if (row["discriminator"], row["signal"], row["problem"], row["status"]) == (*key, "ok")]
        if len(chosen) == seeds:
            found[key] = np.array([_read(row) for row in sorted(chosen, key=lambda row: int(row["seed"]))])
    decided = verdicts(found, floors, seeds) if seeds > 2 else {}
    counts = {word: sum(verdict == word for _, verdict in decided.values()) for word in ("true", "false")}
    counts["undecided"] = (len(DISCRIMINATORS) - 1) * len(PROBLEMS) - sum(counts.values())
    discriminators = [discriminator for discriminator in DISCRIMINATORS if discriminator != CONTROL]
    return ARM.format(
        arm=arm[0].upper() + arm[1:],
        done=f"{sum(row['status'] == 'ok' for row in rows):,}",
        failed=sum(row["status"] != "ok" for row in rows),
        summary=f"Of the {(len(DISCRIMINATORS) - 1) * len(PROBLEMS)} hypotheses, "
        + ", ".join(f"{n} are {word}" for word, n in counts.items())
        + ".",
        table="\n".join(
            f"| {discriminator} | " + " | ".join(_cell(decided.get((discriminator, p))) for p in PROBLEMS) + " |"
            for discriminator in discriminators
        ),
        floors=" | ".join(f"{floors[problem]:.4f}" for problem in PROBLEMS),
        floor=FLOOR,
        details="\n".join(
            f"| {discriminator} | {signal} | "
            + " | ".join(_split(found.get((discriminator, signal, problem))) for problem in PROBLEMS)
            + " |"
            for discriminator, signal in product((*DISCRIMINATORS, FLOOR), SIGNALS)
        ),
        completed="\n".join(_completed(rows)),
        **common,
    )


def logged(errors: Any) -> Any:
    """Return errors (d + d²,) with a matrix logarithm for the covariance, log(I + E) for I + E, equal to second order."""
    d = round((np.sqrt(1 + 4 * len(errors)) - 1) / 2)
    values, axes = np.linalg.eigh(np.eye(d) + np.sqrt(2) * np.reshape(errors[d:], (d, d)))
    spread = (axes * np.log(np.maximum(values, 1e-12))) @ axes.T
    return np.concatenate((errors[:d], spread.ravel() / np.sqrt(2)))


def _read(row: Row) -> Any:
    return logged(json.loads(row["errors"]))


def _pairs(errors: Any) -> float:
    """Return |E e|², unbiased, from the errors (S, k) of as many seeds."""
    n = len(errors)
    return float(((errors.sum(axis=0) ** 2).sum() - (errors**2).sum()) / (n * (n - 1)))


def contrast(ours: list[Any], control: list[Any], level: float) -> Interval:
    """Return the interval of the increase in squared bias, the mean over signals, which share a seed."""
    return squared_mean_difference(_products(ours), _products(control), level=level)


def _products(errors: list[Any]) -> Any:
    return np.mean([e @ e.T for e in errors], axis=0)


def _p_value(interval: Interval, seeds: int, margin: float = 0.0) -> float:
    if interval.standard_error == 0:
        return 1.0
    return float(2 * student.sf(abs(interval.value - margin) / interval.standard_error, seeds - 1))


def verdicts(found: Mapping[Key, Any], floors: Mapping[str, float], seeds: int) -> dict[tuple[str, str], tuple[Interval, str]]:
    """Return the contrast of each discriminator and problem with the network, and its verdict after Holm's correction."""
    contrasts, higher, equal = {}, {}, {}
    for discriminator, problem in product(DISCRIMINATORS, PROBLEMS):
        cells = [found.get((discriminator, signal, problem)) for signal in SIGNALS]
        control = [found.get((CONTROL, signal, problem)) for signal in SIGNALS]
        if discriminator == CONTROL:
            continue
        higher[discriminator, problem] = equal[discriminator, problem] = (
            1.0  # a hypothesis that cannot be tested stays in the family
        )
        if any(cell is None for cell in (*cells, *control)):
            continue
        interval = contrast(cells, control, 0.95)
        contrasts[discriminator, problem] = interval
        higher[discriminator, problem] = _p_value(interval, seeds) if interval.value > 0 else 1.0
        below = interval.value < floors[problem]
        equal[discriminator, problem] = _p_value(interval, seeds, floors[problem]) if below else 1.0
    higher, equal = holm(higher), holm(equal)
    return {
        key: (interval, "true" if higher[key] < 0.05 else "false" if equal[key] < 0.05 else "undecided")
        for key, interval in contrasts.items()
    }


def _cell(decided: Any) -> str:
    if decided is None:
        return "**undecided**: not all seeds ended"
    interval, verdict = decided
    return f"**{verdict}** {interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _through_a_student(discriminator: str) -> bool:
    game = Game(SIGNALS["gradients"](2, ROUNDS), DISCRIMINATORS[discriminator][0](), objective=ForwardKL())
    return isinstance(game.signal.derivative, Student)


def _split(errors: Any) -> str:
    return "–" if errors is None or len(errors) < 2 else f"{_pairs(errors):.3f} / {errors.var(axis=0, ddof=1).sum():.3f}"


def _tuned(settings: Mapping[str, Any], discriminator: str, problem: str) -> str:
    found = settings.get(f"{discriminator} / {problem}")
    return "–" if found is None else f"{found['first']:.3f} → {found['best']:.3f}"


def _completed(rows: list[Row]) -> list[str]:
    squares = {id(row): float(np.sum(_read(row) ** 2)) if row["status"] == "ok" else np.nan for row in rows}
    worst = max((v for v in squares.values() if np.isfinite(v)), default=0.0)
    lines = []
    for discriminator in (*DISCRIMINATORS, FLOOR):
        mine = [row for row in rows if row["discriminator"] == discriminator]
        if mine:
            values = [squares[id(row)] for row in mine]
            how = completion(values, worst)
            rounds, seconds = (np.median([float(row[name]) for row in mine]) for name in ("rounds", "seconds"))
            lines.append(
                f"| {discriminator} | {how.rate:.1%} of {len(mine)} | {np.nanmedian(values):.3f} | {how.dropped:.3f} "
                f"| {how.imputed:.3f} | {rounds:.0f} | {seconds:.1f} |"
            )
    return lines
