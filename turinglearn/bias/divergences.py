"""How far the laws of a known pair are apart, and how well the best judge does: with certified errors."""

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

    Each is an interval at three standard errors; a closed form has none.
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
    one, since the sample mean of r is a poor estimate of large divergences.
    """
    draws, rng = whole(draws, "draws", least=2), np.random.default_rng(as_seed(random_state))
    (kl, loss_p, right_p), (kl_v, loss_pv, right_pv) = _moments(pair, pair.p, 1, draws, rng)
    (_, loss_q, right_q), (_, loss_qv, right_qv) = _moments(pair, pair.q, -1, draws, rng)
    log_loss, error = (loss_p + loss_q) / 2, math.sqrt((loss_pv + loss_qv) / 4 / draws)
    accuracy, rate_error = (right_p + right_q) / 2, math.sqrt((right_pv + right_qv) / 4 / draws)
    exact = pair.kl is not None
    return Divergences(
        _three(pair.kl if pair.kl is not None else kl, 0.0 if exact else math.sqrt(kl_v / draws)),
        _three(math.log(2) - log_loss, error),
        _three(accuracy, rate_error),
        _three(log_loss, error),
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


def _three(value: float, error: float) -> Interval:
    return Interval(float(value), float(value - 3 * error), float(value + 3 * error), float(error))
