"""How far the laws of a known pair are apart, and how well the best judge does: to three standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.bias.pairs import Pair
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import whole
from turinglearn.objectives import softplus
from turinglearn.streams import as_seed

__all__ = ["Divergences", "divergences"]

_BLOCK = 2**16


@dataclass(frozen=True, slots=True)
class Divergences:
    """Of a pair: kl = KL(p ‖ q) and jsd in nats; accuracy and log_loss of the Bayes rule between p and q, equally likely.

    Each is an interval of three standard errors of a sample, cut where nothing is possible: KL and JSD are at least 0, JSD and
    log-loss at most log 2, the accuracy is from 1/2 to 1. A closed form has no error.
    """

    kl: Interval
    jsd: Interval
    accuracy: Interval
    log_loss: Interval


def divergences(pair: Pair, *, draws: int = 2**19, random_state: Any = 0) -> Divergences:
    """Monte Carlo with exact log-odds r, `draws` from each law:

        log-loss = [E_p log(1 + e^-r) + E_q log(1 + e^r)] / 2,    JSD = log 2 - log-loss,                    (1)
        accuracy = [P_p(r > 0) + P_q(r < 0)] / 2, ties counting one half,    KL = E_p r.                     (2)

    The standard errors are at most .0005 for the bounded ones at the usual number of draws. KL is the pair's own, where it has
    one, since the sample mean of r is a poor estimate of large divergences. Laws that are so far apart that hardly a draw is
    on the wrong side show hardly an error: there the standard errors are too small, and 0 where there is no such draw.
    """
    draws, rng = whole(draws, "draws", least=2), np.random.default_rng(as_seed(random_state))
    (kl, loss_p, right_p), (kl_v, loss_pv, right_pv) = _moments(pair, pair.p, 1, draws, rng)
    (_, loss_q, right_q), (_, loss_qv, right_qv) = _moments(pair, pair.q, -1, draws, rng)
    log_loss, error = (loss_p + loss_q) / 2, math.sqrt((loss_pv + loss_qv) / 4 / draws)
    accuracy, rate_error = (right_p + right_q) / 2, math.sqrt((right_pv + right_qv) / 4 / draws)
    exact = pair.kl is not None
    return Divergences(
        _three(pair.kl if pair.kl is not None else kl, 0.0 if exact else math.sqrt(kl_v / draws), (0.0, math.inf)),
        _three(math.log(2) - log_loss, error, (0.0, math.log(2))),
        _three(accuracy, rate_error, (0.5, 1.0)),
        _three(log_loss, error, (0.0, math.log(2))),
    )


def _moments(pair: Pair, law: Any, sign: int, draws: int, rng: Any) -> tuple[Any, Any]:
    """Mean and variance of r, of the loss and of being right, under the law on whose side r has this sign."""
    total, squares = np.zeros(3), np.zeros(3)
    for start in range(0, draws, _BLOCK):
        r = sign * pair.log_odds(law.sample(min(_BLOCK, draws - start), rng))
        values = np.stack((r, softplus(-r), (r > 0) + (r == 0) / 2))
        total, squares = total + values.sum(axis=1), squares + (values**2).sum(axis=1)
    mean = total / draws
    return mean, squares / draws - mean**2


def _three(value: float, error: float, possible: tuple[float, float]) -> Interval:
    middle, low, high = np.clip([value, value - 3 * error, value + 3 * error], *possible)
    return Interval(float(middle), float(low), float(high), float(error))
