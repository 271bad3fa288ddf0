"""Positions of the keys and values of a TOML text, which tomllib does not report.

tomllib decides what the text means, and whether it is valid; this scanner then walks the same text, and may trust it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

__all__ = ["KeyPath", "Place", "positions"]

KeyPath = tuple[str | int, ...]  # keys of tables, and indices of arrays

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (  # the long ones first; up to two quotes may stand before the three that end a long one
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1, of a key and of its value; an entry of an array has its value's for both."""

    key: tuple[int, int]
    value: tuple[int, int]


def positions(text: str) -> dict[KeyPath, Place]:
    """Return the places of all keys and values of a text that tomllib reads, with "\\n" at the end of lines.

    >>> positions("[game]\\nrounds = [5, 50]")["game", "rounds", 1]
    Place(key=(2, 14), value=(2, 14))
    """
    return _Scanner(text).scanned()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[KeyPath, Place] = {}
        self.tables: dict[KeyPath, int] = {}  # how many tables each array of tables has so far
        self._line, self._begin = 1, 0

    def scanned(self) -> dict[KeyPath, Place]:
        table: KeyPath = ()
        while self._skip():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _header(self) -> KeyPath:
        many = self.text.startswith("[[", self.at)
        self.at += 1 + many
        path: KeyPath = ()
        keys = self._keys()
        for i, (key, begin) in enumerate(keys):
            path = self._placed(path, key, begin)
            if many and i == len(keys) - 1:
                self.tables[path] = self.tables.get(path, 0) + 1
            if path in self.tables:
                path = (*path, self.tables[path] - 1)
                self.found.setdefault(path, Place(begin, begin))
        self.at += 1 + many
        return path

    def _pair(self, table: KeyPath) -> None:
        keys, path = self._keys(), table
        for key, begin in keys:
            path = self._placed(path, key, begin)
        self.at += 1  # =
        self._skip()
        self.found[path] = Place(keys[-1][1], self._here())
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self.at += 1
            index = 0
            while self._skip() and self.text[self.at] != "]":
                self.found[*path, index] = Place(self._here(), self._here())
                self._value((*path, index))
                index += 1
                self._comma()
            self.at += 1
        elif opening == "{":
            self.at += 1
            while self._skip() and self.text[self.at] != "}":
                self._pair(path)
                self._comma()
            self.at += 1
        elif opening in "\"'":
            self._string()
        else:
            self.at = self._end(_SCALAR)

    def _keys(self) -> list[tuple[str, tuple[int, int]]]:
        """Read a dotted key: its parts, and where each begins."""
        keys = []
        while True:
            self._skip()
            begin, start = self._here(), self.at
            if self.text[start] in "\"'":
                self._string()
                keys.append((tomllib.loads(f"key = {self.text[start : self.at]}")["key"], begin))
            else:
                self.at = self._end(_BARE)
                keys.append((self.text[start : self.at], begin))
            self._skip()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _placed(self, path: KeyPath, key: str, begin: tuple[int, int]) -> KeyPath:
        path = (*path, key)
        self.found.setdefault(path, Place(begin, begin))
        return path

    def _string(self) -> None:
        self.at = next(match.end() for kind in _STRINGS if (match := kind.match(self.text, self.at)))

    def _comma(self) -> None:
        self._skip()
        self.at += self.text[self.at] == ","

    def _skip(self) -> bool:
        """Skip blanks and comments; return whether anything is left."""
        self.at = self._end(_BLANK)
        return self.at < len(self.text)

    def _end(self, kind: re.Pattern[str]) -> int:
        match = kind.match(self.text, self.at)
        return match.end() if match else self.at

    def _here(self) -> tuple[int, int]:
        self._line += self.text.count("\n", self._begin, self.at)
        self._begin = max(self._begin, self.text.rfind("\n", 0, self.at) + 1)
        return self._line, self.at - self._begin + 1
