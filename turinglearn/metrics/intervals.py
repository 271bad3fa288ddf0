"""Confidence intervals for measures between two samples, from random halves of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from turinglearn.metrics.inputs import pair, share, whole
from turinglearn.protocols import Array
from turinglearn.streams import as_seed

__all__ = ["Interval", "interval"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure's value on the whole samples, its confidence interval, and the standard error that this rests on."""

    value: float
    low: float
    high: float
    standard_error: float


def interval(
    measure: Callable[[Any, Any], float],
    x: Array,
    y: Array,
    /,
    *,
    level: float = 0.95,
    resamples: int = 200,
    random_state: Any = None,
) -> Interval:
    """Confidence interval value ± z s for measure(x, y), such as `energy_distance`, x (n, d) and y (m, d) independent samples.

    s is the standard deviation of the measure over random halves of both samples, drawn without replacement: the delete-half
    jackknife, which needs no factor, since a half varies about the whole as the whole about the truth. A bootstrap
    would repeat rows; pairs at distance 0 then bias an energy distance or an MMD by about their own size.

    What it covers is the measure's expectation at these sample sizes: the truth for unbiased measures, but for those that
    depend on n (Wasserstein, Fréchet and nearest-neighbour measures) the truth plus their bias. Where the laws are
    equal, an energy distance or an MMD has no normal law and an error of order 1/n instead of 1/√n: there halves vary more
    than they should, and the interval is too wide, never too narrow. It is no test of equal laws: see `two_sample_test`.
    Between normal laws the intervals of an energy distance at level .95 covered .94 to .98 for 100 rows each, 1 where
    the laws are equal, and .89 to .92 for 40 rows.

    measure gets float64 NumPy matrices and returns one number; of a measure with random_state, fix it. ValueError for bad
    arguments, samples of fewer than four rows, or a measure that is not finite.

    Shao & Wu (1989), Annals of Statistics 17.
    """
    x, y = pair(x, y, rows=4)
    level, resamples = share(level, "level"), whole(resamples, "resamples", least=2)
    rng = np.random.default_rng(as_seed(random_state))
    value = _number(measure, x, y)
    error = float(np.std([_number(measure, _half(x, rng), _half(y, rng)) for _ in range(resamples)], ddof=1))
    margin = float(norm.ppf((1 + level) / 2)) * error
    return Interval(value, value - margin, value + margin, error)


def _half(x: Any, rng: np.random.Generator) -> Any:
    return x[rng.permutation(len(x))[: len(x) // 2]]


def _number(measure: Callable[[Any, Any], float], x: Any, y: Any) -> float:
    value = float(measure(x, y))
    if not math.isfinite(value):
        raise ValueError(
            f"{getattr(measure, '__name__', 'measure')} is {value} for {len(x)} and {len(y)} rows; expected a finite number on "
            "both samples and on their halves. Give larger samples, or a measure that is finite on them."
        )
    return value
