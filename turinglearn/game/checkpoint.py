"""States of players and games: taken as they are, checked, and put back in place."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from turinglearn.arrays import own
from turinglearn.game.step import Players

__all__ = ["check_state", "get_state", "options_of", "rollback_on_error", "set_state"]

_STATE = {"index", "seed", "streams", "batches", "seen", "generator", "discriminator", "replay"}
_SHOWN = 200  # characters of an option in an error


def get_state(player: object) -> dict[str, Any]:
    """Return what the player has learned, by name: its `state()`, or all its attributes but the parameters of its `__init__`.

    The values are the player's own, not copies.
    """
    if hasattr(player, "state"):
        return dict(player.state())
    parameters = set(player.get_params(deep=False)) if hasattr(player, "get_params") else set()
    return {name: value for name, value in _attributes(player).items() if name not in parameters}


def set_state(player: object, state: Mapping[str, Any]) -> None:
    """Put copies of what `get_state` returned into a player with the same parameters."""
    state = copy.deepcopy({name: own(value) for name, value in state.items()})
    if hasattr(player, "restore"):
        player.restore(state)
    else:
        _put(player, state, get_state(player))


@contextmanager
def rollback_on_error(*things: object) -> Iterator[None]:
    """Give these objects back the attributes that they had before, if anything is raised inside."""
    before = [_attributes(thing) for thing in things]
    try:
        yield
    except BaseException:
        for thing, attributes in zip(things, before, strict=True):
            _put(thing, attributes, _attributes(thing))
        raise


def options_of(players: Players) -> dict[str, str]:
    """Return what a game and its players were made with, by name, as text that compares between processes."""
    schedule = {name: getattr(players.schedule, name) for name in players.schedule.names()}
    options = {"objective": players.signal.objective, "signal": players.signal.estimator, **schedule}
    described = {name: _description(value) for name, value in options.items()}
    for role, player in (("generator", players.generator), ("discriminator", players.discriminator)):
        described[role] = type(player).__qualname__
        if hasattr(player, "get_params"):
            parameters = player.get_params(deep=False)
            described |= {f"{role}.{name}": _description(value) for name, value in parameters.items()}
    return described


def check_state(state: object, options: Mapping[str, str]) -> None:
    """Raise a ValueError for what is not a state of a game, or that of a game with other options: it names what differs.

    Parameters
    ----------
    state : object
        What is to be restored.
    options : mapping
        The options of the game that restores it, from `options_of`.
    """
    if not (isinstance(state, Mapping) and state.keys() >= _STATE):
        found = f"a dictionary with the keys {sorted(map(str, state))}" if isinstance(state, Mapping) else _kind(state)
        raise ValueError(
            f"This is not a state of a game, but {found}. Give what `state` returned of a game that had been played."
        )
    began: Mapping[str, str] = state.get("options", {})
    differ = [name for name, text in began.items() if options.get(name) != text]
    differ = [name for name in differ if name == (role := name.partition(".")[0]) or role not in differ]
    if differ:
        there, here = (
            ", ".join(f"{name}={textwrap.shorten(each.get(name, 'nothing'), _SHOWN)}" for name in differ)
            for each in (began, options)
        )
        raise ValueError(
            f"The state is that of a game with {there}, but this one has {here}. Restore it in a game that is made with the "
            "same players and options as the one that was saved."
        )


def _kind(thing: object) -> str:
    return f"a {type(thing).__name__}"


def _description(value: object) -> str:
    """Return the value's repr, or the name of its type where the repr has an address, as of functions."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return type(value).__name__ if " at 0x" in text else text


def _put(thing: object, attributes: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Give the thing these attributes in place of the present ones."""
    for name in present:
        if name not in attributes:
            delattr(thing, name)
    for name, value in attributes.items():
        setattr(thing, name, value)


def _attributes(thing: object) -> dict[str, Any]:
    """Return the attributes in the instance's dictionary and in its slots."""
    slots = [name for kind in type(thing).__mro__ for name in _names(getattr(kind, "__slots__", ()))]
    return {**{name: getattr(thing, name) for name in slots if hasattr(thing, name)}, **getattr(thing, "__dict__", {})}


def _names(slots: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__"))
