"""Coverage of the intervals of turinglearn.bias, by simulation with known truth.

    python benchmarks/bias/coverage.py            # 1,000 simulations: writes benchmarks/results/bias_coverage.md

Discriminators are exact log-odds with a known offset, and known noise over training sets and fits, which is smooth in x, so
that it does not average out over many points, or fresh at every point. Learned distributions are Gaussians with random means.
Everything that is estimated has a closed form or is an integral over one or two normal variables.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import norm, trim_mean

sys.path.insert(0, str(Path(__file__).parent.parent))
from provenance import provenance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from turinglearn.bias import (
    discriminator_bias,
    excess_log_loss,
    iqm_interval,
    mean_interval,
    pair,
    paired_interval,
    parameter_errors,
    relative_efficiency,
    split_energy,
    split_mmd,
    squared_bias,
    squared_mean_difference,
    variance,
)

PAGE = """# Coverage of the intervals

Written by `python benchmarks/bias/coverage.py --simulations {simulations}`: {provenance}.

{simulations} simulations of each; the nominal level is .95, its standard error here {error:.3f}. The bar is .93. {verdict}

| interval of | replicates | noise | covered | mean error |
|---|---|---|---|---|
{rows}

Mean error: mean error of the estimate over its standard deviation; 0 ± {error_of_mean:.2f} for an unbiased one.
"""

OFFSET, OF_SETS, OF_FITS, BLOCKS = 0.4, 0.5, 0.3, 100
Found = dict[str, tuple[Any, float]]


def waves(x: Any) -> Any:
    return np.stack((np.ones_like(x), x, np.sin(2 * x))) / np.sqrt(2.5)


def scored(rng: np.random.Generator, training_sets: int, fits: int, smooth: bool, points: int = 400) -> tuple[Any, Any]:
    x = rng.standard_normal(points)
    r = 1.5 * x
    if smooth:
        noise = (
            OF_SETS * rng.standard_normal((training_sets, 1, 3)) + OF_FITS * rng.standard_normal((training_sets, fits, 3))
        ) @ waves(x)
    else:
        noise = OF_SETS * rng.standard_normal((training_sets, 1, points)) + OF_FITS * rng.standard_normal(
            (training_sets, fits, points)
        )
    return r + OFFSET * np.tanh(x) + noise, r


def discriminator_truths(smooth: bool) -> dict[str, float]:
    z, w = np.polynomial.hermite_e.hermegauss(101)
    w = w / w.sum()
    r, middle = 1.5 * z, 1.5 * z + OFFSET * np.tanh(z)
    v = (OF_SETS**2 + OF_FITS**2) * ((waves(z) ** 2).sum(axis=0) if smooth else np.ones_like(z))
    kl = np.logaddexp(0, middle) - expit(r) * middle - np.logaddexp(0, r) + expit(r) * r
    gap = np.logaddexp(0, middle[:, None] + np.sqrt(v)[:, None] * z) @ w - np.logaddexp(0, middle)
    parts = (OFFSET * np.tanh(z)) ** 2, v, kl + gap, kl, gap
    names = "squared bias", "variance", "excess log-loss", "excess log-loss: bias", "excess log-loss: variance"
    return {name: float(w @ part) for name, part in zip(names, parts, strict=True)}


def of_discriminators(training_sets: int, fits: int, smooth: bool) -> Callable[[np.random.Generator], Found]:
    truths = discriminator_truths(smooth)

    def simulate(rng: np.random.Generator) -> Found:
        estimates, r = scored(rng, training_sets, fits, smooth)
        split = excess_log_loss(estimates, r)
        intervals = squared_bias(estimates, r), variance(estimates).total, split.total, split.bias, split.variance
        return {name: (interval, truths[name]) for name, interval in zip(truths, intervals, strict=True)}

    return simulate


def of_seeds(n: int) -> Callable[[np.random.Generator], Found]:
    """One normal value per seed: means, paired differences, errors of a parameter, and their ratio."""

    def simulate(rng: np.random.Generator) -> Found:
        common, own, other = 3 * rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n)
        errors = parameter_errors((0.5 + own)[:, None], np.zeros(1))
        (ratio,) = relative_efficiency((own + other)[:, None], own[:, None], np.zeros(1))
        return {
            "mean": (mean_interval(own), 0.0),
            "paired difference": (paired_interval(common + own, common + other + 0.5), -0.5),
            "bias of a parameter": (errors.bias[0], 0.5),
            "RMSE of a parameter": (errors.rmse[0], float(np.sqrt(1.25))),
            "relative efficiency": (ratio, 0.5),
        }

    return simulate


def of_tasks(tasks: int, seeds: int) -> Callable[[np.random.Generator], Found]:
    """The interquartile mean over these tasks, and over a population of tasks with normal levels."""
    levels = np.arange(tasks)[:, None] / tasks
    many = np.random.default_rng(0)
    fixed = trim_mean(many.normal(levels, 1, (tasks, 200_000)), 0.25, axis=None)

    def simulate(rng: np.random.Generator) -> Found:
        others = rng.normal(rng.standard_normal((tasks, 1)), 1, (tasks, seeds))
        return {
            "interquartile mean, fixed tasks": (
                iqm_interval(rng.normal(levels, 1, (tasks, seeds)), resamples=500, random_state=rng),
                float(fixed),
            ),
            "interquartile mean, population of tasks": (
                iqm_interval(others, tasks="resampled", resamples=500, random_state=rng),
                0.0,
            ),
        }

    return simulate


def of_contrasts(seeds: int) -> Callable[[np.random.Generator], Found]:
    """Squared bias less a control's, in two dimensions over three signals, one of them noisy; also with common noise."""

    def simulate(rng: np.random.Generator) -> Found:
        found: Found = {}
        for name, common in (("independent", 0.0), ("common noise", 0.1)):
            shared = common * rng.standard_normal((seeds, 2))
            ours = [(0.3, 0.0) + shared + s * rng.standard_normal((seeds, 2)) for s in (0.3, 0.05, 0.05)]
            control = [(0.1, 0.0) + shared + 0.05 * rng.standard_normal((seeds, 2)) for _ in range(3)]
            products = [np.mean([e @ e.T for e in errors], axis=0) for errors in (ours, control)]
            found[f"difference of squared biases, {name}"] = squared_mean_difference(*products), 0.08
        return found

    return simulate


def of_fits(training_sets: int) -> Callable[[np.random.Generator], Found]:
    """Linear discriminants on Gaussians with KL .5 nats: the truth is a mean over blocks of training sets."""
    distribution = pair("shifted", 2, 0.5)

    def figures(sets: int, points: int, seed: int) -> Any:
        return discriminator_bias(
            LinearDiscriminantAnalysis(), distribution, 50, training_sets=sets, points=points, random_state=seed
        )

    names = ("jsd", "jsd_in_sample", "calibration_slope", "calibration_error")
    many = [figures(25, 2_000, 10**6 + k) for k in range(BLOCKS)]
    truths = {name: float(np.mean([getattr(each, name).value for each in many])) for name in names}

    def simulate(rng: np.random.Generator) -> Found:
        found = figures(training_sets, 500, int(rng.integers(2**31)))
        return {name.replace("_", " "): (getattr(found, name), truths[name]) for name in names}

    return simulate


def of_distributions(
    seeds: int, shift: float, spread: float, rows: int = 60, real: int = 500
) -> Callable[[np.random.Generator], Found]:
    """q_s = N(μ_s, 1) with μ_s ~ N(shift, spread²) against p = N(0, 1), with a real sample of `real` rows."""

    def kernel(v: float, m: float) -> float:
        return float(np.exp(-(m**2) / (2 * (1 + v))) / np.sqrt(1 + v))

    def size(v: float, m: float) -> float:  # E|X| for N(m, v)
        s = np.sqrt(v)
        return float(2 * s * norm.pdf(m / s) + m * (1 - 2 * norm.cdf(-m / s)))

    def truths(k: Callable[[float, float], float]) -> tuple[float, float, float]:
        within, across, between = k(2, 0), k(2 + spread**2, shift), k(2 + 2 * spread**2, 0)
        return 2 * within - 2 * across, within + between - 2 * across, within - between

    expected = {"MMD²": truths(kernel), "energy distance": truths(lambda v, m: -size(v, m))}

    def simulate(rng: np.random.Generator) -> Found:
        y = rng.standard_normal((real, 1))
        samples = [rng.normal(shift + spread * rng.standard_normal(), 1, (rows, 1)) for _ in range(seeds)]
        found: Found = {}
        for name, split in (("MMD²", split_mmd(samples, y, bandwidth=1.0)), ("energy distance", split_energy(samples, y))):
            for part, interval, truth in zip(
                ("", ": bias", ": variance"), (split.total, split.bias, split.variance), expected[name], strict=True
            ):
                found[name + part] = interval, truth
        return found

    return simulate


SIMULATIONS: tuple[tuple[str, str, Callable[[], Callable[[np.random.Generator], Found]]], ...] = (
    ("20 training sets, 1 fit", "smooth", partial(of_discriminators, 20, 1, True)),
    ("20 training sets, 5 fits", "smooth", partial(of_discriminators, 20, 5, True)),
    ("20 training sets, 1 fit", "fresh at each point", partial(of_discriminators, 20, 1, False)),
    ("10 seeds", "normal", partial(of_seeds, 10)),
    ("5 tasks, 10 seeds", "normal", partial(of_tasks, 5, 10)),
    ("10 seeds", "normal", partial(of_contrasts, 10)),
    ("20 training sets", "real fits", partial(of_fits, 20)),
    ("10 seeds", "normal means", partial(of_distributions, 10, 0.6, 0.4)),
    ("20 seeds", "normal means", partial(of_distributions, 20, 0.6, 0.4)),
    ("10 seeds", "hardly any", partial(of_distributions, 10, 0.3, 0.05)),
    ("10 seeds", "none: perfect generators", partial(of_distributions, 10, 0.0, 0.0)),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "results" / "bias_coverage.md")
    arguments = parser.parse_args()
    rows, rates = [], []
    for replicates, noise, prepare in SIMULATIONS:
        simulate = prepare()
        begun, hits, misses = time.perf_counter(), defaultdict(list), defaultdict(list)
        rng = np.random.default_rng(1)
        for _ in range(arguments.simulations):
            for name, (interval, truth) in simulate(rng).items():
                hits[name].append(interval.low <= truth <= interval.high)
                misses[name].append(interval.value - truth)
        for name, hit in hits.items():
            rates.append(float(np.mean(hit)))
            away = np.mean(misses[name]) / np.std(misses[name], ddof=1)
            rows.append(f"| {name} | {replicates} | {noise} | {np.mean(hit):.3f} | {away:.2f} |")
        print(f"{replicates}, {noise}: {time.perf_counter() - begun:.0f} s", flush=True)
    missed = sum(rate < 0.93 for rate in rates)
    text = PAGE.format(
        simulations=arguments.simulations,
        provenance=provenance(),
        error_of_mean=1 / np.sqrt(arguments.simulations),
        error=np.sqrt(0.95 * 0.05 / arguments.simulations),
        verdict="Every interval reaches it." if not missed else f"{missed} of {len(rates)} intervals miss it.",
        rows="\n".join(rows),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
