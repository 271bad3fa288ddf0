"""Store of a study: one SQLite file, in which each finished cell is a row that stays, unless it failed and is tried again.

Its tables are those of `turinglearn.study.schema`: `study` (the title, and the number of cells in all), `job` (the cells, in
order), `run` (what each run of a driver ran with, once for each kind of machine), and `outcome` (the finished cells). Many may
read while one writes. A commit survives the death of its process at once; a row is on the disk, and survives a loss of power, a
tenth of a second later.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from turinglearn.study.jobs import STATUSES, Job, Limits, Plan
from turinglearn.study.schema import APPLICATION, ROWS, Row, StoreProblem, check_version

__all__ = ["Row", "Store", "StoreProblem", "connect", "problems"]

_SAFE = "What was finished before is safe."
_PATIENCE = 10.0  # seconds for which another program may keep the file to itself


class Store:
    """Store to read from, to be used in a `with` statement.

    Parameters
    ----------
    path : path-like
        SQLite file, also while a driver writes it, or the Parquet file that a store was exported to. Raises StoreProblem for
        a file that is not a store, is damaged, or has another version.
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
        """Return all cells, and the function and limits of the last run."""
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            last = cursor.execute("SELECT function, seconds, memory FROM run ORDER BY id DESC LIMIT 1").fetchone()
            if last is None:
                raise StoreProblem(f"No driver has begun on {self.path} yet. Begin with: turinglearn study run")
            jobs = cursor.execute("SELECT identity, payload FROM job ORDER BY position").fetchall()
        function, seconds, memory = last
        cells = [Job(identity, json.loads(payload)) for identity, payload in jobs]
        return Plan(cells, function, Limits(seconds, memory), self.title(), self.planned_cells())

    def title(self) -> str:
        """Return the title of the last specification; "" where it had none."""
        return self._study()[0]

    def planned_cells(self) -> int:
        """Return the number of cells of the last specification, of which the store may have some; 0 if it is not known."""
        return self._study()[1]

    def _study(self) -> tuple[str, int]:
        with problems(self.path):
            title, planned = self._connection.execute("SELECT title, planned_cells FROM study").fetchone() or ("", 0)
            return str(title), int(planned)

    def finished(self) -> set[str]:
        """Return the identities of the cells that have an outcome, whatever its status."""
        with problems(self.path):
            return {identity for (identity,) in self._connection.execute("SELECT identity FROM outcome")}

    def failed(self) -> set[str]:
        """Return the identities of the cells that are finished and not ok."""
        with problems(self.path):
            return {identity for (identity,) in self._connection.execute("SELECT identity FROM outcome WHERE status != 'ok'")}

    def counts(self) -> Counter[str]:
        """Count the cells, as "cells", and those of each status."""
        with problems(self.path):
            (cells,) = self._connection.execute("SELECT count(*) FROM job").fetchone()
            found = dict(self._connection.execute("SELECT status, count(*) FROM outcome GROUP BY status").fetchall())
        return Counter({"cells": cells, **{status: found.get(status, 0) for status in STATUSES}})

    def rows(self, status: str | None = None) -> Iterator[Row]:
        """Yield the finished cells, or those of one status, in the order of the plan."""
        chosen = "" if status is None else " WHERE status = ?"
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            parsed = lru_cache(json.loads)  # all rows of a run share them
            for row in cursor.execute(f"{ROWS}{chosen} ORDER BY position", () if status is None else (status,)):
                yield _row(row, parsed)

    def unfinished(self) -> Iterator[Job]:
        """Yield the cells without an outcome, in the order of the plan."""
        with problems(self.path), closing(self._connection.cursor()) as cursor:
            left = "SELECT identity, payload FROM job WHERE identity NOT IN (SELECT identity FROM outcome) ORDER BY position"
            for identity, payload in cursor.execute(left):
                yield Job(identity, json.loads(payload))

    def select(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the tables of the schema."""
        with problems(self.path):
            return self._connection.execute(query).fetchall()

    def _opened(self) -> sqlite3.Connection:
        if not self.path.is_file():
            what = "is not a file" if self.path.exists() else "does not exist"
            raise StoreProblem(f"The store {self.path} {what}. Check the name, or begin with: turinglearn study run")
        if self.path.suffix == ".parquet":
            from turinglearn.study.parquet import read_parquet

            return read_parquet(self.path)
        try:
            connection = self._checked(connect(self.path, "mode=rw"))  # so that the last reader clears up the log
            connection.execute("PRAGMA query_only = ON")
            return connection
        except sqlite3.OperationalError:
            if Path(f"{self.path}-wal").exists():
                raise
            return self._checked(connect(self.path, "immutable=1"))  # the folder is read-only, so nobody writes

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION:
                raise StoreProblem(f"{self.path} is not the store of a study. Check the name, or choose a new one.")
            check_version(self.path, version)
        except BaseException:
            connection.close()
            raise
        return connection


def _row(row: tuple[Any, ...], parsed: Callable[[str], dict[str, Any]]) -> Row:
    identity, payload, status, figures, error, seconds, started, worker, versions, commit, hardware, *limits = row
    return Row(
        identity=identity,
        payload=json.loads(payload),
        status=status,
        figures=json.loads(figures),
        error=error,
        seconds=seconds,
        started=started,
        worker=worker,
        versions=parsed(versions),
        commit=commit,
        hardware=parsed(hardware),
        limits=_limits(*limits),
    )


@cache
def _limits(seconds: float, memory: int) -> dict[str, float]:
    return {"seconds": seconds, "memory in MiB": memory / 2**20}


def connect(path: Path, how: str) -> sqlite3.Connection:
    """Open a connection on which each statement is a transaction, unless one is begun."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_PATIENCE, isolation_level=None)


@contextmanager
def problems(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into StoreProblem, with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreProblem(_message(path, error)) from error


def _message(path: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    for kind, text in {
        "SQLITE_BUSY": f"The store {path} is locked by another program. {_SAFE} Close that program, then resume.",
        "SQLITE_LOCKED": f"The store {path} is locked by another program. {_SAFE} Close that program, then resume.",
        "SQLITE_FULL": f"The store {path} cannot grow: the disk is full. {_SAFE} Make room, then resume.",
        "SQLITE_READONLY": f"The store {path} is read-only here. {_SAFE} Allow writing it and its folder, or copy it.",
        "SQLITE_PERM": f"The store {path} may not be opened. {_SAFE} Allow it, or copy it.",
        "SQLITE_CANTOPEN": f"The store {path} cannot be opened: its folder is missing or read-only. Choose another.",
        "SQLITE_NOTADB": f"{path} is not the store of a study, or is damaged. Check the name, or use a copy.",
        "SQLITE_CORRUPT": f"The store {path} is damaged ({error}). Use a copy.",
        "SQLITE_IOERR": f"The disk refused to read or write the store {path} (full, over its quota, or failing). {_SAFE} "
        "Make room, then resume.",
    }.items():
        if name.startswith(kind):
            return text
    return f"The store {path} cannot be used: {error}. {_SAFE}"
