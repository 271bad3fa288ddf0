"""Aggregates over many problems and seeds, and the effect of failed runs on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from scipy.stats import t as student_t

from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, SeedLike, share, whole
from turinglearn.streams import as_seed

__all__ = ["Completion", "completion", "interquartile_mean", "iqm_interval", "probability_of_improvement"]

_BLOCK = 2**22  # scores resampled at a time, 32 MB


def interquartile_mean(scores: ArrayLike) -> float:
    """Compute the mean of the middle half of all scores: between mean and median in robustness and in precision.

    Parameters
    ----------
    scores : array-like
        Finite numbers, of any shape. The quarter at each end is trimmed, rounded down.

    Returns
    -------
    float

    References
    ----------
    Agarwal, Schwarzer, Castro, Courville and Bellemare, NeurIPS 2021.
    """
    return float(_iqm(_table(scores).reshape(1, -1))[0])


def iqm_interval(
    scores: ArrayLike,
    *,
    tasks: Literal["fixed", "resampled"] = "fixed",
    level: float = 0.95,
    resamples: int = 2_000,
    random_state: SeedLike = None,
) -> Interval:
    """Compute a percentile bootstrap interval of the interquartile mean.

    Percentiles are expanded (Hesterberg 2015), since few replicates scatter too little when they are resampled and have no
    normal tails. They become those of a normal distribution at ± t √(m / (m - 1)), where m is the number of seeds, or of
    tasks, and t Student's quantile with tasks (m - 1), or m - 1, degrees of freedom.

    Parameters
    ----------
    scores : array-like of shape (tasks, seeds)
        Finite numbers.
    tasks : {"fixed", "resampled"}
        "fixed" resamples seeds within each task, for what another run of the same tasks would give (Agarwal et al. 2021).
        "resampled" draws tasks too, for what other tasks of the kind would give; with few tasks the interval is wide, as it
        should be.
    level : float
        Confidence level.
    resamples : int
        Number of bootstrap samples.
    random_state : int, numpy generator or None
        Seed of the bootstrap; None for fresh entropy.

    Returns
    -------
    Interval
    """
    table, level, resamples = _table(scores), share(level, "level"), whole(resamples, "resamples", least=2)
    if tasks not in ("fixed", "resampled"):
        raise ValueError(f"tasks={tasks!r}: expected 'fixed' or 'resampled'.")
    rng, (k, n), found = np.random.default_rng(as_seed(random_state)), table.shape, []
    step = max(1, _BLOCK // table.size)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        task = np.arange(k)[:, None] if tasks == "fixed" else rng.integers(0, k, (rows, k, 1))
        drawn = table[task, rng.integers(0, n, (rows, k, n))]
        found.append(_iqm(drawn.reshape(rows, -1)))
    values = np.concatenate(found)
    m, degrees = (n, k * (n - 1)) if tasks == "fixed" else (k, k - 1)
    tail = float(norm.sf(student_t.ppf((1 + level) / 2, degrees) * math.sqrt(m / (m - 1)))) if m > 1 else 0.0
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(interquartile_mean(table), float(low), float(high), float(values.std(ddof=1)))


def probability_of_improvement(scores: ArrayLike, control: ArrayLike) -> float:
    """Compute P(score > control) for a random seed of each, averaged over tasks; ties count one half.

    It is the statistic of Mann and Whitney (1947), as Agarwal et al. (2021) use it. Where lower is better, exchange the
    arguments.

    Parameters
    ----------
    scores : array-like of shape (tasks, seeds)
        Finite numbers.
    control : array-like of shape (tasks, seeds of the control)
        Finite numbers of the same tasks.

    Returns
    -------
    float
    """
    x, y = _table(scores), _table(control)
    if len(x) != len(y):
        raise ValueError(f"There are scores of {len(x)} tasks and of {len(y)} of the control; expected the same tasks.")
    wins = np.sign(x[:, :, None] - y[:, None, :])
    return float((1 + wins.mean()) / 2)


@dataclass(frozen=True, slots=True)
class Completion:
    """Effect of failed runs on a mean.

    Attributes
    ----------
    rate : float
        Share of runs that ended with a value.
    dropped : float
        Mean of these values.
    imputed : float
        Mean with the worst value in the place of the others.
    """

    rate: float
    dropped: float
    imputed: float


def completion(values: ArrayLike, worst: float) -> Completion:
    """Compute a mean in two ways: without failed runs, and with failed runs counted as the worst.

    A method that fails on the hard cases looks good on the others: report both.

    Parameters
    ----------
    values : array-like of shape (n,)
        Results, nan for failed runs.
    worst : float
        Value that a failure counts as, such as the worst that any method reached.

    Returns
    -------
    Completion
    """
    results = np.asarray(values, dtype=float).ravel()
    if len(results) == 0 or not math.isfinite(worst):
        raise ValueError(f"There are {len(results)} values and worst={worst}; expected at least one run and a finite number.")
    done = np.isfinite(results)
    dropped = float(results[done].mean()) if done.any() else math.nan
    return Completion(float(done.mean()), dropped, float(np.where(done, results, worst).mean()))


def _iqm(rows: Floats) -> Floats:
    """Return the interquartile mean of each row."""
    trimmed = rows.shape[1] // 4
    middle: Floats = np.sort(rows, axis=1)[:, trimmed : rows.shape[1] - trimmed].mean(axis=1)
    return middle


def _table(values: ArrayLike) -> Floats:
    """Return scores as an array (tasks, seeds), or raise a ValueError."""
    scores = np.atleast_2d(np.asarray(values, dtype=float))
    if scores.ndim != 2 or scores.size == 0 or not np.all(np.isfinite(scores)):
        raise ValueError(
            f"scores have shape {scores.shape} with {int(np.sum(~np.isfinite(scores)))} values that are not finite; expected "
            "finite numbers, (tasks, seeds). Decide what a failure counts as: see completion."
        )
    return scores
