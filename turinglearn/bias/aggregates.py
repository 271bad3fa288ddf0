"""One number for many problems and seeds, and what failures do to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import share, whole
from turinglearn.protocols import Array
from turinglearn.streams import as_seed

__all__ = ["Completion", "completion", "interquartile_mean", "iqm_interval", "probability_of_improvement"]

_BLOCK = 2**22  # scores resampled at a time, 32 MB


def interquartile_mean(scores: Array) -> float:
    """Mean of the middle half of all scores, of any shape: between mean and median in robustness and in precision.

    The quarter at each end is trimmed, rounded down. Agarwal, Schwarzer, Castro, Courville & Bellemare (NeurIPS 2021).
    """
    return float(_iqm(_table(scores).reshape(1, -1))[0])


def iqm_interval(
    scores: Array, *, tasks: str = "fixed", level: float = 0.95, resamples: int = 2_000, random_state: Any = None
) -> Interval:
    """Percentile bootstrap interval of the interquartile mean of scores (tasks, seeds).

    tasks="fixed" resamples seeds within each task: what another run of the same tasks would give (Agarwal et al. 2021).
    tasks="resampled" draws tasks too: what other tasks of the kind would give; with few tasks it is wide, as it should be.
    Percentiles are expanded (Hesterberg 2015), since few replicates resampled scatter too little and have no normal tails: to
    those of a normal law at ± t √(m / (m - 1)), m the number of seeds, or of tasks, and t Student's with tasks (m - 1), or
    m - 1, degrees of freedom.
    """
    scores, level, resamples = _table(scores), share(level, "level"), whole(resamples, "resamples", least=2)
    if tasks not in ("fixed", "resampled"):
        raise ValueError(f"tasks={tasks!r}: expected 'fixed' or 'resampled'.")
    rng, (k, n), found = np.random.default_rng(as_seed(random_state)), scores.shape, []
    step = max(1, _BLOCK // scores.size)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        task = np.arange(k)[:, None] if tasks == "fixed" else rng.integers(0, k, (rows, k, 1))
        drawn = scores[task, rng.integers(0, n, (rows, k, n))]
        found.append(_iqm(drawn.reshape(rows, -1)))
    values = np.concatenate(found)
    m, degrees = (n, k * (n - 1)) if tasks == "fixed" else (k, k - 1)
    tail = float(norm.sf(student_t.ppf((1 + level) / 2, degrees) * math.sqrt(m / (m - 1)))) if m > 1 else 0.0
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(interquartile_mean(scores), float(low), float(high), float(values.std(ddof=1)))


def probability_of_improvement(scores: Array, control: Array) -> float:
    """P(score > control) for a random seed of each, ties counting one half, averaged over tasks; both (tasks, seeds).

    Mann & Whitney's (1947) statistic, as Agarwal et al. (2021) use it. Where lower is better, exchange the arguments.
    """
    x, y = _table(scores), _table(control)
    if len(x) != len(y):
        raise ValueError(f"There are scores of {len(x)} tasks and of {len(y)} of the control; expected the same tasks.")
    wins = np.sign(x[:, :, None] - y[:, None, :])
    return float((1 + wins.mean()) / 2)


@dataclass(frozen=True, slots=True)
class Completion:
    """rate: the share of runs that ended with a value. dropped: their mean. imputed: the mean with the worst for the rest."""

    rate: float
    dropped: float
    imputed: float


def completion(values: Array, worst: float) -> Completion:
    """What failed runs, nan among the values (n,), do to a mean: left out, and counted as the worst.

    A contestant that fails on the hard cases looks good on the others: read both. worst: the value that a failure counts for,
    such as the worst that any contestant reached.
    """
    values = np.asarray(values, dtype=float).ravel()
    if len(values) == 0 or not math.isfinite(worst):
        raise ValueError(f"There are {len(values)} values and worst={worst}; expected at least one run and a finite number.")
    done = np.isfinite(values)
    dropped = float(values[done].mean()) if done.any() else math.nan
    return Completion(float(done.mean()), dropped, float(np.where(done, values, worst).mean()))


def _iqm(rows: Any) -> Any:
    """The interquartile mean of each row."""
    trimmed = rows.shape[1] // 4
    middle = np.sort(rows, axis=1)[:, trimmed : rows.shape[1] - trimmed]
    return middle.mean(axis=1)


def _table(scores: Array) -> Any:
    scores = np.asarray(scores, dtype=float)
    scores = scores.reshape(1, -1) if scores.ndim < 2 else scores
    if scores.ndim != 2 or scores.size == 0 or not np.all(np.isfinite(scores)):
        raise ValueError(
            f"scores have shape {scores.shape} with {int(np.sum(~np.isfinite(scores)))} values that are not finite; expected "
            "finite numbers, (tasks, seeds). Decide what a failure counts for: see completion."
        )
    return scores
