"""What the generators that are no networks share: units taken from an example, and guards on what they are handed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.protocols import Array, PlayerError, Samples

__all__ = ["accepts", "check_condition", "check_fresh", "feedback_values", "teaches"]


def check_condition(player: Any, given: Array | None, n: int, width: int) -> None:
    """Raise a `ValueError` unless given is (n, width), or None where the game that was started has no conditions."""
    if (given is None) != (width == 0) or (given is not None and tuple(given.shape) != (n, width)):
        told = "None" if given is None else f"an array of shape {tuple(given.shape)}"
        wanted = f"an array of shape {(n, width)}" if width else "None, for it was started without conditions"
        raise ValueError(
            f"{name_of(player)} was asked for {n} samples with given={told}; expected {wanted}. "
            "Give one condition per sample, as wide as those of the example in start."
        )


def check_fresh(player: Any, proposed_at: Any, updates: int) -> None:
    """Raise a `PlayerError` unless the samples were proposed since the last update, at the present parameters."""
    if proposed_at != updates:
        age = "were not proposed by it" if proposed_at is None else f"were proposed before update {updates}"
        raise PlayerError(
            f"{name_of(player)}.update was given samples that {age}; expected samples of its present law. "
            "Propose new samples for each update."
        )


def feedback_values(player: Any, samples: Samples, feedback: Any, shape: tuple[int, ...]) -> Array:
    """The values of the feedback in float64 on the host, once they are of the kind and shape that the player learns from."""
    if not isinstance(feedback, player.learns_from):
        raise PlayerError(
            f"{name_of(player)}.update was given {type(feedback).__name__}, but it learns from "
            f"{player.learns_from.__name__}. Let turinglearn.signals.bridge choose the signal."
        )
    check_values(f"The signal for {name_of(player)}", type(feedback).__name__.lower(), feedback.values, shape)
    return np.asarray(to_numpy(feedback.values), dtype=np.float64)


def teaches(player: Any, rule: Any, expected: str) -> type:
    """What an update rule learns from. Raises TypeError for what is no rule."""
    if isinstance(rule, type) or not hasattr(rule, "learns_from"):
        raise TypeError(f"{name_of(player)}(rule={rule!r}): expected {expected}, or None for the first of them.")
    kind: type = rule.learns_from
    return kind


def accepts(function: Callable[..., Any], name: str) -> bool:
    """Whether the function can be called with an argument of this name."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C, and silent about its arguments
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
