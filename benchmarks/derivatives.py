"""Estimated gradients of discriminators without exact ones: agreement with the true gradient, cost, and progress of a game.

    python benchmarks/derivatives.py        # about 8 minutes of one core: writes benchmarks/results/derivatives.{md,csv}

Discriminators are fitted to 1,000 real samples and 1,000 fakes of known distributions, and score 256 fresh fakes.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from provenance import provenance
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import as_discriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage
from turinglearn.nn import Adam
from turinglearn.protocols import Batch
from turinglearn.signals import Smoothed, Student

FIT, BATCH = 1000, 256
SIGNALS = {
    "Smoothed()": Smoothed(),
    "Smoothed((.1, .25, .7), 6)": Smoothed((0.1, 0.25, 0.7), 6),
    "Student(widths=(1,))": Student(widths=(1.0,)),
    "Student()": Student(),
}
DISCRIMINATORS = {
    "forest, 100 trees": RandomForestClassifier(100, min_samples_leaf=5),
    "boosting, 50 trees": HistGradientBoostingClassifier(max_iter=50),
    "30-NN": KNeighborsClassifier(30),
    "one tree": DecisionTreeClassifier(min_samples_leaf=20),
}
PLAYED = {  # discriminator, samples per fit, generator steps, rate
    "extra trees, 10": (ExtraTreesClassifier(10, min_samples_leaf=10), 2000, 5, 5e-3),
    "boosting, 20 trees": (HistGradientBoostingClassifier(max_iter=20, learning_rate=0.3, min_samples_leaf=8), 2000, 5, 3e-3),
    "10-NN": (KNeighborsClassifier(10), 500, 2, 3e-3),
}

PAGE = """# Estimated gradients of discriminators without exact ones

Written by `python benchmarks/derivatives.py --seeds {seeds} --seconds {seconds:g} --games {games}`: {provenance}.

## Agreement with the gradient of log p/q

Discriminators are fitted to {fit:,} real samples and as many fakes of known distributions, and score {batch} fresh fakes;
{seeds} seeds. *Cosine*: with the true gradient, the mean over the fakes. *Step*: the cosine between the steps that a
generator x + W φ(x), with 64 random features φ of two layers, would make from W = 0 with the estimated and with the true
gradient, under the non-saturating loss; the noise of single samples averages out in it. *ms*: processor time of one gradient,
including the discriminator's scores, median; a machine that was not otherwise idle.

Mean over all discriminators and problems:

| signal | cosine | step | ms |
|---|---|---|---|
{means}

Each cell: cosine / step / ms.

{table}

Problems: *shifted, d*: fakes N(0, I), real N(m, I) with |m| = 1. *narrow, 10*: fakes N(0, .49 I), real
N(0, I). *ring σ*: real samples have eight modes on the unit circle; *early*: fakes N(0, .49 I); *midway*: with modes
of 1.8 σ and unequal weights, turned by .3 σ; *late*: with modes of 1.17 σ and less unequal weights, on a circle larger by .3 σ.

## Progress of a game

A neural generator 2-64-64-2 against refitted discriminators, on the ring with σ = .1, {seconds:g} s of processor
time for each game, {games} seeds; Adam (β₁ .5), the rate falling linearly to 0. Medians over seeds, of 10,000 samples.

| discriminator | signal | rounds | modes | high quality % | reverse KL | energy distance |
|---|---|---|---|---|---|---|
{games_table}
"""


@dataclass(frozen=True)
class Distribution:
    """A mixture of round Gaussians with means (K, d), one sigma and weights (K,)."""

    means: Any
    sigma: float
    weights: Any

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """Draw n samples, (n, d)."""
        which = rng.choice(len(self.means), n, p=self.weights / np.sum(self.weights))
        return self.means[which] + self.sigma * rng.standard_normal((n, self.means.shape[1]))

    def score(self, x: Any) -> Any:
        """Return the gradient of the log-density, (n, d)."""
        log = np.log(self.weights) - ((x[:, None] - self.means) ** 2).sum(-1) / (2 * self.sigma**2)
        share = np.exp(log - log.max(axis=1, keepdims=True))
        return (share / share.sum(axis=1, keepdims=True) @ self.means - x) / self.sigma**2


def normal(mean: Any, sigma: float = 1.0) -> Distribution:
    """Return N(mean, sigma² I)."""
    return Distribution(np.atleast_2d(mean), sigma, np.ones(1))


def circle(sigma: float, weights: Any = 1.0, radius: float = 1.0, turn: float = 0.0) -> Distribution:
    """Return eight modes on a circle."""
    angle = 2 * np.pi * np.arange(8) / 8 + turn
    return Distribution(radius * np.column_stack((np.cos(angle), np.sin(angle))), sigma, np.ones(8) * weights)


def problems() -> dict[str, tuple[Distribution, Distribution]]:
    """Return the real distribution and that of the fakes, by name."""
    uneven = np.array([1, 2, 1, 2, 0.5, 1, 3, 1])
    found = {f"shifted, {d}": (normal(np.full(d, d**-0.5)), normal(np.zeros(d))) for d in (2, 10, 30)}
    found["narrow, 10"] = normal(np.zeros(10)), normal(np.zeros(10), 0.7)
    for s in (0.1, 0.03):
        found[f"ring {s}, early"] = circle(s), normal(np.zeros(2), 0.7)
        found[f"ring {s}, midway"] = circle(s), circle(1.8 * s, uneven, turn=0.3 * s)
        found[f"ring {s}, late"] = circle(s), circle(1.17 * s, np.sqrt(uneven), 1 + 0.3 * s)
    return found


def features(x: Any, like: Any, rng: np.random.Generator) -> Any:
    """Return 64 random features of two ReLU layers, (n, 64), of x in units of the real samples."""
    z = (x - like.mean(axis=0)) / like.std(axis=0)
    hidden = np.maximum(z @ rng.standard_normal((z.shape[1], 64)) * 2 / np.sqrt(z.shape[1]) + rng.standard_normal(64), 0)
    return np.maximum(hidden @ rng.standard_normal((64, 64)) * 0.18 + 0.3 * rng.standard_normal(64), 0)


def cosine(a: Any, b: Any, axis: Any = None) -> Any:
    """Return the cosine between arrays, or between their rows."""
    return (a * b).sum(axis) / np.maximum(np.sqrt((a * a).sum(axis) * (b * b).sum(axis)), np.finfo(float).tiny)


def agreement(problem: tuple[Distribution, Distribution], estimator: Any, seed: int) -> dict[str, tuple[float, float, float]]:
    """Return cosine, agreement of the step and milliseconds of every signal."""
    p, q = problem
    rng = np.random.default_rng(seed)
    discriminator = as_discriminator(estimator)
    discriminator.update(Batch(p.sample(FIT, rng)), Batch(q.sample(FIT, rng)), rng)
    fake, real = Batch(q.sample(BATCH, rng)), Batch(p.sample(BATCH, rng))
    truth = p.score(fake.x) - q.score(fake.x)
    phi, found = features(fake.x, real.x, rng), {}
    for name, signal in SIGNALS.items():
        begun = time.process_time()
        scores, pullback = signal.vjp(discriminator, fake, real, np.random.default_rng(seed))
        gradient = pullback(np.ones(BATCH))
        milliseconds = 1e3 * (time.process_time() - begun)
        slope = np.exp(-np.logaddexp(0, scores.values))[:, None]  # of the non-saturating loss
        step = cosine(phi.T @ (slope * gradient), phi.T @ (slope * truth))
        found[name] = float(cosine(gradient, truth, 1).mean()), float(step), milliseconds
    return found


class Falling:
    """A rate that falls linearly to 0 over a budget of processor time."""

    def __init__(self, rate: float, seconds: float) -> None:
        self.rate, self.seconds, self.begun = rate, seconds, time.process_time()

    def __call__(self, step: int) -> float:
        return self.rate * max(0.0, 1 - (time.process_time() - self.begun) / self.seconds)


def play(name: str, signal: Any, seed: int, seconds: float) -> tuple[float, ...]:
    """Play a game of so many seconds; return rounds, modes, share of high quality, reverse KL and energy distance."""
    discriminator, samples, steps, rate = PLAYED[name]
    problem = ring(sigma=0.1)
    falling = Falling(rate, seconds)
    generator = NeuralGenerator(2, (64, 64), learning_rate=falling, optimizer=Adam((0.5, 0.999)), ema_decay=0.99)
    game = Game(generator, discriminator, signal=signal, samples_per_fit=samples, generator_steps=steps, random_state=seed)
    X = problem.sample(20_000, seed).astype(np.float32)
    falling.begun = time.process_time()
    for _ in game.rounds(X):
        if time.process_time() - falling.begun >= seconds:
            break
    return game.index, *measured(np.asarray(game.sample(10_000)), seed)


def measured(x: Any, seed: int) -> tuple[float, float, float, float]:
    """Return modes, share of high quality, reverse KL and energy distance of 10,000 samples."""
    problem = ring(sigma=0.1)
    found = mode_coverage(x, problem.modes, problem.sigma)
    return found.captured, 100 * found.high_quality, found.reverse_kl, energy_distance(x, problem.sample(10_000, 10_000 + seed))


def agreements(discriminators: list[str], seeds: int) -> list[dict[str, Any]]:
    """Return one row for each discriminator, problem, signal and seed."""
    rows = []
    for discriminator, (name, problem), seed in product(discriminators, problems().items(), range(seeds)):
        for signal, (cos, step, ms) in agreement(problem, DISCRIMINATORS[discriminator], seed).items():
            rows.append(
                {
                    "discriminator": discriminator,
                    "problem": name,
                    "signal": signal,
                    "seed": seed,
                    "cosine": cos,
                    "step": step,
                    "ms": ms,
                }
            )
    return rows


def cell(rows: list[dict[str, Any]], **wanted: str) -> str:
    """Return mean cosine and step, and median milliseconds, of the matching rows."""
    chosen = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    cos, step = (np.mean([row[key] for row in chosen]) for key in ("cosine", "step"))
    return f"{cos:.2f} / {step:.2f} / {np.median([row['ms'] for row in chosen]):.0f}"


def table(rows: list[dict[str, Any]]) -> str:
    """Return a table with a line for each discriminator and problem, and a column for each signal."""
    lines = [f"| discriminator | problem | {' | '.join(SIGNALS)} |", "|---" * (2 + len(SIGNALS)) + "|"]
    for discriminator, problem in product(dict.fromkeys(row["discriminator"] for row in rows), problems()):
        cells = " | ".join(cell(rows, discriminator=discriminator, problem=problem, signal=signal) for signal in SIGNALS)
        lines.append(f"| {discriminator} | {problem} | {cells} |")
    return "\n".join(lines)


def games(seconds: float, seeds: int) -> str:
    """Return a line for each discriminator and signal, medians over seeds."""
    lines = []
    for discriminator, signal in product(PLAYED, ("Smoothed()", "Smoothed((.1, .25, .7), 6)", "Student()")):
        ends = [play(discriminator, SIGNALS[signal], seed, seconds) for seed in range(seeds)]
        rounds, *figures = np.median(ends, axis=0)
        lines.append(f"| {discriminator} | {signal} | {rounds:.0f} | {line(figures)} |")
        print(lines[-1], flush=True)
    truth = np.median([measured(ring(sigma=0.1).sample(10_000, seed), seed) for seed in range(seeds)], axis=0)
    return "\n".join([*lines, f"| (real samples) | | | {line(truth)} |"])


def line(figures: Any) -> str:
    """Return modes, share of high quality, reverse KL and energy distance as cells of a table."""
    modes, quality, kl, energy = figures
    return f"{modes:g} | {quality:.1f} | {kl:.4f} | {energy:.5f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="processor time of each game")
    parser.add_argument("--games", type=int, default=3, help="seeds of the games")
    parser.add_argument(
        "--discriminators", nargs="+", default=list(DISCRIMINATORS), choices=list(DISCRIMINATORS), metavar="DISCRIMINATOR"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "derivatives.md")
    arguments = parser.parse_args()
    with threadpoolctl.threadpool_limits(1):
        rows = agreements(arguments.discriminators, arguments.seeds)
        played = games(arguments.seconds, arguments.games)
    text = PAGE.format(
        seeds=arguments.seeds,
        seconds=arguments.seconds,
        games=arguments.games,
        provenance=provenance(),
        fit=FIT,
        batch=BATCH,
        means="\n".join(f"| {name} | {cell(rows, signal=name).replace(' / ', ' | ')} |" for name in SIGNALS),
        table=table(rows),
        games_table=played,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    with arguments.out.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
