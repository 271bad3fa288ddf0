"""How much memory a process holds."""

from __future__ import annotations

import os
import sys

from turinglearn.study.outcomes import StudyProblem

__all__ = ["resident"]


def resident(process: int) -> int:
    """The bytes of memory in which a process resides; 0 once it is gone. From /proc on Linux, elsewhere from psutil."""
    if sys.platform == "linux":
        try:
            with open(f"/proc/{process}/statm", "rb") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (FileNotFoundError, ProcessLookupError):
            return 0
    try:
        import psutil
    except ImportError as error:
        raise StudyProblem("Memory limits on this system need psutil. Install it: pip install psutil") from error
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
