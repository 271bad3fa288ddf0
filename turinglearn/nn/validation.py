"""Validation of options: an error names the option, its value, and what was expected."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TypeGuard

from turinglearn.protocols import InputError

__all__ = ["expect", "is_integer", "is_real"]


def expect(owner: object, good: bool, option: str, expected: str) -> None:
    """Raise a ValueError that names the owner's option, unless it is good."""
    if not good:
        raise InputError(f"{type(owner).__name__}({option}={getattr(owner, option)!r}): expected {expected}.")


def is_real(x: object) -> TypeGuard[float]:
    """Return whether x is a finite real number; True and False are not."""
    return isinstance(x, Real) and not isinstance(x, bool) and math.isfinite(x)


def is_integer(x: object) -> TypeGuard[int]:
    """Return whether x is an integer; True and False are not."""
    return isinstance(x, Integral) and not isinstance(x, bool)
