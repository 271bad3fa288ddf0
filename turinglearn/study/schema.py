"""Schema of a store: its tables, its version, the columns of its export, and the type of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turinglearn.study.cells import Cell
from turinglearn.study.jobs import STATUSES, Figure, StudyProblem

__all__ = [
    "APPLICATION",
    "COLUMNS",
    "EXPORT",
    "ROWS",
    "TABLES",
    "VERSION",
    "Row",
    "StoreProblem",
    "check_version",
]

APPLICATION, VERSION = 0x7475726C, 3  # "turl", as SQLite's files name their application

TABLES = f"""
CREATE TABLE study (title TEXT NOT NULL, planned_cells INTEGER NOT NULL) STRICT;
CREATE TABLE job (identity TEXT PRIMARY KEY, position INTEGER NOT NULL, payload TEXT NOT NULL) STRICT;
CREATE INDEX job_position ON job (position);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, function TEXT NOT NULL, seconds REAL NOT NULL, memory INTEGER NOT NULL,
    versions TEXT NOT NULL, "commit" TEXT NOT NULL, hardware TEXT NOT NULL, driver TEXT NOT NULL
) STRICT;
CREATE TABLE outcome (
    identity TEXT PRIMARY KEY REFERENCES job, run INTEGER NOT NULL REFERENCES run,
    status TEXT NOT NULL CHECK (status IN ({", ".join(f"'{status}'" for status in STATUSES)})),
    figures TEXT NOT NULL, error TEXT NOT NULL, seconds REAL NOT NULL, started TEXT NOT NULL, worker TEXT NOT NULL
) STRICT;
CREATE INDEX outcome_status ON outcome (status);
"""

# The finished cells, with the columns that a `Row` is made of.
ROWS = """
SELECT identity, payload, status, figures, error, outcome.seconds, outcome.started, worker, versions, "commit", hardware,
       run.seconds, memory
FROM outcome JOIN job USING (identity) JOIN run ON run.id = outcome.run
"""

# All cells, finished or not, with the columns of an export.
COLUMNS = (
    *("identity", "payload", "status", "figures", "error", "seconds", "started", "worker"),
    *("began", "function", "limit_seconds", "limit_memory", "versions", "commit", "hardware", "driver"),
)
EXPORT = """
SELECT identity, payload, status, figures, error, outcome.seconds, outcome.started, worker,
       run.started, function, run.seconds, memory, versions, "commit", hardware, driver
FROM job LEFT JOIN outcome USING (identity) LEFT JOIN run ON run.id = outcome.run ORDER BY position
"""


class StoreProblem(StudyProblem):
    """A store that cannot be read or written; the message says why, and what to do."""


def check_version(path: Path, version: object) -> None:
    """Raise StoreProblem for a store or an export of another version."""
    if version != VERSION:
        raise StoreProblem(
            f"{path} was written by another turinglearn: its format has version {version}, and this turinglearn reads version "
            f"{VERSION}. Names of cells and figures differ between versions. Run its specification into a new store, or read "
            "it with the turinglearn that wrote it."
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A finished cell, and what it ran with.

    Attributes
    ----------
    identity : str
        SHA-256 of the payload.
    payload : dict
        Cell as JSON has it; see `cell`.
    status : {"ok", "error", "timeout", "crashed"}
        Status of its outcome.
    figures : dict of str to Figure
        Figures by name; those of the replica i are called "name@i": see `turinglearn.study.by_seed`.
    error : str
        Traceback, or the limit that was passed; "" where the status is "ok".
    seconds : float
        Duration.
    started : str
        Time of its start, ISO 8601 in UTC.
    worker : str
        "host:process" that played it.
    versions : dict of str to str
        Versions of the packages.
    commit : str
        Commit of the working copy, with "+" where files differ from it, or "".
    hardware : dict
        Machine that played it.
    limits : dict of str to float
        Limits of seconds, and of memory in MiB.
    """

    identity: str
    payload: dict[str, Any]
    status: str
    figures: dict[str, Figure]
    error: str
    seconds: float
    started: str
    worker: str
    versions: Mapping[str, str]
    commit: str
    hardware: Mapping[str, Any]
    limits: Mapping[str, float]

    def cell(self) -> Cell:
        """Return the cell of the payload. Raises ValueError where the payload describes none."""
        return Cell.of(self.payload)
