"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["partial_target", "sync_folder", "write_atomic"]

_PARTIAL = re.compile(r"(.+)\.[0-9a-f]{8}\.partial")


def write_atomic(path: Path, write: Callable[[BinaryIO], object], *, durable: bool = True) -> None:
    """Write a file in one step: readers see the old file or the new one, never a part.

    The content goes to a partial file beside it, which then takes its name. The partial file is removed where the writing
    fails; only a process that is killed leaves one, see `partial_target`.

    Parameters
    ----------
    path : Path
        File to make or to replace.
    write : callable
        Called with the partial file, open for binary writing.
    durable : bool
        Whether the file is on the disk when this returns, so that it survives a loss of power.

    Raises
    ------
    OSError
        If the disk is full or forbids it; then nothing has changed. Exceptions of `write` are passed on.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)


def partial_target(path: Path) -> str | None:
    """Return the name of the file that a partial file was meant to become, or None for any other file."""
    match = _PARTIAL.fullmatch(path.name)
    return match[1] if match else None


def sync_folder(folder: Path) -> None:
    """Have the entries of a folder on the disk; only POSIX systems can open folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
