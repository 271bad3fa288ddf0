"""Real samples for each round: every row once in a pass over the data, in a random order."""

from __future__ import annotations

import math
from collections.abc import Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turinglearn.data.sources import ArraySource, draw
from turinglearn.game.schedule import Schedule, Sizes
from turinglearn.protocols import Batch, Rng, Source

__all__ = ["BatchSampler", "RoundBatches", "ShuffledIndex", "length"]


class RoundBatches(NamedTuple):
    """Real samples of one round: a batch for each fit of the discriminator, and one for scoring."""

    to_fit: list[Batch]
    to_score: Batch


class ShuffledIndex:
    """An order of rows from which batches are taken; the rows of a batch are distinct.

    Rows that are left when the order runs out are put back, so that a batch never straddles two passes.
    """

    def __init__(self) -> None:
        self.order: NDArray[np.intp] = np.empty(0, np.intp)
        self.taken = 0
        self._before: tuple[type, Any] | None = None  # kind and state of the stream that the order came from

    def sample(self, n: int, size: int, rng: Rng) -> NDArray[np.intp]:
        """Return the next n of `size` rows, (n,), n <= size."""
        if self.taken + n > self.order.size or size != self.order.size:
            self._before = type(rng.bit_generator), rng.bit_generator.state
            self.order, self.taken = rng.permutation(size), 0
        self.taken += n
        return self.order[self.taken - n : self.taken]

    def state(self) -> dict[str, Any]:
        """Return where it stands: the stream that the order was shuffled by, in place of the order itself."""
        before = None if self._before is None else _stream(*self._before)
        return {"size": self.order.size, "taken": self.taken, "before": before}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.taken, self._before, before = state["taken"], None, state["before"]
        if before is not None:
            self._before = type(before.bit_generator), before.bit_generator.state
            self.order = _stream(*self._before).permutation(state["size"])


class BatchSampler:
    """Draws the real samples of each round.

    Parameters
    ----------
    schedule : Schedule
        Sizes of batches and number of fits.
    refits : bool
        Whether the discriminator is refitted from scratch.
    candidates : int
        Number of candidates of the generator that share a batch; sizes are multiples of it.
    """

    def __init__(self, schedule: Schedule, *, refits: bool, candidates: int) -> None:
        self.schedule, self.refits, self.candidates = schedule, refits, candidates
        self.index = ShuffledIndex()
        self._plan: tuple[Source, Sizes, list[int] | None] | None = None

    def sample(self, real: Source, rng: Rng) -> RoundBatches:
        """Return real samples for each fit of the discriminator, and those for scoring.

        They are distinct where the data are large enough: a discriminator's scores of what it was fitted to are worth little.
        """
        sizes, parts = self._planned(real)
        if parts is None:
            *fits, scored = (self._draw(real, size, rng) for size in (*sizes.fits, sizes.scored))
        else:
            *fits, scored = self._draw(real, sum(parts), rng).split(parts)
        # where not every fit can have rows of its own, the fits share theirs, but never with the scoring
        return RoundBatches(fits if len(fits) == len(sizes.fits) else fits * len(sizes.fits), scored)

    def sizes(self, real: Source) -> Sizes:
        """Return how many real samples each update of the discriminator takes, and how many are scored."""
        return self.schedule.sizes(length(real), refits=self.refits, candidates=self.candidates)

    def _planned(self, real: Source) -> tuple[Sizes, list[int] | None]:
        """Return the sizes, and those of the parts of one draw where the data are large enough for one."""
        if self._plan is None or self._plan[0] is not real or not isinstance(real, ArraySource):
            sizes = self.sizes(real)
            ways = ([*sizes.fits, sizes.scored], [*sizes.fits[:1], sizes.scored])
            self._plan = real, sizes, next((way for way in ways if sum(way) <= length(real)), None)
        return self._plan[1:]

    def _draw(self, real: Source, n: int, rng: Rng) -> Batch:
        return real.rows(self.index.sample(n, len(real), rng)) if isinstance(real, ArraySource) else draw(real, n, rng)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_plan": None}


def length(real: Source) -> float:
    """Return how many samples the source holds; infinity for one without end."""
    return len(real) if isinstance(real, Sized) else math.inf


def _stream(kind: type, state: Any) -> Rng:
    bits = kind()
    bits.state = state
    return np.random.Generator(bits)
