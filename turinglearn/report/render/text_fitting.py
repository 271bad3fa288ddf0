"""Texts in pictures: their widths, and how long names are shortened so that they still differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, takewhile

__all__ = ["distinct", "lines_of", "shortened", "text_width"]

_NARROW = " .,:;'!|()[]{}ijltfI/"
_LETTER = 11.0  # units: height of a letter
_BEFORE = 8  # letters that names have in common, shown before the first one that differs
_LINES = 8  # of a title, at most


def text_width(text: str) -> float:
    """Return the width of a label, in units, at most."""
    return _LETTER * _length(text)


def shortened(text: str, room: float, *, letter: float = _LETTER) -> str:
    """Return a text that fits into this width: of a long one, the beginning and the end."""
    return _shortened(text, room / letter)


def distinct(names: Sequence[str], room: float) -> list[str]:
    """Return labels that fit into this width and differ.

    A long name is cut in the middle; names that would then be alike are shown about the place where they differ, and those
    that are still alike get a number.
    """
    room /= _LETTER
    shown = [_shortened(name, room) for name in names]
    for text in [text for text, times in Counter(shown).items() if times > 1]:
        alike = [i for i, other in enumerate(shown) if other == text]
        letters = zip(*(names[i] for i in alike), strict=False)
        same = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, letters))
        for i in alike:
            shown[i] = _about(names[i], same, room)
    times = Counter(shown)
    numbered = [f"{i} {_shortened(name, room - 2)}" for i, name in enumerate(names, 1)]
    return [text if times[text] == 1 else number for text, number in zip(shown, numbered, strict=True)]


def lines_of(text: str, room: float) -> list[str]:
    """Return a text as lines, broken between words where they fit; a line has room for so many heights of a letter."""
    lines: list[str] = []
    rest = text.strip()
    while _length(rest) > room and len(lines) < _LINES - 1:
        most = max(1, _fitting(rest, room))
        space = rest.rfind(" ", 1, most + 1)
        lines.append(rest[: space if space > 0 else most])
        rest = rest[len(lines[-1]) :].lstrip()
    return [*lines, _shortened(rest, room)]


def _length(text: str) -> float:
    """Return the length of a text in heights of its letters, from the widest letters of common typefaces."""
    return sum(
        0.4 if letter in _NARROW else 0.9 if letter in "mw" or not (letter.islower() or letter.isdecimal()) else 0.65
        for letter in text
    )


def _fitting(text: str, room: float) -> int:
    """Return the number of first letters that fit."""
    lengths = accumulate(map(_length, text))
    return sum(1 for _ in takewhile(lambda length: length <= room, lengths))


def _shortened(text: str, room: float) -> str:
    if _length(text) <= room:
        return text
    half = max(0.0, (room - 0.9) / 2)
    end = text[::-1][: _fitting(text[::-1], half)][::-1]
    return f"{text[: _fitting(text, half)]}…{end}"


def _about(text: str, place: int, room: float) -> str:
    """Return the beginning of a text, and as much about a place and after it as fits."""
    beginning = text[: min(place, _fitting(text, room / 3))]
    rest = text[max(len(beginning), place - _BEFORE) :]
    left = room - _length(f"{beginning}……")
    fits = _fitting(rest, left)
    return f"{beginning}…{rest[:fits]}{'…' if fits < len(rest) else ''}"
