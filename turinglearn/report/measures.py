"""The figures that a report knows how to read: what they mean and where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BIAS", "KINDS", "MEANINGS", "SHARE", "SPLITS", "TOTAL", "Measure", "possible"]


@dataclass(frozen=True)
class Measure:
    """name: that of the figure in the rows. Less is better."""

    name: str
    title: str
    unit: str
    formula: str
    source: str


# What the two kinds of cells are about, in the words of the sentences.
KINDS = {"judge": "judged", "game": "learned"}

_LOSS = "E ℓ(r̂) − ℓ(r) = KL(π ‖ σ(r̄)) + {E A(r̂) − A(r̄)}"
_GRUBER = "Gruber & Buettner (2023)"

_LOSS_BIAS = Measure("excess_log_loss_bias", "bias in log-loss", "nats", f"{_LOSS}: the first term", _GRUBER)
_LOSS_VARIANCE = Measure("excess_log_loss_variance", "variance in log-loss", "nats", f"{_LOSS}: the second term", _GRUBER)
_LOSS_TOTAL = Measure("excess_log_loss", "excess log-loss", "nats", _LOSS, _GRUBER)
_SQUARED_BIAS = Measure(
    "squared_bias",
    "squared bias of the log-odds",
    "squared log-odds",
    "b² = 1/(R(R−1)) Σ_{s≠s'} ∫ (r̄_s − r)(r̄_s' − r) dm",
    "Hoeffding (1948)",
)
_VARIANCE = Measure(
    "variance",
    "variance of the log-odds",
    "squared log-odds",
    "∫ Var r̂ dm, over training sets and the judge's own randomness",
    "one-way random effects",
)
_ENERGY = Measure(
    "energy_distance",
    "distance of the learned law, bias and variance together",
    "squared energy distance",
    "D(p, q) = 2 E|X − Y| − E|X − X'| − E|Y − Y'|, unbiased",
    "Székely & Rizzo (2013)",
)

# For each kind of cell: what has a bias in each row, of which the first that rows have is what the answer is about; the same
# for bias and variance together, where rows have no bias; and bias and variance that make a plane.
BIAS = {"judge": (_LOSS_BIAS, _SQUARED_BIAS), "game": ()}
TOTAL = {"judge": (_LOSS_TOTAL,), "game": (_ENERGY,)}
SPLITS = {"judge": ((_LOSS_BIAS, _LOSS_VARIANCE), (_SQUARED_BIAS, _VARIANCE)), "game": ()}

# What the figures are of which the report has means alone.
MEANINGS = {
    "bayes_accuracy": "the share of rows that the Bayes rule tells apart, the most there is",
    "bayes_jsd": "Jensen-Shannon divergence of both laws, in nats",
    "bayes_kl": "KL(p ‖ q) of both laws, in nats",
    "bayes_log_loss": "the log-loss of the Bayes rule, the least there is, in nats",
    "calibration_error": "mean square gap between the chance that is said and the one that is so, at points where it is said",
    "calibration_slope": "of the true log-odds on those said: 1 is right, less is too sure",
    "energy_distance": "squared energy distance to a fresh genuine sample, unbiased: it can be negative",
    "excess_log_loss": "log-loss less that of the Bayes rule, in nats: bias and variance together",
    "high_quality": "share of the sample within three standard deviations of a mode; of the truth .989 in two dimensions",
    "jsd_error": "twice the JSD that the judge finds on fresh rows, less the true one: −2 times the excess log-loss",
    "jsd_error_in_sample": "twice the JSD that it finds on the rows from which it learned, less the true one",
    "kl": "KL(p ‖ q) in nats, q being what was learned",
    "log_density": "mean of log p over what was learned; the truth has the negative of its entropy",
    "modes": "how many modes the problem has",
    "modes_captured": "how many of the modes have a sample near them, be it one",
    "off_support": "share of the sample where p is 0",
    "reverse_kl": "of the sample's shares of the modes from even ones, in nats: 0 is even",
    "rounds": "how many rounds the game had",
    "squared_bias_clipped_2": "squared bias of the log-odds with r̂ cut at ±2",
    "squared_bias_clipped_4": "squared bias of the log-odds with r̂ cut at ±4",
    "squared_bias_clipped_8": "squared bias of the log-odds with r̂ cut at ±8",
    "variance_runs": "the part of the variance of the log-odds that is the judge's own randomness",
    "variance_sets": "the part of the variance of the log-odds that is the draw of the training set",
}

SHARE = (0.0, 1.0)
_POSSIBLE = {"high_quality": SHARE, "off_support": SHARE, "reverse_kl": (0.0, math.inf), "rounds": (0.0, math.inf)}


def possible(name: str, figures: Mapping[str, float]) -> tuple[float, float]:
    """From where to where a figure can be, that stands among these."""
    if name == "modes_captured":
        return 0.0, figures.get("modes", math.inf)
    return _POSSIBLE.get(name, (-math.inf, math.inf))
