"""The store of a study: one SQLite file, in which each finished cell is a row that stays, unless it failed and is tried again.

Its tables: `study` and `specification` (its title, and how many cells it has in all; older stores lack them), `job` (the cells,
in order), `run` (each time that a driver was at work: what it ran with, once for each kind of machine), `outcome` (the finished
cells). Many may read while one writes. A commit survives the death of its process at once; a row is on the disk, and survives a
loss of power, a tenth of a second later.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from turinglearn.study.outcomes import STATUSES, Figure, Job, Limits, Plan, StudyProblem

__all__ = ["ABOUT", "APPLICATION", "SCHEMA", "VERSION", "Row", "Store", "StoreProblem", "problems"]

APPLICATION, VERSION = 0x7475726C, 2  # "turl", as SQLite's files name their application
ABOUT = """
CREATE TABLE IF NOT EXISTS study (title TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS specification (whole INTEGER NOT NULL) STRICT;
"""
SCHEMA = f"""
{ABOUT}
CREATE TABLE job (identity TEXT PRIMARY KEY, position INTEGER NOT NULL, payload TEXT NOT NULL) STRICT;
CREATE INDEX job_position ON job (position);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, function TEXT NOT NULL, seconds REAL NOT NULL, memory INTEGER NOT NULL,
    versions TEXT NOT NULL, "commit" TEXT NOT NULL, hardware TEXT NOT NULL, driver TEXT NOT NULL
) STRICT;
CREATE TABLE outcome (
    identity TEXT PRIMARY KEY REFERENCES job, run INTEGER NOT NULL REFERENCES run,
    status TEXT NOT NULL CHECK (status IN ('ok', 'error', 'timeout', 'crashed')), figures TEXT NOT NULL, error TEXT NOT NULL,
    seconds REAL NOT NULL, started TEXT NOT NULL, worker TEXT NOT NULL
) STRICT;
CREATE INDEX outcome_status ON outcome (status);
"""
_ROWS = """
SELECT identity, payload, status, figures, error, outcome.seconds, outcome.started, worker, versions, "commit", hardware,
       run.seconds, memory
FROM outcome JOIN job USING (identity) JOIN run ON run.id = outcome.run
"""
_SAFE = "What was finished before is whole."
_PATIENCE = 10.0  # seconds for which another program may keep the file to itself


class StoreProblem(StudyProblem):
    """A store that cannot be read or written; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """A finished cell, and what it ran with.

    identity, payload: of its `Cell`. status, figures, error, seconds, started, worker: of its `Outcome`. versions, commit,
    hardware: of packages, of a working copy ("+" where files differ from it, "" where there is none), and of the machine that
    played it. limits: seconds, and memory in MiB.
    """

    identity: str
    payload: dict[str, Any]
    status: str
    figures: dict[str, Figure]
    error: str
    seconds: float
    started: str
    worker: str
    versions: dict[str, str]
    commit: str
    hardware: dict[str, Any]
    limits: dict[str, float]


class Store:
    """A store to read from: an SQLite file, also while a driver writes it, or the Parquet file that one was exported to.

    Use it by `with`. Raises StoreProblem for a file that is no store, of another version, or damaged.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection

    def __enter__(self) -> Self:
        with problems(self.path):
            self._connection = self._opened()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._connection.close()

    def plan(self) -> Plan:
        """All cells, and what the last driver ran them with."""
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            last = cursor.execute("SELECT function, seconds, memory FROM run ORDER BY id DESC LIMIT 1").fetchone()
            if last is None:
                raise StoreProblem(f"No driver has begun on {self.path} yet. Begin with: turinglearn bench run")
            jobs = cursor.execute("SELECT identity, payload FROM job ORDER BY position").fetchall()
        function, seconds, memory = last
        cells = [Job(identity, json.loads(payload)) for identity, payload in jobs]
        return Plan(cells, function, Limits(seconds, memory), self.title(), self.whole())

    def title(self) -> str:
        """That of the last specification; "" where it had none."""
        return str(self._about("study", "title", ""))

    def whole(self) -> int:
        """How many cells the last specification has, of which the store may have some; 0 where that is not known."""
        return int(self._about("specification", "whole", 0))

    def _about(self, table: str, column: str, default: Any) -> Any:
        with problems(self.path):
            if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                return default
            return next((value for (value,) in self._connection.execute(f"SELECT {column} FROM {table}")), default)

    def finished(self) -> set[str]:
        """The identities of the cells that need not be run again, whatever came of them."""
        with problems(self.path):
            return {identity for (identity,) in self._connection.execute("SELECT identity FROM outcome")}

    def failed(self) -> set[str]:
        """The identities of the cells that are finished and not ok."""
        with problems(self.path):
            return {identity for (identity,) in self._connection.execute("SELECT identity FROM outcome WHERE status != 'ok'")}

    def counts(self) -> Counter[str]:
        """How many cells there are, as "cells", and how many of each status."""
        with problems(self.path):
            (cells,) = self._connection.execute("SELECT count(*) FROM job").fetchone()
            found = dict(self._connection.execute("SELECT status, count(*) FROM outcome GROUP BY status").fetchall())
        return Counter({"cells": cells, **{status: found.get(status, 0) for status in STATUSES}})

    def rows(self, status: str | None = None) -> Iterator[Row]:
        """The finished cells, or those of one status, in the plan's order."""
        chosen = "" if status is None else " WHERE status = ?"
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            parsed = lru_cache(json.loads)  # what all rows of a run have in common
            for row in cursor.execute(f"{_ROWS}{chosen} ORDER BY position", () if status is None else (status,)):
                yield _row(row, parsed)

    def unfinished(self) -> Iterator[Job]:
        """The cells that are still to be run, in the plan's order."""
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            left = "SELECT identity, payload FROM job WHERE identity NOT IN (SELECT identity FROM outcome) ORDER BY position"
            for identity, payload in cursor.execute(left):
                yield Job(identity, json.loads(payload))

    def select(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the tables that the schema names."""
        with problems(self.path):
            return self._connection.execute(query).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if not self.path.is_file():
            what = "is no file" if self.path.exists() else "does not exist"
            raise StoreProblem(f"The store {self.path} {what}. Check the name, or begin with: turinglearn bench run")
        if self.path.suffix == ".parquet":
            from turinglearn.study.exports import read_parquet

            return read_parquet(self.path)
        try:
            connection = self._checked(connect(self.path, "mode=rw"))  # so that the last one to leave clears up the log
            connection.execute("PRAGMA query_only = ON")
            return connection
        except sqlite3.OperationalError:
            if Path(f"{self.path}-wal").exists():
                raise
            return self._checked(connect(self.path, "immutable=1"))  # nobody writes, and the folder is read-only

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION:
                raise StoreProblem(f"{self.path} is no store of a study. Check the name, or choose one that is free.")
            if version != VERSION:
                raise StoreProblem(
                    f"{self.path} is a store of version {version}, and this turinglearn reads version {VERSION}. "
                    "Install the turinglearn that wrote it, or run its specification into a new store."
                )
        except BaseException:
            connection.close()
            raise
        return connection


def _row(row: tuple[Any, ...], parsed: Callable[[str], dict[str, Any]]) -> Row:
    identity, payload, status, figures, error, seconds, started, worker, versions, commit, hardware, *limits = row
    what, came, limited = json.loads(payload), json.loads(figures), _limits(*limits)
    return Row(
        identity, what, status, came, error, seconds, started, worker, parsed(versions), commit, parsed(hardware), limited
    )


@cache
def _limits(seconds: float, memory: int) -> dict[str, float]:
    return {"seconds": seconds, "memory in MiB": memory / 2**20}


def connect(path: Path, how: str) -> sqlite3.Connection:
    """A connection on which each statement is a transaction, unless one is begun."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_PATIENCE, isolation_level=None)


@contextmanager
def problems(path: Path) -> Iterator[None]:
    """What SQLite says, as one sentence with its remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreProblem(_said(path, error)) from error


def _said(path: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    for kind, text in {
        "SQLITE_BUSY": f"The store {path} is locked by another program. {_SAFE} Close that program, then resume.",
        "SQLITE_LOCKED": f"The store {path} is locked by another program. {_SAFE} Close that program, then resume.",
        "SQLITE_FULL": f"The store {path} cannot grow: the disk is full. {_SAFE} Make room, then resume.",
        "SQLITE_READONLY": f"The store {path} is read-only here. {_SAFE} Allow writing it and its folder, or copy it.",
        "SQLITE_PERM": f"The store {path} may not be opened. {_SAFE} Allow it, or copy it.",
        "SQLITE_CANTOPEN": f"The store {path} cannot be opened: its folder is missing or read-only. Choose another.",
        "SQLITE_NOTADB": f"{path} is no store of a study, or is damaged. Check the name, or use a copy.",
        "SQLITE_CORRUPT": f"The store {path} is damaged ({error}). Use a copy.",
        "SQLITE_IOERR": f"The disk refused to read or write the store {path} (full, over its quota, or failing). {_SAFE} "
        "Make room, then resume.",
    }.items():
        if name.startswith(kind):
            return text
    return f"The store {path} cannot be used: {error}. {_SAFE}"
