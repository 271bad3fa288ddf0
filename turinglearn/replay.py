"""Past counterfeits, shown to the judge again: fictitious play against the generator's whole past."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.arrays import concat, namespace
from turinglearn.protocols import Array, Batch, Rng

__all__ = ["Replay"]


class Replay:
    """A reservoir of past counterfeits, of which a fraction of every judge's batch is drawn.

    Judges that are refitted from scratch are best responses, and best responses cycle; a judge of the whole past does not
    (Brown 1951; Shrivastava et al. 2017). Each past counterfeit is equally likely to be held (Vitter 1985, algorithm R). The
    judge then says log p/q_fit, where q_fit is the mixture that it was shown, so importance weights are refused.

    capacity: how many counterfeits are held. fraction: the share of past ones in what a judge is shown.
    """

    def __init__(self, capacity: int = 10_000, fraction: float = 0.5) -> None:
        if not isinstance(capacity, int) or capacity < 1:
            raise ValueError(f"Replay(capacity={capacity!r}): expected a whole number of counterfeits to hold, at least 1.")
        if not 0 < fraction < 1:
            raise ValueError(
                f"Replay(fraction={fraction}): expected a share between 0 and 1, both excluded. For no replay, leave it out."
            )
        self.capacity, self.fraction = capacity, fraction
        self.start()

    def __repr__(self) -> str:
        return f"Replay(capacity={self.capacity}, fraction={self.fraction})"

    def start(self) -> None:
        """Forget the past: a game begins."""
        self.held: Batch | None = None
        self.seen = 0

    def mix(self, fake: Batch, rng: Rng) -> Batch:
        """As many counterfeits as fake has, a fraction of them past ones. fake is added to what is held."""
        n_past = int(fake.n * self.fraction)
        mixed = Batch(fake.x, fake.given)
        if self.held is not None and n_past > 0:
            past = _rows(self.held, rng.integers(0, self.held.n, n_past))
            mixed = _join(_rows(fake, np.arange(fake.n - n_past)), past)
        self._hold(fake, rng)
        return mixed

    def _hold(self, fake: Batch, rng: Rng) -> None:
        """Algorithm R: counterfeit number t takes a random slot with probability capacity / t."""
        room = min(max(self.capacity - self.seen, 0), fake.n)
        if room:
            first = _rows(fake, np.arange(room))
            self.held = first if self.held is None else _join(self.held, first)
        if room < fake.n and self.held is not None:
            t = self.seen + np.arange(room, fake.n) + 1
            slot = rng.integers(0, t)
            taken = slot < self.capacity
            slots, last = np.unique(slot[taken][::-1], return_index=True)  # of two in one slot the later one stays
            rows = np.arange(room, fake.n)[taken][::-1][last]
            keep = np.arange(self.held.n)
            keep[slots] = self.held.n + rows
            self.held = _rows(_join(self.held, Batch(fake.x, fake.given)), keep)
        self.seen += fake.n


def _rows(batch: Batch, index: Any) -> Batch:
    """x and its condition together, so that they cannot be parted."""

    def take(x: Array) -> Array:
        xp = namespace(x)
        return xp.take(x, index if xp is np else xp.asarray(index, device=x.device), axis=0)

    return Batch(take(batch.x), None if batch.given is None else take(batch.given))


def _join(first: Batch, second: Batch) -> Batch:
    given = None if first.given is None else concat(first.given, second.given)
    return Batch(concat(first.x, second.x), given)
