"""The figures that a report knows how to read: what they mean and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BIAS", "KINDS", "SPLITS", "TOTAL", "Measure"]


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
