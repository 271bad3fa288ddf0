"""The passes of a network on NumPy, in buffers that are made once.

Activations are kept transposed, features by samples, with a row of ones below them: a layer's weights and biases lie side by
side in the flat buffer, as one matrix A = [W; b], so that

    O = A^T [H; 1],    dA = [H; 1] dO^T,    dH = W dO                                                           (1)

are one product each, biases included.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.nn.network import Network

__all__ = ["Workspace"]


class Workspace:
    """Buffers for the passes of one network over n samples; what a pass leaves in them is good until the next one."""

    def __init__(self, network: Network, n: int) -> None:
        self.network, self.n = network, n
        widths, dtype = network.widths, network.parameters.dtype
        self._inputs = [np.ones((w + 1, n), dtype) for w in widths[:-1]]  # [H; 1] of each layer
        self._slopes = [np.empty((w, n), dtype) for w in widths]  # dH of each layer, and of the output
        self._masks = [np.empty((w, n), bool) for w in widths[:-1]]
        self._zeros = [np.zeros((w, n), dtype) for w in widths[1:-1]]  # the maximum of two arrays is 8 times as fast as with 0
        self.output = np.empty((widths[-1], n), dtype)
        self._matrices = network.matrices(network.parameters)
        self._gradients = network.matrices(network.gradient)

    @property
    def x(self) -> Any:
        """Where the input goes, (features, n)."""
        return self._inputs[0][:-1]

    def forward(self) -> Any:
        """The output (out, n) for the input that lies in `x`."""
        last = len(self._matrices) - 1
        for layer, a in enumerate(self._matrices):
            if layer == last:
                return np.matmul(a.T, self._inputs[layer], out=self.output)  # (1)
            h = self._inputs[layer + 1][:-1]
            np.matmul(a.T, self._inputs[layer], out=h)
            np.maximum(h, self._zeros[layer], out=h)
        return self.output

    def backward(self, dy: Any, *, parameters: bool, inputs: bool) -> Any:
        """From dL/doutput (out, n): fill the network's gradient, and give dL/dx (features, n), as far as asked for."""
        for layer in reversed(range(len(self._matrices))):
            if parameters:
                np.matmul(self._inputs[layer], dy.T, out=self._gradients[layer])  # (1)
            if layer == 0 and not inputs:
                return None
            dh = np.matmul(self._matrices[layer][:-1], dy, out=self._slopes[layer])
            if layer > 0:
                mask = np.greater(self._inputs[layer][:-1], 0, out=self._masks[layer])
                dy = np.multiply(dh, mask, out=dh)
        return dh
