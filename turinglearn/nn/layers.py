"""The interface of a layer: a map of batches, with its derivatives written by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import namespace
from turinglearn.protocols import Array, Rng

__all__ = ["Layer", "LayerBuffers", "Shapes"]

Shapes = tuple[tuple[int, int], ...]
Saved = TypeVar("Saved")  # what the forward pass of a layer saves for its derivatives


class LayerBuffers:
    """Buffers of one layer of a network, as views of the network's flat buffers.

    Parameters
    ----------
    parameters : tuple of Array
        Parameters of the layer.
    gradients : tuple of Array
        Gradient of the loss in each of them.
    statistics : tuple of Array
        State beside the parameters, such as running averages.
    matmul_precision : "full", "tf32" or "bfloat16"
        Precision of matrix products.
    """

    __slots__ = ("_row", "gradients", "matmul_precision", "parameters", "statistics")

    def __init__(
        self,
        parameters: tuple[Array, ...],
        gradients: tuple[Array, ...],
        statistics: tuple[Array, ...],
        matmul_precision: str = "full",
    ) -> None:
        self.parameters, self.gradients, self.statistics = parameters, gradients, statistics
        self.matmul_precision = matmul_precision
        self._row: Array | None = None

    def column_sums(self, x: Array) -> Array:
        """Sum x (n, features) over the batch, (1, features), by a product with a cached row of ones: five times as fast."""
        xp = namespace(x)
        if self._row is None or self._row.shape[1] != x.shape[0]:
            self._row = xp.ones((1, x.shape[0]), dtype=x.dtype, device=x.device)
        sums: Array = xp.matmul(self._row, x)
        return sums


class Layer(ABC, Generic[Saved]):
    """A map y = f(x) of batches (n, inputs), with its tangent map J t, the transpose of that, and second derivatives.

    A layer is a frozen value; what it learns lies in the buffers of the network. The forward pass returns what the derivatives
    need (`saved`). No method changes the arrays that it is given. Methods for parameters and statistics do nothing by default.

    Attributes
    ----------
    coupled : bool
        Whether the output of a sample depends on the rest of its batch.
    """

    coupled: ClassVar[bool] = False

    def width(self, inputs: int) -> int:
        """Return the number of output features for this number of input features."""
        return inputs

    def shapes(self, inputs: int) -> Shapes:
        """Return the shapes of the parameters."""
        return ()

    def initial(self, inputs: int, rng: Rng) -> Sequence[NDArray[np.float64]]:
        """Return the initial parameters, flattened."""
        return []

    def statistics(self, inputs: int) -> Shapes:
        """Return the shapes of the state beside the parameters."""
        return ()

    def start(self, buffers: LayerBuffers, rng: Rng) -> None:
        """Set the statistics that belong to the initial parameters."""

    def on_parameters_changed(self, buffers: LayerBuffers) -> None:
        """Update what depends on the parameters after these have changed."""

    @abstractmethod
    def forward(self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None) -> tuple[Array, Saved]:
        """Return y (n, outputs) and what the derivatives need."""

    @abstractmethod
    def tangent(self, saved: Saved, t: Array, buffers: LayerBuffers) -> Array:
        """Return J t (n, outputs), the change of y as x moves along t (n, inputs)."""

    @abstractmethod
    def backward(self, saved: Saved, dy: Array, buffers: LayerBuffers) -> Array:
        """Return dL/dx (n, inputs) for dL/dy (n, outputs), the transpose of `tangent`."""

    def add_gradients(self, saved: Saved, dy: Array, buffers: LayerBuffers) -> None:
        """Add dL/dparameters to the gradients, for dL/dy (n, outputs)."""

    def second_order_vjp(self, saved: Saved, t: Array, dt: Array, buffers: LayerBuffers) -> Array | None:
        """Return d<dt, J t>/dx (n, inputs) for dt (n, outputs); None where f is piecewise linear, and it vanishes."""
        return None

    def add_tangent_gradients(self, saved: Saved, t: Array, dt: Array, buffers: LayerBuffers) -> None:
        """Add d<dt, J t>/dparameters to the gradients."""
