"""Maxout: each unit is the largest of several affine maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Held, Layer
from turinglearn.protocols import Array, Rng

__all__ = ["Maxout"]


@dataclass(frozen=True)
class Maxout(Layer):
    """The largest of every so many neighbouring features. Goodfellow et al. (2013).

    As the activation of a player it is the whole maxout unit: the affine layer before it is made wide enough.
    """

    pieces: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.pieces, int | np.integer) or self.pieces < 2:
            raise ValueError(f"Maxout(pieces={self.pieces!r}): expected a whole number, at least 2.")

    def width(self, inputs: int) -> int:
        """One feature for each group. Raises ValueError where the groups do not come out even."""
        if inputs % self.pieces:
            raise ValueError(f"{self!r} follows a layer with {inputs} features; expected a multiple of {self.pieces}.")
        return inputs // self.pieces

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """The maxima; kept is 1 where they lie, (n, outputs, pieces), the first of equals."""
        xp = namespace(x)
        groups = xp.reshape(x, (x.shape[0], -1, self.pieces))
        first = xp.argmax(groups, axis=-1)[..., None]
        largest = xp.astype(first == xp.arange(self.pieces, dtype=first.dtype, device=x.device), x.dtype)
        return xp.max(groups, axis=-1), largest

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """What moves the largest ones."""
        xp = namespace(t)
        return xp.sum(xp.reshape(t, kept.shape) * kept, axis=-1)

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """The slopes, given to the largest ones."""
        return namespace(dy).reshape(kept * dy[..., None], (dy.shape[0], -1))
