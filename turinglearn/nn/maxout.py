"""Maxout: each unit is the largest of several affine maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Held, Layer
from turinglearn.nn.options import expect, is_whole
from turinglearn.protocols import Array, Rng

__all__ = ["Maxout"]


@dataclass(frozen=True)
class Maxout(Layer):
    """The largest of several pieces, feature by feature: of features i, i + width, i + 2 width... Goodfellow et al. (2013).

    As the activation of a player it is the whole maxout unit: the affine layer before it is made wide enough.
    """

    pieces: int = 5

    def __post_init__(self) -> None:
        expect(self, is_whole(self.pieces) and self.pieces >= 2, "pieces", "a whole number, at least 2")

    def width(self, inputs: int) -> int:
        """One feature for each group. Raises ValueError where the groups do not come out even."""
        if inputs % self.pieces:
            raise ValueError(f"{self!r} follows a layer with {inputs} features; expected a multiple of {self.pieces}.")
        return inputs // self.pieces

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """The maxima; kept is 1 where they lie, (n, pieces, outputs), and how many pieces are equal to each, (n, outputs)."""
        xp = namespace(x)
        groups = self._groups(x)
        maxima = reduce(xp.maximum, (groups[:, piece, :] for piece in range(self.pieces)))
        largest = xp.astype(groups == maxima[:, None, :], x.dtype)
        return maxima, (largest, xp.sum(largest, axis=1))

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """What moves the largest ones; where several are equal, the mean of what moves them."""
        largest, equals = kept
        return namespace(t).sum(self._groups(t) * largest, axis=1) / equals

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """The slopes, given to the largest ones, in equal parts where several are equal."""
        largest, equals = kept
        return namespace(dy).reshape(largest * (dy / equals)[:, None, :], (dy.shape[0], -1))

    def _groups(self, x: Array) -> Array:
        return namespace(x).reshape(x, (x.shape[0], self.pieces, -1))
