"""Memory of a process and of the processes that it has started."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from glob import glob
from types import ModuleType

from turinglearn.study.jobs import StudyProblem

__all__ = ["descendants", "resident"]

_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def resident(process: int) -> int:
    """Return the resident bytes of a process and its descendants; 0 once it is gone.

    Read from /proc on Linux, where memory that descendants share with others counts in parts, and by psutil elsewhere.
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
    """Return the living processes that a process and its descendants have started."""
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


def _psutil() -> ModuleType:
    try:
        import psutil
    except ImportError as error:
        raise StudyProblem("Memory limits on this system need psutil. Install it: pip install psutil") from error
    module: ModuleType = psutil
    return module


def _proportional(process: int) -> int:
    with suppress(*_GONE), open(f"/proc/{process}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return 1024 * int(line.split()[1])
    return 0
