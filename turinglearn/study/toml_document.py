"""TOML documents that are read value by value; errors name the file, the line and the column."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from turinglearn.registry import ended, nearest
from turinglearn.study.toml_positions import KeyPath, positions

__all__ = ["SpecificationError", "TomlDocument"]

_LONGEST = 2**18  # characters
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")


class SpecificationError(ValueError):
    """A specification that cannot be run. The message is ``file:line:column: what is wrong; what was expected``."""


class TomlDocument:
    """Content of a TOML file, with the place of each value.

    A `KeyPath` consists of keys and indices, from the top of the document.

    Parameters
    ----------
    file : Path
        File to read. Raises SpecificationError where it is not TOML.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        text = self._text()
        try:
            self.content: object = tomllib.loads(text)
            self.places = positions(text)
        except tomllib.TOMLDecodeError as error:
            at = _AT.search(str(error))
            end = text.count("\n") + 1, len(text) - text.rfind("\n")
            line, column = (int(at[1]), int(at[2])) if at else end
            reason = _AT.sub("", str(error)).removesuffix(" (at end of document)")
            raise SpecificationError(f"{file}:{line}:{column}: this is not TOML: {reason}. Fix it there.") from error
        except (RecursionError, ValueError) as error:  # of numbers with thousands of digits
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition(";")[0]
            raise SpecificationError(f"{file}:1:1: this cannot be read: {why}. Make it simpler.") from error

    def _text(self) -> str:
        try:
            with self.file.open("rb") as opened:
                raw = opened.read(4 * _LONGEST + 1)
            text = raw.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
            raise SpecificationError(f"{self.file}:{line}:{column}: this is not UTF-8; save the file as UTF-8.") from error
        except OSError as error:
            raise SpecificationError(f"{self.file}: {error.strerror or error}; expected a specification in TOML.") from error
        if len(text) > _LONGEST:
            raise SpecificationError(f"{self.file}:1:1: more than {_LONGEST:,} characters; expected fewer. Cross factors.")
        return text

    def fail(self, path: KeyPath, message: str, *, key: bool = False) -> NoReturn:
        """Raise a SpecificationError at the value of a path, or at its key."""
        while path and path not in self.places:
            path = path[:-1]
        place = self.places.get(path)
        line, column = (1, 1) if place is None else place.key if key else place.value
        raise SpecificationError(f"{self.file}:{line}:{column}: {ended(message)}")

    def get(self, path: KeyPath) -> object:
        """Return the value at a path, or None."""
        value: object = self.content
        for step in path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def table(self, path: KeyPath, known: Iterable[str] | None = None) -> dict[str, object]:
        """Return the table at a path, empty where there is none; its keys must be known."""
        value = self.get(path)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(path, f"{_name(path)} is {_kind(value)}; expected a table")
        known = None if known is None else list(known)
        for key in value:
            if known is not None and key not in known:
                self.fail((*path, key), f"unknown key {key!r:.80}{nearest(key, known)}", key=True)
        return value

    def tables(self, path: KeyPath) -> list[KeyPath]:
        """Return the paths of an array of tables, which may be empty."""
        value = self.get(path)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(path, f"{_name(path)} is {_kind(value)}; expected tables, each under [[{_name(path)}]]", key=True)
        return [(*path, i) for i in range(len(value))]

    def integer(self, path: KeyPath, default: int = 0, *, least: int = 1, most: int = 10**9) -> int:
        """Return a whole number within these bounds, or the default where there is none."""
        value = self.get(path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            once = ". A list is not possible here: write one table for each number" if isinstance(value, list) else ""
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a whole number from {least} to {most:,}{once}")
        return value

    def number(self, path: KeyPath, default: float = 0.0, *, most: float = 1e9) -> float:
        """Return a positive number, or the default where there is none."""
        value = self.get(path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a number above 0, at most {most:g}")
        return float(value)

    def text(self, path: KeyPath, default: str) -> str:
        """Return a text, or the default where there is none."""
        value = self.get(path)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a text")
        return value

    def several(self, path: KeyPath) -> list[KeyPath]:
        """Return the paths of the values at a path: those in a list, which may not be empty, or the path of a single value."""
        value = self.get(path)
        if not isinstance(value, list):
            return [path]
        if not value:
            self.fail(path, f"{_name(path)} is an empty list; expected at least one value, or leave it out")
        return [(*path, i) for i in range(len(value))]


def _name(path: KeyPath) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "the document")


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    return f"{value!r:.60}"


def _kind(value: object) -> str:
    kinds = {dict: "a table", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "a date or time")
