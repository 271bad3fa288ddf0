"""Figures of cells: what each means. The worker produces only figures that are declared here, and the report reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

from turinglearn.study.factors import CellKind
from turinglearn.study.figure_types import Better, FigureName, Measure, MeasureKind, Part

__all__ = [
    "BIAS",
    "CONTROL",
    "CROSS_EXAMINATION",
    "ESTIMATE",
    "FIGURES",
    "MEANINGS",
    "PARAMETER_BOUND",
    "SAMPLE",
    "SHARE",
    "SPLITS",
    "TOTAL",
    "TRUTH",
    "Better",
    "FigureName",
    "Measure",
    "MeasureKind",
    "Part",
    "check_declared",
    "parse_name",
    "possible",
]


_INTERVAL = (Part.VALUE, Part.LOW, Part.HIGH, Part.STANDARD_ERROR)
_WITH_ERROR = (Part.VALUE, Part.STANDARD_ERROR)
SHARE = (0.0, 1.0)
_ANY, _POSITIVE = (-math.inf, math.inf), (0.0, math.inf)


_LOSS = "E ℓ(r̂) − ℓ(r) = KL(π ‖ σ(r̄)) + {E A(r̂) − A(r̄)}"
_GRUBER = "Gruber & Buettner (2023)"
_LOG_ODDS = "squared log-odds"
_ENERGY_UNIT = "squared energy distance"
_REFERENCE, _QUALITY = MeasureKind.REFERENCE, MeasureKind.QUALITY

_LOSS_BIAS = Measure(
    "excess_log_loss_bias",
    "bias in log-loss",
    "nats",
    MeasureKind.BIAS,
    formula=f"{_LOSS}: the first term",
    source=_GRUBER,
    parts=_INTERVAL,
)
_LOSS_VARIANCE = Measure(
    "excess_log_loss_variance",
    "variance in log-loss",
    "nats",
    MeasureKind.VARIANCE,
    formula=f"{_LOSS}: the second term",
    source=_GRUBER,
    parts=_INTERVAL,
)
_LOSS_TOTAL = Measure(
    "excess_log_loss",
    "excess log-loss",
    "nats",
    MeasureKind.TOTAL,
    meaning="log-loss minus the log-loss of the Bayes rule, in nats: bias and variance together",
    formula=_LOSS,
    source=_GRUBER,
    parts=_INTERVAL,
)
_SQUARED_BIAS = Measure(
    "squared_bias",
    "squared bias of the log-odds",
    _LOG_ODDS,
    MeasureKind.BIAS,
    formula="b² = 1/(R(R−1)) Σ_{s≠s'} ∫ (r̄_s − r)(r̄_s' − r) dm",
    source="Hoeffding (1948)",
    parts=_INTERVAL,
)
_VARIANCE = Measure(
    "variance",
    "variance of the log-odds",
    _LOG_ODDS,
    MeasureKind.VARIANCE,
    formula="∫ Var r̂ dm, over training sets and the discriminator's own randomness",
    source="one-way random effects",
    parts=_INTERVAL,
)
_ENERGY = Measure(
    "energy_distance",
    "distance of the learned distribution, bias and variance together",
    _ENERGY_UNIT,
    MeasureKind.TOTAL,
    meaning="squared energy distance to a fresh real sample; it is unbiased, so it can be negative",
    formula="D(p, q) = 2 E|X − Y| − E|X − X'| − E|Y − Y'|, unbiased",
    source="Székely & Rizzo (2013)",
)
CROSS_EXAMINATION = Measure(
    "balanced_accuracy",
    "balanced accuracy of a cross-examiner",
    "",
    MeasureKind.EXAMINATION,
    meaning="balanced accuracy of a fresh discriminator on held-out rows; 0.5 if it cannot tell fakes from real rows",
    bounds=SHARE,
    keyed=True,
)
ESTIMATE = Measure(
    "estimate",
    "learned parameter",
    "",
    MeasureKind.PARAMETER,
    Better.NEITHER,
    "parameter that the generator learned",
    keyed=True,
)
TRUTH = Measure("truth", "true parameter", "", MeasureKind.PARAMETER, Better.NEITHER, "true parameter", keyed=True)
CONTROL = Measure(
    "control",
    "maximum likelihood",
    "",
    MeasureKind.PARAMETER,
    Better.NEITHER,
    "maximum likelihood estimate from the same rows",
    keyed=True,
)
PARAMETER_BOUND = Measure(
    "bound",
    "Cramér-Rao bound",
    "",
    MeasureKind.PARAMETER,
    Better.NEITHER,
    "least standard error of an unbiased estimate",
    "√(I⁻¹/n)",
    "Cramér (1946), Rao (1945)",
    _POSITIVE,
    keyed=True,
)
SAMPLE = Measure("x", "kept sample", "", MeasureKind.SAMPLE, Better.NEITHER, "first rows of a sample")


def _clipped(level: int) -> Measure:
    return Measure(
        f"squared_bias_clipped_{level}",
        f"squared bias of the log-odds, clipped at ±{level}",
        _LOG_ODDS,
        MeasureKind.BIAS,
        meaning=f"squared bias of the log-odds with r̂ clipped to ±{level}",
    )


def _by_name(measures: Iterable[Measure]) -> Mapping[str, Measure]:
    return {measure.name: measure for measure in measures}


# Every figure that the worker can produce, by name.
FIGURES: Mapping[str, Measure] = _by_name(
    (
        _LOSS_BIAS,
        _LOSS_VARIANCE,
        _LOSS_TOTAL,
        _SQUARED_BIAS,
        *map(_clipped, (2, 4, 8)),
        _VARIANCE,
        Measure(
            "variance_training_sets",
            "variance between training sets",
            _LOG_ODDS,
            MeasureKind.VARIANCE,
            meaning="part of the variance of the log-odds that comes from the draw of the training set",
        ),
        Measure(
            "variance_fits",
            "variance between fits",
            _LOG_ODDS,
            MeasureKind.VARIANCE,
            meaning="part of the variance of the log-odds that is the discriminator's own randomness",
        ),
        Measure(
            "calibration_error",
            "calibration error",
            "squared probability",
            _QUALITY,
            meaning="mean squared gap between the predicted probability and the true one",
            parts=_INTERVAL,
        ),
        Measure(
            "calibration_slope",
            "calibration slope",
            "",
            _QUALITY,
            Better.NEITHER,
            "slope of the true log-odds on the predicted ones: 1 is calibrated, below 1 is overconfident",
            parts=_INTERVAL,
        ),
        Measure(
            "jsd_error",
            "error of the estimated JSD",
            "nats",
            _QUALITY,
            Better.NEITHER,
            "twice the JSD that the discriminator finds on fresh rows, minus twice the true one: −2 times the excess log-loss",
            parts=_INTERVAL,
        ),
        Measure(
            "jsd_error_in_sample",
            "error of the estimated JSD in sample",
            "nats",
            _QUALITY,
            Better.NEITHER,
            "twice the JSD that the discriminator finds on its training rows, minus twice the true one",
            parts=_INTERVAL,
        ),
        Measure("bayes_kl", "true KL", "nats", _REFERENCE, Better.NEITHER, "KL(p ‖ q) of both distributions, in nats"),
        Measure(
            "bayes_jsd",
            "true JSD",
            "nats",
            _REFERENCE,
            Better.NEITHER,
            "Jensen-Shannon divergence of both distributions, in nats",
        ),
        Measure(
            "bayes_accuracy",
            "accuracy of the Bayes rule",
            "",
            _REFERENCE,
            Better.NEITHER,
            "accuracy of the Bayes rule, the best possible",
            bounds=SHARE,
        ),
        Measure(
            "bayes_log_loss",
            "log-loss of the Bayes rule",
            "nats",
            _REFERENCE,
            Better.NEITHER,
            "log-loss of the Bayes rule, the least possible, in nats",
        ),
        Measure("rounds", "rounds", "", MeasureKind.COUNT, Better.NEITHER, "number of rounds of the game", bounds=_POSITIVE),
        _ENERGY,
        Measure("modes", "modes", "", MeasureKind.COUNT, Better.NEITHER, "number of modes of the problem", bounds=_POSITIVE),
        Measure(
            "modes_captured",
            "modes captured",
            "",
            _QUALITY,
            Better.MORE,
            "number of modes with at least one sample near them",
            bounds=_POSITIVE,
        ),
        Measure(
            "high_quality",
            "share of high quality",
            "",
            _QUALITY,
            Better.MORE,
            "share of the sample within three standard deviations of a mode; 0.989 for the true distribution in two dimensions",
            bounds=SHARE,
        ),
        Measure(
            "reverse_kl",
            "reverse KL over modes",
            "nats",
            _QUALITY,
            meaning="reverse KL of the shares of the modes from equal shares, in nats; 0 if they are equal",
            bounds=_POSITIVE,
        ),
        Measure(
            "log_density",
            "mean log-density",
            "nats",
            _QUALITY,
            Better.NEITHER,
            "mean of log p over the learned sample; minus the entropy for the true distribution",
        ),
        Measure("off_support", "share off support", "", _QUALITY, meaning="share of the sample where p is 0", bounds=SHARE),
        Measure(
            "kl",
            "KL of the learned distribution",
            "nats",
            _QUALITY,
            meaning="KL(p ‖ q) in nats, where q is the learned distribution",
            parts=_WITH_ERROR,
        ),
        ESTIMATE,
        TRUTH,
        CONTROL,
        PARAMETER_BOUND,
        CROSS_EXAMINATION,
        Measure("entropy", "entropy", "nats", _REFERENCE, Better.NEITHER, "entropy of the problem, in nats", parts=_WITH_ERROR),
        Measure(
            "floor",
            "noise of the energy distance",
            _ENERGY_UNIT,
            _REFERENCE,
            Better.NEITHER,
            "squared energy distance between two real samples",
        ),
        SAMPLE,
    )
)

# For each kind of cells: the measures of bias, of which the first that rows have is the one that the answer is about; measures
# of bias and variance together, where rows have no bias; and the pairs of bias and variance that make a plane.
BIAS: Mapping[str, tuple[Measure, ...]] = {CellKind.DISCRIMINATOR: (_LOSS_BIAS, _SQUARED_BIAS), CellKind.GAME: ()}
TOTAL: Mapping[str, tuple[Measure, ...]] = {CellKind.DISCRIMINATOR: (_LOSS_TOTAL,), CellKind.GAME: (_ENERGY,)}
SPLITS: Mapping[str, tuple[tuple[Measure, Measure], ...]] = {
    CellKind.DISCRIMINATOR: ((_LOSS_BIAS, _LOSS_VARIANCE), (_SQUARED_BIAS, _VARIANCE)),
    CellKind.GAME: (),
}

# Meanings of the figures of which a report has only means.
MEANINGS: Mapping[str, str] = {
    name: m.meaning for name, m in sorted(FIGURES.items()) if m.meaning and not m.keyed and m != SAMPLE
}


@lru_cache(4096)
def parse_name(name: str) -> FigureName | None:
    """Return a figure's name taken apart, or None for a name that is not declared.

    Examples
    --------
    >>> found = parse_name("squared_bias_low")
    >>> found.measure.title, found.part.name
    ('squared bias of the log-odds', 'LOW')
    >>> parse_name("balanced_accuracy[forest]").key
    'forest'
    """
    if name in FIGURES and not FIGURES[name].keyed:
        return FigureName(FIGURES[name])
    stem, bracket, rest = name.partition("[")
    if bracket and rest.endswith("]") and stem in FIGURES and FIGURES[stem].keyed:
        return FigureName(FIGURES[stem], rest[:-1])
    for part in (Part.LOW, Part.HIGH, Part.STANDARD_ERROR):
        measure = FIGURES.get(name.removesuffix(part)) if name.endswith(part) else None
        if measure is not None and part in measure.parts:
            return FigureName(measure, part=part)
    return None


def check_declared(names: Iterable[str]) -> None:
    """Raise ValueError for names that no measure declares."""
    unknown = sorted(name for name in names if parse_name(name) is None)
    if unknown:
        raise ValueError(f"Figures without a declaration: {', '.join(unknown)}. Declare them in turinglearn.study.figures.")


def possible(name: str, figures: Mapping[str, float]) -> tuple[float, float]:
    """Return the least and the largest value that a figure can have, beside the other figures of its row."""
    if name == "modes_captured":
        return 0.0, figures.get("modes", math.inf)
    found = parse_name(name)
    return _ANY if found is None else found.measure.bounds
