"""Spectral normalisation: affine layers divided by their largest singular value."""

from __future__ import annotations

from dataclasses import dataclass

from turinglearn.arrays import like, namespace
from turinglearn.nn.affine import AffineMap
from turinglearn.nn.layers import LayerBuffers, Shapes
from turinglearn.nn.matmul import matmul
from turinglearn.protocols import Array, Rng

__all__ = ["SpectralAffine", "SpectralNorm"]

_FIRST_ITERATIONS = 15  # power iterations at the start, as in PyTorch


@dataclass(frozen=True)
class SpectralNorm:
    """Spectral normalisation: every affine layer is divided by its largest singular value.

    The singular value is estimated by one power iteration at each update. The last layer of a generator, whose scale must be
    free, is left as it is.

    References
    ----------
    Miyato, Kataoka, Koyama & Yoshida (2018), "Spectral normalization for generative adversarial networks".
    """


@dataclass(frozen=True)
class SpectralAffine(AffineMap[tuple[Array, Array, Array]]):
    """y = x W / sigma + b, with sigma = v W u the largest singular value of W; u and v are constants in the gradient."""

    def statistics(self, inputs: int) -> Shapes:
        """Return the shapes of v (1, inputs) and u (1, outputs)."""
        return (1, self.inputs), (1, self.outputs)

    def start(self, buffers: LayerBuffers, rng: Rng) -> None:
        """Draw a random direction, and iterate a few times."""
        v, _ = buffers.statistics
        v[...] = like(rng.standard_normal(tuple(v.shape)), v)
        for _ in range(_FIRST_ITERATIONS):
            self.on_parameters_changed(buffers)

    def on_parameters_changed(self, buffers: LayerBuffers) -> None:
        """Make one power iteration: u along v W, then v along W u."""
        (weight, _), (v, u), xp = buffers.parameters, buffers.statistics, namespace(buffers.parameters[0])
        u[...] = _unit(xp.matmul(v, weight))
        v[...] = _unit(xp.matmul(u, weight.T))

    def forward(
        self, x: Array, buffers: LayerBuffers, training: bool, rng: Rng | None
    ) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return x W / sigma + b, and save x, sigma, and v^T u, which is dsigma/dW."""
        (weight, bias), (v, u), xp = buffers.parameters, buffers.statistics, namespace(x)
        outer = xp.matmul(_unit(v).T, _unit(u))  # averaged vectors are shorter than 1
        sigma = xp.sum(outer * weight)
        y = matmul(x, weight, buffers.matmul_precision)
        y /= sigma
        y += bias
        return y, (x, sigma, outer)

    def tangent(self, saved: tuple[Array, Array, Array], t: Array, buffers: LayerBuffers) -> Array:
        """Return t W / sigma."""
        return matmul(t, buffers.parameters[0], buffers.matmul_precision) / saved[1]

    def backward(self, saved: tuple[Array, Array, Array], dy: Array, buffers: LayerBuffers) -> Array:
        """Return dy W^T / sigma."""
        return matmul(dy, buffers.parameters[0].T, buffers.matmul_precision) / saved[1]

    def add_gradients(self, saved: tuple[Array, Array, Array], dy: Array, buffers: LayerBuffers) -> None:
        """Add dW through W / sigma, and db."""
        self._add(saved, matmul(saved[0].T, dy, buffers.matmul_precision), buffers)
        bias = buffers.gradients[1]
        bias += buffers.column_sums(dy)

    def add_tangent_gradients(self, saved: tuple[Array, Array, Array], t: Array, dt: Array, buffers: LayerBuffers) -> None:
        """Add dW through W / sigma."""
        self._add(saved, matmul(t.T, dt, buffers.matmul_precision), buffers)

    def _add(self, saved: tuple[Array, Array, Array], g: Array, buffers: LayerBuffers) -> None:
        """Add dL/dW = [g - <g, W / sigma> v^T u] / sigma, for g = dL/d(W / sigma)."""
        (_, sigma, outer), weight, gradient = saved, buffers.parameters[0], buffers.gradients[0]
        gradient += (g - namespace(g).sum(g * weight) / sigma * outer) / sigma


def _unit(row: Array) -> Array:
    """Scale the row (1, k) to length 1; a row of zeros stays."""
    xp = namespace(row)
    length = xp.sqrt(xp.sum(row * row))
    return row / xp.maximum(length, xp.zeros_like(length) + float(xp.finfo(row.dtype).smallest_normal))
