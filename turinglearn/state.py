"""What players and games remember: taken as it is, checked, and put back in place."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from turinglearn.arrays import own
from turinglearn.signals import means_of

__all__ = ["check_state", "options_of", "recall", "remember", "unharmed"]

_SCHEDULE = (
    *("batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "simultaneous", "pack"),
    *("subsample", "replay"),
)
_STATE = {"index", "seed", "streams", "deck", "seen", "generator", "discriminator", "replay"}
_SHOWN = 200  # characters of an option in an error


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
    else:
        _put(player, state, remember(player))


@contextmanager
def unharmed(*things: Any) -> Iterator[None]:
    """If anything is raised inside, these have the attributes again that they had before."""
    before = [_attributes(thing) for thing in things]
    try:
        yield
    except BaseException:
        for thing, attributes in zip(things, before, strict=True):
            _put(thing, attributes, _attributes(thing))
        raise


def options_of(game: Any) -> dict[str, str]:
    """What a game and its players were made with, by name and in words, which compare between processes."""
    options = {"objective": game.signal.objective, "signal": means_of(game.signal)}
    options |= {name: getattr(game, name) for name in _SCHEDULE}
    said = {name: _words(value) for name, value in options.items()}
    for role in ("generator", "discriminator"):
        player = getattr(game, role)
        said[role] = type(player).__qualname__
        if hasattr(player, "get_params"):
            said |= {f"{role}.{name}": _words(value) for name, value in player.get_params(deep=False).items()}
    return said


def check_state(game: Any, state: Any) -> None:
    """Raise a ValueError for what is no state of a game, or that of a game made otherwise: it names what differs."""
    many = isinstance(state, Mapping) and {"index", "seed", "replicas"} <= state.keys()
    if not many and not (isinstance(state, Mapping) and state.keys() >= _STATE):
        given = (
            f"a dictionary with the keys {sorted(map(str, state))}"
            if isinstance(state, Mapping)
            else f"a {type(state).__name__}"
        )
        raise ValueError(f"This is no state of a game, but {given}. Give what `state` returned of a game that had been played.")
    began: Mapping[str, str] = {} if many else state.get("options", {})
    began = {"replicas": str(len(state["replicas"]) if many else None), **began}
    here = {"replicas": str(len(game.replicas) or None), **options_of(game)}
    differ = [name for name, said in began.items() if here.get(name) != said]
    differ = [name for name in differ if name == (role := name.partition(".")[0]) or role not in differ]
    if differ:
        there, now = (
            ", ".join(f"{name}={textwrap.shorten(options[name], _SHOWN)}" for name in differ) for options in (began, here)
        )
        raise ValueError(
            f"The state is that of a game with {there}, but this one has {now}. Restore it in a game that is made with the "
            "same players and options as the one that was saved."
        )
    for replica, part in zip(game.replicas, state.get("replicas", ()), strict=True):
        check_state(replica, part)


def _words(value: Any) -> str:
    """The value's repr; the name of its type where that would tell an address, as of functions."""
    said = repr(value.item() if isinstance(value, np.generic) else value)
    return type(value).__name__ if " at 0x" in said else said


def _put(thing: Any, attributes: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Give the thing these attributes in place of the present ones."""
    for name in present:
        if name not in attributes:
            delattr(thing, name)
    for name, value in attributes.items():
        setattr(thing, name, value)


def _attributes(player: Any) -> dict[str, Any]:
    """Attributes in the instance's dictionary and in its slots."""
    slots = [name for kind in type(player).__mro__ for name in _names(getattr(kind, "__slots__", ()))]
    return {**{name: getattr(player, name) for name in slots if hasattr(player, name)}, **getattr(player, "__dict__", {})}


def _names(slots: Any) -> tuple[str, ...]:
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__"))
