"""The figures that a report knows how to read: what they mean and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BIAS", "KINDS", "REFERENCES", "SPLITS", "TOTAL", "Measure"]


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

_LOSS = "E ℓ(r̂) − ℓ(r) = KL(π ‖ σ(r̄)) + {E A(r̂) − A(r̄)},   A(r) = log(1 + eʳ),  π = σ(r)"
_GRUBER = "Gruber & Buettner (AISTATS 2023)"

_LOSS_BIAS = Measure("excess_log_loss_bias", "bias in log-loss", "nats", f"{_LOSS}: the first term", _GRUBER)
_LOSS_VARIANCE = Measure("excess_log_loss_variance", "variance in log-loss", "nats", f"{_LOSS}: the second term", _GRUBER)
_LOSS_TOTAL = Measure("excess_log_loss", "excess log-loss", "nats", _LOSS, _GRUBER)
_SQUARED_BIAS = Measure(
    "squared_bias",
    "squared bias of the log-odds",
    "squared log-odds",
    "b² = 1/(R(R−1)) Σ_{s≠s'} ∫ (r̄_s − r)(r̄_s' − r) dm,   m = (p + q)/2",
    "Hoeffding (1948); its interval after Wilson (1927)",
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

REFERENCES = (
    "R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. Bellemare: Deep reinforcement learning at the edge of the "
    "statistical precipice. NeurIPS 2021.",
    "X. Bouthillier et al.: Accounting for variance in machine learning benchmarks. MLSys 2021.",
    "H. Cramér: Mathematical methods of statistics. Princeton 1946. C. R. Rao: Information and the accuracy attainable in the "
    "estimation of statistical parameters. Bull. Calcutta Math. Soc. 37, 1945.",
    "A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola: A kernel two-sample test. JMLR 13, 2012.",
    "S. Gruber, F. Buettner: Uncertainty estimates of predictions via a general bias-variance decomposition. AISTATS 2023.",
    "W. Hoeffding: A class of statistics with asymptotically normal distribution. Ann. Math. Stat. 19, 1948.",
    "S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6, 1979.",
    "M. Quenouille: Notes on bias in estimation. Biometrika 43, 1956. J. Tukey: Bias and confidence in not quite large "
    "samples. Ann. Math. Stat. 29, 1958.",
    "Student: The probable error of a mean. Biometrika 6, 1908.",
    "G. Székely, M. Rizzo: Energy statistics: a class of statistics based on distances. J. Stat. Plan. Inference 143, 2013.",
    "E. Wilson: Probable inference, the law of succession, and statistical inference. JASA 22, 1927.",
)
