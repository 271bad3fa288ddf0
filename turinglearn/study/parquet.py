"""Exports of a store: one table, as Parquet or CSV; a Parquet file can be read as a store.

Each cell is a row, finished or not; fields that it lacks are empty. Each figure and each entry of the payload has a column,
except kept samples. Parquet has the exact payload and figures, too, so that nothing is lost.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Protocol

from turinglearn.data.atomic import write_atomic
from turinglearn.study.jobs import canonical
from turinglearn.study.schema import APPLICATION, COLUMNS, EXPORT, TABLES, VERSION, StoreProblem, check_version

__all__ = ["Exportable", "export", "read_parquet"]

_Value = str | int | float | None
_Columns = Mapping[str, Sequence[_Value]]

_INTEGERS, _REALS = ("limit_memory",), ("seconds", "limit_seconds")
_VERSION, _TITLE, _PLANNED = "turinglearn study", "turinglearn title", "turinglearn planned cells"  # metadata of a file


class Exportable(Protocol):
    """Part of a store that an export reads."""

    def select(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        ...

    def title(self) -> str:
        """Return the title of the study."""
        ...

    def planned_cells(self) -> int:
        """Return the number of cells of the specification."""
        ...


def export(store: Exportable, path: Path | str) -> int:
    """Write the cells of a store to a file, which is replaced in one step.

    Parameters
    ----------
    store : Store
        Open store.
    path : path-like
        File, which by its ending is .parquet or .csv.

    Returns
    -------
    int
        Number of cells.
    """
    path = Path(path)
    write = {".csv": _write_csv, ".parquet": _write_parquet}.get(path.suffix)
    if write is None:
        raise StoreProblem(f"{path} ends in {path.suffix or 'nothing'}; expected .parquet or .csv.")
    cells = store.select(EXPORT)
    columns: dict[str, list[_Value]] = {name: [row[i] for row in cells] for i, name in enumerate(COLUMNS)}
    payloads = _spread(columns["payload"], "payload.", ())
    figures = _spread(columns["figures"], "figures.", (list,))
    metadata = {_VERSION: str(VERSION), _TITLE: store.title(), _PLANNED: str(store.planned_cells())}
    writer: Callable[[BinaryIO], object] = write(columns, payloads, figures, metadata)
    try:
        write_atomic(path, writer)
    except OSError as error:
        raise StoreProblem(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from error
    return len(cells)


def _spread(texts: Sequence[_Value], prefix: str, but: tuple[type, ...]) -> dict[str, list[_Value]]:
    """Return a column for each entry of JSON objects, and of objects within them, except entries of some types."""
    entries = [dict(_flat(json.loads(str(text)))) if text else {} for text in texts]
    names = dict.fromkeys(name for entry in entries for name, value in entry.items() if not isinstance(value, but))
    return {f"{prefix}{name}": [_plain(entry.get(name)) for entry in entries] for name in names}


def _flat(content: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """Yield the entries of an object, and those of objects within it as "outer.inner"."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: object) -> _Value:
    """Return a value that a column can hold; any other one as JSON."""
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value
    return canonical(value)


def _write_csv(
    columns: _Columns, payloads: _Columns, figures: _Columns, metadata: Mapping[str, str]
) -> Callable[[BinaryIO], None]:
    """Return a function that writes a CSV file: first the cell, then its outcome, then its provenance."""
    rest = {name: columns[name] for name in COLUMNS if name not in ("identity", "payload", "status", "figures", "error")}
    first: _Columns = {"identity": columns["identity"], **payloads, "status": columns["status"], **figures}
    table = {**first, **rest, "error": columns["error"]}

    def write(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        out = csv.writer(text, lineterminator="\n")
        out.writerow(table)
        out.writerows(zip(*table.values(), strict=True))
        text.detach()

    return write


def _write_parquet(
    columns: _Columns, payloads: _Columns, figures: _Columns, metadata: Mapping[str, str]
) -> Callable[[BinaryIO], None]:
    """Return a function that writes a Parquet file."""
    pyarrow, parquet = _arrow()
    arrays = {name: _array(pyarrow, values, name in _REALS, name in _INTEGERS) for name, values in columns.items()}
    arrays |= {name: _array(pyarrow, values) for name, values in payloads.items()}
    arrays |= {name: _array(pyarrow, values, real=True) for name, values in figures.items()}
    table = pyarrow.table(arrays).replace_schema_metadata(metadata)
    return lambda file: parquet.write_table(table, file, compression="zstd", write_page_checksum=True)


def _array(pyarrow: ModuleType, values: Sequence[_Value], real: bool = False, integer: bool = False) -> object:
    """Return a column of integers, of real numbers, or else of texts."""
    kinds = {type(value) for value in values if value is not None}
    if not real and (integer or kinds == {int}):
        try:
            return pyarrow.array(values, pyarrow.int64())
        except OverflowError:
            kinds = {str}
    if real or (kinds and kinds <= {int, float}):
        return pyarrow.array([None if value is None else float(value) for value in values], pyarrow.float64())
    return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())


def read_parquet(path: Path) -> sqlite3.Connection:
    """Read a Parquet file that `export` wrote, and return its cells as a store in memory."""
    pyarrow, parquet = _arrow()
    try:
        metadata = parquet.read_schema(path).metadata or {}
        version = metadata.get(_VERSION.encode(), b"").decode()
        if version:
            check_version(path, int(version) if version.isdecimal() else version)
        table = parquet.read_table(path, columns=list(COLUMNS), page_checksum_verification=True)
        if not version or table.column_names != list(COLUMNS):
            raise OSError("it is another table")
    except (OSError, pyarrow.ArrowException) as error:
        raise StoreProblem(
            f"{path} is not the store of a study, or is damaged: {error}. Use a copy, or export it again."
        ) from error
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};")
    study = metadata.get(_TITLE.encode(), b"").decode(), int(metadata.get(_PLANNED.encode(), b"0"))
    connection.execute("INSERT INTO study VALUES (?, ?)", study)
    _fill(connection, zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))
    return connection


def _fill(connection: sqlite3.Connection, cells: Iterable[tuple[Any, ...]]) -> None:
    """Fill the tables of a store with the rows of an export."""
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


def _arrow() -> tuple[ModuleType, ModuleType]:
    """Import pyarrow. Raises StoreProblem where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise StoreProblem("Parquet files need pyarrow. Install it: pip install 'turinglearn[files]'") from error
    return pyarrow, pyarrow.parquet
