"""Affine layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turinglearn.nn.layers import Layer, LayerBuffers, Saved, Shapes
from turinglearn.nn.matmul import matmul
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["Affine", "AffineMap"]


@dataclass(frozen=True)
class AffineMap(Layer[Saved]):
    """Base of the layers with weights W (inputs, outputs) and biases b (1, outputs).

    Weights start uniform within sqrt(1 / inputs), as in PyTorch, and biases at zero.
    """

    inputs: int
    outputs: int

    def width(self, inputs: int) -> int:
        """Return the number of outputs; raise a ValueError where the number of inputs is another."""
        if inputs != self.inputs:
            raise InputError(f"{self!r} follows a layer with {inputs} features; expected {self.inputs}.")
        return self.outputs

    def shapes(self, inputs: int) -> Shapes:
        """Return the shapes of W and b."""
        return (self.inputs, self.outputs), (1, self.outputs)

    def initial(self, inputs: int, rng: Rng) -> Sequence[NDArray[np.float64]]:
        """Return random weights, and biases of zero."""
        return [rng.uniform(-1, 1, inputs * self.outputs) / math.sqrt(inputs), np.zeros(self.outputs)]


@dataclass(frozen=True)
class Affine(AffineMap[Array]):
    """Affine layer, y = x W + b.

    Parameters
    ----------
    inputs, outputs : int
        Number of features of x and of y.
    """

    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Array]:
        """Return x W + b, and save x."""
        weight, bias = buffers.parameters
        y = matmul(x, weight, buffers.matmul_precision)
        y += bias
        return y, x

    def tangent(self, saved: Array, t: Array, buffers: LayerBuffers) -> Array:
        """Return t W."""
        return matmul(t, buffers.parameters[0], buffers.matmul_precision)

    def backward(self, saved: Array, dy: Array, buffers: LayerBuffers) -> Array:
        """Return dy W^T."""
        return matmul(dy, buffers.parameters[0].T, buffers.matmul_precision)

    def add_gradients(self, saved: Array, dy: Array, buffers: LayerBuffers) -> None:
        """Add dW = x^T dy and db, the sum of dy."""
        weight, bias = buffers.gradients
        weight += matmul(saved.T, dy, buffers.matmul_precision)
        bias += buffers.column_sums(dy)

    def add_tangent_gradients(self, saved: Array, t: Array, dt: Array, buffers: LayerBuffers) -> None:
        """Add dW = t^T dt."""
        weight, _ = buffers.gradients
        weight += matmul(t.T, dt, buffers.matmul_precision)
