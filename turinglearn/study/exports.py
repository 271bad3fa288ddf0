"""A store as one table in a file, Parquet or CSV, written whole or not at all; and the Parquet file as a store to read from.

Each cell is a row, finished or not; what a run or an outcome lacks is left empty. Each figure and each entry of the payload
has a column, but for the samples, which are tables of their own. Parquet has the exact payload and figures besides, so that
nothing is lost on the way back.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from turinglearn.study.outcomes import canonical
from turinglearn.study.store import APPLICATION, SCHEMA, VERSION, Store, StoreProblem

__all__ = ["export", "read_parquet"]

_Columns = dict[str, list[Any]]

_OUTCOME = ("status", "figures", "error", "seconds", "started", "worker")
_RUN = ("began", "function", "limit_seconds", "limit_memory", "versions", "commit", "hardware", "driver")
_COLUMNS = ("identity", "payload", *_OUTCOME, *_RUN)
_CELLS = """
SELECT identity, payload, status, figures, error, outcome.seconds, outcome.started, worker,
       run.started, function, run.seconds, memory, versions, "commit", hardware, driver
FROM job LEFT JOIN outcome USING (identity) LEFT JOIN run ON run.id = outcome.run ORDER BY position
"""
_WHOLE = ("limit_memory",)
_REAL = ("seconds", "limit_seconds")


def export(store: Store, path: Path | str) -> int:
    """Write the cells of an open store to a .parquet or .csv file, which is replaced in one step; returns how many."""
    path = Path(path)
    if path.suffix not in (".parquet", ".csv"):
        raise StoreProblem(f"{path} ends in {path.suffix or 'nothing'}; expected .parquet or .csv.")
    cells = store.select(_CELLS)
    columns: _Columns = {name: [row[i] for row in cells] for i, name in enumerate(_COLUMNS)}
    payloads, figures = _spread(columns["payload"], "payload."), _spread(columns["figures"], "figures.", list)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            if path.suffix == ".csv":
                _write_csv(file.fileno(), _in_order(columns, payloads, figures))
            else:
                _write_parquet(file, columns | payloads | figures, store.title(), store.whole())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreProblem(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from error
    finally:
        with suppress(OSError):  # it was never there
            partial.unlink(missing_ok=True)
    return len(cells)


def _spread(texts: list[str | None], prefix: str, *but: type) -> _Columns:
    """A column for each entry of these JSON objects, and of objects in them, that is none of these types."""
    entries = [_flat(json.loads(text)) if text else {} for text in texts]
    names = dict.fromkeys(name for entry in entries for name, value in entry.items() if not isinstance(value, but))
    return {f"{prefix}{name}": [_plain(entry.get(name)) for entry in entries] for name in names}


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        found |= {f"{name}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return found


def _plain(value: Any) -> Any:
    return (
        value if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)) else canonical(value)
    )


def _in_order(columns: _Columns, payloads: _Columns, figures: _Columns) -> _Columns:
    """For readers of CSV: what it was, what came of it, where it came from."""
    rest = {name: columns[name] for name in _COLUMNS if name not in ("identity", "payload", "status", "figures", "error")}
    return {
        "identity": columns["identity"],
        **payloads,
        "status": columns["status"],
        **figures,
        **rest,
        "error": columns["error"],
    }


def _write_csv(descriptor: int, columns: _Columns) -> None:
    with open(descriptor, "w", encoding="utf-8", newline="", closefd=False) as text:
        out = csv.writer(text, lineterminator="\n")
        out.writerow(columns)
        out.writerows(zip(*columns.values(), strict=True))


def _write_parquet(file: Any, columns: _Columns, title: str, whole: int) -> None:
    pyarrow, parquet = _arrow()
    table = pyarrow.table({name: _array(pyarrow, name, values) for name, values in columns.items()})
    about = {"turinglearn study": str(VERSION), "turinglearn title": title, "turinglearn whole": str(whole)}
    table = table.replace_schema_metadata(about)
    parquet.write_table(table, file, compression="zstd", write_page_checksum=True)


def _array(pyarrow: Any, name: str, values: list[Any]) -> Any:
    """A column of whole numbers, of real ones, or else of texts."""
    kinds = {type(value) for value in values if value is not None}
    if name in _WHOLE or kinds == {int}:
        try:
            return pyarrow.array(values, pyarrow.int64())
        except OverflowError:
            kinds = {str}
    if name in _REAL or name.startswith("figures.") or (kinds and kinds <= {int, float}):
        return pyarrow.array([None if value is None else float(value) for value in values], pyarrow.float64())
    return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())


def read_parquet(path: Path) -> sqlite3.Connection:
    """The cells of a Parquet file that `export` wrote, as a store in memory."""
    pyarrow, parquet = _arrow()
    try:
        table = parquet.read_table(path, columns=list(_COLUMNS), page_checksum_verification=True)
        metadata = parquet.read_schema(path).metadata or {}
    except (OSError, pyarrow.ArrowException) as error:
        raise StoreProblem(f"{path} is no store of a study, or is damaged: {error}. Use a copy, or export it anew.") from error
    version = metadata.get(b"turinglearn study", b"none").decode()
    if version != str(VERSION) or table.column_names != list(_COLUMNS):
        raise StoreProblem(
            f"{path} is an export of version {version}; expected {VERSION}. Read it with the turinglearn that wrote it, or run "
            "its specification anew."
        )
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};")
    connection.execute("INSERT INTO study VALUES (?)", (metadata.get(b"turinglearn title", b"").decode(),))
    connection.execute("INSERT INTO specification VALUES (?)", (int(metadata.get(b"turinglearn whole", b"0")),))
    _fill(connection, zip(*(table.column(name).to_pylist() for name in _COLUMNS), strict=True))
    return connection


def _fill(connection: sqlite3.Connection, cells: Iterable[tuple[Any, ...]]) -> None:
    runs: dict[tuple[Any, ...], int] = {}
    connection.execute("BEGIN")
    for position, (identity, payload, *rest) in enumerate(cells):
        status, figures, error, seconds, started, worker, *facts = rest
        connection.execute("INSERT INTO job VALUES (?, ?, ?)", (identity, position, payload))
        if status is None:
            continue
        if tuple(facts) not in runs:
            runs[tuple(facts)] = len(runs) + 1
            connection.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (len(runs), *facts))
        row = (identity, runs[tuple(facts)], status, figures, error, seconds, started, worker)
        connection.execute("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute("COMMIT")


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise StoreProblem("Parquet files need pyarrow. Install it: pip install 'turinglearn[files]'") from error
    return pyarrow, pyarrow.parquet
