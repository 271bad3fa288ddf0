"""Checks that the generators without networks share, and their types of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.protocols import Array, Gradients, InputError, Losses, PlayerError, Weights

__all__ = [
    "Booleans",
    "Floats",
    "Integers",
    "accepts",
    "check_condition",
    "check_feedback_type",
    "check_on_policy",
    "feedback_type_of",
    "feedback_values",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
Booleans = NDArray[np.bool_]


def check_condition(player: object, condition: Array | None, n: int, width: int) -> None:
    """Raise a ValueError unless the condition is (n, width), or None where the game has no conditions, width 0."""
    if (condition is None) != (width == 0) or (condition is not None and tuple(condition.shape) != (n, width)):
        found = "None" if condition is None else f"an array of shape {tuple(condition.shape)}"
        expected = f"an array of shape {(n, width)}" if width else "None, for it was started without conditions"
        raise InputError(
            f"{name_of(player)} was asked for {n} samples with condition={found}; expected {expected}. "
            "Give one condition per sample, as wide as those of the example in start."
        )


def check_on_policy(player: object, proposed_at: object, updates: int) -> None:
    """Raise a PlayerError unless the samples were proposed since the last update, at the present parameters."""
    if proposed_at != updates:
        age = "were not proposed by it" if proposed_at is None else f"were proposed before update {updates}"
        raise PlayerError(
            f"{name_of(player)}.update was given samples that {age}; expected samples of its present distribution. "
            "Propose new samples for each update."
        )


def check_feedback_type(player: object, feedback_type: type, feedback: object) -> None:
    """Raise a PlayerError unless the feedback is of the type that the player learns from."""
    if not isinstance(feedback, feedback_type):
        raise PlayerError(
            f"{name_of(player)}.update was given {type(feedback).__name__}, but it learns from {feedback_type.__name__}. "
            "Let turinglearn.signals.make_signal choose the signal."
        )


def feedback_values(
    player: object, feedback_type: type, feedback: Losses | Gradients | Weights, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the values of the feedback as a NumPy array in float64, after a check of their type and shape."""
    check_feedback_type(player, feedback_type, feedback)
    check_values(f"The signal for {name_of(player)}", type(feedback).__name__.lower(), feedback.values, shape)
    return np.asarray(to_numpy(feedback.values), dtype=np.float64)


def feedback_type_of(player: object, rule: object, expected: str) -> type:
    """Return the type of feedback that an update rule learns from; raise a TypeError for anything but a rule."""
    if isinstance(rule, type) or not hasattr(rule, "feedback_type"):
        raise TypeError(f"{name_of(player)}(rule={rule!r}): expected {expected}, or None for the first of them.")
    kind: type = rule.feedback_type
    return kind


def accepts(function: Callable[..., object], name: str) -> bool:
    """Return whether the function has a parameter of this name, or takes any keyword."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C, without a signature
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
