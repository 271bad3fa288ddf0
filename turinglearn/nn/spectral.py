"""Spectral normalisation: affine layers that stretch no direction more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from turinglearn.arrays import like, namespace
from turinglearn.nn.affine import Affine
from turinglearn.nn.layers import Held, Shapes
from turinglearn.nn.products import matmul
from turinglearn.protocols import Array, Rng

__all__ = ["SpectralAffine", "SpectralNorm"]

_AT_FIRST = 15  # power iterations, as in PyTorch


@dataclass(frozen=True)
class SpectralNorm:
    """Every affine layer divided by its largest singular value. Miyato et al. (2018).

    That is estimated by one power iteration at each update. Of a generator the last layer, whose scale must be free, is left
    as it is.
    """


@dataclass(frozen=True)
class SpectralAffine(Affine):
    """y = x W / sigma + b, sigma = v W u the largest singular value of W, u and v constant in the gradient."""

    def statistics(self, inputs: int) -> Shapes:
        """v (1, inputs) and u (1, outputs)."""
        return (1, self.inputs), (1, self.outputs)

    def start(self, held: Held, rng: Rng) -> None:
        """Random directions, and some power iterations."""
        v, _ = held.statistics
        v[...] = like(rng.standard_normal(tuple(v.shape)), v)
        for _ in range(_AT_FIRST):
            self.changed(held)

    def changed(self, held: Held) -> None:
        """One power iteration: u along v W, then v along W u."""
        (weight, _), (v, u), xp = held.parameters, held.statistics, namespace(held.parameters[0])
        u[...] = _unit(xp.matmul(v, weight))
        v[...] = _unit(xp.matmul(u, weight.T))

    def forward(self, x: Array, held: Held, training: bool, rng: Rng | None) -> tuple[Array, Any]:
        """x W / sigma + b; kept are x, sigma, and v^T u, which is dsigma/dW."""
        (weight, bias), (v, u), xp = held.parameters, held.statistics, namespace(x)
        outer = xp.matmul(_unit(v).T, _unit(u))  # units but for rounding; averaged ones are shorter
        sigma = xp.sum(outer * weight)
        y = matmul(x, weight, held.products)
        y /= sigma
        y += bias
        return y, (x, sigma, outer)

    def tangent(self, kept: Any, t: Array, held: Held) -> Array:
        """t W / sigma."""
        return super().tangent(kept, t, held) / kept[1]

    def backward(self, kept: Any, dy: Array, held: Held) -> Array:
        """dy W^T / sigma."""
        return super().backward(kept, dy, held) / kept[1]

    def add_slopes(self, kept: Any, dy: Array, held: Held) -> None:
        """dW through W / sigma, and db."""
        self._add(kept, matmul(kept[0].T, dy, held.products), held)
        bias = held.slopes[1]
        bias += held.column_sums(dy)

    def add_tangent_slopes(self, kept: Any, t: Array, dt: Array, held: Held) -> None:
        """dW through W / sigma."""
        self._add(kept, matmul(t.T, dt, held.products), held)

    def _add(self, kept: Any, g: Array, held: Held) -> None:
        """For g = dL/d(W / sigma): dL/dW = [g - <g, W / sigma> v^T u] / sigma."""
        (_, sigma, outer), weight, slope = kept, held.parameters[0], held.slopes[0]
        slope += (g - namespace(g).sum(g * weight) / sigma * outer) / sigma


def _unit(row: Array) -> Array:
    """The row (1, k) at length 1; rows of zeros stay."""
    xp = namespace(row)
    length = xp.sqrt(xp.sum(row * row))
    return row / xp.maximum(length, xp.zeros_like(length) + float(xp.finfo(row.dtype).smallest_normal))
