"""Provenance of a row: versions of packages, the commit of a working copy, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["commit", "hardware", "versions"]

_PACKAGES = ("turinglearn", "numpy", "scipy", "scikit-learn", "torch", "cmaes", "pot")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages on which figures depend."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            if package == "turinglearn":  # a working copy on the path
                found[package] = sys.modules[package].__version__
    return found


def commit() -> str:
    """Return the commit of the working copy that holds this package, with "+" where files differ from it, or ""."""
    folder = str(Path(__file__).parents[1])
    asked = ["git", "-C", folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", folder]
    try:
        lines = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return ""
    name = next((line.split()[-1] for line in lines if line.startswith("# branch.oid")), "")
    return name + ("+" if any(not line.startswith("#") for line in lines) else "")


def hardware() -> dict[str, Any]:
    """Return a description of the machine: its kind, processor, cores and memory in GiB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else None
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": None if memory is None else round(memory, 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
