"""Equal chances: every judge is tuned with the same number of trials, on the same folds, by log-loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from turinglearn.arrays import to_numpy
from turinglearn.bias.teaching import taught
from turinglearn.contract import examine
from turinglearn.metrics.inputs import pair as checked_pair
from turinglearn.metrics.inputs import whole
from turinglearn.objectives import softplus
from turinglearn.protocols import Array, Batch, PlayerError
from turinglearn.streams import Streams, as_seed

__all__ = ["Trial", "Tuned", "tune"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The settings that were tried, and their cross-validated log-loss in nats; infinite where the judge failed."""

    settings: dict[str, Any]
    log_loss: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The judge with the best settings, unfitted, and every trial in the order in which it was made."""

    judge: Any
    trials: tuple[Trial, ...]


def tune(
    judge: Any,
    space: Mapping[str, Any],
    real: Array,
    fake: Array,
    *,
    trials: int = 20,
    folds: int = 5,
    steps: int = 1_000,
    batch_size: int = 128,
    random_state: Any = 0,
) -> Tuned:
    """Random search for the settings with the least log-loss of log-odds r̂ on rows that the judge was not fitted to.

    space: a distribution with rvs, or a list of values, for each parameter, nested names as in scikit-learn
    ("estimator__max_depth"). The first trial is the judge as it is; the others are drawn (Bergstra & Bengio 2012), from
    lists without its own settings, and fewer where they hold fewer combinations. real (n, d), fake (m, d): the folds are the
    same for every judge and trial, so that judges get equal chances. A trial that fails counts as infinitely bad. ValueError
    where all fail, and, before any is made, for a name that the judge does not have.
    """
    x, y = checked_pair(real, fake, ("real", "fake"), rows=whole(folds, "folds", least=2))
    seed = as_seed(random_state)
    parts = [np.array_split(Streams(seed)("folds").permutation(len(rows)), folds) for rows in (x, y)]
    more = whole(trials, "trials") - 1
    settings = [{}, *(_drawn(judge, dict(space), more, np.random.RandomState(seed % 2**32)) if more and space else ())]
    candidates = [clone(judge).set_params(**choice) for choice in settings]

    def loss(candidate: Any, k: int) -> float:
        (inside, out), (within, without) = (_fold(rows, part, k) for rows, part in zip((x, y), parts, strict=True))
        stream = Streams(seed)(f"fold/{k}")
        player = taught(candidate, Batch(inside), Batch(within), stream, steps=steps, batch_size=batch_size)
        r, s = (np.asarray(to_numpy(examine(player, Batch(rows)).values), dtype=float) for rows in (out, without))
        return float(softplus(-r).mean() + softplus(s).mean()) / 2

    def tried(choice: dict[str, Any], candidate: Any) -> Trial:
        try:
            return Trial(dict(choice), float(np.mean([loss(candidate, k) for k in range(folds)])))
        except PlayerError:
            return Trial(dict(choice), math.inf)

    made = [tried(*each) for each in zip(settings, candidates, strict=True)]
    best = min(made, key=lambda trial: trial.log_loss)
    if not math.isfinite(best.log_loss):
        raise ValueError(
            f"All {len(made)} trials of {judge!r} failed; expected one that can be fitted. Try it by itself first."
        )
    return Tuned(clone(judge).set_params(**best.settings), tuple(made))


def _drawn(judge: Any, space: dict[str, Any], more: int, random: Any) -> list[dict[str, Any]]:
    """So many settings; of lists as many as there are, without the judge's own."""
    if any(hasattr(values, "rvs") for values in space.values()):
        return list(ParameterSampler(space, more, random_state=random))
    own, many = judge.get_params(), min(more + 1, len(ParameterGrid(space)))
    others = [
        choice
        for choice in ParameterSampler(space, many, random_state=random)
        if not all(name in own and np.array_equal(own[name], value) for name, value in choice.items())
    ]
    return others[:more]


def _fold(rows: Any, parts: Any, k: int) -> tuple[Any, Any]:
    """The rows outside fold k, and those in it."""
    return rows[np.concatenate([part for i, part in enumerate(parts) if i != k])], rows[parts[k]]
