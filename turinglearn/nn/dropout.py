"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import like
from turinglearn.nn.layers import Held, Layer
from turinglearn.nn.options import expect, is_real
from turinglearn.protocols import Array, Rng

__all__ = ["Dropout"]


@dataclass(frozen=True)
class Dropout(Layer):
    """In training each number is 0 with probability `rate`, and otherwise 1 / (1 - rate) times itself.

    Srivastava et al. (2014). What is dropped is drawn on the host, so that every array library drops the same.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        expect(self, is_real(self.rate) and 0 <= self.rate < 1, "rate", "a probability in [0, 1)")

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """x with gaps, which are kept; x itself where nobody trains."""
        if not training:
            return x, None
        if rng is None:
            raise ValueError(
                "Dropout draws at random in training. Pass a generator: network.forward(x, training=True, rng=rng)."
            )
        stays = rng.random(tuple(x.shape), dtype=np.float32) >= self.rate
        gaps = like(stays.astype(np.float32), x) / (1 - self.rate)
        return x * gaps, gaps

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """t with the same gaps."""
        return t if kept is None else t * kept

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """dy with the same gaps."""
        return dy if kept is None else dy * kept
