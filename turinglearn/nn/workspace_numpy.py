"""The passes of plain networks on NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turinglearn.nn.passes import Passes

__all__ = ["NumpyWorkspace"]


class NumpyWorkspace(Passes[NDArray[Any]]):
    """The hot operations of a `Passes` on NumPy."""

    def _prepare(self) -> None:
        self._masks = [np.empty(slopes.shape, bool) for slopes in self._slopes]
        self._zeros = [np.zeros(h.shape[-2:], h.dtype) for h in self._outputs]  # 8 times as fast as a number

    def _filled(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.ones(shape, self._like.dtype)

    def _product(self, a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
        if self._alone and out.flags.c_contiguous:
            return a.dot(b, out=out)  # half a microsecond faster than np.matmul
        return np.matmul(a, b, out=out)

    def _activate(self, layer: int, a: NDArray[Any], b: NDArray[Any]) -> None:
        h = self._product(a, b, self._outputs[layer])
        np.maximum(h, self._zeros[layer], out=h)

    def _gate(self, layer: int, dy: NDArray[Any], h: NDArray[Any]) -> NDArray[Any]:
        gated: NDArray[Any] = np.multiply(dy, np.greater(h, 0, out=self._masks[layer]), out=self._slopes[layer])
        return gated
