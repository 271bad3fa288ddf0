"""Provenance of a recorded result."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["provenance"]

PACKAGES = ("turinglearn", "numpy", "scipy", "scikit-learn", "torch", "cmaes")


def provenance(*more: str) -> str:
    """Return the versions of Python and packages, including those of `more`, and the number of cores."""
    return ", ".join([f"Python {platform.python_version()}", *map(_version, (*PACKAGES, *more)), f"{os.cpu_count()} cores"])


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} (not installed)"
