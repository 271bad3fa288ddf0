"""Types of closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turinglearn.discriminators.common import FloatArray

__all__ = ["ClosedForm", "Margins"]

Margins = tuple[FloatArray, Callable[[], FloatArray]]
"""Margins m (n,), and the function that computes dm/dx, (n, features)."""

ClosedForm = Callable[[Any, FloatArray], Margins]
"""A function from a fitted estimator, of the class that the form is for, and rows X (n, features) to margins."""
