"""What a round leaves behind: a frozen record, whose figures are computed when they are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from turinglearn.arrays import namespace, to_numpy
from turinglearn.contract import examine
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective
from turinglearn.protocols import Array, Batch, Discriminator, LogOdds, LogRatio, Scores, Weights
from turinglearn.signals import Lesson, effective_sample_size

__all__ = ["Round", "Rounds", "Testimony"]

_FIGURES = (
    "index",
    "generator_loss",
    "discriminator_loss",
    "accuracy",
    "caught",
    "effective_sample_size",
    "mean_ratio",
    "effective_share",
)
_LARGEST = 700.0  # e to a larger power is no number any more


@dataclass
class Testimony:
    """What the judge says of genuine samples that it was not fitted to; asked only if somebody reads it.

    It must be asked while the judge stands as it did in its round: `close` is called when the judge is about to change.
    """

    discriminator: Discriminator | None
    genuine: Batch
    counterfeits: Scores | None = None  # of fresh ones from the very law that the judge was fitted to, where there are any
    scores: Scores | None = None

    def ask(self, index: int) -> Scores:
        """The scores of the genuine samples; remembered once asked."""
        if self.scores is None:
            if self.discriminator is None:
                raise RuntimeError(
                    f"Round {index} is over and its judge has changed, so what it thought of genuine samples can no longer "
                    "be asked. Read discriminator_loss and accuracy inside the loop, or keep round.figures() there."
                )
            self.scores = examine(self.discriminator, self.genuine)
        return self.scores

    def close(self) -> None:
        """The judge is about to change: what was not asked cannot be asked any more."""
        self.discriminator = None


@dataclass(frozen=True, slots=True, repr=False)
class Round:
    """One round of a game.

    index counts from 1. scores is the evidence on counterfeits that the judge was never fitted to; with replay it is
    log p/q_fit, q_fit being the mixture of present and past that the judge was shown. Figures are computed when they are
    read; those that need the judge's opinion of genuine samples must be read before the next round is played.
    """

    index: int
    lesson: Lesson
    objective: GeneratorObjective
    criterion: DiscriminatorObjective | None
    testimony: Testimony

    def __repr__(self) -> str:
        caught = "" if math.isnan(self.caught) else f", caught={self.caught:.3f}"
        return f"Round(index={self.index}, generator_loss={self.generator_loss:.4f}{caught})"

    @property
    def scores(self) -> Scores:
        """The evidence on the counterfeits."""
        return self.lesson.scores

    @property
    def generator_loss(self) -> float:
        """Mean loss of the counterfeits; compare with `objective.equilibrium`."""
        return _mean(self.objective.losses(self.scores.values, self.lesson.reference))

    @property
    def discriminator_loss(self) -> float:
        """The judge's criterion on samples that it was not fitted to; nan for a judge without a criterion."""
        if self.criterion is None:
            return math.nan
        return float(self.criterion.value(self.testimony.ask(self.index).values, self.scores.values))

    @property
    def accuracy(self) -> float:
        """Balanced accuracy of the judge, a tie counting one half; nan unless the scores are log-odds."""
        if not isinstance(self.scores, LogOdds):
            return math.nan
        return (_share_genuine(self.testimony.ask(self.index).values) + 1 - _share_genuine(self.scores.values)) / 2

    @property
    def caught(self) -> float:
        """Share of counterfeits that the judge recognised; nan unless the scores are log-odds."""
        return 1 - _share_genuine(self.scores.values) if isinstance(self.scores, LogOdds) else math.nan

    @property
    def effective_sample_size(self) -> float:
        """How many equally weighted samples the generator's weights are worth; nan where it learns from something else."""
        feedback = self.lesson.feedback
        return effective_sample_size(feedback.values) if isinstance(feedback, Weights) else math.nan

    @property
    def mean_ratio(self) -> float:
        """Mean of e^r over counterfeits that the judge was not fitted to, but that are of the same law: 1 for r = log p/q.

        nan unless the scores are log-odds of a judge that each round fits from scratch, and with replay or simultaneous play,
        where it was fitted to another law.
        """
        scores = self.testimony.counterfeits
        if not isinstance(scores, LogOdds):
            return math.nan
        r = np.asarray(to_numpy(scores.values), dtype=float)
        return math.exp(min(float(logsumexp(r)) - math.log(r.size), _LARGEST))

    @property
    def effective_share(self) -> float:
        """How many of these counterfeits, weighted by e^r, are worth as much as all of them: a share, (Σe^r)² / (n Σe^2r)."""
        scores = self.testimony.counterfeits
        if not isinstance(scores, LogRatio):
            return math.nan
        r = np.asarray(to_numpy(scores.values), dtype=float)
        return effective_sample_size(np.exp(r - r.max())) / r.size

    def figures(self) -> dict[str, Any]:
        """Every figure by name, for keeping."""
        return {name: getattr(self, name) for name in _FIGURES}


@dataclass(frozen=True, slots=True)
class Rounds:
    """One round of every replica. Each figure is an array (R,) of the replicas' own; `replicas` are their records.

    index counts the rounds that the replicas have played together, from 1; one that has also played alone has counted more:
    ``replicas[i].index``.
    """

    replicas: tuple[Round, ...]
    index: int

    def __repr__(self) -> str:
        return f"Rounds(index={self.index}, replicas={len(self.replicas)}, generator_loss={_mean(self.generator_loss):.4f})"

    @property
    def objective(self) -> GeneratorObjective:
        """What the generators descend."""
        return self.replicas[0].objective

    @property
    def criterion(self) -> DiscriminatorObjective | None:
        """What the judges descend."""
        return self.replicas[0].criterion

    @property
    def generator_loss(self) -> Array:
        """Mean loss of the counterfeits, (R,)."""
        return self._each("generator_loss")

    @property
    def discriminator_loss(self) -> Array:
        """Each judge's criterion on samples that it was not fitted to, (R,)."""
        return self._each("discriminator_loss")

    @property
    def accuracy(self) -> Array:
        """Balanced accuracy of each judge, (R,)."""
        return self._each("accuracy")

    @property
    def caught(self) -> Array:
        """Share of counterfeits that each judge recognised, (R,)."""
        return self._each("caught")

    @property
    def effective_sample_size(self) -> Array:
        """How many equally weighted samples each generator's weights are worth, (R,)."""
        return self._each("effective_sample_size")

    @property
    def mean_ratio(self) -> Array:
        """Mean of e^r over fresh counterfeits of the law that each judge was fitted to, (R,)."""
        return self._each("mean_ratio")

    @property
    def effective_share(self) -> Array:
        """How large a share of these counterfeits is worth as much as all, (R,)."""
        return self._each("effective_share")

    def figures(self) -> dict[str, Any]:
        """Every figure by name, for keeping."""
        return {name: getattr(self, name) for name in _FIGURES}

    def _each(self, figure: str) -> Array:
        return np.array([getattr(record, figure) for record in self.replicas])


def _mean(values: Array) -> float:
    return float(namespace(values).mean(values))


def _share_genuine(r: Array) -> float:
    """The share of positive log-odds, a tie counting one half."""
    xp = namespace(r)
    return _mean(xp.astype(r > 0, r.dtype)) + _mean(xp.astype(r == 0, r.dtype)) / 2
