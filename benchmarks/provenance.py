"""What a recorded result says of where it came from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["provenance"]

PACKAGES = ("turinglearn", "numpy", "scipy", "scikit-learn", "torch", "cmaes")


def provenance(*more: str) -> str:
    """Versions of Python and packages, with those of more, and how many cores there are."""
    return ", ".join([f"Python {platform.python_version()}", *map(_version, (*PACKAGES, *more)), f"{os.cpu_count()} cores"])


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} (not installed)"
