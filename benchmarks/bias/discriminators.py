"""Errors of nine discriminators on pairs with known log-odds: one problem in detail, then curves in n, d and KL.

    python benchmarks/bias/discriminators.py                        # all: writes the files below
    python benchmarks/bias/discriminators.py --training-sets 5      # quicker

It writes results/bias_discriminators.{csv,md} and docs/images/discriminator_curves.png. The problem is four correlated features
against independent ones, 500 rows of each kind, KL .67 nats: no linear function separates them, products of two features do.
All discriminators get the same training sets and score the same points.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import threadpoolctl
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parent.parent))
from provenance import provenance
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from turinglearn.bias import (
    DiscriminatorBias,
    Estimates,
    Pair,
    divergences,
    errors_of,
    holm,
    log_odds_of,
    pair,
    squared_mean_difference,
)
from turinglearn.discriminators import ClassifierDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.metrics import Interval
from turinglearn.protocols import Batch, LogOdds, Rng

FAMILY, D, KL, N, FITS = "correlated", 4, 0.67, 500, 5
CURVES: dict[str, tuple[float, ...]] = {
    "n": (50, 100, 200, 500, 1_000, 2_000),
    "d": (2, 4, 8, 16, 30),
    "KL": (0.01, 0.05, 0.2, 0.67, 2, 5),
}
SVM: Callable[[], Any] = KernelSVMDiscriminator
DISCRIMINATORS: dict[str, Callable[[], Any]] = {
    "logistic": LogisticRegression,
    "50 neighbours": lambda: KNeighborsClassifier(50),
    "network, stopped early": lambda: MLPClassifier((64, 64), early_stopping=True),
    "forest, leaf 10": lambda: RandomForestClassifier(100, min_samples_leaf=10),
    "RBF SVM": SVM,
    "forest, leaf 1": lambda: RandomForestClassifier(100),
    "boosting": HistGradientBoostingClassifier,
    "quadratic logistic": lambda: make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=1_000)),
    "network": lambda: NeuralDiscriminator((64, 64)),
}
# Squared bias in a pilot with other code and ten training sets, on a problem with this Bayes log-loss.
PILOT = {
    "logistic": 2.23,
    "50 neighbours": 1.27,
    "network, stopped early": 0.80,
    "forest, leaf 10": 0.69,
    "RBF SVM": 0.63,
    "forest, leaf 1": 0.55,
    "boosting": 0.28,
    "quadratic logistic": 0.16,
}
CALIBRATED = ("logistic", "50 neighbours", "network, stopped early", "forest, leaf 10", "forest, leaf 1", "boosting")
BAYES = "Bayes rule"
FIELDS = (
    "part",
    "discriminator",
    "n",
    "d",
    "KL",
    "squared_bias",
    "low",
    "high",
    "clipped_2",
    "clipped_4",
    "clipped_8",
    "variance",
)
FIELDS += ("of_sets", "of_runs", "log_loss", "excess_log_loss", "excess_low", "excess_high", "log_loss_bias")
FIELDS += ("log_loss_variance", "calibration_error", "calibration_slope", "jsd", "jsd_in_sample", "seconds")
COLUMNS = (
    "discriminator",
    "squared bias",
    "clipped at 4",
    "variance: training sets + fits",
    "log-loss",
    "excess log-loss",
    "of it bias",
)
COLUMNS += ("calibration error", "slope", "2 JSD, fresh", "2 JSD, in sample", "seconds")


class Bayes:
    """The best discriminator, which knows the pair."""

    score_type, refits = LogOdds, True

    def __init__(self, truth: Pair) -> None:
        self.truth = truth

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        pass

    def score_samples(self, batch: Batch) -> LogOdds:
        return LogOdds(self.truth.log_odds(batch.x))


@dataclass(frozen=True)
class Job:
    """One discriminator on one pair."""

    part: str
    discriminator: str
    training_sets: int
    fits: int
    n: int = N
    d: int = D
    kl: float = KL

    def estimates(self) -> Estimates:
        truth, plain = pair(FAMILY, self.d, self.kl), self.discriminator.removesuffix(", calibrated")
        discriminator = Bayes(truth) if self.discriminator == BAYES else DISCRIMINATORS[plain]()
        if plain != self.discriminator:
            discriminator = ClassifierDiscriminator(discriminator, calibrate="platt")
        with threadpoolctl.threadpool_limits(1):
            return log_odds_of(
                discriminator, truth, self.n, training_sets=self.training_sets, fits=self.fits, points=2_000, steps=500
            )


@cache
def floor(d: int, kl: float) -> float:
    """Return the log-loss of the Bayes rule."""
    return divergences(pair(FAMILY, d, kl), draws=2**15).log_loss.value


def run(job: Job) -> tuple[Job, DiscriminatorBias, Any]:
    found = job.estimates()
    kept = found.values.mean(axis=1) - found.truth if job.part == "detail" else None  # (R, N), for contrasts
    return job, errors_of(found), kept


def row(job: Job, found: DiscriminatorBias) -> dict[str, Any]:
    bias, spread, excess = found.squared_bias, found.variance, found.log_loss.total
    figures = (
        *(bias.value, bias.low, bias.high, *found.clipped.values()),
        *(spread.total.value, spread.training_sets, spread.fits),
        *(floor(job.d, job.kl) + excess.value, excess.value, excess.low, excess.high),
        *(found.log_loss.bias.value, found.log_loss.variance.value),
        *(found.calibration_error.value, found.calibration_slope.value),
        *(found.jsd.value, found.jsd_in_sample.value, found.seconds),
    )
    return dict(zip(FIELDS, (job.part, job.discriminator, job.n, job.d, job.kl, *figures), strict=True))


def order(errors: dict[str, Any]) -> list[tuple[str, str, Interval, bool]]:
    """Return pairs of the pilot's discriminators, the more biased one first.

    Each has its difference here, and whether it is significant in Holm's test.
    """
    found = {}
    for a, b in combinations(PILOT, 2):
        found[a, b] = squared_mean_difference(*(errors[name] @ errors[name].T / errors[name].shape[1] for name in (a, b)))
    p = holm({key: float(2 * student.sf(abs(i.value) / i.standard_error, len(errors[key[0]]) - 1)) for key, i in found.items()})
    return [(a, b, interval, p[a, b] < 0.05) for (a, b), interval in found.items()]


PAGE = """# Errors of discriminators

Written by `python benchmarks/bias/discriminators.py --training-sets {training_sets}`: {provenance}. All figures are in
bias_discriminators.csv.

## One problem in detail

{d} features that correlate as in an autoregression against independent ones, {n} rows of each kind, KL(p ‖ q) {kl} nats;
{training_sets} training sets × {fits} fits; intervals are of 95 %. Squared bias and variance are of the log-odds, log-losses
are in nats, their excess is over the Bayes rule's. The last row is the Bayes rule itself, scored like the others.

{detail}

Clipped at 4: squared bias with estimates clipped at ±4, and the truth as it is; for ±2 and ±8 see bias_discriminators.csv.
Calibration error: mean squared difference between predicted and true probability. Slope: of the true log-odds on the estimated
ones, 1 for calibrated ones. 2 JSD: error of the discriminator's estimate, on fresh rows and on its training rows. Seconds: of
one fit, median. *Calibrated*: by Platt scaling on held-out rows, in three folds.

## The order of an earlier pilot

{verdict}

The pilot had other code and ten training sets; of its problem, d, n and the Bayes log-loss of .543 are known. Its network is
assumed to be scikit-learn's, stopped early, whose figures are the nearest. Pairs with a significant difference in the other
direction:

{contrary}

## Curves: the bias and the variance of the log-loss, in thousandths of a nat

One of n, d and KL varies, the others are as above; {training_sets} training sets, one fit each. Bias / variance, which sum to
the excess.

{curves}

![Bias and variance of the log-loss against n, d and KL](../../docs/images/discriminator_curves.png)
"""


def page(
    rows: list[dict[str, Any]], detail: list[tuple[Job, DiscriminatorBias]], errors: dict[str, Any], training_sets: int
) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for job, f in detail:
        b, e, v = f.squared_bias, f.log_loss.total, f.variance
        lines.append(
            f"| {job.discriminator} | {b.value:.2f} ({b.low:.2f} to {b.high:.2f}) | {f.clipped[4.0]:.2f} "
            f"| {v.total.value:.2f}: {v.training_sets:.2f} + {v.fits:.2f} | {floor(job.d, job.kl) + e.value:.3f} "
            f"| {e.value:z.3f} ({e.low:z.3f} to {e.high:z.3f}) | {f.log_loss.bias.value:z.3f} "
            f"| {f.calibration_error.value:z.4f} | {f.calibration_slope.value:.2f} | {f.jsd.value:z.3f} "
            f"| {f.jsd_in_sample.value:z.3f} | {f.seconds:.3f} |"
        )
    contrasts = order(errors)
    apart = [c for c in contrasts if c[3]]
    contrary = [c for c in apart if c[2].value < 0]
    verdict = (
        f"Of its {len(contrasts)} pairs, {len(apart)} differ (Holm, level .05): {len(apart) - len(contrary)} in the "
        f"pilot's order, {len(contrary)} in the other."
    )
    exceptions = [
        f"- {a} less {b}: {i.value:.2f} ({i.low:.2f} to {i.high:.2f}); {PILOT[a] - PILOT[b]:.2f} there"
        for a, b, i, _ in contrary
    ]
    return PAGE.format(
        training_sets=training_sets,
        provenance=provenance(),
        d=D,
        n=N,
        kl=KL,
        fits=FITS,
        detail="\n".join(lines),
        verdict=verdict,
        contrary="\n".join(exceptions) or "None.",
        curves="\n\n".join(_curve(name, rows) for name in CURVES),
    )


def _curve(name: str, rows: list[dict[str, Any]]) -> str:
    values = CURVES[name]
    lines = [f"| {name} | " + " | ".join(f"{v:,g}" for v in values) + " |", "|---|" + "---|" * len(values)]
    for discriminator in DISCRIMINATORS:
        mine = {r[name]: r for r in rows if r["part"] == name and r["discriminator"] == discriminator}
        cells = (f"{1e3 * mine[v]['log_loss_bias']:z.0f} / {1e3 * mine[v]['log_loss_variance']:z.0f}" for v in values)
        lines.append(f"| {discriminator} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(CURVES), figsize=(10, 6.4), sharey=True, layout="constrained")
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#333333")  # of Okabe & Ito (2008)
    styles = [{"color": c, "marker": m, "ls": line} for (m, line), c in product((("o", "-"), ("s", "--")), colours)]
    for column, (name, values) in enumerate(CURVES.items()):
        for axis, part in zip(axes[:, column], ("log_loss_bias", "log_loss_variance"), strict=True):
            for discriminator, style in zip(DISCRIMINATORS, styles, strict=False):
                mine = {r[name]: r[part] for r in rows if r["part"] == name and r["discriminator"] == discriminator}
                axis.plot(values, [mine[v] for v in values], **style, ms=4, lw=1.2, label=discriminator)
            axis.set_xscale("log")
            axis.set_yscale("symlog", linthresh=0.01, linscale=0.6)
            axis.set_yticks([0, 0.01, 0.1, 1], ["0", ".01", ".1", "1"])
            axis.set_ylim(-0.012, 2)
            axis.set_xticks(values, [f"{v:,g}" for v in values])
            axis.set_xticks([], minor=True)
            axis.spines[["top", "right"]].set_visible(False)
            axis.axhline(0, color="#bbbbbb", lw=0.8, zorder=0)
        axes[1, column].set_xlabel({"n": "n, rows of each kind", "d": "d, features", "KL": "KL(p ‖ q), nats"}[name])
    axes[0, 0].set_ylabel("bias of the log-loss, nats")
    axes[1, 0].set_ylabel("variance of the log-loss, nats")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training-sets", type=int, default=20, help="at least 3")
    parser.add_argument("--workers", type=int, default=2)
    root = Path(__file__).parent.parent.parent
    parser.add_argument("--out", type=Path, default=root / "benchmarks" / "results" / "bias_discriminators.csv")
    parser.add_argument("--picture", type=Path, default=root / "docs" / "images" / "discriminator_curves.png")
    arguments = parser.parse_args()
    names = [*DISCRIMINATORS, *(f"{name}, calibrated" for name in CALIBRATED), BAYES]
    jobs = [Job("detail", name, arguments.training_sets, FITS) for name in names]
    for name, values in CURVES.items():
        key = {"n": "n", "d": "d", "KL": "kl"}[name]
        jobs += [
            Job(name, discriminator, arguments.training_sets, 1, **{key: v})
            for v, discriminator in product(values, DISCRIMINATORS)
        ]
    rows, detail, errors = [], [], {}
    with ProcessPoolExecutor(arguments.workers) as pool:
        for count, (job, found, kept) in enumerate(pool.map(run, jobs), 1):
            rows.append(row(job, found))
            if job.part == "detail":
                detail.append((job, found))
                errors[job.discriminator] = kept
            print(f"{count} of {len(jobs)}: {job.part}, {job.discriminator}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, arguments.picture)
    text = page(rows, detail, errors, arguments.training_sets)
    arguments.out.with_suffix(".md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
