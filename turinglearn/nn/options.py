"""Options of networks, checked where they are given: an error names the option, what was expected, and what was got."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

__all__ = ["expect", "is_real", "is_whole"]


def expect(owner: Any, good: bool, option: str, expected: str) -> None:
    """ValueError that names the owner's option, unless it is good."""
    if not good:
        raise ValueError(f"{type(owner).__name__}({option}={getattr(owner, option)!r}): expected {expected}.")


def is_real(x: Any) -> bool:
    """Whether x is a finite real number, and no truth value."""
    return isinstance(x, Real) and not isinstance(x, bool) and math.isfinite(x)


def is_whole(x: Any) -> bool:
    """Whether x is a whole number, and no truth value."""
    return isinstance(x, Integral) and not isinstance(x, bool)
