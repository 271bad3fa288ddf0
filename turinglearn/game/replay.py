"""Past fakes that are shown to the discriminator again: fictitious play against the generator's whole past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turinglearn.protocols import Batch, Rng

__all__ = ["Replay", "ReplayBuffer"]


@dataclass(frozen=True)
class Replay:
    """Option of a game: a fraction of each discriminator batch of fakes is drawn from past ones.

    Discriminators that are refitted from scratch are best responses, and best responses cycle; a discriminator of the whole
    past does not. Its evidence is then log p/q_fit, where q_fit is the mixture that it was shown, so that importance weights
    are refused.

    Parameters
    ----------
    capacity : int
        Number of past fakes that are held. Each is equally likely to be among them.
    fraction : float in (0, 1)
        Share of past fakes in what the discriminator is shown.

    References
    ----------
    Brown (1951), "Iterative solution of games by fictitious play"; Shrivastava et al. (2017), "Learning from simulated and
    unsupervised images through adversarial training".
    """

    capacity: int = 10_000
    fraction: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.capacity, int) or self.capacity < 1:
            raise ValueError(
                f"Replay(capacity={self.capacity!r}): expected an integer, the number of fakes to hold, at least 1."
            )
        if not 0 < self.fraction < 1:
            raise ValueError(
                f"Replay(fraction={self.fraction}): expected a share between 0 and 1, both excluded. For no replay, leave it "
                "out."
            )


class ReplayBuffer:
    """A uniform sample of the past fakes of one game.

    Parameters
    ----------
    replay : Replay
        Capacity and fraction.

    Attributes
    ----------
    held : Batch or None
        The past fakes that are held.
    seen : int
        The number of fakes so far.

    References
    ----------
    Vitter (1985), "Random sampling with a reservoir", algorithm R.
    """

    def __init__(self, replay: Replay) -> None:
        self.capacity, self.fraction = replay.capacity, replay.fraction
        self.start()

    def start(self) -> None:
        """Forget the past: a game begins."""
        self.held: Batch | None = None
        self.seen = 0

    def mix(self, fake: Batch, rng: Rng) -> Batch:
        """Return as many fakes as were given, a fraction of them past ones, and add the given ones to those that are held."""
        n_past = int(fake.n * self.fraction)
        mixed = Batch(fake.x, fake.condition)
        if self.held is not None and n_past > 0:
            past = self.held.take(rng.integers(0, self.held.n, n_past))
            mixed = fake.take(np.arange(fake.n - n_past)).concat(past)
        self._hold(fake, rng)
        return mixed

    def _hold(self, fake: Batch, rng: Rng) -> None:
        """Algorithm R: fake number t takes a random slot with probability capacity / t."""
        room = min(max(self.capacity - self.seen, 0), fake.n)
        if room:
            first = fake.take(np.arange(room))
            self.held = first if self.held is None else self.held.concat(first)
        if room < fake.n and self.held is not None:
            t = self.seen + np.arange(room, fake.n) + 1
            slot = rng.integers(0, t)
            taken = slot < self.capacity
            slots, last = np.unique(slot[taken][::-1], return_index=True)  # of two in one slot the later one stays
            rows = np.arange(room, fake.n)[taken][::-1][last]
            keep = np.arange(self.held.n)
            keep[slots] = self.held.n + rows
            self.held = self.held.concat(fake).take(keep)
        self.seen += fake.n
