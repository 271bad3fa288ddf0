"""Genuine rows dealt like cards: each once in a pass over the data, then shuffled anew."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from turinglearn.protocols import Rng

__all__ = ["Deck"]


class Deck:
    """An order of rows that hands are taken from; the rows of a hand are distinct.

    What is left when the deck runs out is put back, so that a hand never straddles two passes.
    """

    def __init__(self) -> None:
        self.order: Any = np.empty(0, int)
        self.dealt = 0
        self._before: Rng | None = None

    def deal(self, n: int, size: int, rng: Rng) -> Any:
        """The next n of size rows, (n,), n <= size."""
        if self.dealt + n > self.order.size or size != self.order.size:
            self._before = copy.deepcopy(rng)
            self.order, self.dealt = rng.permutation(size), 0
        self.dealt += n
        return self.order[self.dealt - n : self.dealt]

    def state(self) -> dict[str, Any]:
        """How the deck stands: what the shuffle came from, in place of the order itself."""
        return {"size": self.order.size, "dealt": self.dealt, "before": self._before}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.dealt, self._before = state["dealt"], state["before"]
        if self._before is not None:
            self.order = copy.deepcopy(self._before).permutation(state["size"])
