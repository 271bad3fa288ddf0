"""Helpers of discriminators that are not networks: labelled rows, calls of user code, pullbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import to_numpy
from turinglearn.contract import name_of
from turinglearn.protocols import Array, Batch, InputError, PlayerError, Pullback

__all__ = [
    "REMEDY",
    "BoolArray",
    "Classifier",
    "FloatArray",
    "IntArray",
    "call_user_code",
    "labelled",
    "not_started_error",
    "pullback",
]

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer]
_Result = TypeVar("_Result")


class Classifier(Protocol):
    """A classifier with the scikit-learn API, of any library.

    It also has ``predict_proba``, ``decision_function`` or ``predict``. All other members are optional, and looked up by
    `hasattr`.
    """

    def fit(self, X: FloatArray, y: IntArray) -> object:
        """Fit the classifier to rows (n, features) with labels (n,), and set ``classes_``."""
        ...


REMEDY = "Try it by itself on data of that shape, then fix it or choose another."


def labelled(real: Batch, fake: Batch) -> tuple[FloatArray, BoolArray]:
    """Return the rows of both batches, (n, features), real ones first, and a mask of the real ones, (n,)."""
    if real.n == 0 or fake.n == 0:
        raise InputError(
            f"There are {real.n} real and {fake.n} fake samples; expected some of both. "
            "A discriminator learns from the difference: give it non-empty batches."
        )
    return np.concatenate((real.matrix(), fake.matrix())), np.arange(real.n + fake.n) < real.n


def call_user_code(
    who: str,
    task: str,
    function: Callable[..., _Result],
    *arguments: object,
    remedy: Callable[[], str] | None = None,
    **options: object,
) -> _Result:
    """Return function(*arguments, **options), and turn an exception into a `PlayerError` that names `who`.

    `remedy` returns the last sentence of the message, where there is better advice than `REMEDY`.
    """
    try:
        return function(*arguments, **options)
    except Exception as error:
        raise PlayerError(
            f"{who} raised {type(error).__name__} when asked to {task}: {str(error).rstrip('.')}. "
            f"Expected an answer. {remedy() if remedy else REMEDY}"
        ) from error


def not_started_error(player: object) -> PlayerError:
    """Return the error of a discriminator that is asked for scores too early."""
    return PlayerError(
        f"{name_of(player)} was asked for scores before start and before its first update; expected one of them first. "
        "Let a game start it, or call start(example, rng) or update(real, fake, rng)."
    )


def pullback(x: Array, slopes: Callable[[], FloatArray]) -> Pullback:
    """Return the map from dL/dr (n,) to dL/dx, shaped like x, for scores that each depend on their own row only.

    `slopes` computes dr/drow, (n, features). Its first columns belong to x, the others to the condition.
    """
    shape = tuple(x.shape)
    return lambda s: (np.asarray(to_numpy(s))[:, None] * slopes()[:, : math.prod(shape[1:])]).reshape(shape)
