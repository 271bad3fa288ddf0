"""Leaves as feedback: for generators that are fitted to the leaves of a forest."""

from __future__ import annotations

from dataclasses import dataclass

from turinglearn.contract import apply, name_of, score_samples
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Batch, Discriminator, Generator, IncompatiblePlayers, Leaves, Rng
from turinglearn.signals.signal import Estimator, ScoredFeedback, Signal

__all__ = ["LeafSignal"]


@dataclass(frozen=True)
class LeafSignal(Signal):
    """The leaves of real samples to which the discriminator, a forest, was not fitted.

    A generator that learns from leaves descends no loss: the objective is only recorded.
    """

    serves = Leaves

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
        """Bind the signal; the discriminator must have leaves (`apply`), and no objective can be chosen."""
        g = name_of(generator)
        if not hasattr(discriminator, "apply"):
            raise IncompatiblePlayers(
                f"{g} learns from leaves of real samples, but {name_of(discriminator)} has none. Choose a forest, such as "
                "RandomForestClassifier or ExtraTreesClassifier, or a generator that learns from scores."
            )
        if objective is not None:
            raise IncompatiblePlayers(
                f"{g} learns from leaves and descends no loss, but objective={objective!r} was chosen. Leave objective out."
            )
        return cls(discriminator, cls.checked_objective(discriminator, None))

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        """Return the leaves of the real samples, (n, trees), and the evidence on the fakes."""
        scores = score_samples(self.discriminator, fake)
        reference = self.reference(real)
        return ScoredFeedback(Leaves(apply(self.discriminator, real), real), scores, reference)
