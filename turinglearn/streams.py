"""Random streams named by role. What (seed, role) yields depends on nothing else in the game."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from turinglearn.protocols import Rng

__all__ = ["Streams", "as_seed"]


def as_seed(random_state: Any) -> int:
    """A whole-number seed from what scikit-learn calls a random state: None (fresh entropy), an int, or a generator."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and random_state >= 0:
        return int(random_state)
    raise ValueError(
        f"random_state={random_state!r} is not a seed. Give a whole number from 0 on, a numpy Generator or RandomState, "
        "or None for fresh entropy."
    )


class Streams:
    """Independent random generators, one per role, opened when they are first asked for.

    >>> streams = Streams(7)
    >>> bool(streams("generator").random() == Streams(7)("generator").random())
    True
    """

    def __init__(self, seed: int, opened: dict[str, Rng] | None = None) -> None:
        self.seed = seed
        self.opened: dict[str, Rng] = {} if opened is None else opened

    def __call__(self, role: str) -> Rng:
        """The stream of this role; the same object each time."""
        if role not in self.opened:
            self.opened[role] = np.random.default_rng([self.seed, zlib.crc32(role.encode())])
        return self.opened[role]
