"""What discriminators that are not networks share: labelled rows, calls to other people's code, pullbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from turinglearn.arrays import table, to_numpy
from turinglearn.contract import name_of
from turinglearn.protocols import Array, Batch, PlayerError, Pullback

__all__ = ["REMEDY", "ask", "labelled", "pullback", "unstarted"]


def labelled(real: Batch, fake: Batch) -> tuple[Any, Any]:
    """Rows (n, features), genuine ones first, and which of them are genuine, (n,), boolean."""
    if real.n == 0 or fake.n == 0:
        raise ValueError(
            f"There are {real.n} genuine and {fake.n} counterfeit samples; expected some of both. "
            "A discriminator learns from the difference: give it non-empty batches."
        )
    return np.concatenate((table(real), table(fake))), np.arange(real.n + fake.n) < real.n


REMEDY = "Try it by itself on data of that shape, then mend it or choose another."


def ask(
    who: str, task: str, function: Callable[..., Any], *arguments: Any, remedy: Callable[[], str] | None = None, **options: Any
) -> Any:
    """function(*arguments, **options); what it raises becomes a `PlayerError` that names who, and keeps the cause.

    remedy: says what may help, where more is known than that one should try.
    """
    try:
        return function(*arguments, **options)
    except Exception as error:
        raise PlayerError(
            f"{who} raised {type(error).__name__} when asked to {task}: {str(error).rstrip('.')}. "
            f"Expected an answer. {remedy() if remedy else REMEDY}"
        ) from error


def unstarted(player: Any) -> PlayerError:
    """The error of a player that is examined too early."""
    return PlayerError(
        f"{name_of(player)} was examined before start and before its first update; expected one of them first. "
        "Let a game start it, or call start(example, rng) or update(real, fake, rng)."
    )


def pullback(x: Array, slopes: Callable[[], Any]) -> Pullback:
    """From dL/dr (n,) to dL/dx, shaped like x, for scores that depend each on their own row.

    slopes gives dr/drow, (n, features); its first columns are x's, the others belong to the condition.
    """
    shape = tuple(x.shape)
    return lambda s: (np.asarray(to_numpy(s))[:, None] * slopes()[:, : math.prod(shape[1:])]).reshape(shape)
