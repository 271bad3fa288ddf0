"""The passes of plain networks in buffers that are made once: of one network, or of the replicas of a stack at once.

Activations are kept transposed, features by samples, with a row of ones below them: a layer's weights and biases lie side by
side in the flat buffer, as one matrix A = [W; b], so that

    O = A^T [H; 1],    dA = [H; 1] dO^T,    dH = W dO                                                           (1)

are one product each, biases included. Behind a single output dH is an outer product, gated by the activations:

    dH = diag(w) (dy gated),    so that    dA = ([H; 1] (dy gated)^T) diag(w),    dH' = (W diag(w)) (dy gated)    (2)

for the layer before, where w falls on small matrices. Replicas stand on a leading axis of everything.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turinglearn.arrays import is_torch
from turinglearn.nn.network import Network
from turinglearn.nn.stack import Stack

__all__ = ["Workspace", "workspace"]


def workspace(network: Network | Stack, n: int, tail: int | None = None, lent: Workspace | None = None) -> Workspace:
    """Buffers for the passes of a network over n samples; backward goes through the last `tail` of them, or all.

    lent: a workspace whose memory it may use too, so that less of it has to stay in the cache: that of slopes and, for the same
    network and at least as many samples, that of activations. What is in the one is lost when the other is used.
    """
    if is_torch(network.parameters):
        from turinglearn.nn.workspace_torch import TorchWorkspace

        return TorchWorkspace(network, n, tail or n, lent)
    return Workspace(network, n, tail or n, lent)


class Workspace:
    """The passes on NumPy; what a pass leaves in the buffers is good until the next one."""

    def __init__(self, network: Network | Stack, n: int, tail: int, lent: Workspace | None = None) -> None:
        widths, lead = network.widths, tuple(network.parameters.shape[:-1])
        self.network, self.n, self._like = network, n, network.parameters
        if lent is not None and lent.network is network and n <= lent.n:
            self._inputs: list[Any] = [h[..., :n] for h in lent._inputs]
        else:
            self._inputs = [self._filled((*lead, w + 1, n)) for w in widths[:-1]]  # [H; 1] of each layer
        self.x = self._inputs[0][..., :-1, :]  # where the input goes, (..., features, n)
        matrices = network.matrices(network.parameters)
        self._transposed = [a.swapaxes(-1, -2) for a in matrices]
        self._weights = [a[..., :-1, :] for a in matrices]
        self._gradients = network.matrices(network.gradient)
        size = math.prod(lead) * max(widths) * n
        enough = lent is not None and int(lent._scratch[0].shape[0]) >= size
        self._scratch: list[Any] = lent._scratch if lent is not None and enough else [self._filled((size,)) for _ in range(2)]
        # dH of each layer; they take turns
        self._slopes = [_shaped(self._scratch[layer % 2], (*lead, w, tail)) for layer, w in enumerate(widths)]
        self.output = self._filled((*lead, widths[-1], n))
        self._outputs = [h[..., :-1, :] for h in self._inputs[1:]]  # of the hidden layers
        self._ends = [(h, h[..., :-1, :]) for h in (h[..., n - tail :] for h in self._inputs)]
        self._turned = [slopes.swapaxes(-1, -2) for slopes in self._slopes]
        self._prepare()

    def _prepare(self) -> None:
        self._alone = self.output.ndim == 2
        self._masks = [np.empty(slopes.shape, bool) for slopes in self._slopes]
        self._zeros = [np.zeros(h.shape[-2:], h.dtype) for h in self._outputs]  # 8 times as fast as a number

    def forward(self) -> Any:
        """The output (..., out, n) for the input that lies in `x`."""
        for layer in range(len(self._outputs)):
            self._activate(layer, self._transposed[layer], self._inputs[layer])  # (1)
        return self._product(self._transposed[-1], self._inputs[-1], self.output)

    def backward(self, dy: Any, *, parameters: bool, inputs: bool) -> Any:
        """From dL/doutput (..., out, tail): fill the gradient, and give dL/dx (..., features, tail), as far as asked for."""
        scale, turned = None, dy.swapaxes(-1, -2)
        for layer in reversed(range(len(self._weights))):
            (with_ones, h), weights = self._ends[layer], self._weights[layer]
            if parameters:
                gradient = self._product(with_ones, turned, self._gradients[layer])  # (1)
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

    # --------------------------------------------------------------------------- the hot operations, for each library anew
    def _filled(self, shape: tuple[int, ...]) -> Any:
        """A buffer of ones."""
        return np.ones(shape, self._like.dtype)

    def _product(self, a: Any, b: Any, out: Any) -> Any:
        if self._alone and out.flags.c_contiguous:
            return a.dot(b, out=out)  # it asks fewer questions: half a microsecond
        return np.matmul(a, b, out=out)

    def _activate(self, layer: int, a: Any, b: Any) -> None:
        """The activations of a hidden layer, max(a b, 0)."""
        h = self._product(a, b, self._outputs[layer])
        np.maximum(h, self._zeros[layer], out=h)

    def _gate(self, layer: int, dy: Any, h: Any) -> Any:
        """dy where H > 0, into the slopes of this layer; a single row of dy serves all rows of H."""
        return np.multiply(dy, np.greater(h, 0, out=self._masks[layer]), out=self._slopes[layer])


def _shaped(scratch: Any, shape: tuple[int, ...]) -> Any:
    return scratch[: math.prod(shape)].reshape(shape)
