"""A chain of layers with hand-written passes, on one flat buffer of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from turinglearn.arrays import namespace, own
from turinglearn.nn.activations import ReLU
from turinglearn.nn.affine import Affine
from turinglearn.nn.chains import perceptron
from turinglearn.nn.layers import Held, Layer, Shapes
from turinglearn.protocols import Array, PlayerError, Rng

__all__ = ["Motion", "Network", "Tape"]


@dataclass(frozen=True, slots=True)
class Tape:
    """What a forward pass leaves for the passes that follow it; good until the parameters change."""

    kept: tuple[Any, ...]
    version: int


@dataclass(frozen=True, slots=True)
class Motion:
    """What a tangent pass leaves for its reverse: along what each layer's input moved."""

    tape: Tape
    tangents: tuple[Array, ...]


class Network:
    """y = f_L(... f_1(x)), a chain of layers.

    Parameters and their gradient are flat buffers, (P,), and so are `statistics`, what layers remember beside parameters, such
    as running averages; the layers hold views of them. widths: features of the input, of each hidden layer, of the output.
    layers: what leads from the first width to the last; None for affine layers with ReLU between them. products: the precision
    in which matrices are multiplied, "full", "tf32" or "bfloat16".
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        rng: Rng,
        xp: Any = np,
        device: Any = None,
        dtype: Any = None,
        *,
        layers: tuple[Layer, ...] | None = None,
        products: str = "full",
    ) -> None:
        layers = perceptron(widths) if layers is None else layers
        entering = _entering(layers, widths)
        start = np.concatenate([part for layer, n in zip(layers, entering, strict=True) for part in layer.initial(n, rng)])
        remembered = sum(prod(shape) for layer, n in zip(layers, entering, strict=True) for shape in layer.statistics(n))
        parameters = xp.asarray(start, dtype=dtype, device=device)
        statistics = xp.zeros(remembered, dtype=parameters.dtype, device=device)
        self._lay_out(widths, layers, parameters, statistics, products, version=0)
        for layer, held in self._parts:
            layer.start(held, rng)

    def _lay_out(
        self,
        widths: tuple[int, ...],
        layers: tuple[Layer, ...],
        parameters: Array,
        statistics: Array,
        products: str,
        version: int,
        gradient: Array | None = None,
    ) -> None:
        self.widths, self.layers, self._products, self.version = widths, layers, products, version
        self.parameters, self.statistics = parameters, statistics
        self.gradient = namespace(parameters).zeros_like(parameters) if gradient is None else gradient
        entering = _entering(layers, widths)
        shapes = [layer.shapes(n) for layer, n in zip(layers, entering, strict=True)]
        remembered = [layer.statistics(n) for layer, n in zip(layers, entering, strict=True)]
        views = zip(_views(parameters, shapes), _views(self.gradient, shapes), _views(statistics, remembered), strict=True)
        self._parts = [(layer, Held(*view, products)) for layer, view in zip(layers, views, strict=True)]
        self._following = [part for part in self._parts if type(part[0]).changed is not Layer.changed]
        sizes = [sum(map(prod, each)) for each in shapes]
        self._affine = [
            (slice(end - size, end), (layer.inputs + 1, layer.outputs))
            for layer, size, end in zip(layers, sizes, accumulate(sizes), strict=True)
            if isinstance(layer, Affine)
        ]

    def __getstate__(self) -> dict[str, Any]:
        names = ("widths", "layers", "parameters", "statistics", "products", "version")
        return {name: own(getattr(self, name)) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._lay_out(**state)  # a copy of a view is a view no more: lay them out anew

    @property
    def products(self) -> str:
        """The precision of matrix products."""
        return self._products

    @property
    def plain(self) -> bool:
        """Whether it is a chain of affine layers with ReLU between them, and nothing else."""
        kinds = [type(layer) for layer in self.layers]
        return kinds == [Affine, *[ReLU, Affine] * (len(kinds) // 2)]

    @property
    def coupled(self) -> bool:
        """Whether in training a sample's output depends on the rest of its batch."""
        return any(layer.coupled for layer in self.layers)

    def matrices(self, flat: Array) -> list[Array]:
        """A = [W; b] of each affine layer, (..., in + 1, out), as views of the parameters or of the gradient, (..., P)."""
        lead = tuple(flat.shape[:-1])
        return [flat[..., place].reshape((*lead, *shape)) for place, shape in self._affine]

    def move(self, parameters: Array, gradient: Array) -> None:
        """Live in these buffers (P,) from now on, which hold the same numbers."""
        self._lay_out(self.widths, self.layers, parameters, self.statistics, self.products, self.version, gradient)

    def forward(self, x: Array, training: bool = False, rng: Rng | None = None) -> tuple[Array, Tape]:
        """y (n, out) and the tape of the pass, for x (n, in).

        training: whether batches are normalised by themselves, and parts are dropped; what is dropped comes from rng.
        """
        h, tape = x, []
        for layer, held in self._parts:
            h, kept = layer.forward(h, held, training, rng)
            tape.append(kept)
        return h, Tape(tuple(tape), self.version)

    def backward(self, tape: Tape, dy: Array, *, add: bool = False) -> None:
        """Fill `gradient` with dL/dparameters, for dL/dy (n, out); or add to what is there."""
        self._check(tape)
        if not add:
            self.gradient[...] = 0.0
        for i in reversed(range(len(self._parts))):
            layer, held = self._parts[i]
            layer.add_slopes(tape.kept[i], dy, held)
            if i > 0:
                dy = layer.backward(tape.kept[i], dy, held)

    def backward_inputs(self, tape: Tape, dy: Array) -> Array:
        """dL/dx (n, in), for dL/dy (n, out); `gradient` is left alone."""
        self._check(tape)
        for (layer, held), kept in zip(reversed(self._parts), reversed(tape.kept), strict=True):
            dy = layer.backward(kept, dy, held)
        return dy

    def tangent(self, tape: Tape, dx: Array) -> tuple[Array, Motion]:
        """How y changes as x moves along dx (n, in): (n, out), and what its reverse needs."""
        self._check(tape)
        t, tangents = dx, []
        for (layer, held), kept in zip(self._parts, tape.kept, strict=True):
            tangents.append(t)
            t = layer.tangent(kept, t, held)
        return t, Motion(tape, tuple(tangents))

    def reverse(self, motion: Motion, dt: Array, dy: Array | None = None, *, add: bool = False) -> None:
        """Fill `gradient` with dL/dparameters, for dL/dt of the tangent and dL/dy of the output (None for 0), (n, out) each.

        This is forward over reverse: for dt = 1 it gives the gradient of dx . dy/dx, and so that of a penalty on dy/dx.
        """
        tape = motion.tape
        self._check(tape)
        if not add:
            self.gradient[...] = 0.0
        for i in reversed(range(len(self._parts))):
            (layer, held), kept, t = self._parts[i], tape.kept[i], motion.tangents[i]
            layer.add_tangent_slopes(kept, t, dt, held)
            if dy is not None:
                layer.add_slopes(kept, dy, held)
            if i > 0:
                bent = layer.bend(kept, t, dt, held)
                dy = None if dy is None else layer.backward(kept, dy, held)
                dy = bent if dy is None else dy if bent is None else dy + bent
                dt = layer.backward(kept, dt, held)

    def changed(self) -> None:
        """The parameters have changed: tapes of earlier passes are void, and what layers know of parameters follows."""
        self.version += 1
        for layer, held in self._following:
            layer.changed(held)

    def _check(self, tape: Tape) -> None:
        if tape.version != self.version:
            raise PlayerError(
                f"A backward pass was asked for after {self.version - tape.version} update(s) of the network; its tape would "
                "give a wrong gradient. Propose or examine anew after each update."
            )


def _entering(layers: tuple[Layer, ...], widths: tuple[int, ...]) -> list[int]:
    """How many features enter each layer. Raises ValueError where the chain does not lead to the last width."""
    *entering, out = accumulate(layers, lambda n, layer: layer.width(n), initial=widths[0])
    if out != widths[-1]:
        raise ValueError(f"The last of the layers, {layers[-1]!r}, gives {out} features; expected {widths[-1]}.")
    return entering


def _views(flat: Array, shapes: list[Shapes]) -> list[tuple[Array, ...]]:
    """Views of the flat buffer in each layer's shapes, one after the other."""
    xp, end, views = namespace(flat), 0, []
    for each in shapes:
        ends = list(accumulate(map(prod, each), initial=end))
        views.append(tuple(xp.reshape(flat[a:b], s) for (a, b), s in zip(pairwise(ends), each, strict=True)))
        end = ends[-1]
    return views
