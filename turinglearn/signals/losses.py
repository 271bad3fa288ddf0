"""Losses as feedback: for generators that need no derivative of the discriminator."""

from __future__ import annotations

from dataclasses import dataclass

from turinglearn.contract import check_values, score_samples
from turinglearn.protocols import Batch, Losses, Rng
from turinglearn.signals.signal import ScoredFeedback, Signal

__all__ = ["LossSignal"]


@dataclass(frozen=True)
class LossSignal(Signal):
    """The loss of each fake, l(r_i). It needs nothing of the discriminator but its evidence."""

    serves = Losses

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        """Compute the losses l(r_i), (n,)."""
        scores = score_samples(self.discriminator, fake)
        reference = self.reference(real)
        losses = self.objective.losses(scores.values, reference)
        check_values(type(self.objective).__name__, "losses", losses, (fake.n,))
        return ScoredFeedback(Losses(losses), scores, reference)
