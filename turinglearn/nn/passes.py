"""The passes of plain networks in buffers that are allocated once: of one network, or of the replicas of a stack.

Activations are kept transposed, features by samples, with a row of ones below them: a layer's weights and biases lie side by
side in the flat buffer, as one matrix A = [W; b], so that

    O = A^T [H; 1],    dA = [H; 1] dO^T,    dH = W dO                                                           (1)

are one product each, biases included. Behind a single output dH is an outer product, gated by the activations:

    dH = diag(w) (dy gated),    so that    dA = ([H; 1] (dy gated)^T) diag(w),    dH' = (W diag(w)) (dy gated)    (2)

for the layer before, where w falls on small matrices. Replicas stand on a leading axis of everything.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

from turinglearn.nn.network import Network
from turinglearn.nn.stack import Stack

__all__ = ["Buffer", "Passes"]


class Buffer(Protocol):
    """Array of NumPy or torch, as the passes use it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    def swapaxes(self, first: int, second: int, /) -> Any:
        """Return a view with two axes exchanged."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...


B = TypeVar("B", bound=Buffer)


class Passes(ABC, Generic[B]):
    """Passes of a network over n samples; what a pass leaves in the buffers is valid until the next one.

    The layout and the passes are here; a subclass gives the hot operations of one library.

    Parameters
    ----------
    network : Network or Stack
        Plain network, or the stacked plain networks of replicas.
    n : int
        Number of samples.
    tail : int
        Number of samples, the last ones, that the backward pass goes through.
    shared : Passes or None
        Passes whose memory is used too, so that more stays in the cache: that of slopes and, for the same network and at
        least as many samples, that of activations. The contents of the one are lost when the other is used.
    """

    def __init__(self, network: Network | Stack, n: int, tail: int, shared: Passes[B] | None = None) -> None:
        widths, lead = network.widths, tuple(network.parameters.shape[:-1])
        self.network, self.n, self._like = network, n, network.parameters
        if shared is not None and shared.network is network and n <= shared.n:
            self._inputs: list[B] = [h[..., :n] for h in shared._inputs]
        else:
            self._inputs = [self._filled((*lead, w + 1, n)) for w in widths[:-1]]  # [H; 1] of each layer
        self.x: Any = self._inputs[0][..., :-1, :]  # where the input goes, (..., features, n)
        matrices: list[Any] = list(network.matrices(network.parameters))
        self._transposed: list[B] = [a.swapaxes(-1, -2) for a in matrices]
        self._weights: list[B] = [a[..., :-1, :] for a in matrices]
        self._gradients: list[Any] = list(network.matrices(network.gradient))
        size = math.prod(lead) * max(widths) * n
        enough = shared is not None and int(shared._scratch[0].shape[0]) >= size
        self._scratch: list[B] = shared._scratch if shared is not None and enough else [self._filled((size,)) for _ in range(2)]
        # dH of each layer; they take turns
        self._slopes: list[B] = [_shaped(self._scratch[layer % 2], (*lead, w, tail)) for layer, w in enumerate(widths)]
        self.output: B = self._filled((*lead, widths[-1], n))
        self._outputs: list[B] = [h[..., :-1, :] for h in self._inputs[1:]]  # of the hidden layers
        self._ends: list[tuple[B, B]] = [(h, h[..., :-1, :]) for h in (h[..., n - tail :] for h in self._inputs)]
        self._turned: list[B] = [slopes.swapaxes(-1, -2) for slopes in self._slopes]
        self._alone = self.output.ndim == 2
        self._prepare()

    def forward(self) -> B:
        """Return the output (..., out, n) for the input that lies in `x`."""
        for layer in range(len(self._outputs)):
            self._activate(layer, self._transposed[layer], self._inputs[layer])  # (1)
        return self._product(self._transposed[-1], self._inputs[-1], self.output)

    def backward(self, dy: B, *, parameters: bool, inputs: bool) -> B | None:
        """Go back from dy = dL/doutput (..., out, tail).

        Parameters
        ----------
        dy : array of shape (..., out, tail)
            Gradient of the loss in the last `tail` samples of the output.
        parameters : bool
            Whether to fill the gradient of the network.
        inputs : bool
            Whether to go on to the input.

        Returns
        -------
        array of shape (..., features, tail), or None
            dL/dx if `inputs`, else None.
        """
        scale, turned = None, dy.swapaxes(-1, -2)
        for layer in reversed(range(len(self._weights))):
            (with_ones, h), weights = self._ends[layer], self._weights[layer]
            if parameters:
                gradient: Any = self._product(with_ones, turned, self._gradients[layer])  # (1)
                if scale is not None:
                    gradient *= scale
            if layer == 0 and not inputs:
                return None
            if scale is not None:
                weights, scale = weights * scale, None
            if layer > 0 and dy.shape[-2] == 1:  # (2)
                dy, scale = self._gate(layer, dy, h), weights.swapaxes(-1, -2)
            else:
                dy = self._product(weights, dy, self._slopes[layer])
                dy = self._gate(layer, dy, h) if layer > 0 else dy
            turned = self._turned[layer]
        return dy

    # ------------------------------------------------------------------------------------- the hot operations of a library
    @abstractmethod
    def _prepare(self) -> None:
        """Look up what the operations need, once."""

    @abstractmethod
    def _filled(self, shape: tuple[int, ...]) -> B:
        """Allocate a buffer of ones."""

    @abstractmethod
    def _product(self, a: B, b: B, out: B) -> B:
        """Multiply matrices into `out`."""

    @abstractmethod
    def _activate(self, layer: int, a: B, b: B) -> None:
        """Write the activations of a hidden layer, max(a b, 0)."""

    @abstractmethod
    def _gate(self, layer: int, dy: B, h: B) -> B:
        """Write dy where H > 0, else 0, into the slopes of this layer; a single row of dy serves all rows of H."""


def _shaped(scratch: B, shape: tuple[int, ...]) -> B:
    shaped: B = scratch[: math.prod(shape)].reshape(shape)
    return shaped
