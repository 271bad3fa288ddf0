"""Affine layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.nn.layers import Held, Layer, Shapes
from turinglearn.nn.products import matmul
from turinglearn.protocols import Array, Rng

__all__ = ["Affine"]


@dataclass(frozen=True)
class Affine(Layer):
    """y = x W + b. Weights start uniform within sqrt(1 / inputs), like PyTorch's, biases at zero."""

    inputs: int
    outputs: int

    def width(self, inputs: int) -> int:
        """How many features come out. Raises ValueError where others go in than it takes."""
        if inputs != self.inputs:
            raise ValueError(f"{self!r} follows a layer with {inputs} features; expected {self.inputs}.")
        return self.outputs

    def shapes(self, inputs: int) -> Shapes:
        """W and b."""
        return (self.inputs, self.outputs), (1, self.outputs)

    def initial(self, inputs: int, rng: Rng) -> list[Any]:
        """Random weights, and zeros."""
        return [rng.uniform(-1, 1, inputs * self.outputs) / math.sqrt(inputs), np.zeros(self.outputs)]

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """x W + b."""
        weight, bias = held.parameters
        y = matmul(x, weight, held.products)
        y += bias
        return y, x

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """t W."""
        return matmul(t, held.parameters[0], held.products)

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """dy W^T."""
        return matmul(dy, held.parameters[0].T, held.products)

    def add_slopes(self, kept: Any, dy: Array, held: Held) -> None:
        """dW = x^T dy, db = sum of dy."""
        weight, bias = held.slopes
        weight += matmul(kept.T, dy, held.products)
        bias += held.column_sums(dy)

    def add_tangent_slopes(self, kept: Any, t: Array, dt: Array, held: Held) -> None:
        """dW = t^T dt."""
        weight, _ = held.slopes
        weight += matmul(t.T, dt, held.products)
