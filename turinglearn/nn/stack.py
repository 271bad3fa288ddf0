"""The networks of replicas in one buffer, so that one product serves them all."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

from turinglearn.arrays import namespace
from turinglearn.nn.network import Network
from turinglearn.protocols import Array

__all__ = ["Stack", "stack_players"]

Player = TypeVar("Player")


class Stack:
    """R networks of one shape, whose parameters and gradients are rows of buffers (R, P).

    Each network stays usable on its own: it lives in its row.

    Parameters
    ----------
    networks : sequence of Network
        Plain networks of the same widths.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks, self.widths = tuple(networks), networks[0].widths
        self.statistics = networks[0].statistics  # plain networks have none
        self.parameters = _rows([network.parameters for network in networks])
        self.gradient = _rows([network.gradient for network in networks])
        for network, parameters, gradient in zip(networks, self.parameters, self.gradient, strict=True):
            network.move(parameters, gradient)

    def matrices(self, flat: Array) -> list[Array]:
        """Return A = [W; b] of each layer, (R, in + 1, out), as views of the parameters or of the gradients."""
        return self.networks[0].matrices(flat)

    def on_parameters_changed(self) -> None:
        """Follow a change of the parameters of every network."""
        for network in self.networks:
            network.on_parameters_changed()


def stack_players(players: Sequence[Player]) -> Player:
    """Return a player whose arrays are those of all these players on a leading axis; a single player is returned itself.

    The players share memory with it: their networks, moments, averages and units are its rows, so that its steps are theirs.
    """
    if len(players) == 1:
        return players[0]
    each: Sequence[Any] = players
    common: Any = copy.copy(players[0])
    common.network_ = Stack([player.network_ for player in each])
    optimizers = [player.optimizer_ for player in each]
    common.optimizer_ = copy.copy(optimizers[0])
    common.optimizer_.buffers = tuple(map(_rows, zip(*(optimizer.buffers for optimizer in optimizers), strict=True)))
    for i, optimizer in enumerate(optimizers):
        optimizer.buffers = tuple(buffer[i] for buffer in common.optimizer_.buffers)
    for name in ("average_", "location_", "spread_", "scale_"):
        if hasattr(common, name):
            setattr(common, name, _rows([getattr(player, name) for player in each]))
            for player, row in zip(each, getattr(common, name), strict=True):
                setattr(player, name, row)
    stacked: Player = common
    return stacked


def _rows(parts: Sequence[Array]) -> Array:
    """Stack arrays of one shape as the rows of one, (R, ...)."""
    stacked: Array = namespace(parts[0]).stack(list(parts))
    return stacked
