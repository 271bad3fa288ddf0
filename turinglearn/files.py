"""Tables in files: CSV and Parquet, read and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["FileProblem", "read_table", "write_table"]

_KINDS = (".csv", ".parquet")


class FileProblem(ValueError):
    """A file that cannot be read or written; the message says what is wrong and what to do."""


def read_table(path: str | os.PathLike[str]) -> Any:
    """The data frame in a CSV or Parquet file. Columns of text that are all ISO dates become dates."""
    import pandas

    path = _checked(Path(path))
    if not path.exists():
        raise FileProblem(f"{path} does not exist. Check the name.")
    if path.is_dir():
        raise FileProblem(f"{path} is a folder; expected a CSV or Parquet file.")
    if path.stat().st_size == 0:
        raise FileProblem(f"{path} is empty; expected a table with a line of column names.")
    try:
        frame = pandas.read_csv(path) if path.suffix == ".csv" else pandas.read_parquet(path)
    except OSError as error:
        raise FileProblem(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # the readers raise many kinds: bad bytes, ragged lines, broken footers
        raise FileProblem(
            f"{path} cannot be read as {path.suffix[1:]}: {str(error).strip()}. Mend or export it anew."
        ) from error
    if len(frame) == 0:
        raise FileProblem(f"{path} has column names but no rows. Give more data.")
    return frame if path.suffix == ".parquet" else frame.apply(_dates)


def write_table(frame: Any, path: str | os.PathLike[str]) -> None:
    """Write the data frame as CSV or Parquet, by the name's ending; an older file is replaced in one step."""
    path = _checked(Path(path))
    if not path.parent.is_dir():
        raise FileProblem(f"{path.parent} is no folder, so {path.name} cannot be written there. Make it first.")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".partial")
    except OSError as error:
        raise FileProblem(f"{path} cannot be written: {error.strerror}.") from error
    os.close(descriptor)
    try:
        if path.suffix == ".csv":
            frame.to_csv(name, index=False)
        else:
            frame.to_parquet(name, index=False)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise FileProblem(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _checked(path: Path) -> Path:
    if path.suffix not in _KINDS:
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
