"""A network: a chain of layers with hand-written passes, on one flat buffer of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from turinglearn.arrays import namespace, own
from turinglearn.nn.activations import ReLU
from turinglearn.nn.affine import Affine, AffineMap
from turinglearn.nn.layers import Layer, LayerBuffers, Shapes
from turinglearn.nn.mlp import mlp
from turinglearn.protocols import Array, InputError, PlayerError, Rng

__all__ = ["Network", "TangentTape", "Tape"]


@dataclass(frozen=True, slots=True)
class Tape:
    """Record of a forward pass for the passes that follow it; valid until the parameters change.

    Attributes
    ----------
    saved : tuple
        What each layer saved for its derivatives.
    version : int
        Number of changes of the parameters before the pass.
    """

    saved: tuple[Any, ...]
    version: int


@dataclass(frozen=True, slots=True)
class TangentTape:
    """Record of a tangent pass for `Network.backward_tangent`: the tangent of each layer's input."""

    tape: Tape
    tangents: tuple[Array, ...]


class Network:
    """Chain of layers, y = f_L(... f_1(x)).

    Parameters and their gradient are flat buffers (P,), and so are the statistics, which layers keep beside parameters, such
    as running averages; the layers hold views of them.

    Parameters
    ----------
    widths : tuple of int
        Number of features of the input, of each hidden layer, and of the output.
    rng : numpy.random.Generator
        Source of the initial parameters.
    xp : module
        Array-API namespace of the library.
    device : object
        Device of the library; None for its default.
    dtype : object
        Type of the parameters, one of `xp`; None for the library's default.
    layers : tuple of Layer, or None
        Layers from the first width to the last; None for affine layers with ReLU between them.
    matmul_precision : "full", "tf32" or "bfloat16"
        Precision of matrix products.

    Attributes
    ----------
    parameters, gradient : Array of shape (P,)
        Parameters, and the gradient that the latest backward pass left.
    statistics : Array of shape (S,)
        State of the layers beside their parameters.
    version : int
        Number of changes of the parameters so far.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        rng: Rng,
        xp: ModuleType = np,
        device: object = None,
        dtype: object = None,
        *,
        layers: tuple[Layer[Any], ...] | None = None,
        matmul_precision: str = "full",
    ) -> None:
        layers = mlp(widths) if layers is None else layers
        entering = _input_widths(layers, widths)
        start = np.concatenate([part for layer, n in zip(layers, entering, strict=True) for part in layer.initial(n, rng)])
        n_statistics = sum(prod(shape) for layer, n in zip(layers, entering, strict=True) for shape in layer.statistics(n))
        parameters = xp.asarray(start, dtype=dtype, device=device)
        statistics = xp.zeros(n_statistics, dtype=parameters.dtype, device=device)
        self._lay_out(widths, layers, parameters, statistics, matmul_precision, version=0)
        for layer, buffers in self._parts:
            layer.start(buffers, rng)

    def _lay_out(
        self,
        widths: tuple[int, ...],
        layers: tuple[Layer[Any], ...],
        parameters: Array,
        statistics: Array,
        matmul_precision: str,
        version: int,
        gradient: Array | None = None,
    ) -> None:
        self.widths, self.layers, self._matmul_precision, self.version = widths, layers, matmul_precision, version
        self.parameters, self.statistics = parameters, statistics
        self.gradient = namespace(parameters).zeros_like(parameters) if gradient is None else gradient
        entering = _input_widths(layers, widths)
        shapes = [layer.shapes(n) for layer, n in zip(layers, entering, strict=True)]
        of_statistics = [layer.statistics(n) for layer, n in zip(layers, entering, strict=True)]
        views = zip(_views(parameters, shapes), _views(self.gradient, shapes), _views(statistics, of_statistics), strict=True)
        self._parts = [(layer, LayerBuffers(*view, matmul_precision)) for layer, view in zip(layers, views, strict=True)]
        self._following = [
            part for part in self._parts if type(part[0]).on_parameters_changed is not Layer.on_parameters_changed
        ]
        sizes = [sum(map(prod, each)) for each in shapes]
        self._affine = [
            (slice(end - size, end), (layer.inputs + 1, layer.outputs))
            for layer, size, end in zip(layers, sizes, accumulate(sizes), strict=True)
            if isinstance(layer, AffineMap)
        ]

    def __getstate__(self) -> dict[str, Any]:
        names = ("widths", "layers", "parameters", "statistics", "matmul_precision", "version")
        return {name: own(getattr(self, name)) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._lay_out(**state)  # a copied view no longer refers to the buffer

    @property
    def matmul_precision(self) -> str:
        """Precision of matrix products."""
        return self._matmul_precision

    @property
    def plain(self) -> bool:
        """Return whether the network is a chain of affine layers with ReLU between them, and nothing else."""
        kinds = [type(layer) for layer in self.layers]
        return kinds == [Affine, *[ReLU, Affine] * (len(kinds) // 2)]

    @property
    def coupled(self) -> bool:
        """Return whether in training a sample's output depends on the rest of its batch."""
        return any(layer.coupled for layer in self.layers)

    def matrices(self, flat: Array) -> list[Array]:
        """Return A = [W; b] of each affine layer, (..., in + 1, out), as views of the parameters or the gradient, (..., P)."""
        lead = tuple(flat.shape[:-1])
        return [flat[..., place].reshape((*lead, *shape)) for place, shape in self._affine]

    def move(self, parameters: Array, gradient: Array) -> None:
        """Use these buffers (P,) from now on, which hold the same numbers."""
        self._lay_out(self.widths, self.layers, parameters, self.statistics, self.matmul_precision, self.version, gradient)

    def forward(self, x: Array, training: bool = False, rng: Rng | None = None) -> tuple[Array, Tape]:
        """Compute the output.

        Parameters
        ----------
        x : Array of shape (n, in)
            Input.
        training : bool
            Whether batches are normalised by their own statistics, and features are dropped.
        rng : numpy.random.Generator or None
            Source of the dropout masks.

        Returns
        -------
        y : Array of shape (n, out)
        tape : Tape
            Record of the pass, for the other passes.
        """
        h, tape = x, []
        for layer, buffers in self._parts:
            h, saved = layer.forward(h, buffers, training, rng)
            tape.append(saved)
        return h, Tape(tuple(tape), self.version)

    def backward(self, tape: Tape, dy: Array, *, add: bool = False) -> None:
        """Fill `gradient` with dL/dparameters, for dy = dL/dy (n, out), or add to what is there."""
        self._check(tape)
        if not add:
            self.gradient[...] = 0.0
        for i in reversed(range(len(self._parts))):
            layer, buffers = self._parts[i]
            layer.add_gradients(tape.saved[i], dy, buffers)
            if i > 0:
                dy = layer.backward(tape.saved[i], dy, buffers)

    def backward_inputs(self, tape: Tape, dy: Array) -> Array:
        """Return dL/dx (n, in) for dy = dL/dy (n, out), without a change of `gradient`."""
        self._check(tape)
        for (layer, buffers), saved in zip(reversed(self._parts), reversed(tape.saved), strict=True):
            dy = layer.backward(saved, dy, buffers)
        return dy

    def tangent(self, tape: Tape, dx: Array) -> tuple[Array, TangentTape]:
        """Return the change of y (n, out) as x moves along dx (n, in), and the record that `backward_tangent` needs."""
        self._check(tape)
        t, tangents = dx, []
        for (layer, buffers), saved in zip(self._parts, tape.saved, strict=True):
            tangents.append(t)
            t = layer.tangent(saved, t, buffers)
        return t, TangentTape(tape, tuple(tangents))

    def backward_tangent(self, tangent_tape: TangentTape, dt: Array, dy: Array | None = None, *, add: bool = False) -> None:
        """Fill `gradient` with dL/dparameters, for a loss of the tangent and of the output.

        For dt = 1 it is the gradient of dx . dy/dx, and so that of a penalty on dy/dx.

        Parameters
        ----------
        tangent_tape : TangentTape
            Record of the tangent pass.
        dt : Array of shape (n, out)
            Gradient of the loss in the tangent of the output.
        dy : Array of shape (n, out), or None
            Gradient of the loss in the output; None for 0.
        add : bool
            Whether to add to what is in `gradient`.
        """
        tape = tangent_tape.tape
        self._check(tape)
        if not add:
            self.gradient[...] = 0.0
        for i in reversed(range(len(self._parts))):
            (layer, buffers), saved, t = self._parts[i], tape.saved[i], tangent_tape.tangents[i]
            layer.add_tangent_gradients(saved, t, dt, buffers)
            if dy is not None:
                layer.add_gradients(saved, dy, buffers)
            if i > 0:
                second = layer.second_order_vjp(saved, t, dt, buffers)
                dy = None if dy is None else layer.backward(saved, dy, buffers)
                dy = second if dy is None else dy if second is None else dy + second
                dt = layer.backward(saved, dt, buffers)

    def on_parameters_changed(self) -> None:
        """Follow a change of the parameters: earlier tapes become invalid, and layers update what depends on parameters."""
        self.version += 1
        for layer, buffers in self._following:
            layer.on_parameters_changed(buffers)

    def _check(self, tape: Tape) -> None:
        if tape.version != self.version:
            raise PlayerError(
                f"A backward pass was called after {self.version - tape.version} update(s) of the network; its tape would "
                "give a wrong gradient. Propose or score again after each update."
            )


def _input_widths(layers: tuple[Layer[Any], ...], widths: tuple[int, ...]) -> list[int]:
    """Return the number of input features of each layer; raise a ValueError unless the chain leads to the last width."""
    *entering, out = accumulate(layers, lambda n, layer: layer.width(n), initial=widths[0])
    if out != widths[-1]:
        raise InputError(f"The last of the layers, {layers[-1]!r}, gives {out} features; expected {widths[-1]}.")
    return entering


def _views(flat: Array, shapes: list[Shapes]) -> list[tuple[Array, ...]]:
    """Return views of the flat buffer in each layer's shapes, one after the other."""
    xp, end, views = namespace(flat), 0, []
    for each in shapes:
        ends = list(accumulate(map(prod, each), initial=end))
        views.append(tuple(xp.reshape(flat[a:b], s) for (a, b), s in zip(pairwise(ends), each, strict=True)))
        end = ends[-1]
    return views
