"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turinglearn.arrays import like
from turinglearn.nn.layers import Layer, LayerBuffers
from turinglearn.nn.validation import expect, is_real
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["Dropout"]


@dataclass(frozen=True)
class Dropout(Layer[Array | None]):
    """Dropout: in training each number is 0 with probability `rate`, and divided by 1 - rate otherwise.

    The mask is drawn on the host, so that it is the same with every array library.

    Parameters
    ----------
    rate : float
        Probability in [0, 1).

    References
    ----------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        expect(self, is_real(self.rate) and 0 <= self.rate < 1, "rate", "a probability in [0, 1)")

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Array | None]:
        """Return x times a random mask, and save the mask; outside training return x itself."""
        if not training:
            return x, None
        if rng is None:
            raise InputError(
                "Dropout draws at random in training. Pass a generator: network.forward(x, training=True, rng=rng)."
            )
        stays = rng.random(tuple(x.shape), dtype=np.float32) >= self.rate
        mask = like(stays.astype(np.float32), x) / (1 - self.rate)
        return x * mask, mask

    def tangent(self, saved: Array | None, t: Array, buffers: LayerBuffers) -> Array:
        """Return t times the same mask."""
        return t if saved is None else t * saved

    def backward(self, saved: Array | None, dy: Array, buffers: LayerBuffers) -> Array:
        """Return dy times the same mask."""
        return dy if saved is None else dy * saved
