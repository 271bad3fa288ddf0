"""A folder with the files of one report: those of an earlier one make way, and what anybody else put there stays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

__all__ = ["LISTING", "refilled", "whole"]

LISTING = "report-files.sha256"  # the files of the report, as `sha256sum --check` reads them
_LINE = re.compile(r"([0-9a-f]{64})  (\w[\w.-]*)")

_Files = set[tuple[str, str]]  # digest, name


@contextmanager
def refilled(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Write these files, by name; those of an earlier report are deleted when the block has ended well.

    A listing says which files are a report's, with their digests: one that is not there, or was changed since, is left alone.
    The listing is written ahead, so that the next report clears up whenever this one is interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before, now = _listed(folder), {(_digest(text.encode()), name) for name, text in files.items()}
    _list(folder, before | now)
    for name, text in files.items():
        whole(folder / name, text)
    yield
    for digest, name in before:
        path = folder / name
        _draft(path).unlink(missing_ok=True)
        if name not in files and path.is_file() and not path.is_symlink() and _digest(path.read_bytes()) == digest:
            path.unlink()
    _list(folder, now)


def whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = _draft(path)
    draft.write_bytes(text.encode())
    os.replace(draft, path)


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _listed(folder: Path) -> _Files:
    try:
        text = (folder / LISTING).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    return {(found[1], found[2]) for line in text.splitlines() if (found := _LINE.fullmatch(line))}


def _list(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    ordered = sorted(files, key=lambda file: file[::-1])
    whole(folder / LISTING, "".join(f"{digest}  {name}\n" for digest, name in ordered))


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
