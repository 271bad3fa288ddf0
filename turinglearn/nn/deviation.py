"""Minibatch deviation: a judge sees how various a batch is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Held, Layer
from turinglearn.protocols import Array, Rng

__all__ = ["MinibatchDeviation"]


@dataclass(frozen=True)
class MinibatchDeviation(Layer):
    """One more feature, the same for all samples: the mean over features of the standard deviation over the batch.

    Karras et al. (2018), section 3, over the whole batch. With c = x - mean(x) and s_j = sqrt(mean(c_j^2) + eps) it is
    mean(s), and

        d mean(s) along t = mean over features of <c_j, t_j> / (n s_j).                                          (1)
    """

    epsilon: float = 1e-8
    coupled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            raise ValueError(f"MinibatchDeviation(epsilon={self.epsilon!r}): expected a small positive number.")

    def width(self, inputs: int) -> int:
        """One more."""
        return inputs + 1

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """x and the mean deviation; kept are c and s. Raises ValueError for a batch of 1, which does not vary."""
        if x.shape[0] < 2:
            raise ValueError(
                "MinibatchDeviation was given a batch of 1, which does not vary; expected at least 2. Choose a batch_size and "
                "samples_per_fit that give the judge 2 samples or more, tuples where the game is packed."
            )
        xp = namespace(x)
        c = x - xp.mean(x, axis=0, keepdims=True)
        s = xp.sqrt(xp.mean(c * c, axis=0, keepdims=True) + self.epsilon)
        return _beside(x, xp.mean(s)), (c, s)

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """t and (1)."""
        c, s = kept
        return _beside(t, namespace(t).mean(c * t / s))

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """What x itself owes, and its share of the deviation."""
        c, s = kept
        return dy[:, :-1] + _total(dy) * c / s / _size(c)

    def bend(self, kept: Any, t: Array, dt: Array, held: Held) -> Array | None:
        """The gradient of (1) in x."""
        (c, s), xp = kept, namespace(t)
        centred = t - xp.mean(t, axis=0, keepdims=True)
        along = xp.mean(c * t, axis=0, keepdims=True)
        return _total(dt) * (centred - c * along / (s * s)) / s / _size(c)


def _beside(x: Array, number: Array) -> Array:
    """x with a further column in which this number stands."""
    xp = namespace(x)
    return xp.concat((x, xp.zeros((x.shape[0], 1), dtype=x.dtype, device=x.device) + number), axis=1)


def _total(dy: Array) -> Array:
    """What all samples owe to the further column."""
    return namespace(dy).sum(dy[:, -1])


def _size(c: Array) -> int:
    return int(c.shape[0] * c.shape[1])
