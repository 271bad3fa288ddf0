"""Minibatch standard deviation: a discriminator sees the variety of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Layer, LayerBuffers
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["MinibatchStdDev"]


@dataclass(frozen=True)
class MinibatchStdDev(Layer[tuple[Array, Array]]):
    """One more feature, the same for all samples: the mean over features of the standard deviation over the batch.

    With c = x - mean(x) and s_j = sqrt(mean(c_j^2) + epsilon) it is mean(s), and its derivative along t is::

        d mean(s) = mean over features of <c_j, t_j> / (n s_j)                                                   (1)

    Parameters
    ----------
    epsilon : float
        Small positive number under the root.

    References
    ----------
    Karras, Aila, Laine & Lehtinen (2018), "Progressive growing of GANs", section 3; here over the whole batch.
    """

    epsilon: float = 1e-8
    coupled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < math.inf:
            raise InputError(f"MinibatchStdDev(epsilon={self.epsilon!r}): expected a small positive number.")

    def width(self, inputs: int) -> int:
        """Return one feature more than the inputs."""
        return inputs + 1

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, tuple[Array, Array]]:
        """Return x beside the mean deviation, and save c and s; raise a ValueError for a batch of 1, which does not vary."""
        if x.shape[0] < 2:
            raise InputError(
                "MinibatchStdDev was given a batch of 1, which does not vary; expected at least 2. Choose a batch_size and "
                "samples_per_fit that give the discriminator 2 samples or more, tuples where the game is packed."
            )
        xp = namespace(x)
        c = x - xp.mean(x, axis=0, keepdims=True)
        s = xp.sqrt(xp.mean(c * c, axis=0, keepdims=True) + self.epsilon)
        return _append(x, xp.mean(s)), (c, s)

    def tangent(self, saved: tuple[Array, Array], t: Array, buffers: LayerBuffers) -> Array:
        """Return t beside (1)."""
        c, s = saved
        return _append(t, namespace(t).mean(c * t / s))

    def backward(self, saved: tuple[Array, Array], dy: Array, buffers: LayerBuffers) -> Array:
        """Return the gradient through x itself plus that through the deviation."""
        c, s = saved
        return dy[:, :-1] + _last_column_sum(dy) * c / s / _size(c)

    def second_order_vjp(self, saved: tuple[Array, Array], t: Array, dt: Array, buffers: LayerBuffers) -> Array | None:
        """Return the gradient of (1) in x."""
        (c, s), xp = saved, namespace(t)
        centred = t - xp.mean(t, axis=0, keepdims=True)
        along = xp.mean(c * t, axis=0, keepdims=True)
        return _last_column_sum(dt) * (centred - c * along / (s * s)) / s / _size(c)


def _append(x: Array, number: Array) -> Array:
    """Append a column in which every entry is this number."""
    xp = namespace(x)
    wider: Array = xp.concat((x, xp.zeros((x.shape[0], 1), dtype=x.dtype, device=x.device) + number), axis=1)
    return wider


def _last_column_sum(dy: Array) -> Array:
    total: Array = namespace(dy).sum(dy[:, -1])
    return total


def _size(c: Array) -> int:
    return int(c.shape[0] * c.shape[1])
