"""Bias and variance of a judge: the same learner on many training sets from a pair whose log-odds are known."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.arrays import to_numpy
from turinglearn.bias.calibration import calibration_error, calibration_slope
from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.decomposition import LogLossSplit, VarianceComponents, excess_log_loss, squared_bias, variance
from turinglearn.bias.pairs import Pair
from turinglearn.bias.teaching import taught
from turinglearn.contract import examine
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import whole
from turinglearn.objectives import softplus
from turinglearn.protocols import Batch
from turinglearn.streams import Streams, as_seed

__all__ = ["Estimates", "JudgeBias", "errors_of", "judge_bias", "log_odds_of"]


@dataclass(frozen=True)
class Estimates:
    """What a judge says after each fit.

    values (R, A, N): r̂ of R training sets, A runs on each, at N points; truth (N,): r there. in_sample (R, A): the plug-in
    estimate of the Jensen-Shannon divergence on the rows that the fit saw. seconds: the median time of a fit.
    """

    values: Any
    truth: Any
    in_sample: Any
    seconds: float


def log_odds_of(
    judge: Any,
    pair: Pair,
    n: int,
    *,
    sets: int = 20,
    runs: int = 1,
    points: int = 4_000,
    steps: int = 1_000,
    batch_size: int = 128,
    random_state: Any = 0,
) -> Estimates:
    """Teach copies of the judge on `sets` training sets of n + n rows, `runs` times each, and ask them at `points` points.

    Points, drawn from m = (p + q) / 2, and training sets depend on the pair and random_state alone: every judge meets the same
    (common random numbers). steps, batch_size: of judges that do not refit, see `taught`.
    """
    if not isinstance(pair, Pair):
        raise ValueError(f"pair is a {type(pair).__name__}; expected two laws with known log-odds. Give a Pair: see pair().")
    n, sets, runs = whole(n, "n", least=4), whole(sets, "sets", least=3), whole(runs, "runs")
    streams = Streams(as_seed(random_state))
    x = pair.points(whole(points, "points", least=2), streams("points"))
    values, in_sample, times = np.empty((sets, runs, len(x))), np.empty((sets, runs)), []
    for s in range(sets):
        real, fake = pair.draw(n, streams(f"set/{s}"))
        for a in range(runs):
            begun = time.perf_counter()
            player = taught(judge, real, fake, streams(f"run/{s}/{a}"), steps=steps, batch_size=batch_size)
            times.append(time.perf_counter() - begun)
            values[s, a] = _asked(player, x)
            in_sample[s, a] = math.log(2) - (softplus(-_asked(player, real.x)) + softplus(_asked(player, fake.x))).mean() / 2
    return Estimates(values, pair.log_odds(x), in_sample, float(np.median(times)))


@dataclass(frozen=True, slots=True)
class JudgeBias:
    """How a judge errs on a pair, over training sets and its own randomness, each with an interval.

    squared_bias, variance: of the log-odds. log_loss: the excess over the Bayes rule, split. calibration_error,
    calibration_slope: means over training sets; the slope is nan, with its interval, if a fit says the same everywhere.
    jsd: the bias of the divergence as fresh rows show it, 2 JSD estimated less 2 JSD; jsd_in_sample: as the rows of the fit
    show it. clipped: squared bias with r̂ cut at ±2, ±4 and ±8.
    """

    squared_bias: Interval
    variance: VarianceComponents
    log_loss: LogLossSplit
    calibration_error: Interval
    calibration_slope: Interval
    jsd: Interval
    jsd_in_sample: Interval
    clipped: dict[float, float]
    seconds: float


def judge_bias(judge: Any, pair: Pair, n: int, *, level: float = 0.95, **options: Any) -> JudgeBias:
    """Bias, variance and calibration of a judge that learns from n + n rows of the pair; options as of `log_odds_of`."""
    return errors_of(log_odds_of(judge, pair, n, **options), level=level)


def errors_of(estimates: Estimates, *, level: float = 0.95) -> JudgeBias:
    """The figures of what a judge said: see `JudgeBias`."""
    r_hat, r = estimates.values, estimates.truth
    split = excess_log_loss(r_hat, r, level=level)
    errors = [np.mean([calibration_error(run, r) for run in one]) for one in r_hat]
    slopes = np.array([np.mean([calibration_slope(run, r) for run in one]) for one in r_hat])
    best = math.log(2) - softplus(r) + r * expit(r)  # whose mean over the points is the JSD
    of_points = 2 * float(best.std(ddof=1)) / math.sqrt(len(best))
    total = split.total
    return JudgeBias(
        squared_bias=squared_bias(r_hat, r, level=level),
        variance=variance(r_hat, level=level),
        log_loss=split,
        calibration_error=mean_interval(np.array(errors), level=level, skewed=True),
        calibration_slope=Interval(*[math.nan] * 4) if np.isnan(slopes).any() else mean_interval(slopes, level=level),
        jsd=Interval(-2 * total.value, -2 * total.high, -2 * total.low, 2 * total.standard_error),
        jsd_in_sample=mean_interval(2 * (estimates.in_sample.mean(axis=1) - best.mean()), level=level, also=of_points),
        clipped={c: squared_bias(np.clip(r_hat, -c, c), r, level=level).value for c in (2.0, 4.0, 8.0)},
        seconds=estimates.seconds,
    )


def _asked(player: Any, x: Any) -> Any:
    return np.asarray(to_numpy(examine(player, Batch(x)).values), dtype=float)
