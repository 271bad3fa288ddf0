"""The passes of plain networks on torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turinglearn.nn.passes import Passes

if TYPE_CHECKING:
    import torch

__all__ = ["TorchWorkspace"]


class TorchWorkspace(Passes["torch.Tensor"]):
    """The hot operations of a `Passes` on torch."""

    def _prepare(self) -> None:
        import torch

        self._multiply: Any = torch.mm if self._alone else torch.bmm
        self._clamp: Any = torch.clamp_min
        self._threshold: Any = torch.ops.aten.threshold_backward.grad_input

    def _filled(self, shape: tuple[int, ...]) -> torch.Tensor:
        like: Any = self._like
        ones: torch.Tensor = like.new_ones(shape)
        return ones

    def _product(self, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        if self._alone or out.is_contiguous():
            product: torch.Tensor = self._multiply(a, b, out=out)
        else:
            product = out.copy_(self._multiply(a, b))  # batched products go through one by one into a buffer with gaps
        return product

    def _activate(self, layer: int, a: torch.Tensor, b: torch.Tensor) -> None:
        h = self._outputs[layer]  # with gaps, so that a product of its own comes first
        self._clamp(self._multiply(a, b), 0, out=h)

    def _gate(self, layer: int, dy: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        gated: torch.Tensor = self._threshold(dy.expand_as(h), h, 0, grad_input=self._slopes[layer])
        return gated
