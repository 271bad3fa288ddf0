"""What a player remembers: its learned attributes, taken as they are and put back in place."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from turinglearn.arrays import own

__all__ = ["recall", "remember"]


def remember(player: Any) -> dict[str, Any]:
    """What the player has learned, by name: its `state()`, or all its attributes but the parameters of its `__init__`.

    The values are the player's own, not copies.
    """
    if hasattr(player, "state"):
        return dict(player.state())
    given = set(player.get_params(deep=False)) if hasattr(player, "get_params") else set()
    return {name: value for name, value in _attributes(player).items() if name not in given}


def recall(player: Any, state: Mapping[str, Any]) -> None:
    """Put back, into a player with the same parameters, copies of what `remember` took."""
    state = copy.deepcopy({name: own(value) for name, value in state.items()})
    if hasattr(player, "restore"):
        player.restore(state)
        return
    for name in remember(player):
        if name not in state:
            delattr(player, name)
    for name, value in state.items():
        setattr(player, name, value)


def _attributes(player: Any) -> dict[str, Any]:
    """Attributes in the instance's dictionary and in its slots."""
    slots = [name for kind in type(player).__mro__ for name in _names(getattr(kind, "__slots__", ()))]
    return {**{name: getattr(player, name) for name in slots if hasattr(player, name)}, **getattr(player, "__dict__", {})}


def _names(slots: Any) -> tuple[str, ...]:
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__"))
