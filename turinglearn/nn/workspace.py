"""The choice of a workspace: the one place that knows which libraries have passes of their own."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import is_torch
from turinglearn.nn.network import Network
from turinglearn.nn.passes import Passes
from turinglearn.nn.stack import Stack
from turinglearn.nn.workspace_numpy import NumpyWorkspace
from turinglearn.nn.workspace_torch import TorchWorkspace

__all__ = ["Workspace", "workspace"]

Workspace = Passes[Any]


def workspace(network: Network | Stack, n: int, tail: int | None = None, shared: Workspace | None = None) -> Workspace:
    """Return the workspace of a network over n samples, whose backward pass goes through the last `tail` of them, or all.

    `shared` is a workspace whose memory is used too, as in `turinglearn.nn.passes.Passes`.
    """
    if is_torch(network.parameters):
        return TorchWorkspace(network, n, tail or n, shared)
    return NumpyWorkspace(network, n, tail or n, shared)
