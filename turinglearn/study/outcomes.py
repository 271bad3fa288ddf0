"""What a study runs and what comes of it: jobs, their limits, their outcomes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["STATUSES", "Figure", "Job", "Limits", "Outcome", "Plan", "StudyProblem", "canonical"]

STATUSES = ("ok", "error", "timeout", "crashed")

Figure = float | None | list[list[float]]  # a number, None where there is no finite one, or the rows of a sample


class StudyProblem(RuntimeError):
    """What ends a run, other than its cells: the store, the engine, the plan. The message says what to do."""


class Job(NamedTuple):
    """One cell, as the engines see it: a key, and what the study's function is given. The payload holds what JSON holds."""

    identity: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What one cell may use: seconds of time, and bytes of memory beyond what was held when the cell began.

    ValueError for what is not positive.
    """

    seconds: float
    memory: int

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise ValueError(f"A time limit of {self.seconds!r} seconds is none; expected a positive number.")
        if not self.memory > 0:
            raise ValueError(f"A memory limit of {self.memory!r} bytes is none; expected a positive whole number.")

    def too_long(self) -> str:
        """What is said of a cell that took too long; without figures of this run, so that it is the same in each."""
        return f"It was ended after its time limit of {self.seconds:g} s."

    def too_large(self) -> str:
        """What is said of a cell that took too much memory."""
        return f"It was ended when it passed its memory limit of {self.memory / 2**20:,.0f} MiB."


@dataclass(frozen=True)
class Plan:
    """A whole study: its cells in order, the function "module:function" that plays one, and what each may use.

    The function is given a payload, and returns figures by name: see `Figure`. title: of the study, if it has one.
    whole: how many cells its specification has, of which these may be some; 0 where that is not known. StudyProblem where two
    cells have one identity.
    """

    jobs: Sequence[Job]
    function: str
    limits: Limits
    title: str = ""
    whole: int = 0

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for job in self.jobs:
            if job.identity in seen:
                raise StudyProblem(f"Two cells have the identity {job.identity!r}. Each cell may be listed once.")
            seen.add(job.identity)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one job: figures where it is "ok", what went wrong where it is "error", "timeout" or "crashed".

    seconds: how long it took. started: when, by ISO 8601 in UTC. worker: "host:process". hardware: of that host, where it
    need not be the driver's.
    """

    identity: str
    status: str
    figures: dict[str, Figure]
    error: str
    seconds: float
    started: str
    worker: str
    hardware: Mapping[str, Any] | None = None


def canonical(content: Any) -> str:
    """The one JSON text of a content: keys sorted, no spaces. Raises StudyProblem for what JSON does not hold."""
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StudyProblem(f"A cell holds what JSON does not: {error}. Use texts, numbers, lists and tables.") from error
