"""Layers that centre and scale their features, over the batch or over each sample.

With c = x - mean(x), s = sqrt(mean(c^2) + eps) and h = c / s, means taken along one axis,

    J t = [t - mean(t) - h mean(h t)] / s                                                                (1)

is symmetric, and the gradient in x of <b, J t> is

    -J [b mean(h t) + t mean(h b)] / s - h mean(b J t) / s.                                              (2)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import namespace
from turinglearn.nn.layers import Layer, LayerBuffers, Shapes
from turinglearn.nn.validation import expect, is_real
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["BatchNorm", "LayerNorm", "Normalization"]

_BATCH, _FEATURES = 0, 1


@dataclass(frozen=True, slots=True)
class _Standardised:
    h: Array
    s: Array  # (1, features) or (n, 1)
    axis: int | None  # along which the means were taken; None for running means, which are constants


class Normalization(Layer[_Standardised]):
    """Base of the normalizations: y = gain * h + shift, one gain and one shift per feature, at first 1 and 0."""

    epsilon: float

    def __post_init__(self) -> None:
        expect(self, is_real(self.epsilon) and self.epsilon > 0, "epsilon", "a small positive number")

    def shapes(self, inputs: int) -> Shapes:
        """Return the shapes of gain and shift."""
        return (1, inputs), (1, inputs)

    def initial(self, inputs: int, rng: Rng) -> Sequence[NDArray[np.float64]]:
        """Return ones and zeros."""
        return [np.ones(inputs), np.zeros(inputs)]

    @abstractmethod
    def normalized(self, x: Array, buffers: LayerBuffers, training: bool) -> _Standardised:
        """Return h, and what it was divided by."""

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, _Standardised]:
        """Return gain * h + shift, and save h and s."""
        (gain, shift), saved = buffers.parameters, self.normalized(x, buffers, training)
        y = saved.h * gain
        y += shift
        return y, saved

    def tangent(self, saved: _Standardised, t: Array, buffers: LayerBuffers) -> Array:
        """Return gain * J t."""
        return _jacobian(saved, t) * buffers.parameters[0]

    def backward(self, saved: _Standardised, dy: Array, buffers: LayerBuffers) -> Array:
        """Return J (gain * dy)."""
        return _jacobian(saved, dy * buffers.parameters[0])

    def add_gradients(self, saved: _Standardised, dy: Array, buffers: LayerBuffers) -> None:
        """Add dgain, the sum of h dy, and dshift, the sum of dy."""
        gain, shift = buffers.gradients
        gain += buffers.column_sums(saved.h * dy)
        shift += buffers.column_sums(dy)

    def add_tangent_gradients(self, saved: _Standardised, t: Array, dt: Array, buffers: LayerBuffers) -> None:
        """Add dgain, the sum of (J t) dt."""
        gain, _ = buffers.gradients
        gain += buffers.column_sums(_jacobian(saved, t) * dt)

    def second_order_vjp(self, saved: _Standardised, t: Array, dt: Array, buffers: LayerBuffers) -> Array | None:
        """Return (2) for b = gain * dt."""
        if saved.axis is None:
            return None
        b = dt * buffers.parameters[0]
        inner = b * _mean(saved, saved.h * t) + t * _mean(saved, saved.h * b)
        return -(_jacobian(saved, inner) + saved.h * _mean(saved, b * _jacobian(saved, t))) / saved.s


@dataclass(frozen=True)
class BatchNorm(Normalization):
    """Batch normalisation: each feature is centred and scaled over the batch.

    In training the mean and variance are those of the batch; elsewhere they are running averages, as in PyTorch, with the
    unbiased variance.

    Parameters
    ----------
    momentum : float
        Weight of the latest batch in the running averages, in (0, 1].
    epsilon : float
        Small positive number that is added to the variance.

    References
    ----------
    Ioffe & Szegedy (2015), "Batch normalization".
    """

    momentum: float = 0.1
    epsilon: float = 1e-5
    coupled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        good = is_real(self.momentum) and 0 < self.momentum <= 1
        expect(self, good, "momentum", "the weight of the latest batch, in (0, 1]")

    def statistics(self, inputs: int) -> Shapes:
        """Return the shapes of the running mean and variance."""
        return (1, inputs), (1, inputs)

    def start(self, buffers: LayerBuffers, rng: Rng) -> None:
        """Set the running mean to 0 and the running variance to 1."""
        mean, variance = buffers.statistics
        mean[...], variance[...] = 0.0, 1.0

    def normalized(self, x: Array, buffers: LayerBuffers, training: bool) -> _Standardised:
        """Standardise over the batch, and update the running averages; outside training standardise by these."""
        xp, n, (mean, variance) = namespace(x), x.shape[0], buffers.statistics
        if not training:
            s = xp.sqrt(variance + self.epsilon)
            return _Standardised((x - mean) / s, s, None)
        if n < 2:
            raise InputError(
                f"BatchNorm was given a batch of {n} in training, which has no variance; expected at least 2. Choose a "
                "batch_size and samples_per_fit of 2 or more, or LayerNorm()."
            )
        saved, batch_mean, batch_variance = _standardised(x, _BATCH, self.epsilon)
        mean += self.momentum * (batch_mean - mean)
        variance += self.momentum * (batch_variance * (n / (n - 1)) - variance)
        return saved


@dataclass(frozen=True)
class LayerNorm(Normalization):
    """Layer normalisation: each sample is centred and scaled over its features.

    Parameters
    ----------
    epsilon : float
        Small positive number that is added to the variance.

    References
    ----------
    Ba, Kiros & Hinton (2016), "Layer normalization".
    """

    epsilon: float = 1e-5

    def normalized(self, x: Array, buffers: LayerBuffers, training: bool) -> _Standardised:
        """Standardise over the features."""
        return _standardised(x, _FEATURES, self.epsilon)[0]


def _standardised(x: Array, axis: int, epsilon: float) -> tuple[_Standardised, Array, Array]:
    """Standardise x along the axis; return also the mean and the variance."""
    xp = namespace(x)
    mean = xp.mean(x, axis=axis, keepdims=True)
    c = x - mean
    variance = xp.mean(c * c, axis=axis, keepdims=True)
    s = xp.sqrt(variance + epsilon)
    return _Standardised(c / s, s, axis), mean, variance


def _jacobian(saved: _Standardised, t: Array) -> Array:
    """Return (1), or t / s where mean and variance are constants."""
    if saved.axis is None:
        return t / saved.s
    return (t - _mean(saved, t) - saved.h * _mean(saved, saved.h * t)) / saved.s


def _mean(saved: _Standardised, x: Array) -> Array:
    mean: Array = namespace(x).mean(x, axis=saved.axis, keepdims=True)
    return mean
