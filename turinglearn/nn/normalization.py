"""Layers that centre and scale their features: over the batch, or over each sample.

With c = x - mean(x), s = sqrt(mean(c^2) + eps) and h = c / s, means taken along one axis,

    J t = [t - mean(t) - h mean(h t)] / s                                                                (1)

is symmetric, and the gradient in x of <b, J t> is

    -J [b mean(h t) + t mean(h b)] / s - h mean(b J t) / s.                                              (2)
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Held, Layer, Shapes
from turinglearn.nn.options import expect, is_real
from turinglearn.protocols import Array, Rng

__all__ = ["BatchNorm", "LayerNorm", "Normalization"]

_BATCH, _FEATURES = 0, 1


@dataclass(frozen=True, slots=True)
class _Kept:
    h: Array
    s: Array  # (1, features) or (n, 1)
    axis: int | None  # along which the means were taken; None where mean and spread were given


class Normalization(Layer):
    """y = gain * h + shift, gain and shift one number for each feature, at first 1 and 0."""

    epsilon: float

    def __post_init__(self) -> None:
        expect(self, is_real(self.epsilon) and self.epsilon > 0, "epsilon", "a small positive number")

    def shapes(self, inputs: int) -> Shapes:
        """Gain and shift."""
        return (1, inputs), (1, inputs)

    def initial(self, inputs: int, rng: Rng) -> list[Any]:
        """Ones and zeros."""
        return [np.ones(inputs), np.zeros(inputs)]

    @abstractmethod
    def normalized(self, x: Array, held: Held, training: bool) -> _Kept:
        """h and what it was divided by."""

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """gain * h + shift."""
        (gain, shift), kept = held.parameters, self.normalized(x, held, training)
        y = kept.h * gain
        y += shift
        return y, kept

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """gain * J t."""
        return _jacobian(kept, t) * held.parameters[0]

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """J (gain * dy)."""
        return _jacobian(kept, dy * held.parameters[0])

    def add_slopes(self, kept: Any, dy: Array, held: Held) -> None:
        """dgain = sum of h dy, dshift = sum of dy."""
        gain, shift = held.slopes
        gain += held.column_sums(kept.h * dy)
        shift += held.column_sums(dy)

    def add_tangent_slopes(self, kept: Any, t: Array, dt: Array, held: Held) -> None:
        """dgain = sum of (J t) dt."""
        gain, _ = held.slopes
        gain += held.column_sums(_jacobian(kept, t) * dt)

    def bend(self, kept: Any, t: Array, dt: Array, held: Held) -> Array | None:
        """(2) for b = gain * dt."""
        if kept.axis is None:
            return None
        b = dt * held.parameters[0]
        turned = b * _mean(kept, kept.h * t) + t * _mean(kept, kept.h * b)
        return -(_jacobian(kept, turned) + kept.h * _mean(kept, b * _jacobian(kept, t))) / kept.s


@dataclass(frozen=True)
class BatchNorm(Normalization):
    """Each feature centred and scaled over the batch. Ioffe & Szegedy (2015).

    In training by the batch's own mean and variance, whose running averages (weight `momentum` for the latest, the variance
    unbiased) serve everywhere else, as in PyTorch.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5
    coupled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        good = is_real(self.momentum) and 0 < self.momentum <= 1
        expect(self, good, "momentum", "the weight of the latest batch, in (0, 1]")

    def statistics(self, inputs: int) -> Shapes:
        """Running mean and variance."""
        return (1, inputs), (1, inputs)

    def start(self, held: Held, rng: Rng) -> None:
        """Mean 0 and variance 1."""
        mean, variance = held.statistics
        mean[...], variance[...] = 0.0, 1.0

    def normalized(self, x: Array, held: Held, training: bool) -> _Kept:
        """h over the batch, and the running averages follow; or h by these."""
        xp, n, (mean, variance) = namespace(x), x.shape[0], held.statistics
        if not training:
            s = xp.sqrt(variance + self.epsilon)
            return _Kept((x - mean) / s, s, None)
        if n < 2:
            raise ValueError(
                f"BatchNorm was given a batch of {n} in training, which has no variance; expected at least 2. Choose a "
                "batch_size and samples_per_fit of 2 or more, or LayerNorm()."
            )
        kept, centre, spread = _standardised(x, _BATCH, self.epsilon)
        mean += self.momentum * (centre - mean)
        variance += self.momentum * (spread * (n / (n - 1)) - variance)
        return kept


@dataclass(frozen=True)
class LayerNorm(Normalization):
    """Each sample centred and scaled over its features. Ba et al. (2016)."""

    epsilon: float = 1e-5

    def normalized(self, x: Array, held: Held, training: bool) -> _Kept:
        """h over the features."""
        return _standardised(x, _FEATURES, self.epsilon)[0]


def _standardised(x: Array, axis: int, epsilon: float) -> tuple[_Kept, Array, Array]:
    """h, and the mean and variance that it was made by."""
    xp = namespace(x)
    mean = xp.mean(x, axis=axis, keepdims=True)
    c = x - mean
    variance = xp.mean(c * c, axis=axis, keepdims=True)
    s = xp.sqrt(variance + epsilon)
    return _Kept(c / s, s, axis), mean, variance


def _jacobian(kept: _Kept, t: Array) -> Array:
    """(1), or t / s where mean and spread were given."""
    if kept.axis is None:
        return t / kept.s
    return (t - _mean(kept, t) - kept.h * _mean(kept, kept.h * t)) / kept.s


def _mean(kept: _Kept, x: Array) -> Array:
    return namespace(x).mean(x, axis=kept.axis, keepdims=True)
