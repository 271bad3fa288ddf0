"""Genuine rows dealt like cards: each once in a pass over the data, then shuffled anew."""

from __future__ import annotations

import math
from collections.abc import Sized
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from turinglearn.protocols import Batch, Rng, Source
from turinglearn.sources import ArraySource, draw

__all__ = ["Dealer", "Deck", "length", "rows"]

_BATCH, _FIT = 256, 1000  # the usual sizes, where the data are large enough


class Deck:
    """An order of rows that hands are taken from; the rows of a hand are distinct.

    What is left when the deck runs out is put back, so that a hand never straddles two passes.
    """

    def __init__(self) -> None:
        self.order: Any = np.empty(0, int)
        self.dealt = 0
        self._before: tuple[type, Any] | None = None  # the kind and the state of the stream that the order came from

    def deal(self, n: int, size: int, rng: Rng) -> Any:
        """The next n of size rows, (n,), n <= size."""
        if self.dealt + n > self.order.size or size != self.order.size:
            self._before = type(rng.bit_generator), rng.bit_generator.state
            self.order, self.dealt = rng.permutation(size), 0
        self.dealt += n
        return self.order[self.dealt - n : self.dealt]

    def state(self) -> dict[str, Any]:
        """How the deck stands: what the shuffle came from, in place of the order itself."""
        before = None if self._before is None else _stream(*self._before)
        return {"size": self.order.size, "dealt": self.dealt, "before": before}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.dealt, self._before, before = state["dealt"], None, state["before"]
        if before is not None:
            self._before = type(before.bit_generator), before.bit_generator.state
            self.order = _stream(*self._before).permutation(state["size"])


@dataclass
class Dealer:
    """How many genuine samples a round takes, and which.

    batch_size, samples_per_fit: None for the usual sizes. fits: updates of the judge in a round. unit: what the sizes must be
    multiples of, tuples of pack samples, of each of as many candidates.
    """

    batch_size: int | None
    samples_per_fit: int | None
    fits: int
    refits: bool
    simultaneous: bool
    pack: int
    candidates: int
    deck: Deck = field(default_factory=Deck)
    _plan: tuple[Source, list[int], list[int] | None] | None = None

    def deal(self, real: Source, rng: Rng) -> list[Batch]:
        """Genuine samples for each fit of the judge and, last, for judging.

        They are distinct where the data are large enough: a judge's opinion of what it was fitted to is worth little.
        """
        sizes, together = self._planned(real)
        if together is None:
            return [self._draw(real, size, rng) for size in sizes]
        hand = self._draw(real, together[-1], rng)
        dealt = [rows(hand, a, b) for a, b in pairwise(together)]
        # where not every fit can have rows of its own, the fits share theirs, but never with the judging
        return dealt if len(dealt) == len(sizes) else [*dealt[:1] * self.fits, dealt[-1]]

    def sizes(self, real: Source) -> list[int]:
        """How many genuine samples each update of the judge takes and, last, how many are judged."""
        n, unit = length(real), self.pack * self.candidates
        shared = f"tuples of pack={self.pack}" + (f" and {self.candidates} candidates" if self.candidates > 1 else "")
        if unit > n:
            raise ValueError(
                f"The {n} rows of the data cannot be shared among {shared}: expected at least {unit}. Give more data, or "
                "choose a smaller pack."
            )
        batch = self.batch_size or _round(min(_BATCH, n / 2), unit)
        fit = self.samples_per_fit or batch
        if self.refits and not self.simultaneous and self.samples_per_fit is None:
            fit = _round(min(_FIT, max(n - batch, n / 2)), unit)
        for name, size in (("batch_size", batch), ("samples_per_fit", fit)):
            if size > n:
                raise ValueError(f"{name}={size} is more than the {n} rows of the data. Choose at most {n}, or leave it out.")
            if size % unit:
                multiple = max(1, size // unit) * unit
                raise ValueError(
                    f"{name}={size} cannot be shared among {shared}. Choose a multiple of {unit}, such as {multiple}."
                )
        if self.simultaneous and fit != batch:
            raise ValueError(
                f"simultaneous=True shows both players the same counterfeits, but samples_per_fit={fit} and "
                f"batch_size={batch}. Leave samples_per_fit out."
            )
        return [batch] if self.simultaneous else [fit] * self.fits + [batch]

    def _planned(self, real: Source) -> tuple[list[int], list[int] | None]:
        """The sizes, and where each part of one hand begins and ends, for data that are large enough for one."""
        if self._plan is None or self._plan[0] is not real or not isinstance(real, ArraySource):
            sizes = self.sizes(real)
            ways = [way for way in (sizes, [*sizes[:-1][:1], sizes[-1]]) if sum(way) <= length(real)]
            self._plan = real, sizes, list(accumulate(ways[0], initial=0)) if ways else None
        return self._plan[1:]

    def _draw(self, real: Source, n: int, rng: Rng) -> Batch:
        return real.rows(self.deck.deal(n, len(real), rng)) if isinstance(real, ArraySource) else draw(real, n, rng)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_plan": None}


def _stream(kind: type, state: Any) -> Rng:
    bits = kind()
    bits.state = state
    return np.random.Generator(bits)


def rows(batch: Batch, a: int, b: int) -> Batch:
    """Samples a to b of a batch, with their conditions."""
    return Batch(batch.x[a:b, ...], None if batch.given is None else batch.given[a:b, ...])


def length(real: Source) -> float:
    """How many samples the source holds; endless sources have no length."""
    return len(real) if isinstance(real, Sized) else math.inf


def _round(size: float, unit: int) -> int:
    """The size rounded down to a multiple of unit, at least one."""
    return max(unit, int(size) // unit * unit)
