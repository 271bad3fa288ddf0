"""The base of all signals: what a signal is, which feedback it serves, and how it is bound to its players."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from turinglearn.contract import name_of, score_samples
from turinglearn.objectives import GeneratorObjective, LinearLoss, NonSaturating, ReverseKL, losses_accepting
from turinglearn.protocols import (
    Array,
    Batch,
    Discriminator,
    Feedback,
    Generator,
    IncompatiblePlayers,
    LogOdds,
    LogRatio,
    Rng,
    Scores,
)

__all__ = ["Estimator", "ScoredFeedback", "Signal", "feedback_types", "signal_for"]

_SERVING: dict[type, type[Signal]] = {}  # by the type of feedback; each subclass of Signal enters itself


@dataclass(frozen=True, slots=True)
class ScoredFeedback:
    """Feedback for the generator, and the evidence that it was made from.

    Parameters
    ----------
    feedback : Feedback
        What the generator learns from; None in a fused round, where it stays in the networks' buffers.
    scores : Scores
        The evidence on the fakes, (n,).
    reference : Array of shape (n,), or None
        The evidence on real samples, where the objective compares fakes with them.
    """

    feedback: Feedback | None
    scores: Scores
    reference: Array | None


class Estimator:
    """Base of the options that a user may pass as ``signal=``: how feedback is estimated from evidence.

    `serves` is the feedback that it estimates.
    """

    serves: ClassVar[type[Feedback]]


@dataclass(frozen=True)
class Signal(ABC):
    """A signal turns the evidence of a discriminator on fakes into feedback for a generator.

    A subclass declares the type of feedback that it serves, checks in `bind` what it requires of the players, and computes
    the feedback when it is called. Defining the class is enough: `make_signal` finds it by the generator's `feedback_type`.

    Parameters
    ----------
    discriminator : Discriminator
        The discriminator that it asks.
    objective : GeneratorObjective
        The loss that the generator descends.
    """

    serves: ClassVar[type[Feedback]]

    discriminator: Discriminator
    objective: GeneratorObjective

    def __init_subclass__(cls) -> None:
        if "serves" in vars(cls):
            _SERVING[cls.serves] = cls

    @classmethod
    def bind(
        cls,
        generator: Generator,
        discriminator: Discriminator,
        objective: GeneratorObjective | None,
        estimator: Estimator | None,
        *,
        replayed: bool,
    ) -> Signal:
        """Bind the signal to a discriminator, or raise `IncompatiblePlayers` with the remedy.

        Parameters
        ----------
        generator, discriminator : players
            The generator's `feedback_type` is the one that this class serves.
        objective : GeneratorObjective or None
            None for the usual one of these players.
        estimator : Estimator or None
            What the user passed as ``signal=``; it serves the same feedback.
        replayed : bool
            Whether the discriminator is also fitted to past fakes, so that it does not estimate log p/q of the present ones.
        """
        return cls(discriminator, cls.checked_objective(discriminator, objective))

    @abstractmethod
    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        """Compute the feedback on fakes, from a discriminator that was fitted to neither batch."""

    @property
    def estimator(self) -> Estimator | None:
        """The estimator of the feedback; None where there is nothing to choose."""
        return None

    @classmethod
    def usual_objective(cls, discriminator: Discriminator) -> GeneratorObjective:
        """Return the loss that goes with the discriminator's criterion or, without one, with its evidence."""
        criterion = getattr(discriminator, "criterion", None)
        if criterion is not None:
            loss: GeneratorObjective = criterion.default_generator_loss
            return loss
        if issubclass(discriminator.score_type, LogOdds):
            return NonSaturating()
        return ReverseKL() if issubclass(discriminator.score_type, LogRatio) else LinearLoss()

    @classmethod
    def checked_objective(cls, discriminator: Discriminator, objective: GeneratorObjective | None) -> GeneratorObjective:
        """Return the objective, or the usual one; it must accept the discriminator's evidence."""
        objective = cls.usual_objective(discriminator) if objective is None else objective
        evidence: type[Scores] = discriminator.score_type
        if not issubclass(evidence, objective.requires):
            raise IncompatiblePlayers(
                f"{type(objective).__name__} requires {objective.requires.__name__}, but {name_of(discriminator)} gives "
                f"{evidence.__name__}. Choose a loss that accepts these ({', '.join(losses_accepting(evidence))}), or a "
                f"discriminator that gives {objective.requires.__name__}."
            )
        return objective

    def reference(self, real: Batch) -> Array | None:
        """Return the evidence on real samples where the objective compares fakes with them."""
        return score_samples(self.discriminator, real).values if self.objective.pairwise else None


def signal_for(feedback_type: object) -> type[Signal] | None:
    """Return the signal that serves a type of feedback; of several, the one defined last."""
    return _SERVING.get(feedback_type) if isinstance(feedback_type, type) else None


def feedback_types() -> list[str]:
    """Return the names of the types of feedback that some signal serves."""
    return [feedback.__name__ for feedback in _SERVING]
