"""Quality of a classifier's evidence: fresh or in-sample, calibrated or raw, and for a generator that learns from it.

    python benchmarks/evidence.py       # under ten minutes of one core; writes benchmarks/results/evidence.md and .csv

The pair is known: p = N(0, I) and q = N((.7, 0, 0, 0), diag(1, 1, 1.5, .7)²), whose log-odds are quadratic. Training sets have
500 rows of each. Evidence is evaluated on 5,000 further rows of each, by exact probabilities, so that only the training varies.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from provenance import provenance
from scipy.special import expit
from scipy.stats import t as student
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from turinglearn import Game
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.generators import MixtureGenerator
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Batch

SHIFT, SPREAD = np.array([0.7, 0.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.5, 0.7])
SAMPLES, BAND, CALIBRATIONS = 4000, (0.8, 1.25), ("none", "platt", "isotonic", "temperature")
FITTED_FAKES = {
    "extremely randomised trees": ExtraTreesClassifier(),
    "1-NN": KNeighborsClassifier(1),
    "forest": RandomForestClassifier(),
    "boosting": HistGradientBoostingClassifier(),
}
DISCRIMINATORS = {
    "forest": RandomForestClassifier(),
    "boosting": HistGradientBoostingClassifier(),
    "SVM": SVC(),
    "5-NN": KNeighborsClassifier(),
}
PLAYED = {
    "forest": RandomForestClassifier(30, min_samples_leaf=5),
    "boosting": HistGradientBoostingClassifier(max_iter=30),
    "30-NN": KNeighborsClassifier(30),
}

PAGE = """# Quality of a classifier's evidence

Written by `python benchmarks/evidence.py {command}`: {provenance}.

p = N(0, I₄), q = N((.7, 0, 0, 0), diag(1, 1, 1.5, .7)²): KL(p‖q) = {forward:.3f}, KL(q‖p) = {backward:.3f}.
{training_sets} training sets of {rows} rows of each distribution; evidence is evaluated on {points} further rows of each, by
exact probabilities. ± is half of a 95 % interval of the mean over training sets (t). Classifiers have scikit-learn's defaults.

## Fakes of the fit and fresh fakes

Correlation of the uncalibrated evidence on fakes with the exact log-odds; 0 where the evidence is constant.

| classifier | fakes of the fit | fresh fakes |
|---|---|---|
{correlations}

## Calibration

Slope of the logistic regression of the labels on the evidence: 1 for calibrated evidence, less for overconfident evidence. The
goal was {low} to {high}, and a log-loss below that of the raw evidence. Log-loss of the exact log-odds: {bayes:.4f}; of
constant evidence: {nothing:.4f}. The raw evidence of an SVM is its decision function, read as log-odds.

| classifier | calibrate | slope | training sets with slope in {low} to {high} | log-loss | minus raw | goal |
|---|---|---|---|---|---|---|
{calibrations}

{misses}

## For a generator that learns from it

Energy distance to the ring of 8 modes with σ = .1 (4,000 samples) of a `MixtureGenerator(16)` that learns from weights e^r,
{seeds} seeds (lowest to highest): after {few} rounds, and for raw evidence also after {many}, since calibration costs as many
fits as three rounds. Games have default sizes. The mean of e^r, which is 1 for log p/q, and the effective share of the sample
are over fresh fakes, in the last ten rounds.

| discriminator | calibrate | rounds | energy distance | mean of e^r | effective share |
|---|---|---|---|---|---|
{learners}
"""


def draw(n: int, rng: np.random.Generator) -> tuple[Batch, Batch]:
    return Batch(rng.normal(size=(n, 4))), Batch(SHIFT + SPREAD * rng.normal(size=(n, 4)))


def log_odds(x: Any) -> Any:
    return (np.sum(((x - SHIFT) / SPREAD) ** 2, axis=1) - np.sum(x**2, axis=1)) / 2 + np.sum(np.log(SPREAD))


def divergences() -> tuple[float, float]:
    """Return KL(p‖q) and KL(q‖p) of the two normal distributions."""
    forward = np.sum(np.log(SPREAD) + (1 + SHIFT**2) / (2 * SPREAD**2) - 0.5)
    backward = np.sum(-np.log(SPREAD) + (SPREAD**2 + SHIFT**2) / 2 - 0.5)
    return float(forward), float(backward)


def log_loss(r: Any, p: Any) -> float:
    """Return the cross-entropy of exact probabilities p (n,) under log-odds r (n,)."""
    return float(np.mean(np.logaddexp(0, r) - p * r))


def calibration_slope(r: Any, p: Any) -> float:
    """Return the a of sigmoid(a r + b) that is nearest to p in cross-entropy, by Newton's method."""
    unit = r.std()
    if unit < 1e-9:
        return np.nan  # constant evidence
    Z, theta = np.stack((r / unit, np.ones_like(r)), axis=1), np.zeros(2)
    for _ in range(50):
        q = expit(Z @ theta)
        theta = theta - np.linalg.solve((Z.T * (q * (1 - q))) @ Z, Z.T @ (q - p))
    return float(theta[0] / unit)


def correlations(training_sets: int, rows: int, points: int) -> list[dict[str, Any]]:
    """Return correlations with the exact log-odds, on the fakes of the fit and on fresh ones."""
    (_, fresh), found = draw(points, np.random.default_rng(0)), []
    for seed in range(training_sets):
        real, fake = draw(rows, np.random.default_rng([1, seed]))
        for name, estimator in FITTED_FAKES.items():
            discriminator = ClassifierDiscriminator(estimator, calibrate="none")
            discriminator.update(real, fake, np.random.default_rng([2, seed]))
            for where, batch in (("of the fit", fake), ("fresh", fresh)):
                r = discriminator.score_samples(batch).values
                value = 0.0 if np.ptp(r) < 1e-9 else np.corrcoef(r, log_odds(batch.x))[0, 1]
                found.append({"part": where, "discriminator": name, "calibrate": "none", "seed": seed, "correlation": value})
    return found


def calibrations(training_sets: int, rows: int, points: int) -> list[dict[str, Any]]:
    """Return slope and log-loss of every classifier under every calibration, on the same training sets."""
    x, found = np.concatenate([b.x for b in draw(points, np.random.default_rng(0))]), []
    p = expit(log_odds(x))
    for seed in range(training_sets):
        real, fake = draw(rows, np.random.default_rng([1, seed]))
        for name, estimator in DISCRIMINATORS.items():
            for how in CALIBRATIONS:
                discriminator = ClassifierDiscriminator(estimator, calibrate=how)
                discriminator.update(real, fake, np.random.default_rng([2, seed]))
                r = discriminator.score_samples(Batch(x)).values
                row = {"part": "calibration", "discriminator": name, "calibrate": how, "seed": seed}
                found.append({**row, "slope": calibration_slope(r, p), "log_loss": log_loss(r, p)})
    return found


def feedback(seeds: int, few: int) -> list[dict[str, Any]]:
    """Return figures of a mixture that learns from raw and from calibrated evidence."""
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng([3, seed])
        data, held_out = ring(10_000, rng), ring(SAMPLES, rng)
        for name, estimator in PLAYED.items():
            for how in CALIBRATIONS:
                discriminator = ClassifierDiscriminator(estimator, calibrate=how)
                game, figures = Game(MixtureGenerator(16), discriminator, random_state=seed), []
                for record in islice(game.rounds(data), 3 * few if how == "none" else few):
                    figures.append((record.mean_ratio, record.effective_share))
                    if record.index in (few, 3 * few):
                        ratio, share = np.mean(figures[-10:], axis=0)
                        row = {
                            "part": "feedback",
                            "discriminator": name,
                            "calibrate": how,
                            "seed": seed,
                            "rounds": record.index,
                        }
                        energy = energy_distance(game.sample(SAMPLES), held_out)
                        found.append({**row, "energy": energy, "mean_ratio": ratio, "effective_share": share})
    return found


def ring(n: int, rng: np.random.Generator) -> Any:
    angle = 2 * np.pi * rng.integers(0, 8, n) / 8
    return np.stack((np.cos(angle), np.sin(angle)), axis=1) + 0.1 * rng.normal(size=(n, 2))


# ------------------------------------------------------------------------------------------------------------------ page
def interval(values: Any) -> tuple[float, float]:
    """Return the mean and half of its 95 % interval."""
    values = np.asarray(values, dtype=float)
    return float(values.mean()), float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def cells(rows: list[dict[str, Any]], *keys: str) -> dict[Any, Any]:
    """Group the rows by the values of these keys, in order."""
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[key] for key in keys)].append(row)
    return dict(found)


def correlation_lines(rows: list[dict[str, Any]]) -> str:
    by = cells(rows, "discriminator", "part")
    texts = {key: "{:.2f} ± {:.2f}".format(*interval([row["correlation"] for row in group])) for key, group in by.items()}
    return "\n".join(f"| {name} | {texts[name, 'of the fit']} | {texts[name, 'fresh']} |" for name in FITTED_FAKES)


def calibration_lines(rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Return the table, and a sentence on where the goal was missed."""
    by, lines, missed = cells(rows, "discriminator", "calibrate"), [], []
    for (name, how), group in by.items():
        slopes, losses = ([row[key] for row in group] for key in ("slope", "log_loss"))
        (slope, reach), (loss, loss_reach) = interval(slopes), interval(losses)
        inside = sum(BAND[0] <= value <= BAND[1] for value in slopes)
        line = f"| {name} | {how} | {slope:.2f} ± {reach:.2f} | {inside} of {len(slopes)} | {loss:.4f} ± {loss_reach:.4f} |"
        if how == "none":
            lines.append(f"{line} | |")
            continue
        gain, gain_reach = interval(np.subtract(losses, [row["log_loss"] for row in by[name, "none"]]))
        good = BAND[0] <= slope - reach and slope + reach <= BAND[1], gain + gain_reach < 0
        verdict = "reached" if all(good) else " and ".join(np.array(["slope missed", "loss missed"])[~np.array(good)])
        missed += [] if all(good) else [f"{name} with {how}"]
        lines.append(f"{line} {gain:+.4f} ± {gain_reach:.4f} | {verdict} |")
    misses = f"Missed by {', '.join(missed)}." if missed else "Reached everywhere."
    return "\n".join(lines), f"The goal is reached where the whole interval is. {misses}"


def learner_lines(rows: list[dict[str, Any]]) -> str:
    lines = []
    for (name, how, rounds), group in cells(rows, "discriminator", "calibrate", "rounds").items():
        energy = sorted(row["energy"] for row in group)
        ratio, share = (np.mean([row[key] for row in group]) for key in ("mean_ratio", "effective_share"))
        mean = f"{np.mean(energy):.4f} ({energy[0]:.4f} to {energy[-1]:.4f})"
        lines.append(f"| {name} | {how} | {rounds} | {mean} | {ratio:.2f} | {share:.2f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training-sets", type=int, default=20)
    parser.add_argument("--rows", type=int, default=500, help="rows of each distribution in a training set")
    parser.add_argument("--points", type=int, default=5000, help="rows of each distribution to evaluate on")
    parser.add_argument("--seeds", type=int, default=3, help="games of each kind")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of a game with a calibrated discriminator")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "evidence.md")
    a = parser.parse_args()
    with threadpoolctl.threadpool_limits(1):
        correlated = correlations(a.training_sets, a.rows, a.points)
        calibrated = calibrations(a.training_sets, a.rows, a.points)
        learned = feedback(a.seeds, a.rounds)
    table, misses = calibration_lines(calibrated)
    forward, backward = divergences()
    x = np.concatenate([b.x for b in draw(a.points, np.random.default_rng(0))])
    text = PAGE.format(
        command=f"--training-sets {a.training_sets} --rows {a.rows} --points {a.points} --seeds {a.seeds} --rounds {a.rounds}",
        provenance=provenance(),
        forward=forward,
        backward=backward,
        training_sets=a.training_sets,
        rows=a.rows,
        points=a.points,
        correlations=correlation_lines(correlated),
        low=BAND[0],
        high=BAND[1],
        bayes=log_loss(log_odds(x), expit(log_odds(x))),
        nothing=np.log(2),
        calibrations=table,
        misses=misses,
        seeds=a.seeds,
        few=a.rounds,
        many=3 * a.rounds,
        learners=learner_lines(learned),
    )
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(text)
    everything = [*correlated, *calibrated, *learned]
    with a.out.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in everything for key in row)), restval="")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in everything)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
