"""Data frames in CSV and Parquet files, read and written as a whole or not at all."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from turinglearn.data.atomic import write_atomic

if TYPE_CHECKING:
    import pandas

__all__ = ["TableFileError", "read_table", "write_table"]

_SUFFIXES = (".csv", ".parquet")


class TableFileError(ValueError):
    """A table file cannot be read or written; the message gives the reason and the remedy."""


def read_table(path: str | os.PathLike[str]) -> pandas.DataFrame:
    """Read the data frame in a CSV or Parquet file.

    In a CSV file, text columns that hold only ISO dates become dates, in UTC where their offsets differ. Numbers with leading
    zeros stay text. The usual marks of a missing value, such as NA, are missing values in a column of numbers, and text in a
    column of text.

    Parameters
    ----------
    path : path-like
        A file that ends in ``.csv`` or ``.parquet``.

    Returns
    -------
    pandas.DataFrame
        At least one row.

    Raises
    ------
    TableFileError
        If the file is missing, is not a table, or is empty, ragged, truncated or damaged, as far as that can be detected.
    """
    import pandas

    path = _checked(Path(path))
    try:
        if path.is_dir():
            raise TableFileError(f"{path} is a folder; expected a CSV or Parquet file.")
        if path.stat().st_size == 0:
            raise TableFileError(f"{path} is empty; expected a table with a line of column names.")
        frame = _read_csv(path) if _is_csv(path) else pandas.read_parquet(path, page_checksum_verification=True)
    except TableFileError:
        raise
    except FileNotFoundError as error:
        raise TableFileError(f"{path} does not exist. Check the name.") from error
    except Exception as error:  # the readers raise many types: bad bytes, ragged lines, broken footers
        reason = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        raise TableFileError(f"{path} cannot be read as {path.suffix[1:]}: {reason}. Fix or export it again.") from error
    if len(frame) == 0:
        raise TableFileError(f"{path} has column names but no rows. Give more data.")
    name = str(frame.columns[0])
    if frame.shape[1] == 1 and path.suffix == ".csv" and any(separator in name for separator in ";\t|"):
        raise TableFileError(f"{path} has one column, {name!r}; expected commas between columns. Export it with commas.")
    return frame


def write_table(frame: pandas.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a data frame to a CSV or Parquet file; an older file is replaced atomically.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    path : path-like
        A file name that ends in ``.csv`` or ``.parquet``, which chooses the format.

    Raises
    ------
    TableFileError
        If the file cannot be written. An older file of this name is then unchanged.
    """
    path = _checked(Path(path))
    if not path.parent.is_dir():
        raise TableFileError(f"{path.parent} is not a folder, so {path.name} cannot be written there. Create it first.")
    csv = _is_csv(path)

    def write(file: BinaryIO) -> None:
        if csv:
            frame.to_csv(file, index=False)
        else:
            frame.to_parquet(file, index=False, write_page_checksum=True)

    try:
        write_atomic(path, write)
    except Exception as error:  # the disk is full, or Parquet does not support a column
        reason = getattr(error, "strerror", None) or str(error).strip()
        raise TableFileError(f"{path} cannot be written: {reason}. Nothing was changed.") from error


def _read_csv(path: Path) -> pandas.DataFrame:
    """Read a CSV file twice, as pandas parses it and as text, and choose for each column."""
    import pandas

    names = pandas.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0]
    if names.duplicated().any():
        duplicate = names[names.duplicated()].iloc[0]
        raise TableFileError(f"{path} has two columns called {duplicate!r}; expected each name once. Rename one of them.")
    try:
        with warnings.catch_warnings(action="error", category=pandas.errors.ParserWarning):
            frame = pandas.read_csv(path, index_col=False, low_memory=False)  # else the type of a column may change midway
            texts = pandas.read_csv(path, index_col=False, dtype=str, keep_default_na=False, na_values=[""])
    except pandas.errors.ParserWarning as error:
        raise TableFileError(
            f"{path} has lines with more fields than its {len(names)} names. Fix or export it again."
        ) from error
    last = _last_line(path)
    if last.strip() and '"' not in last and last.count(",") + 1 < len(names):
        raise TableFileError(
            f"{path} ends in the middle of a line, after {last.count(',') + 1} of {len(names)} fields. Copy or export it again."
        )
    return pandas.DataFrame({name: _typed(frame[name], texts[name]) for name in frame}, columns=frame.columns)


def _typed(column: pandas.Series, texts: pandas.Series) -> pandas.Series:
    """Return a column as pandas parsed it, or its text; integers and booleans with missing values keep their type."""
    import pandas
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return column
    if not types.is_numeric_dtype(column.dtype):
        return column.astype("boolean") if types.infer_dtype(column, skipna=True) == "boolean" else _dates(texts)
    known = texts[column.notna()]
    if not len(known):
        return texts if texts.notna().any() else column
    if known.str.match(r"\s*[+-]?0\d").any():  # an identifier such as 00026
        return texts
    if column.isna().any() and known.str.fullmatch(r"\s*[+-]?\d+\s*").all():
        whole = pandas.to_numeric(known)
        return whole.astype("Int64").reindex(column.index) if types.is_signed_integer_dtype(whole.dtype) else column
    return column


def _last_line(path: Path) -> str:
    """Return the text after the last line break, within the last 64 KiB."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**16))
        return file.read().rpartition(b"\n")[2].decode(errors="replace")


def _is_csv(path: Path) -> bool:
    """Return whether the file name is that of a CSV file."""
    return path.suffix.lower() == ".csv"


def _checked(path: Path) -> Path:
    """Return the path if its suffix is known."""
    if path.suffix.lower() not in _SUFFIXES:
        raise TableFileError(f"{path} ends in {path.suffix or 'nothing'}; expected {' or '.join(_SUFFIXES)}.")
    return path


def _dates(texts: pandas.Series) -> pandas.Series:
    """Parse a column of text as dates if all are ISO dates, and return it unchanged otherwise."""
    import pandas

    known = texts.dropna()
    if not len(known) or not known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return texts
    offsets = known.str.extract(r"[T ].*(Z|[+-]\d\d(?::?\d\d)?)$", expand=False)
    try:
        return pandas.to_datetime(texts, format="ISO8601", utc=bool(offsets.notna().all() and offsets.nunique() > 1))
    except (ValueError, OverflowError):
        return texts
