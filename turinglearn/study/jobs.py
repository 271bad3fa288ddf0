"""Jobs of a study, their limits and their outcomes."""

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
    """Failure of the store, the engine or the plan, which ends a run. The message says what to do."""


class Job(NamedTuple):
    """One cell, as the engines see it: its key, and the payload that the study's function takes, which is JSON."""

    identity: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """Limits of one cell.

    Parameters
    ----------
    seconds : float
        Time, positive.
    memory : int
        Bytes of memory beyond those in use when the cell began, positive.
    """

    seconds: float
    memory: int

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise ValueError(f"A time limit of {self.seconds!r} seconds is not possible; expected a positive number.")
        if not self.memory > 0:
            raise ValueError(f"A memory limit of {self.memory!r} bytes is not possible; expected a positive whole number.")

    def too_long(self) -> str:
        """Return the error of a cell that took too long; it is the same in each run."""
        return f"It was ended after its time limit of {self.seconds:g} s."

    def too_large(self) -> str:
        """Return the error of a cell that took too much memory."""
        return f"It was ended when it passed its memory limit of {self.memory / 2**20:,.0f} MiB."


@dataclass(frozen=True)
class Plan:
    """Plan of a study. Raises StudyProblem where two cells have the same identity.

    Parameters
    ----------
    jobs : sequence of Job
        Cells in order.
    function : str
        "module:function" that plays a cell: it takes a payload, and returns figures by name, see `Figure`.
    limits : Limits
        Limits of each cell.
    title : str
        Title of the study, or "".
    planned_cells : int
        Number of cells of the whole specification, of which these may be some; 0 where it is not known.
    """

    jobs: Sequence[Job]
    function: str
    limits: Limits
    title: str = ""
    planned_cells: int = 0

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for job in self.jobs:
            if job.identity in seen:
                raise StudyProblem(f"Two cells have the identity {job.identity!r}. Each cell may be listed once.")
            seen.add(job.identity)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one job.

    Parameters
    ----------
    identity : str
        Key of the job.
    status : {"ok", "error", "timeout", "crashed"}
        Status.
    figures : dict of str to Figure
        Figures by name, where the status is "ok".
    error : str
        Description of the failure, for any other status.
    seconds : float
        Duration.
    started : str
        Time of its start, ISO 8601 in UTC.
    worker : str
        "host:process".
    hardware : mapping or None
        Machine of the worker, where it may be another than the driver's.
    """

    identity: str
    status: str
    figures: dict[str, Figure]
    error: str
    seconds: float
    started: str
    worker: str
    hardware: Mapping[str, Any] | None = None


def canonical(content: object) -> str:
    """Return the canonical JSON text of a content: sorted keys, no spaces. Raises StudyProblem for what JSON cannot hold."""
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StudyProblem(
            f"A cell has values that JSON cannot hold: {error}. Use texts, numbers, lists and tables."
        ) from error
