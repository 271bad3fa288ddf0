"""Folders that are written completely or not at all: data files first, then the manifest, which names them.

manifest.json holds the document and, for each data file, its size and SHA-256; its last line is its own checksum. Data
files have their hash in their name, so that new ones never overwrite those that an older manifest names; the manifest is
replaced in one step (write, fsync, rename), and old data files are removed only then. A reader sees the old model or the new
one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from turinglearn.data.atomic import partial_target, sync_folder, write_atomic

__all__ = ["CorruptModelError", "ModelNotFoundError", "read", "write"]

FORMAT, VERSION = "turinglearn model", 1
_MANIFEST, _LARGEST_MANIFEST = "manifest.json", 2**28
_HEAD = f'{{"format": "{FORMAT}",'.encode()
_SEAL = len(hashlib.sha256().hexdigest()) + 2  # a line of its own
_NAME = re.compile(r"([a-z]+(?:-\d+)?)\.(safetensors|skops)")  # what a data file is called in the document
_HASH = re.compile(r"[0-9a-f]{64}")
_DATA = re.compile(r"[a-z]+(-\d+)?-[0-9a-f]{16}\.(safetensors|skops)")  # and in the folder


class CorruptModelError(ValueError):
    """Error for a folder that is not a model, or is damaged; the message says what is wrong with it."""


class ModelNotFoundError(CorruptModelError, FileNotFoundError):
    """Error for a path without a model."""


# --------------------------------------------------------------------------------------------------------------- writing
def write(path: Path, document: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write the document and the data files, by name without hash ("arrays.safetensors"), into the folder path.

    FileExistsError is raised if there is something else at the path, and OSError if it cannot be written, for example as the
    disk is full; nothing has changed then.
    """
    listed = {name: {"sha256": _sha256(content), "size": len(content)} for name, content in files.items()}
    targets = {name: path / _file(name, _sha256(content)) for name, content in files.items()}
    manifest = {"format": FORMAT, "version": VERSION, "files": listed, "document": document}
    sealed = _sealed(json.dumps(manifest).encode())
    if len(sealed) > _LARGEST_MANIFEST:
        raise ValueError(
            f"{path}: the manifest has {len(sealed):,} bytes, which is too many; expected most of the model to be in arrays."
        )
    made: list[Path] = []
    try:
        _check_place(path)
        path.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent)
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
            f"The model could not be saved in {path}: {error.strerror or error}. What was saved there before is intact. "
            "Make room, or choose another folder."
        )
        failed.errno = error.errno
        raise failed from error
    for old in path.iterdir():
        if _is_own(old) and old not in targets.values():
            with suppress(OSError):  # a file that stays does no harm
                old.unlink()


def _check_place(path: Path) -> None:
    """Raise FileExistsError if there is something other than a model at the path."""
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file; expected a folder for the model, or a free name. Choose another.")
    manifest = path / _MANIFEST
    if manifest.is_file() and not manifest.is_symlink():
        with manifest.open("rb") as file:
            ours = file.read(len(_HEAD)) == _HEAD
    else:
        ours = not path.is_dir() or all(_is_own(file) for file in path.iterdir())  # the remains of a first save that was killed
    if not ours:
        raise FileExistsError(
            f"{path} is a folder with other things in it, not a model. Choose a new folder, or empty this one first."
        )


def _is_own(file: Path) -> bool:
    return bool(_DATA.fullmatch(file.name) or partial_target(file)) and not file.is_dir()


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == content


def _replace(target: Path, content: bytes) -> None:
    """Replace a file atomically, and flush it to the disk."""
    write_atomic(target, lambda file: file.write(content))


# --------------------------------------------------------------------------------------------------------------- reading
def read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the document and the data files; raise `CorruptModelError` unless they are a complete model of a known version."""
    try:
        if not path.is_dir():
            what = "is a file" if path.exists() else "does not exist"
            raise ModelNotFoundError(f"{path} {what}; expected the folder of a model. Check the name, or save one there first.")
        manifest = _manifest(path)
        try:
            files = {name: _data(path, name, entry) for name, entry in manifest["files"].items()}
        except (CorruptModelError, FileNotFoundError):
            if _manifest(path) == manifest:
                raise
            return read(path)  # it was replaced meanwhile
    except CorruptModelError:
        raise
    except (OSError, MemoryError) as error:
        raise CorruptModelError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it needs too much memory'}."
        ) from error
    return manifest["document"], files


def _manifest(path: Path) -> dict[str, Any]:
    """Return the manifest, checked."""
    file = path / _MANIFEST
    if file.is_symlink() or not file.is_file():
        raise ModelNotFoundError(
            f"{path} is not a model: it has no {_MANIFEST}. Name the folder that `save` or `turinglearn fit` wrote."
        )
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise CorruptModelError(f"{file} has {file.stat().st_size:,} bytes, too many for a manifest. Save the model again.")
    content = file.read_bytes()
    body = content[:-_SEAL]
    if content != _sealed(body):
        raise CorruptModelError(f"{file} is damaged: its checksum does not match. Use a copy, or save the model again.")
    try:
        manifest = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(
            f"{file} is not the manifest of a turinglearn model ({error}). Do not trust this folder."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CorruptModelError(f"{file} is not the manifest of a turinglearn model. Name the folder that `save` wrote.")
    if manifest.get("version") != VERSION:
        raise CorruptModelError(
            f"{path} is a model of format version {manifest.get('version')!r:.40}, and this turinglearn reads version "
            f"{VERSION}. Install the turinglearn that wrote it, or a later one."
        )
    if not (isinstance(manifest.get("document"), dict) and isinstance(manifest.get("files"), dict)):
        raise CorruptModelError(f"{file} lacks the document or the list of files. Do not trust this folder.")
    return manifest


def _data(path: Path, name: str, entry: object) -> bytes:
    """Return the content of a data file, checked against its entry in the manifest."""
    digest, size = (entry.get("sha256"), entry.get("size")) if isinstance(entry, dict) else (None, None)
    if not (_NAME.fullmatch(name) and isinstance(digest, str) and _HASH.fullmatch(digest) and isinstance(size, int)):
        raise CorruptModelError(f"{path} names a file {name!r:.80} that is not one of its own. Do not trust this folder.")
    file = path / _file(name, digest)
    if file.is_symlink():
        raise CorruptModelError(f"{file} is a link; a model's files are its own. Do not trust this folder.")
    if not file.is_file():
        raise CorruptModelError(f"{path} lacks its file {file.name}. Use a whole copy, or save the model again.")
    if file.stat().st_size != size:
        raise CorruptModelError(
            f"{file} has {file.stat().st_size:,} bytes, but the manifest says {size:,}. Use a copy, or save the model again."
        )
    content = file.read_bytes()
    if _sha256(content) != digest:
        raise CorruptModelError(f"{file} is damaged: its checksum does not match. Use a copy, or save the model again.")
    return content


def _file(name: str, digest: str) -> str:
    """Return the name of the data file in the folder."""
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{digest[:16]}{suffix}"


def _sealed(body: bytes) -> bytes:
    return body + f"\n{_sha256(body)}\n".encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
