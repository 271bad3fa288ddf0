"""Folder with the files of one report: files of an earlier report are removed, and other people's files stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from turinglearn.data.atomic import partial_target, write_atomic

__all__ = ["LISTING", "refilled", "write_text"]

LISTING = "report-files.sha256"  # the files of the report, as `sha256sum --check` reads them
_LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]*)")

_Files = set[tuple[str, str]]  # digest, name


@contextmanager
def refilled(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Write these files, by name, and remove those of an earlier report when the block has ended without an error.

    A listing has the names and digests of the files of a report: a file that is not in it, or was changed since, is left
    alone. The listing is written first, so that the next report clears up after one that was interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before, now = _listed(folder), {(_digest(text.encode()), name) for name, text in files.items()}
    _list(folder, before | now)
    for name, text in files.items():
        write_text(folder / name, text)
    yield
    for left in [path for path in folder.iterdir() if partial_target(path) in {name for _, name in before}]:  # by a kill
        left.unlink(missing_ok=True)
    for digest, name in before:
        path = folder / name
        if name not in files and path.is_file() and not path.is_symlink() and _digest(path.read_bytes()) == digest:
            path.unlink()
    _list(folder, now)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_atomic(path, lambda file: file.write(text.encode()), durable=False)


def _listed(folder: Path) -> _Files:
    try:
        text = (folder / LISTING).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    return {(found[1], found[2]) for line in text.splitlines() if (found := _LINE.fullmatch(line))}


def _list(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    ordered = sorted(files, key=lambda file: file[::-1])
    write_text(folder / LISTING, "".join(f"{digest}  {name}\n" for digest, name in ordered))


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
