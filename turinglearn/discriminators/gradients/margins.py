"""What a closed form gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from turinglearn.protocols import Array

__all__ = ["ClosedForm", "Margins"]

Margins = tuple[Array, Callable[[], Array]]
"""Margins m (n,), and the function that computes dm/dx, (n, features)."""

ClosedForm = Callable[[Any, Array], Margins]
"""A fitted estimator and rows X (n, features) -> margins."""
