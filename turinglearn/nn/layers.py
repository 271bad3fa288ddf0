"""What a layer of a network is: a map of batches with its derivatives, written by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from turinglearn.arrays import namespace
from turinglearn.protocols import Array, Rng

__all__ = ["Held", "Layer", "Shapes"]

Shapes = tuple[tuple[int, int], ...]


class Held:
    """What a network holds for one of its layers, as views of its flat buffers: parameters, their slopes, and statistics.

    products: the precision of matrix products.
    """

    __slots__ = ("_row", "parameters", "products", "slopes", "statistics")

    def __init__(
        self, parameters: tuple[Array, ...], slopes: tuple[Array, ...], statistics: tuple[Array, ...], products: str = "full"
    ) -> None:
        self.parameters, self.slopes, self.statistics, self.products = parameters, slopes, statistics, products
        self._row: Array | None = None

    def column_sums(self, x: Array) -> Array:
        """The sum of x over the batch, (1, features), as a product, which is five times as fast; the latest ones are kept."""
        xp = namespace(x)
        if self._row is None or self._row.shape[1] != x.shape[0]:
            self._row = xp.ones((1, x.shape[0]), dtype=x.dtype, device=x.device)
        return xp.matmul(self._row, x)


class Layer(ABC):
    """A map y = f(x) of batches (n, inputs), with a tangent map J t, its transpose, and what bends it.

    Layers are values without a width of their own where they can do without; what they learn lies in the network. A pass
    leaves `kept`, whatever the derivatives need. No method changes the arrays that it is given. What a layer without
    parameters or statistics does not need does nothing.

    coupled: whether a sample's output depends on the rest of its batch.
    """

    coupled: ClassVar[bool] = False

    def width(self, inputs: int) -> int:
        """How many features come out where so many go in."""
        return inputs

    def shapes(self, inputs: int) -> Shapes:
        """The shapes of its parameters."""
        return ()

    def initial(self, inputs: int, rng: Rng) -> list[Any]:
        """What its parameters are at first, flat."""
        return []

    def statistics(self, inputs: int) -> Shapes:
        """The shapes of what it remembers beside its parameters."""
        return ()

    def start(self, held: Held, rng: Rng) -> None:  # noqa: B027
        """Set what it remembers, for its initial parameters."""

    def changed(self, held: Held) -> None:  # noqa: B027
        """Follow a change of its parameters."""

    @abstractmethod
    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """y (n, outputs) and what is kept."""

    @abstractmethod
    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """J t, (n, outputs): how y changes as x moves along t, (n, inputs)."""

    @abstractmethod
    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """The transpose: dL/dx (n, inputs), for dL/dy (n, outputs)."""

    def add_slopes(self, kept: Any, dy: Array, held: Held) -> None:  # noqa: B027
        """Add dL/dparameters to its slopes, for dL/dy."""

    def bend(self, kept: Any, t: Array, dt: Array, held: Held) -> Array | None:
        """d<dt, J t>/dx, (n, inputs), for dt (n, outputs); None where f is linear piece by piece, and it vanishes."""
        return None

    def add_tangent_slopes(self, kept: Any, t: Array, dt: Array, held: Held) -> None:  # noqa: B027
        """Add d<dt, J t>/dparameters to its slopes."""
