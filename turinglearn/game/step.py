"""The step of either player: propose, score, update. Games, the duality gap and the bias experiments share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from turinglearn.contract import propose, update
from turinglearn.game.packing import present
from turinglearn.game.replay import ReplayBuffer
from turinglearn.game.schedule import Schedule
from turinglearn.protocols import Batch, Discriminator, Feedback, Generator, Rng, Samples
from turinglearn.signals import ScoredFeedback, Signal
from turinglearn.streams import Streams

__all__ = ["Players", "propose_like", "score_fakes", "update_discriminator", "update_generator"]


@dataclass(frozen=True, slots=True)
class Players:
    """The two players of a game, the signal between them, the schedule, the random streams and the past fakes."""

    generator: Generator
    discriminator: Discriminator
    signal: Signal
    schedule: Schedule
    streams: Streams
    buffer: ReplayBuffer | None = None

    @property
    def mix(self) -> Callable[[Batch], Batch] | None:
        """Mixing of fakes with past ones; None without replay."""
        buffer = self.buffer
        return None if buffer is None else lambda fake: buffer.mix(fake, self.streams("replay"))


def propose_like(generator: Generator, real: Batch, rng: Rng) -> Samples:
    """Propose as many fakes as there are real samples, under the same conditions."""
    return propose(generator, real.n, rng, real)


def update_discriminator(
    discriminator: Discriminator,
    real: Batch,
    fake: Batch,
    rng: Rng,
    *,
    pack: int = 1,
    mix: Callable[[Batch], Batch] | None = None,
) -> None:
    """Update the discriminator once, on real samples and fakes, with which past ones may be mixed."""
    real, shown = present(real, fake, pack)
    update(discriminator, real, shown if mix is None else mix(shown), rng)


def score_fakes(signal: Signal, fake: Batch, real: Batch, rng: Rng, *, pack: int = 1) -> ScoredFeedback:
    """Return the feedback on fakes, from a discriminator that was fitted to neither batch."""
    real, shown = present(real, fake, pack)
    return signal(shown, real, rng)


def update_generator(generator: Generator, fake: Samples, feedback: Feedback | None, *, pack: int = 1) -> None:
    """Update the generator once, from the feedback on its fakes or on tuples of them."""
    update(generator, fake, None if feedback is None else feedback.unpack(pack, fake))
