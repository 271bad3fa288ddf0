"""Records of rounds: frozen, with figures that are computed when they are read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from turinglearn.arrays import namespace, to_numpy
from turinglearn.contract import score_samples
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective
from turinglearn.protocols import Array, Batch, Discriminator, LogOdds, LogRatio, Scores, Weights
from turinglearn.signals import ScoredFeedback, effective_sample_size

__all__ = ["FIGURES", "LazyRealScores", "Played", "Round", "Rounds"]

FIGURES = (
    "index",
    "generator_loss",
    "discriminator_loss",
    "accuracy",
    "fake_recall",
    "effective_sample_size",
    "mean_ratio",
    "effective_share",
)
_LARGEST = 700.0  # e to a larger power overflows


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of a round, however it is computed.

    Parameters
    ----------
    feedback : ScoredFeedback
        The feedback of the generator's last step, with the scores of its fakes.
    first : Scores or None
        Scores of fakes from the distribution that the discriminator was fitted to, where there are such fakes.
    real_scores : Scores or None
        Scores of real samples, where they were computed before the discriminator was updated.
    """

    feedback: ScoredFeedback
    first: Scores | None = None
    real_scores: Scores | None = None


@dataclass
class LazyRealScores:
    """Scores of real samples that the discriminator was not fitted to, computed only if somebody reads them.

    They must be read while the discriminator stands as it did in its round: `expire` is called when it is about to change.
    """

    discriminator: Discriminator | None
    real: Batch
    scores: Scores | None = None

    def evaluate(self, index: int) -> Scores:
        """Return the scores; they are computed once."""
        if self.scores is None:
            if self.discriminator is None:
                raise RuntimeError(
                    f"Round {index} is over and its discriminator has changed, so its scores of real samples can no longer be "
                    "computed. Read discriminator_loss and accuracy inside the loop, or keep round.figures() there."
                )
            self.scores = score_samples(self.discriminator, self.real)
        return self.scores

    def expire(self) -> None:
        """Note that the discriminator is about to change: scores that were not read cannot be read any more."""
        self.discriminator = None


@dataclass(frozen=True, slots=True, repr=False)
class Round:
    """Record of one round of a game.

    Figures are computed when they are read. Those that need scores of real samples (discriminator_loss, accuracy) must be
    read before the next round is played; `figures` reads all of them.

    Attributes
    ----------
    index : int
        Number of the round, from 1.
    scores : Scores
        Evidence on fakes that the discriminator was never fitted to. With replay it is log p/q_fit, q_fit being the mixture
        of present and past fakes that the discriminator was shown.
    objective : GeneratorObjective
        The loss that the generator descends.
    criterion : DiscriminatorObjective or None
        The criterion of the discriminator.
    """

    index: int
    feedback: ScoredFeedback
    objective: GeneratorObjective
    criterion: DiscriminatorObjective | None
    real_scores: LazyRealScores = field(repr=False)
    first: Scores | None = None

    def __repr__(self) -> str:
        fake_recall = "" if math.isnan(self.fake_recall) else f", fake_recall={self.fake_recall:.3f}"
        return f"Round(index={self.index}, generator_loss={self.generator_loss:.4f}{fake_recall})"

    @property
    def scores(self) -> Scores:
        """Evidence on the fakes, (n,)."""
        return self.feedback.scores

    @property
    def generator_loss(self) -> float:
        """Mean loss of the fakes; compare with `objective.equilibrium`."""
        return _mean(self.objective.losses(self.scores.values, self.feedback.reference))

    @property
    def discriminator_loss(self) -> float:
        """The discriminator's criterion on samples that it was not fitted to; nan without a criterion."""
        if self.criterion is None:
            return math.nan
        return float(self.criterion.value(self.real_scores.evaluate(self.index).values, self.scores.values))

    @property
    def accuracy(self) -> float:
        """Balanced accuracy of the discriminator, a tie counting one half; nan unless the scores are log-odds."""
        if not isinstance(self.scores, LogOdds):
            return math.nan
        return (_share_real(self.real_scores.evaluate(self.index).values) + 1 - _share_real(self.scores.values)) / 2

    @property
    def fake_recall(self) -> float:
        """Share of the fakes that the discriminator recognised; nan unless the scores are log-odds."""
        return 1 - _share_real(self.scores.values) if isinstance(self.scores, LogOdds) else math.nan

    @property
    def effective_sample_size(self) -> float:
        """Number of equally weighted samples that the generator's weights are worth; nan for other feedback."""
        feedback = self.feedback.feedback
        return effective_sample_size(feedback.values) if isinstance(feedback, Weights) else math.nan

    @property
    def mean_ratio(self) -> float:
        """Mean of e^r over fresh fakes of the distribution that the discriminator was fitted to: 1 for r = log p/q.

        nan unless the scores are log-odds of a discriminator that is refitted in each round; nan also with replay and in
        simultaneous play, where it was fitted to another distribution.
        """
        if not isinstance(self.first, LogOdds):
            return math.nan
        r = _on_host(self.first)
        return math.exp(min(float(logsumexp(r)) - math.log(r.size), _LARGEST))

    @property
    def effective_share(self) -> float:
        """Effective sample size of these fakes, weighted by e^r, as a share of them: (Σe^r)² / (n Σe^2r)."""
        if not isinstance(self.first, LogRatio):
            return math.nan
        r = _on_host(self.first)
        return effective_sample_size(np.exp(r - r.max())) / r.size

    def figures(self) -> dict[str, int | float]:
        """Return every figure by name, to be kept."""
        return {name: getattr(self, name) for name in FIGURES}


@dataclass(frozen=True, slots=True)
class Rounds:
    """Record of one round of every replica: each figure is an array (R,).

    Attributes
    ----------
    replicas : tuple of Round
        The replicas' own records.
    index : int
        Number of rounds that the replicas have played together, from 1. A replica that has also played alone has counted
        more: ``replicas[i].index``.
    """

    replicas: tuple[Round, ...]
    index: int

    def __repr__(self) -> str:
        return f"Rounds(index={self.index}, replicas={len(self.replicas)}, generator_loss={_mean(self.generator_loss):.4f})"

    @property
    def objective(self) -> GeneratorObjective:
        """The loss that the generators descend."""
        return self.replicas[0].objective

    @property
    def criterion(self) -> DiscriminatorObjective | None:
        """The criterion of the discriminators."""
        return self.replicas[0].criterion

    @property
    def generator_loss(self) -> NDArray[np.float64]:
        """Mean loss of the fakes, (R,)."""
        return self._each("generator_loss")

    @property
    def discriminator_loss(self) -> NDArray[np.float64]:
        """Each discriminator's criterion on samples that it was not fitted to, (R,)."""
        return self._each("discriminator_loss")

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Balanced accuracy of each discriminator, (R,)."""
        return self._each("accuracy")

    @property
    def fake_recall(self) -> NDArray[np.float64]:
        """Share of the fakes that each discriminator recognised, (R,)."""
        return self._each("fake_recall")

    @property
    def effective_sample_size(self) -> NDArray[np.float64]:
        """Number of equally weighted samples that each generator's weights are worth, (R,)."""
        return self._each("effective_sample_size")

    @property
    def mean_ratio(self) -> NDArray[np.float64]:
        """Mean of e^r over fresh fakes of the distribution that each discriminator was fitted to, (R,)."""
        return self._each("mean_ratio")

    @property
    def effective_share(self) -> NDArray[np.float64]:
        """Effective sample size of these fakes, weighted by e^r, as a share of them, (R,)."""
        return self._each("effective_share")

    def figures(self) -> dict[str, int | NDArray[np.float64]]:
        """Return every figure by name, to be kept."""
        return {name: getattr(self, name) for name in FIGURES}

    def _each(self, figure: str) -> NDArray[np.float64]:
        return np.array([getattr(record, figure) for record in self.replicas])


def _on_host(scores: Scores) -> NDArray[np.float64]:
    return np.asarray(to_numpy(scores.values), dtype=float)


def _mean(values: Array) -> float:
    return float(namespace(values).mean(values))


def _share_real(r: Array) -> float:
    """Return the share of positive log-odds, a tie counting one half."""
    xp = namespace(r)
    return _mean(xp.astype(r > 0, r.dtype)) + _mean(xp.astype(r == 0, r.dtype)) / 2
