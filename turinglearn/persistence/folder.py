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
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["BrokenFolder", "read", "write"]

FORMAT, VERSION = "turinglearn model", 1
_MANIFEST = "manifest.json"
_KINDS = (".safetensors", ".skops")
_LARGEST_MANIFEST = 2**30


class BrokenFolder(ValueError):
    """A folder that is no model, or no longer one; the message says what is wrong with it."""


def write(path: Path, document: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write the document and the data files, by kind of name ("arrays.safetensors"), into the folder path."""
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file; expected a folder for the model, or a name that is free. Choose another.")
    if path.is_dir() and any(path.iterdir()) and not (path / _MANIFEST).exists():
        raise FileExistsError(
            f"{path} is a folder with other things in it, and no model. Choose a new folder, or empty this one first."
        )
    path.mkdir(parents=True, exist_ok=True)
    listed: dict[str, dict[str, Any]] = {}
    for name, content in files.items():
        stem, suffix = os.path.splitext(name)
        digest = hashlib.sha256(content).hexdigest()
        listed[name] = {"file": f"{stem}-{digest[:16]}{suffix}", "sha256": digest, "size": len(content)}
        target = path / listed[name]["file"]
        if not _holds(target, digest):
            _replace(target, content)
    body = json.dumps({"format": FORMAT, "version": VERSION, "files": listed, "document": document}, indent=1)
    checksum = hashlib.sha256(body.encode()).hexdigest()
    _replace(path / _MANIFEST, f"{body}\n{checksum}\n".encode())
    for old in path.iterdir():
        if old.suffix in (*_KINDS, ".partial") and old.name not in {entry["file"] for entry in listed.values()}:
            old.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The document and the data files. Raises `BrokenFolder` for anything but a whole model of a known version."""
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise BrokenFolder(f"{path} {what}; expected the folder of a model. Check the name, or save one there first.")
    manifest = _manifest(path)
    files = {}
    for name, entry in manifest["files"].items():
        files[name] = _data(path, entry)
    return manifest["document"], files


def _manifest(path: Path) -> dict[str, Any]:
    file = path / _MANIFEST
    if not file.is_file() or file.is_symlink():
        raise BrokenFolder(
            f"{path} is no model: it has no {_MANIFEST}. Name the folder that `save` or `turinglearn fit` wrote."
        )
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise BrokenFolder(f"{file} has {file.stat().st_size:,} bytes, which no model's manifest has. Save the model anew.")
    *body, checksum, _ = [*file.read_bytes().rsplit(b"\n", 2), b""][:3] if file.stat().st_size else [b"", b"", b""]
    damaged = BrokenFolder(f"{file} is damaged: its checksum does not match. Use a copy, or save the model anew.")
    if hashlib.sha256(b"".join(body)).hexdigest().encode() != checksum:
        raise damaged
    try:
        manifest = json.loads(b"".join(body))
    except ValueError as error:
        raise damaged from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BrokenFolder(f"{file} is not the manifest of a turinglearn model. Name the folder that `save` wrote.")
    if manifest.get("version") != VERSION:
        raise BrokenFolder(
            f"{path} is a model of format version {manifest.get('version')}, and this turinglearn reads version {VERSION}. "
            "Install the turinglearn that wrote it, or a later one."
        )
    return manifest


def _data(path: Path, entry: dict[str, Any]) -> bytes:
    name = str(entry["file"])
    if Path(name).name != name or Path(name).suffix not in _KINDS:
        raise BrokenFolder(f"{path} names the file {name!r}, which is not one of its own. Do not trust this folder.")
    file = path / name
    if file.is_symlink():
        raise BrokenFolder(f"{file} is a link; a model's files are its own. Do not trust this folder.")
    if not file.is_file():
        raise BrokenFolder(f"{path} lacks its file {name}. Use a whole copy, or save the model anew.")
    if file.stat().st_size != entry["size"]:
        raise BrokenFolder(
            f"{file} has {file.stat().st_size:,} bytes, but the manifest says {entry['size']:,}. Use a copy, or save the model "
            "anew."
        )
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise BrokenFolder(f"{file} is damaged: its checksum does not match. Use a copy, or save the model anew.")
    return content


def _holds(file: Path, digest: str) -> bool:
    return file.is_file() and not file.is_symlink() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def _replace(target: Path, content: bytes) -> None:
    """Put a whole file in place of whatever is there, and have it on the disk."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=target.stem, suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
