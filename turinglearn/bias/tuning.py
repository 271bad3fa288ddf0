"""Fair tuning: every discriminator gets the same number of trials, on the same folds, by log-loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from turinglearn.arrays import to_numpy
from turinglearn.bias.training import fit_discriminator
from turinglearn.contract import score_samples
from turinglearn.metrics.inputs import Floats, Integers, SeedLike, whole
from turinglearn.metrics.inputs import pair as checked_pair
from turinglearn.objectives import softplus
from turinglearn.protocols import Array, Batch, PlayerError
from turinglearn.streams import Streams, as_seed

__all__ = ["Trial", "Tuned", "tune"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial of `tune`.

    Attributes
    ----------
    settings : dict
        Parameters that were set, by name.
    log_loss : float
        Cross-validated log-loss in nats; infinite if the discriminator failed.
    """

    settings: dict[str, object]
    log_loss: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """Result of `tune`.

    Attributes
    ----------
    discriminator : object
        The discriminator with the best settings, unfitted.
    trials : tuple of Trial
        All trials, in order.
    """

    discriminator: Any
    trials: tuple[Trial, ...]


def tune(
    discriminator: object,
    space: Mapping[str, Any],
    real: Array,
    fake: Array,
    *,
    trials: int = 20,
    folds: int = 5,
    steps: int = 1_000,
    batch_size: int = 128,
    random_state: SeedLike = 0,
) -> Tuned:
    """Search at random for the settings with the least cross-validated log-loss (Bergstra and Bengio 2012).

    The first trial is the discriminator as it is. The others are drawn; from lists without its own settings, and fewer where
    the lists have fewer combinations. The folds are the same for every discriminator and trial. A trial that fails has an
    infinite log-loss.

    Parameters
    ----------
    discriminator : object
        A discriminator with get_params and set_params, such as a scikit-learn classifier.
    space : dict of str to list or distribution
        Values, or a distribution with rvs, for each parameter; nested names as in scikit-learn ("estimator__max_depth").
    real : array of shape (n, d)
        Real rows.
    fake : array of shape (m, d)
        Fake rows.
    trials : int
        Number of trials.
    folds : int
        Number of folds, at least 2.
    steps, batch_size : int
        Training of discriminators that do not refit, as in `fit_discriminator`.
    random_state : int, numpy generator or None
        Seed.

    Returns
    -------
    Tuned

    Raises
    ------
    ValueError
        If all trials fail; before the first one, for a parameter that the discriminator does not have.
    """
    x, y = checked_pair(real, fake, ("real", "fake"), rows=whole(folds, "folds", least=2))
    seed, more = as_seed(random_state), whole(trials, "trials") - 1
    settings = [{}, *(_drawn(discriminator, dict(space), more, np.random.RandomState(seed % 2**32)) if more and space else ())]
    candidates = [clone(discriminator).set_params(**choice) for choice in settings]
    cross_validation = _CrossValidation(x, y, folds, seed, steps, batch_size)
    losses = [cross_validation.log_loss(candidate) for candidate in candidates]
    tried = tuple(Trial(dict(choice), loss) for choice, loss in zip(settings, losses, strict=True))
    best = min(tried, key=lambda trial: trial.log_loss)
    if not math.isfinite(best.log_loss):
        raise ValueError(
            f"All {len(tried)} trials of {discriminator!r} failed; expected one that can be fitted. Try it by itself first."
        )
    return Tuned(clone(discriminator).set_params(**best.settings), tried)


@dataclass(frozen=True)
class _CrossValidation:
    """Rows of both kinds and their folds, which are the same for every discriminator."""

    real: Floats
    fake: Floats
    folds: int
    seed: int
    steps: int
    batch_size: int

    @cached_property
    def parts(self) -> tuple[list[Integers], list[Integers]]:
        """Return the row numbers of each fold, of real and of fake rows."""
        real, fake = (Streams(self.seed)("folds").permutation(len(rows)) for rows in (self.real, self.fake))
        return np.array_split(real, self.folds), np.array_split(fake, self.folds)

    def log_loss(self, discriminator: object) -> float:
        """Return the mean log-loss on held-out folds; infinite if the discriminator fails."""
        try:
            return float(np.mean([self._fold_loss(discriminator, k) for k in range(self.folds)]))
        except PlayerError:
            return math.inf

    def _fold_loss(self, discriminator: object, k: int) -> float:
        (x_in, x_out), (y_in, y_out) = (_fold(self.real, self.parts[0], k), _fold(self.fake, self.parts[1], k))
        rng, options = Streams(self.seed)(f"fold/{k}"), {"steps": self.steps, "batch_size": self.batch_size}
        player = fit_discriminator(discriminator, Batch(x_in), Batch(y_in), rng, **options)
        r, s = (np.asarray(to_numpy(score_samples(player, Batch(rows)).values), dtype=float) for rows in (x_out, y_out))
        return float(np.mean(softplus(-r)) + np.mean(softplus(s))) / 2


def _drawn(
    discriminator: BaseEstimator, space: dict[str, Any], more: int, random: np.random.RandomState
) -> list[dict[str, object]]:
    """Draw so many settings; from lists at most as many as there are, without the discriminator's own."""
    if any(hasattr(values, "rvs") for values in space.values()):
        return list(ParameterSampler(space, more, random_state=random))
    own, many = discriminator.get_params(), min(more + 1, len(ParameterGrid(space)))
    others = [
        choice
        for choice in ParameterSampler(space, many, random_state=random)
        if not all(name in own and np.array_equal(own[name], value) for name, value in choice.items())
    ]
    return others[:more]


def _fold(rows: Floats, parts: Sequence[Integers], k: int) -> tuple[Floats, Floats]:
    """Return the rows outside fold k, and those in it."""
    return rows[np.concatenate([part for i, part in enumerate(parts) if i != k])], rows[parts[k]]
