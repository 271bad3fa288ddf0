"""A TOML document read value by value: what is wrong is said with its file, line and column."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path as File
from typing import Any, NoReturn

from turinglearn.catalogue import ended, nearest
from turinglearn.study.positions import Path, positions

__all__ = ["Document", "SpecificationError"]

_LONGEST = 2**18  # characters
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")


class SpecificationError(ValueError):
    """A specification that cannot be run: ``file:line:column: what, what was expected, the remedy``."""


class Document:
    """The content of a TOML file, and the place of each value; `Path` is keys and indices from the top."""

    def __init__(self, file: File) -> None:
        self.file = file
        text = self._text()
        try:
            self.content = tomllib.loads(text)
            self.places = positions(text)
        except tomllib.TOMLDecodeError as error:
            at = _AT.search(str(error))
            end = text.count("\n") + 1, len(text) - text.rfind("\n")
            line, column = (int(at[1]), int(at[2])) if at else end
            said = _AT.sub("", str(error)).removesuffix(" (at end of document)")
            raise SpecificationError(f"{file}:{line}:{column}: this is not TOML: {said}. Mend it there.") from error
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
            raise SpecificationError(f"{self.file}:{line}:{column}: this is no UTF-8 text; save it as UTF-8.") from error
        except OSError as error:
            raise SpecificationError(f"{self.file}: {error.strerror or error}; expected a specification in TOML.") from error
        if len(text) > _LONGEST:
            raise SpecificationError(f"{self.file}:1:1: more than {_LONGEST:,} characters; expected fewer. Cross factors.")
        return text

    def fail(self, path: Path, said: str, *, key: bool = False) -> NoReturn:
        """Raise a SpecificationError at the value of a path, or at its key."""
        while path and path not in self.places:
            path = path[:-1]
        place = self.places.get(path)
        line, column = (1, 1) if place is None else place.key if key else place.value
        raise SpecificationError(f"{self.file}:{line}:{column}: {ended(said)}")

    def get(self, path: Path) -> Any:
        """The value at a path, or None."""
        value: Any = self.content
        for step in path:
            there = step in value if isinstance(value, dict) else isinstance(step, int) and step < len(value)
            if not there:
                return None
            value = value[step]
        return value

    def table(self, path: Path, known: Iterable[str] | None = None) -> dict[str, Any]:
        """The table at a path, empty where there is none; its keys must be known."""
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

    def tables(self, path: Path) -> list[Path]:
        """The paths of an array of tables, of which there may be none."""
        value = self.get(path)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(path, f"{_name(path)} is {_kind(value)}; expected tables, each under [[{_name(path)}]]", key=True)
        return [(*path, i) for i in range(len(value))]

    def whole(self, path: Path, default: int = 0, *, least: int = 1, most: int = 10**9) -> int:
        """A whole number within these bounds, or the default where there is none."""
        value = self.get(path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            once = ". It takes no list: write another table for another number" if isinstance(value, list) else ""
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a whole number from {least} to {most:,}{once}")
        return value

    def number(self, path: Path, default: float = 0.0, *, most: float = 1e9) -> float:
        """A number above 0, or the default where there is none."""
        value = self.get(path)
        if value is None:
            return default
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not (good and 0 < value <= most):
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a number above 0, at most {most:g}")
        return float(value)

    def text(self, path: Path, default: str) -> str:
        """A text."""
        value = self.get(path)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fail(path, f"{_name(path)} is {_shown(value)}; expected a text")
        return value

    def several(self, path: Path) -> list[Path]:
        """The paths of the values at a path: of a list those in it, at least one, else that of the value itself."""
        value = self.get(path)
        if not isinstance(value, list):
            return [path]
        if not value:
            self.fail(path, f"{_name(path)} is an empty list; expected at least one value, or leave it out")
        return [(*path, i) for i in range(len(value))]


def _name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "the document")


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    return f"{value!r:.60}"


def _kind(value: Any) -> str:
    kinds = {dict: "a table", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "a date or time")
