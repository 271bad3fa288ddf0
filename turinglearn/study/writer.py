"""Store to write to, by one driver at a time."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from turinglearn.study import provenance
from turinglearn.study.engines.harness import now
from turinglearn.study.jobs import Outcome, Plan, canonical
from turinglearn.study.schema import APPLICATION, TABLES, VERSION, StoreProblem
from turinglearn.study.store import Store, connect, problems

__all__ = ["Writer", "is_written"]

_SYNC = 0.1  # seconds after which a committed row is on the disk
_PATIENCE = 1.0  # seconds: a look whether a driver is at work holds the lock for a moment


class Writer(Store):
    """Store to write to, to be used in a `with` statement.

    One driver at a time may write: it holds a lock on a file beside the store, `study.sqlite.lock`, which the system releases
    when its holder dies.

    Parameters
    ----------
    path : path-like
        SQLite file, which is made where there is none. Raises StoreProblem where another driver has it.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self._lock: sqlite3.Connection
        self._runs: dict[str, int | None] = {}  # of the run that has begun, by hardware, beginning with the driver's
        self._synced = 0.0
        self._sync: threading.Timer | None = None

    def __enter__(self) -> Self:
        if self.path.suffix == ".parquet":
            raise StoreProblem(f"{self.path} is an export, which can only be read. Name the SQLite file of the store.")
        if self.path.is_dir():
            raise StoreProblem(f"{self.path} is a folder; expected the name of a file for the store.")
        with problems(self.path):
            self._lock = _locked(self.path, _PATIENCE)
            try:
                return super().__enter__()
            except BaseException:
                self._lock.close()
                raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._sync is not None:
            self._sync.cancel()
        try:
            super().__exit__(kind, error, where)  # moves the log into the file, and the file to the disk
        finally:
            self._lock.close()

    def begin(self, plan: Plan) -> None:
        """Begin a run of a plan, and add its cells to those of the store.

        Raises StoreProblem where the store has cells of other versions, since their figures could not be compared.
        """
        versions, driver = provenance.versions(), f"{socket.gethostname()}:{os.getpid()}"
        facts = (canonical(versions), provenance.commit(), canonical(provenance.hardware()), driver)
        payloads = [(job.identity, canonical(job.payload)) for job in plan.jobs]
        with self._transaction(wait=True) as connection:
            for (before,) in connection.execute("SELECT DISTINCT versions FROM run JOIN outcome ON run.id = outcome.run"):
                if before != facts[0]:
                    raise StoreProblem(
                        f"The cells in {self.path} were run with {before}, and here are {facts[0]}. Install the same, or "
                        "begin a new store."
                    )
            (end,) = connection.execute("SELECT coalesce(max(position), -1) + 1 FROM job").fetchone()
            connection.executemany(
                "INSERT INTO job SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM job WHERE identity = ?)",
                ((identity, end + i, payload, identity) for i, (identity, payload) in enumerate(payloads)),
            )
            connection.execute("DELETE FROM study")
            connection.execute("INSERT INTO study VALUES (?, ?)", (plan.title, plan.planned_cells))
            run = connection.execute(
                'INSERT INTO run (started, function, seconds, memory, versions, "commit", hardware, driver) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (now(), plan.function, plan.limits.seconds, plan.limits.memory, *facts),
            ).lastrowid
        self._runs = {facts[2]: run}

    def write(self, outcome: Outcome) -> None:
        """Add a finished cell of the run that has begun; it replaces an earlier failure.

        When this returns, the death of this process cannot lose it.
        """
        if not self._runs:
            raise StoreProblem(f"No run has begun on {self.path}: call begin with its plan before cells are written.")
        figures, o = canonical(outcome.figures), outcome
        hardware = next(iter(self._runs)) if o.hardware is None else canonical(o.hardware)
        with self._transaction(wait=time.monotonic() > self._synced + _SYNC) as connection:
            run = self._runs.get(hardware) or self._run_on(hardware, connection)
            row = (o.identity, run, o.status, figures, o.error, o.seconds, o.started, o.worker)
            connection.execute("DELETE FROM outcome WHERE identity = ? AND status != 'ok'", (o.identity,))
            connection.execute("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._runs[hardware] = run

    def _run_on(self, hardware: str, connection: sqlite3.Connection) -> int | None:
        """Add the run that has begun once more, for another kind of machine."""
        return connection.execute(
            'INSERT INTO run (started, function, seconds, memory, versions, "commit", hardware, driver) '
            'SELECT started, function, seconds, memory, versions, "commit", ?, driver FROM run WHERE id = ?',
            (hardware, next(iter(self._runs.values()))),
        ).lastrowid

    @contextmanager
    def _transaction(self, *, wait: bool) -> Iterator[sqlite3.Connection]:
        """Run a transaction; it is on the disk when it ends if it waits, and soon after otherwise."""
        connection = self._connection
        with problems(self.path):
            connection.execute(f"PRAGMA synchronous = {'FULL' if wait else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        if wait:
            self._synced = time.monotonic()
        elif self._sync is None or not self._sync.is_alive():
            self._sync = threading.Timer(_SYNC, _to_disk, (Path(f"{self.path}-wal"),))
            self._sync.daemon = True
            self._sync.start()

    def _opened(self) -> sqlite3.Connection:
        connection = connect(self.path, "mode=rwc")
        try:
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                self._checked(connection)
            if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise StoreProblem(
                    f"The file system of {self.path} cannot hold a store: it has no write-ahead log. Choose another place."
                )
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                named = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
                connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {named} COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection


def is_written(path: Path) -> bool:
    """Return whether a driver is at work on the store."""
    beside = _beside(path)
    if not beside.exists():
        return False
    try:
        _locked(path, 0).close()
    except StoreProblem:
        return True
    except sqlite3.Error:  # a read-only folder: a driver elsewhere cannot be seen
        return False
    return False


def _locked(path: Path, patience: float) -> sqlite3.Connection:
    """Take a lock that dies with its holder: that of SQLite, on an empty file beside the store."""
    lock = sqlite3.connect(_beside(path), timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        lock.close()
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise StoreProblem(
                f"Another driver is at work on {path}. Wait for it, or end it first. See: turinglearn study status {path}"
            ) from error
        raise
    return lock


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _to_disk(log: Path) -> None:
    with suppress(FileNotFoundError):  # the log has been moved into the store
        descriptor = os.open(log, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
