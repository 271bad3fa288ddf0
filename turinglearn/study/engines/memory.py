"""How much memory a process holds, with those that it has started."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from glob import glob
from typing import Any

from turinglearn.study.outcomes import StudyProblem

__all__ = ["descendants", "resident"]

_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def resident(process: int) -> int:
    """The bytes of memory in which a process and its descendants reside; 0 once it is gone.

    From /proc on Linux, where what descendants share with others counts in parts, elsewhere from psutil.
    """
    if sys.platform == "linux":
        with suppress(*_GONE):
            with open(f"/proc/{process}/statm", "rb") as file:
                own = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            return own + sum(map(_proportional, descendants(process)))
        return 0
    psutil, held = _psutil(), 0
    for each in [process, *descendants(process)]:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            held += int(psutil.Process(each).memory_info().rss)
    return held


def descendants(process: int) -> list[int]:
    """The processes that a process and its descendants have started, and that are still there."""
    found: list[int] = []
    if sys.platform != "linux":
        psutil = _psutil()
        with suppress(psutil.NoSuchProcess):
            found = [child.pid for child in psutil.Process(process).children(recursive=True)]
        return found
    for path in glob(f"/proc/{process}/task/*/children"):
        with suppress(*_GONE), open(path, "rb") as file:
            found += [int(child) for child in file.read().split()]
    return found + [each for child in found for each in descendants(child)]


def _psutil() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise StudyProblem("Memory limits on this system need psutil. Install it: pip install psutil") from error
    return psutil


def _proportional(process: int) -> int:
    with suppress(*_GONE), open(f"/proc/{process}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return 1024 * int(line.split()[1])
    return 0
