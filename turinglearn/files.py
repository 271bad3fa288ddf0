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
    """The data frame in a CSV or Parquet file.

    In a CSV file, columns of text that are all ISO dates become dates, in UTC where their offsets differ; numbers with leading
    zeros are text; and the usual signs of a missing value, such as NA, are one among numbers, but text among texts.

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
    name = str(frame.columns[0])
    if frame.shape[1] == 1 and path.suffix == ".csv" and any(mark in name for mark in ";\t|"):
        raise FileProblem(f"{path} has one column, {name!r}; expected commas between columns. Export it with commas.")
    return frame


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
            texts = pandas.read_csv(path, index_col=False, dtype=str, keep_default_na=False, na_values=[""])
    except pandas.errors.ParserWarning as error:
        raise FileProblem(f"{path} has lines with more fields than its {len(names)} names. Mend or export it anew.") from error
    last = _last_line(path)
    if last.strip() and '"' not in last and last.count(",") + 1 < len(names):
        raise FileProblem(
            f"{path} ends in the middle of a line, after {last.count(',') + 1} of {len(names)} fields. Copy or export it anew."
        )
    return pandas.DataFrame({name: _typed(frame[name], texts[name]) for name in frame}, columns=frame.columns)


def _typed(column: Any, texts: Any) -> Any:
    """A column as pandas read it, or its texts; with gaps, whole numbers and truth values stay what they are."""
    import pandas
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return column
    if not types.is_numeric_dtype(column.dtype):
        return column.astype("boolean") if types.infer_dtype(column, skipna=True) == "boolean" else _dates(texts)
    known = texts[column.notna()]
    if not len(known):
        return texts if texts.notna().any() else column
    if known.str.match(r"\s*[+-]?0\d").any():  # a name such as 00026
        return texts
    if column.isna().any() and known.str.fullmatch(r"\s*[+-]?\d+\s*").all():
        whole = pandas.to_numeric(known)
        return whole.astype("Int64").reindex(column.index) if types.is_signed_integer_dtype(whole.dtype) else column
    return column


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


def _dates(texts: Any) -> Any:
    import pandas

    known = texts.dropna()
    if not len(known) or not known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return texts
    offsets = known.str.extract(r"[T ].*(Z|[+-]\d\d(?::?\d\d)?)$", expand=False)
    try:
        return pandas.to_datetime(texts, format="ISO8601", utc=bool(offsets.notna().all() and offsets.nunique() > 1))
    except (ValueError, OverflowError):
        return texts
