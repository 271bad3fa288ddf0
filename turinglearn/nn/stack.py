"""The networks of replicas in one buffer, so that one product serves them all."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from turinglearn.arrays import namespace
from turinglearn.nn.network import Network

__all__ = ["Stack", "together"]


class Stack:
    """R networks of one shape: their parameters and gradients are rows of buffers (R, P).

    The networks stay whole: each now lives in its row, and what happens to the row happens to it.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks, self.widths = tuple(networks), networks[0].widths
        self.statistics = networks[0].statistics  # plain networks have none
        self.parameters = _rows([network.parameters for network in networks])
        self.gradient = _rows([network.gradient for network in networks])
        for network, parameters, gradient in zip(networks, self.parameters, self.gradient, strict=True):
            network.move(parameters, gradient)

    def matrices(self, flat: Any) -> list[Any]:
        """A = [W; b] of each layer, (R, in + 1, out), as views of the parameters or of the gradients."""
        return self.networks[0].matrices(flat)

    def changed(self) -> None:
        """The parameters have changed, those of every network."""
        for network in self.networks:
            network.changed()


def together(players: Sequence[Any]) -> Any:
    """A player whose arrays are those of all these players on a leading axis; one player is itself.

    What the common player learns, each of them has learned: their networks, moments, averages and units are rows of its own.
    """
    if len(players) == 1:
        return players[0]
    common = copy.copy(players[0])
    common.network_ = Stack([player.network_ for player in players])
    optimizers = [player.optimizer_ for player in players]
    common.optimizer_ = copy.copy(optimizers[0])
    common.optimizer_.buffers = tuple(map(_rows, zip(*(optimizer.buffers for optimizer in optimizers), strict=True)))
    for i, optimizer in enumerate(optimizers):
        optimizer.buffers = tuple(buffer[i] for buffer in common.optimizer_.buffers)
    for name in ("average_", "location_", "spread_", "scale_"):
        if hasattr(common, name):
            setattr(common, name, _rows([getattr(player, name) for player in players]))
            for player, row in zip(players, getattr(common, name), strict=True):
                setattr(player, name, row)
    return common


def _rows(parts: Sequence[Any]) -> Any:
    """Arrays of one shape as the rows of one, (R, ...)."""
    return namespace(parts[0]).stack(list(parts))
