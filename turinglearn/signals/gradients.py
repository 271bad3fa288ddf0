"""Gradients as feedback: for generators that can push a gradient through their samples."""

from __future__ import annotations

from dataclasses import dataclass

from turinglearn.arrays import like
from turinglearn.contract import check_values, name_of
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Batch, Discriminator, Generator, Gradients, IncompatiblePlayers, Rng
from turinglearn.signals.derivative import Derivative, Exact
from turinglearn.signals.signal import Estimator, ScoredFeedback, Signal
from turinglearn.signals.student import Student

__all__ = ["GradientSignal"]


@dataclass(frozen=True)
class GradientSignal(Signal):
    """The gradient of the summed losses in x: dl/dr dr/dx.

    The usual derivative is `Exact` where the discriminator has one (`vjp`), and that of a `Student` elsewhere.

    Parameters
    ----------
    discriminator, objective
        As for every `Signal`.
    derivative : Derivative
        How dr/dx is computed: `Exact`, `Smoothed` or `Student`.
    """

    derivative: Derivative

    serves = Gradients

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
        """Bind the signal; an exact derivative needs `vjp`, an estimated one scores that do not depend on the batch."""
        objective, d = cls.checked_objective(discriminator, objective), name_of(discriminator)
        exact = hasattr(discriminator, "vjp")
        derivative = estimator if isinstance(estimator, Derivative) else Exact() if exact else Student()
        if isinstance(derivative, Exact) and not exact:
            raise IncompatiblePlayers(
                f"{name_of(generator)} learns from gradients, but {d} offers only scores. "
                "Estimate them: Game(..., signal=Student()), or Smoothed()."
            )
        if not isinstance(derivative, Exact) and getattr(discriminator, "batch_coupled", False):
            raise IncompatiblePlayers(
                f"{derivative!r} probes sample by sample, but a score of {d} depends on its whole batch. "
                "Give the discriminator an exact gradient (vjp), or leave out its batch-coupled layers."
            )
        return cls(discriminator, objective, derivative)

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        """Compute the gradients (n, *event), in the library and on the device of the fakes."""
        scores, pullback = self.derivative.vjp(self.discriminator, fake, real, rng)
        reference = self.reference(real)
        slopes = self.objective.slopes(scores.values, reference)
        check_values(f"The slope of {type(self.objective).__name__}", "values", slopes, (fake.n,))
        gradient = like(pullback(slopes), fake.x)
        what = f"{name_of(self.discriminator)} (through {type(self.derivative).__name__})"
        check_values(what, "gradients", gradient, tuple(fake.x.shape))
        return ScoredFeedback(Gradients(gradient), scores, reference)

    @property
    def estimator(self) -> Derivative:
        """The derivative."""
        return self.derivative
