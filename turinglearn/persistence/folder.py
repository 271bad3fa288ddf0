"""A folder that is written whole or not at all: data files first, then the one file that names them.

manifest.json holds the document and, for each data file, its size and SHA-256; its own last line is a checksum too. Data
files have their hash in their name, so that new ones never overwrite those that an older manifest names; the manifest is
replaced in one step (write, fsync, rename), and only then are old data files removed. Whoever reads sees the old model or the
new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["BrokenFolder", "NoModel", "read", "write"]

FORMAT, VERSION = "turinglearn model", 1
_MANIFEST, _LARGEST_MANIFEST = "manifest.json", 2**28
_HEAD = f'{{"format": "{FORMAT}",'.encode()
_SEAL = len(hashlib.sha256().hexdigest()) + 2  # a line of its own
_NAME = re.compile(r"([a-z]+(?:-\d+)?)\.(safetensors|skops)")  # what a data file is called in the document
_HASH = re.compile(r"[0-9a-f]{64}")
_DATA = re.compile(r"[a-z]+(-\d+)?-[0-9a-f]{16}\.(safetensors|skops)")  # and in the folder
_PARTIAL = re.compile(r".+\.[0-9a-f]{8}\.partial")


class BrokenFolder(ValueError):
    """A folder that is no model, or no longer one; the message says what is wrong with it."""


class NoModel(BrokenFolder, FileNotFoundError):
    """There is no model at all."""


# --------------------------------------------------------------------------------------------------------------- writing
def write(path: Path, document: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write the document and the data files, by kind of name ("arrays.safetensors"), into the folder path.

    Raises FileExistsError where other things are, and OSError where the disk is full or forbidden: then nothing has changed.
    """
    listed = {name: {"sha256": _sha256(content), "size": len(content)} for name, content in files.items()}
    targets = {name: path / _file(name, _sha256(content)) for name, content in files.items()}
    manifest = {"format": FORMAT, "version": VERSION, "files": listed, "document": document}
    sealed = _sealed(json.dumps(manifest).encode())
    if len(sealed) > _LARGEST_MANIFEST:
        raise ValueError(f"{path}: the model has {len(sealed):,} bytes of names and figures; expected arrays to hold the most.")
    made: list[Path] = []
    try:
        _check_place(path)
        path.mkdir(parents=True, exist_ok=True)
        _sync(path.parent)
        for name, target in targets.items():
            if not _holds(target, files[name]):
                made.append(target)
                _replace(target, files[name])
        _replace(path / _MANIFEST, sealed)
    except FileExistsError:
        raise
    except OSError as error:
        for target in made:
            target.unlink(missing_ok=True)
        failed = type(error)(
            f"The model could not be saved in {path}: {error.strerror or error}. What was saved there before is whole. "
            "Make room, or choose another folder."
        )
        failed.errno = error.errno
        raise failed from error
    for old in path.iterdir():
        if _is_own(old) and old not in targets.values():
            with suppress(OSError):  # an old file that stays harms nobody
                old.unlink()


def _check_place(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file; expected a folder for the model, or a name that is free. Choose another.")
    manifest = path / _MANIFEST
    if manifest.is_file() and not manifest.is_symlink():
        with manifest.open("rb") as file:
            ours = file.read(len(_HEAD)) == _HEAD
    else:
        ours = not path.is_dir() or all(_is_own(file) for file in path.iterdir())  # what a first save that was killed left
    if not ours:
        raise FileExistsError(
            f"{path} is a folder with other things in it, and no model. Choose a new folder, or empty this one first."
        )


def _is_own(file: Path) -> bool:
    return bool(_DATA.fullmatch(file.name) or _PARTIAL.fullmatch(file.name)) and not file.is_dir()


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == content


def _replace(target: Path, content: bytes) -> None:
    """Put a whole file in place of whatever is there, and have it on the disk."""
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    if os.name != "posix":  # elsewhere folders cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --------------------------------------------------------------------------------------------------------------- reading
def read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The document and the data files. Raises `BrokenFolder` for anything but a whole model of a known version."""
    try:
        if not path.is_dir():
            what = "is a file" if path.exists() else "does not exist"
            raise NoModel(f"{path} {what}; expected the folder of a model. Check the name, or save one there first.")
        manifest = _manifest(path)
        try:
            files = {name: _data(path, name, entry) for name, entry in manifest["files"].items()}
        except (BrokenFolder, FileNotFoundError):
            if _manifest(path) == manifest:
                raise
            return read(path)  # it was replaced meanwhile
    except BrokenFolder:
        raise
    except (OSError, MemoryError) as error:
        raise BrokenFolder(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it needs too much memory'}."
        ) from error
    return manifest["document"], files


def _manifest(path: Path) -> dict[str, Any]:
    file = path / _MANIFEST
    if file.is_symlink() or not file.is_file():
        raise NoModel(f"{path} is no model: it has no {_MANIFEST}. Name the folder that `save` or `turinglearn fit` wrote.")
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise BrokenFolder(f"{file} has {file.stat().st_size:,} bytes, which no model's manifest has. Save the model anew.")
    content = file.read_bytes()
    body = content[:-_SEAL]
    if content != _sealed(body):
        raise BrokenFolder(f"{file} is damaged: its checksum does not match. Use a copy, or save the model anew.")
    try:
        manifest = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenFolder(f"{file} is not the manifest of a turinglearn model ({error}). Do not trust this folder.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BrokenFolder(f"{file} is not the manifest of a turinglearn model. Name the folder that `save` wrote.")
    if manifest.get("version") != VERSION:
        raise BrokenFolder(
            f"{path} is a model of format version {manifest.get('version')!r:.40}, and this turinglearn reads version "
            f"{VERSION}. Install the turinglearn that wrote it, or a later one."
        )
    if not (isinstance(manifest.get("document"), dict) and isinstance(manifest.get("files"), dict)):
        raise BrokenFolder(f"{file} lacks the document or the list of files. Do not trust this folder.")
    return manifest


def _data(path: Path, name: str, entry: Any) -> bytes:
    digest, size = (entry.get("sha256"), entry.get("size")) if isinstance(entry, dict) else (None, None)
    if not (_NAME.fullmatch(name) and isinstance(digest, str) and _HASH.fullmatch(digest) and isinstance(size, int)):
        raise BrokenFolder(f"{path} names a file {name!r:.80} that is not one of its own. Do not trust this folder.")
    file = path / _file(name, digest)
    if file.is_symlink():
        raise BrokenFolder(f"{file} is a link; a model's files are its own. Do not trust this folder.")
    if not file.is_file():
        raise BrokenFolder(f"{path} lacks its file {file.name}. Use a whole copy, or save the model anew.")
    if file.stat().st_size != size:
        raise BrokenFolder(
            f"{file} has {file.stat().st_size:,} bytes, but the manifest says {size:,}. Use a copy, or save the model anew."
        )
    content = file.read_bytes()
    if _sha256(content) != digest:
        raise BrokenFolder(f"{file} is damaged: its checksum does not match. Use a copy, or save the model anew.")
    return content


def _file(name: str, digest: str) -> str:
    """What the data file is called in the folder."""
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{digest[:16]}{suffix}"


def _sealed(body: bytes) -> bytes:
    return body + f"\n{_sha256(body)}\n".encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
