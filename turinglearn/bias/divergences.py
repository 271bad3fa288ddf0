"""Divergences between the distributions of a known pair, and the performance of the best discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from turinglearn.bias.pairs import Distribution, Pair
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, SeedLike, whole
from turinglearn.objectives import softplus
from turinglearn.protocols import Rng
from turinglearn.streams import as_seed

__all__ = ["Divergences", "divergences"]

_BLOCK = 2**16


@dataclass(frozen=True, slots=True)
class Divergences:
    """Divergences of a pair, and the Bayes rule between p and q, equally likely.

    Each is an interval of three standard errors of a sample, clipped to possible values: KL and JSD are at least 0, JSD and
    log-loss at most log 2, the accuracy is from 1/2 to 1. A closed form has no error.

    Attributes
    ----------
    kl : Interval
        KL(p ‖ q), in nats.
    jsd : Interval
        Jensen-Shannon divergence, in nats.
    accuracy, log_loss : Interval
        Accuracy and log-loss of the Bayes rule.
    """

    kl: Interval
    jsd: Interval
    accuracy: Interval
    log_loss: Interval


def divergences(pair: Pair, *, draws: int = 2**19, random_state: SeedLike = 0) -> Divergences:
    """Estimate the divergences of a pair by Monte Carlo with exact log-odds r::

        log-loss = [E_p log(1 + e^-r) + E_q log(1 + e^r)] / 2,    JSD = log 2 - log-loss,                    (1)
        accuracy = [P_p(r > 0) + P_q(r < 0)] / 2, ties counting one half,    KL = E_p r.                     (2)

    The standard errors are at most .0005 for the bounded ones at the default number of draws. KL is the pair's own, where it
    has one, since the sample mean of r is a poor estimate of large divergences. Where the distributions are so far apart that
    hardly a draw is on the wrong side, the standard errors are too small, and 0 if there is no such draw.

    Parameters
    ----------
    pair : Pair
        Two distributions with known log-odds.
    draws : int
        Number of samples from each distribution.
    random_state : int, numpy generator or None
        Seed; None for fresh entropy.

    Returns
    -------
    Divergences
    """
    draws, rng = whole(draws, "draws", least=2), np.random.default_rng(as_seed(random_state))
    (kl, loss_p, right_p), (kl_v, loss_pv, right_pv) = _moments(pair, pair.p, 1, draws, rng)
    (_, loss_q, right_q), (_, loss_qv, right_qv) = _moments(pair, pair.q, -1, draws, rng)
    log_loss, error = (loss_p + loss_q) / 2, math.sqrt((loss_pv + loss_qv) / 4 / draws)
    accuracy, rate_error = (right_p + right_q) / 2, math.sqrt((right_pv + right_qv) / 4 / draws)
    exact = pair.kl is not None
    return Divergences(
        _interval(pair.kl if pair.kl is not None else kl, 0.0 if exact else math.sqrt(kl_v / draws), (0.0, math.inf)),
        _interval(math.log(2) - log_loss, error, (0.0, math.log(2))),
        _interval(accuracy, rate_error, (0.5, 1.0)),
        _interval(log_loss, error, (0.0, math.log(2))),
    )


def _moments(pair: Pair, distribution: Distribution, sign: int, draws: int, rng: Rng) -> tuple[Floats, Floats]:
    """Return mean and variance of r, the loss and the accuracy, under the distribution on whose side r has this sign."""
    total, squares = np.zeros(3), np.zeros(3)
    for start in range(0, draws, _BLOCK):
        r = sign * pair.log_odds(distribution.sample(min(_BLOCK, draws - start), rng))
        values = np.stack((r, softplus(-r), (r > 0) + (r == 0) / 2))
        total, squares = total + values.sum(axis=1), squares + (values**2).sum(axis=1)
    mean = total / draws
    return mean, squares / draws - mean**2


def _interval(value: float, error: float, possible: tuple[float, float]) -> Interval:
    """Return an interval of three standard errors, clipped to possible values."""
    middle, low, high = np.clip([value, value - 3 * error, value + 3 * error], *possible)
    return Interval(float(middle), float(low), float(high), float(error))
