"""The passes of plain networks on torch, in buffers that are made once."""

from __future__ import annotations

from typing import Any

from turinglearn.nn.workspace import Workspace

__all__ = ["TorchWorkspace"]


class TorchWorkspace(Workspace):
    """The hot operations of a `Workspace` on torch."""

    def _prepare(self) -> None:
        import torch

        self._alone = self.output.ndim == 2
        self._multiply = torch.mm if self._alone else torch.bmm
        self._clamp = torch.clamp_min
        self._threshold = torch.ops.aten.threshold_backward.grad_input

    def _filled(self, shape: tuple[int, ...]) -> Any:
        return self._like.new_ones(shape)

    def _product(self, a: Any, b: Any, out: Any) -> Any:
        if self._alone or out.is_contiguous():
            return self._multiply(a, b, out=out)
        return out.copy_(self._multiply(a, b))  # batched products go through one by one into a buffer with gaps

    def _activate(self, layer: int, a: Any, b: Any) -> None:
        h = self._outputs[layer]  # with gaps, so that a product of its own comes first
        self._clamp(self._multiply(a, b), 0, out=h)

    def _gate(self, layer: int, dy: Any, h: Any) -> Any:
        return self._threshold(dy.expand_as(h), h, 0, grad_input=self._slopes[layer])
