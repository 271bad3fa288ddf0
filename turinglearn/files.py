"""Tables in files: CSV and Parquet, read and written whole or not at all."""

from __future__ import annotations

import os
import secrets
import warnings
from pathlib import Path
from typing import Any

__all__ = ["FileProblem", "read_table", "write_table"]

_KINDS = (".csv", ".parquet")


class FileProblem(ValueError):
    """A file that cannot be read or written; the message says what is wrong and what to do."""


def read_table(path: str | os.PathLike[str]) -> Any:
    """The data frame in a CSV or Parquet file. Columns of text that are all ISO dates become dates.

    Raises `FileProblem` for what is no table, or one that is empty, ragged, cut off or damaged, as far as the file can tell.
    """
    import pandas

    path = _checked(Path(path))
    try:
        if path.is_dir():
            raise FileProblem(f"{path} is a folder; expected a CSV or Parquet file.")
        if path.stat().st_size == 0:
            raise FileProblem(f"{path} is empty; expected a table with a line of column names.")
        frame = _read_csv(path) if _is_csv(path) else pandas.read_parquet(path, page_checksum_verification=True)
    except FileProblem:
        raise
    except FileNotFoundError as error:
        raise FileProblem(f"{path} does not exist. Check the name.") from error
    except Exception as error:  # the readers raise many kinds: bad bytes, ragged lines, broken footers
        said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        raise FileProblem(f"{path} cannot be read as {path.suffix[1:]}: {said}. Mend or export it anew.") from error
    if len(frame) == 0:
        raise FileProblem(f"{path} has column names but no rows. Give more data.")
    return frame.apply(_dates) if _is_csv(path) else frame


def write_table(frame: Any, path: str | os.PathLike[str]) -> None:
    """Write the data frame as CSV or Parquet, by the name's ending; an older file is replaced in one step."""
    path = _checked(Path(path))
    if not path.parent.is_dir():
        raise FileProblem(f"{path.parent} is no folder, so {path.name} cannot be written there. Make it first.")
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            if _is_csv(path):
                frame.to_csv(file, index=False)
            else:
                frame.to_parquet(file, index=False, write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except Exception as error:  # the disk, or a column that Parquet does not hold
        said = getattr(error, "strerror", None) or str(error).strip()
        raise FileProblem(f"{path} cannot be written: {said}. Nothing was changed.") from error
    finally:
        partial.unlink(missing_ok=True)


def _read_csv(path: Path) -> Any:
    import pandas

    names = pandas.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0]
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise FileProblem(f"{path} has two columns called {twice!r}; expected each name once. Rename one of them.")
    try:
        with warnings.catch_warnings(action="error", category=pandas.errors.ParserWarning):
            frame = pandas.read_csv(path, index_col=False, low_memory=False)  # else a column may change its type in the middle
    except pandas.errors.ParserWarning as error:
        raise FileProblem(f"{path} has lines with more fields than its {len(names)} names. Mend or export it anew.") from error
    last = _last_line(path)
    if last.strip() and '"' not in last and last.count(",") + 1 < len(names):
        raise FileProblem(
            f"{path} ends in the middle of a line, after {last.count(',') + 1} of {len(names)} fields. Copy or export it anew."
        )
    return frame


def _last_line(path: Path) -> str:
    """What follows the last line break, as far as it is near."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**16))
        return file.read().rpartition(b"\n")[2].decode(errors="replace")


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _checked(path: Path) -> Path:
    if path.suffix.lower() not in _KINDS:
        raise FileProblem(f"{path} ends in {path.suffix or 'nothing'}; expected {' or '.join(_KINDS)}.")
    return path


def _dates(column: Any) -> Any:
    import pandas
    from pandas.api import types

    if not (types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)) or column.isna().all():
        return column
    if not column.dropna().astype(str).str.match(r"\d{4}-\d{2}-\d{2}").all():
        return column
    try:
        return pandas.to_datetime(column, format="ISO8601")
    except (ValueError, OverflowError):
        return column
