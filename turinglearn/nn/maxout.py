"""Maxout: each unit is the largest of several affine maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Layer, LayerBuffers
from turinglearn.nn.validation import expect, is_integer
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["Maxout"]


@dataclass(frozen=True)
class Maxout(Layer[tuple[Array, Array]]):
    """Largest of several pieces, feature by feature: of features i, i + width, i + 2 width, ...

    As the activation of a player it makes a complete maxout unit: the affine layer before it gets `pieces` times as many
    outputs.

    Parameters
    ----------
    pieces : int
        Number of affine pieces of each unit, at least 2.

    References
    ----------
    Goodfellow, Warde-Farley, Mirza, Courville & Bengio (2013), "Maxout networks".
    """

    pieces: int = 5

    def __post_init__(self) -> None:
        expect(self, is_integer(self.pieces) and self.pieces >= 2, "pieces", "an integer, at least 2")

    def width(self, inputs: int) -> int:
        """Return the number of units; raise a ValueError unless the inputs divide evenly into pieces."""
        if inputs % self.pieces:
            raise InputError(f"{self!r} follows a layer with {inputs} features; expected a multiple of {self.pieces}.")
        return inputs // self.pieces

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, tuple[Array, Array]]:
        """Return the maxima; save 1 where they lie, (n, pieces, outputs), and the number of equal pieces, (n, outputs)."""
        xp = namespace(x)
        groups = self._groups(x)
        maxima = reduce(xp.maximum, (groups[:, piece, :] for piece in range(self.pieces)))
        largest = xp.astype(groups == maxima[:, None, :], x.dtype)
        return maxima, (largest, xp.sum(largest, axis=1))

    def tangent(self, saved: tuple[Array, Array], t: Array, buffers: LayerBuffers) -> Array:
        """Return the tangent of the largest piece, the mean where several are equal."""
        largest, equals = saved
        return namespace(t).sum(self._groups(t) * largest, axis=1) / equals

    def backward(self, saved: tuple[Array, Array], dy: Array, buffers: LayerBuffers) -> Array:
        """Return dy at the largest piece, in equal shares where several are equal, and 0 elsewhere."""
        largest, equals = saved
        dx: Array = namespace(dy).reshape(largest * (dy / equals)[:, None, :], (dy.shape[0], -1))
        return dx

    def _groups(self, x: Array) -> Array:
        groups: Array = namespace(x).reshape(x, (x.shape[0], self.pieces, -1))
        return groups
