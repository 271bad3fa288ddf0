"""Simultaneous rounds: both players learn from the same fakes, scored before the discriminator's update."""

from __future__ import annotations

from turinglearn.contract import score_samples
from turinglearn.game.batches import RoundBatches
from turinglearn.game.packing import fold
from turinglearn.game.records import Played
from turinglearn.game.step import Players, propose_like, score_fakes, update_discriminator, update_generator

__all__ = ["SimultaneousRound"]


class SimultaneousRound:
    """One step of each player on the same fakes."""

    fused = False

    def __init__(self, players: Players) -> None:
        self.players = players

    def matches(self, batches: RoundBatches) -> bool:
        """Return whether the round can be played on such batches: always."""
        return True

    def play(self, batches: RoundBatches) -> Played:
        """Play the round on the batch for scoring, which the discriminator is then fitted to."""
        to_score = batches.to_score
        p, rng, pack = self.players, self.players.streams, self.players.schedule.pack
        fake = propose_like(p.generator, to_score, rng("generator"))
        feedback = score_fakes(p.signal, fake, to_score, rng("signal"), pack=pack)  # D was never fitted to these
        real_scores = score_samples(p.discriminator, fold(to_score, pack))
        update_discriminator(p.discriminator, to_score, fake, rng("discriminator"), pack=pack, mix=p.mix)
        update_generator(p.generator, fake, feedback.feedback, pack=pack)
        return Played(feedback, real_scores=real_scores)
