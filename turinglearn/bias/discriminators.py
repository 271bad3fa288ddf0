"""Bias and variance of a discriminator: the same algorithm on many training sets from a pair whose log-odds are known."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from turinglearn.arrays import Array, to_numpy
from turinglearn.bias.calibration import calibration_error, calibration_slope
from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.decomposition import LogLossSplit, VarianceComponents, excess_log_loss, squared_bias, variance
from turinglearn.bias.pairs import Pair
from turinglearn.bias.training import fit_discriminator
from turinglearn.contract import score_samples
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, SeedLike, whole
from turinglearn.objectives import softplus
from turinglearn.protocols import Batch, Discriminator
from turinglearn.streams import Streams, as_seed

__all__ = ["DiscriminatorBias", "Estimates", "discriminator_bias", "errors_of", "log_odds_of"]


@dataclass(frozen=True)
class Estimates:
    """Estimated log-odds of a discriminator after each fit.

    Attributes
    ----------
    values : ndarray of shape (R, A, N)
        Estimated log-odds r̂ of R training sets, A fits on each, at N points.
    truth : ndarray of shape (N,)
        Exact log-odds r.
    in_sample : ndarray of shape (R, A)
        Plug-in estimate of the Jensen-Shannon divergence on the rows of the fit.
    seconds : float
        Median time of a fit.
    """

    values: Floats
    truth: Floats
    in_sample: Floats
    seconds: float


def log_odds_of(
    discriminator: object,
    pair: Pair,
    n: int,
    *,
    training_sets: int = 20,
    fits: int = 1,
    points: int = 4_000,
    steps: int = 1_000,
    batch_size: int = 128,
    random_state: SeedLike = 0,
) -> Estimates:
    """Fit copies of a discriminator to many training sets, and score the same points with each.

    Points and training sets depend on the pair and random_state alone: every discriminator gets the same ones (common random
    numbers).

    Parameters
    ----------
    discriminator : object
        A discriminator whose evidence is log-odds, or what `as_discriminator` adapts.
    pair : Pair
        Two distributions with known log-odds.
    n : int
        Number of real rows, and of fake rows, in a training set; at least 4.
    training_sets : int
        Number R of training sets, at least 3.
    fits : int
        Number A of fits on each training set.
    points : int
        Number N of points, drawn from m = (p + q) / 2.
    steps, batch_size : int
        Training of discriminators that do not refit, as in `fit_discriminator`.
    random_state : int, numpy generator or None
        Seed; None for fresh entropy.

    Returns
    -------
    Estimates
    """
    if not isinstance(pair, Pair):
        raise ValueError(
            f"pair is a {type(pair).__name__}; expected two distributions with known log-odds. Give a Pair: see pair()."
        )
    n, training_sets = whole(n, "n", least=4), whole(training_sets, "training_sets", least=3)
    fits = whole(fits, "fits")
    streams = Streams(as_seed(random_state))
    x = pair.points(whole(points, "points", least=2), streams("points"))
    values, in_sample = np.empty((training_sets, fits, len(x))), np.empty((training_sets, fits))
    times = []
    for s in range(training_sets):
        real, fake = pair.draw(n, streams(f"set/{s}"))
        for a in range(fits):
            begun = time.perf_counter()
            player = fit_discriminator(discriminator, real, fake, streams(f"run/{s}/{a}"), steps=steps, batch_size=batch_size)
            times.append(time.perf_counter() - begun)
            values[s, a] = _log_odds(player, x)
            loss = (softplus(-_log_odds(player, real.x)) + softplus(_log_odds(player, fake.x))).mean() / 2
            in_sample[s, a] = math.log(2) - loss
    return Estimates(values, pair.log_odds(x), in_sample, float(np.median(times)))


@dataclass(frozen=True, slots=True)
class DiscriminatorBias:
    """Errors of a discriminator on a pair, over training sets and its own randomness.

    Attributes
    ----------
    squared_bias : Interval
        Squared bias of the log-odds.
    variance : VarianceComponents
        Variance of the log-odds.
    log_loss : LogLossSplit
        Excess log-loss over the Bayes rule, split into bias and variance.
    calibration_error : Interval
        Mean over training sets of `calibration_error`.
    calibration_slope : Interval
        Mean over training sets of `calibration_slope`; nan if the log-odds of a fit are constant.
    jsd : Interval
        Bias of the estimated divergence on fresh rows, 2 JSD estimated less 2 JSD.
    jsd_in_sample : Interval
        The same on the rows of the fit.
    clipped : dict of float to float
        Squared bias with estimates clipped at ±2, ±4 and ±8.
    seconds : float
        Median time of a fit.
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


def discriminator_bias(discriminator: object, pair: Pair, n: int, *, level: float = 0.95, **options: Any) -> DiscriminatorBias:
    """Measure bias, variance and calibration of a discriminator that is fitted to n + n rows of a pair.

    Parameters
    ----------
    discriminator : object
        A discriminator whose evidence is log-odds, or what `as_discriminator` adapts.
    pair : Pair
        Two distributions with known log-odds.
    n : int
        Number of real rows, and of fake rows, in a training set.
    level : float
        Confidence level.
    **options
        Options of `log_odds_of`.

    Returns
    -------
    DiscriminatorBias

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from turinglearn.bias import discriminator_bias, pair
    >>> truth = pair("correlated", dimension=2, kl=0.5)
    >>> found = discriminator_bias(LogisticRegression(), truth, n=100, training_sets=5, points=200)
    >>> found.squared_bias.value > found.variance.total.value
    True
    """
    return errors_of(log_odds_of(discriminator, pair, n, **options), level=level)


def errors_of(estimates: Estimates, *, level: float = 0.95) -> DiscriminatorBias:
    """Compute the errors of estimated log-odds.

    Parameters
    ----------
    estimates : Estimates
        Result of `log_odds_of`.
    level : float
        Confidence level.

    Returns
    -------
    DiscriminatorBias
    """
    r_hat, r = estimates.values, estimates.truth
    split = excess_log_loss(r_hat, r, level=level)
    errors = [np.mean([calibration_error(fit, r) for fit in one]) for one in r_hat]
    slopes = np.array([np.mean([calibration_slope(fit, r) for fit in one]) for one in r_hat])
    best = math.log(2) - softplus(r) + r * expit(r)  # its mean over the points is the JSD
    points_error = 2 * float(best.std(ddof=1)) / math.sqrt(len(best))
    total, in_sample = split.total, 2 * (estimates.in_sample.mean(axis=1) - best.mean())
    return DiscriminatorBias(
        squared_bias=squared_bias(r_hat, r, level=level),
        variance=variance(r_hat, level=level),
        log_loss=split,
        calibration_error=mean_interval(np.array(errors), level=level, skewed=True),
        calibration_slope=Interval(*[math.nan] * 4) if np.isnan(slopes).any() else mean_interval(slopes, level=level),
        jsd=Interval(-2 * total.value, -2 * total.high, -2 * total.low, 2 * total.standard_error),
        jsd_in_sample=mean_interval(in_sample, level=level, extra_error=points_error),
        clipped={c: squared_bias(np.clip(r_hat, -c, c), r, level=level).value for c in (2.0, 4.0, 8.0)},
        seconds=estimates.seconds,
    )


def _log_odds(player: Discriminator, x: Array) -> Floats:
    """Return the player's log-odds at x (n, d), in float64 on the host."""
    return np.asarray(to_numpy(score_samples(player, Batch(x)).values), dtype=float)
