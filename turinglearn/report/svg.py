"""Small pictures as SVG text: axes, marks, intervals, lines. Colours are CSS variables, so that a page's theme is theirs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate, takewhile

__all__ = ["MARKS", "Axis", "Canvas", "Panel", "apart", "axis", "bent", "extent", "marker", "powers", "style_of", "tick_labels"]

MARKS, COLOURS = 7, 8  # shapes and colours: coprime, so that the first 56 arms differ, and neighbours differ in both
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4")
_NARROW = " .,:;'!|()[]{}ijltfI/"
_LEFT, _TOP, _BOTTOM, _RIGHT = 56, 30, 42, 20
_TITLE, _LETTER = 13.2, 11.0  # heights of letters
_TICK = 5  # characters of a tick's label, beyond which it is by powers
_HEAD = 5.0  # units: the length of an arrow's head
_BEFORE = 8  # letters of what names have in common, shown before they differ
_LINES = 8  # of a title, at most
_BROAD = 480  # units: a wider picture has a row of the page to itself


@dataclass(frozen=True)
class Axis:
    """A range of numbers, with its ticks; log: by powers; bend: by powers beyond ± this, and in proportion about 0."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    bend: float = 0.0

    def at(self, value: float) -> float:
        """Where in the range a value is, 0 to 1; outside of it at its end."""
        low, high, value = map(self._along, (self.low, self.high, value))
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def _along(self, value: float) -> float:
        if self.log:
            return math.log(max(value, 1e-300))
        return math.asinh(value / self.bend) if self.bend else value

    def holds(self, value: float) -> bool:
        """Whether a value is on the axis, and not only at its end."""
        return self.low <= value <= self.high


def axis(values: Sequence[float], *, log: bool = False, zero: bool = False) -> Axis:
    """An axis that holds the finite ones of these values; zero: 0 too. log takes ticks at the values themselves."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    if log:
        marks = tuple(sorted(set(finite)))
        return Axis(marks[0] / 1.15, marks[-1] * 1.15, marks, log=True)
    low, high = min(finite + [0.0] * zero), max(finite + [0.0] * zero)
    span = (high - low) or abs(high) or 1.0
    low, high = low - 0.06 * span, high + 0.06 * span
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 5)
    first = math.ceil(low / step)
    ticks = tuple(round(i * step, 12) for i in range(first, math.floor(high / step) + 1))
    return Axis(low, high, ticks)


def powers(values: Sequence[float]) -> Axis:
    """An axis by powers that holds these values, all positive, with ticks at powers of ten, or finer where these are few."""
    low, high = min(values) / 1.15, max(values) * 1.15
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: tuple[float, ...] = ()
    for parts in ((1,), (1, 3), (1, 2, 5)):
        ticks = tuple(t for k in decades for m in parts if low <= (t := float(f"{m}e{k}")) <= high)
        if len(ticks) >= 3:
            break
    return Axis(low, high, ticks[:: math.ceil(len(ticks) / 6)], log=True)


def bent(values: Sequence[float], bend: float) -> Axis:
    """An axis by powers beyond ± bend, in proportion about 0, that holds these values, 0 and the bend."""
    low, high = min(0.0, *values), max(bend, *values)
    top = math.asinh(high / bend) - math.asinh(low / bend)
    low, high = (bend * math.sinh(math.asinh(end / bend) + 0.04 * top * sign) for end, sign in ((low, -1), (high, 1)))
    first, last = math.floor(math.log10(bend)), math.floor(math.log10(max(high, -low)))
    ticks: list[float] = []
    for parts in ((1,), (1, 3)):
        sizes = [t for k in range(first, last + 1) for m in parts if (t := float(f"{m}e{k}")) >= bend]
        chosen = sizes[:: -max(1, math.ceil(len(sizes) / 4))]
        ticks = sorted(t for size in chosen for t in (-size, size) if low <= t <= high)
        if len(ticks) >= 2:
            break
    return Axis(low, high, tuple(sorted([0.0, *ticks])), bend=bend)


def tick_labels(axis: Axis) -> dict[float, str]:
    """The numbers beside the ticks, by powers of ten where one would not fit into the margin, and they still differ."""
    texts = {tick: f"{tick:g}" for tick in axis.ticks}
    if max(map(len, texts.values()), default=0) <= _TICK:
        return texts
    short = {tick: f"{tick:.3g}" if 0.1 <= abs(tick) < 1e3 or tick == 0 else _power(tick) for tick in axis.ticks}
    return short if len(set(short.values())) == len(short) else texts


def _power(value: float) -> str:
    digits, _, exponent = f"{value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"


def style_of(index: int) -> tuple[int, int, str]:
    """The colour, shape and dashes of the arm with this number."""
    return index % COLOURS, index % MARKS, _DASHES[index % len(_DASHES)]


def marker(x: float, y: float, index: int, *, size: float = 4.5) -> str:
    """The mark of the arm with this number."""
    colour, shape, _ = style_of(index)
    s, d, e = size, size * 1.25, size / 3
    plus = [(-d, -e), (-e, -e), (-e, -d), (e, -d), (e, -e), (d, -e), (d, e), (e, e), (e, d), (-e, d), (-e, e), (-d, e)]
    points = {
        1: [(-s, -s), (s, -s), (s, s), (-s, s)],
        2: [(0, -d), (d, s), (-d, s)],
        3: [(0, -d), (d, 0), (0, d), (-d, 0)],
        4: [(0, d), (d, -s), (-d, -s)],
        5: plus,
        6: [((dx - dy) * 0.7071, (dx + dy) * 0.7071) for dx, dy in plus],
    }.get(shape)
    if points is None:
        return f'<circle class="f{colour}" cx="{x:.1f}" cy="{y:.1f}" r="{s:g}"/>'
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points)
    return f'<polygon class="f{colour}" points="{path}"/>'


def extent(text: str) -> float:
    """How many units a label takes, at most."""
    return _LETTER * _length(text)


def apart(names: Sequence[str], room: float) -> list[str]:
    """Labels of so many units: of long names both ends, or else where they differ; a number on those that are still alike."""
    room /= _LETTER
    shown = [_shortened(name, room) for name in names]
    for text in [text for text, times in Counter(shown).items() if times > 1]:
        alike = [i for i, other in enumerate(shown) if other == text]
        letters = zip(*(names[i] for i in alike), strict=False)
        same = sum(1 for _ in takewhile(lambda each: len(set(each)) == 1, letters))
        for i in alike:
            shown[i] = _from(names[i], same, room)
    times = Counter(shown)
    numbered = [f"{i} {_shortened(name, room - 2)}" for i, name in enumerate(names, 1)]
    return [text if times[text] == 1 else number for text, number in zip(shown, numbered, strict=True)]


class Canvas:
    """A picture of a fixed number of units, that scales to the room it has. Its title stands above it, on as many lines as
    it takes, and makes it higher.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def add(self, part: str) -> None:
        """Markup of one's own, in which everything from data is escaped."""
        self._parts.append(part)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line; kind: its CSS class."""
        self.add(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def bar(self, ends: Sequence[tuple[float, float]], held: Sequence[bool], index: int) -> None:
        """An interval between two places; an end that is not held, as the interval is longer than shown, is an arrow's head."""
        colour, _, _ = style_of(index)
        (x1, y1), (x2, y2) = ends
        self.line(x1, y1, x2, y2, f"s{colour} bar")
        for (x, y), (x0, y0), whole in zip(ends, reversed(ends), held, strict=True):
            if not whole and (length := math.hypot(x - x0, y - y0)) > 0:
                dx, dy = _HEAD * (x - x0) / length, _HEAD * (y - y0) / length
                corners = ((x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2))
                self.add(f'<polygon class="f{colour}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}"/>')

    def text(self, x: float, y: float, text: str, kind: str = "", *, turned: bool = False, room: float = 340) -> None:
        """Text, cut to so many units, whole as its tooltip."""
        if text:
            self.label(x, y, _shortened(text, room / _LETTER), text, kind, turned=turned)

    def label(self, x: float, y: float, shown: str, text: str, kind: str = "", *, turned: bool = False) -> None:
        """What is shown of a text, which is whole as its tooltip."""
        whole = f"<title>{escape(text)}</title>" if shown != text else ""
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self.add(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{turn}>{escape(shown)}{whole}</text>')

    def svg(self) -> str:
        """The whole picture."""
        lines = _lines(self.title, (self.width - 20) / _TITLE)
        title = "".join(f'<text class="title" x="8" y="{16 + 15 * i}">{escape(line)}</text>' for i, line in enumerate(lines))
        more = 15 * (len(lines) - 1)
        broad = ' class="broad"' if self.width > _BROAD else ""
        head = f'viewBox="0 0 {self.width:g} {self.height + more:g}" role="img" aria-label="{escape(self.title)}"{broad}'
        inside = f'<g transform="translate(0 {more})">{"".join(self._parts)}</g>' if more else "".join(self._parts)
        return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{title}{inside}</svg>'


class Panel(Canvas):
    """A canvas with a frame of axes: x to the right, y up."""

    def __init__(
        self, title: str, x: Axis, y: Axis, labels: tuple[str, str], *, size: tuple[float, float] = (360, 260)
    ) -> None:
        super().__init__(*size, title)
        self.x_axis, self.y_axis = x, y
        self._draw(labels)

    def x(self, value: float) -> float:
        """The place of a value to the right."""
        return _LEFT + self.x_axis.at(value) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """The place of a value upward."""
        return self.height - _BOTTOM - self.y_axis.at(value) * (self.height - _TOP - _BOTTOM)

    def point(self, x: float, y: float, index: int, tip: str) -> None:
        """A mark with a tooltip."""
        self.add(f"<g>{marker(self.x(x), self.y(y), index)}<title>{escape(tip)}</title></g>")

    def upright(self, x: float, low: float, high: float, index: int, *, aside: float = 0.0) -> None:
        """An interval of y; one that is not known is left out."""
        if math.isfinite(low) and math.isfinite(high):
            at, held = self.x(x) + aside, (self.y_axis.holds(low), self.y_axis.holds(high))
            self.bar(((at, self.y(low)), (at, self.y(high))), held, index)

    def level(self, y: float, low: float, high: float, index: int) -> None:
        """An interval of x."""
        if math.isfinite(low) and math.isfinite(high):
            held = self.x_axis.holds(low), self.x_axis.holds(high)
            self.bar(((self.x(low), self.y(y)), (self.x(high), self.y(y))), held, index)

    def path(self, points: Sequence[tuple[float, float]], index: int) -> None:
        """A line through points."""
        colour, _, dash = style_of(index)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.add(f'<polyline class="s{colour} curve"{dashes} points="{places}"/>')

    def _draw(self, labels: tuple[str, str]) -> None:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        for tick in self.x_axis.ticks:
            self.line(self.x(tick), _TOP, self.x(tick), bottom, "zero" if tick == 0 else "grid")
            self.text(self.x(tick), bottom + 14, f"{tick:g}", "tick middle")
        for tick, label in tick_labels(self.y_axis).items():
            self.line(_LEFT, self.y(tick), right, self.y(tick), "zero" if tick == 0 else "grid")
            self.text(_LEFT - 5, self.y(tick) + 4, label, "tick end")
        self.text((_LEFT + right) / 2, self.height - 8, labels[0], "label middle")
        self.text(13, (_TOP + bottom) / 2, labels[1], "label middle", turned=True, room=bottom - _TOP)


def _length(text: str) -> float:
    """How long a text is, in heights of its letters, by what letters of common typefaces take at most."""
    return sum(
        0.4 if letter in _NARROW else 0.9 if letter in "mw" or not (letter.islower() or letter.isdecimal()) else 0.65
        for letter in text
    )


def _fitting(text: str, room: float) -> int:
    """How many of the first letters fit."""
    lengths = accumulate(map(_length, text))
    return sum(1 for _ in takewhile(lambda length: length <= room, lengths))


def _shortened(text: str, room: float) -> str:
    """A text that fits: of a long one the beginning and the end."""
    if _length(text) <= room:
        return text
    half = max(0.0, (room - 0.9) / 2)
    end = text[::-1][: _fitting(text[::-1], half)][::-1]
    return f"{text[: _fitting(text, half)]}…{end}"


def _from(text: str, place: int, room: float) -> str:
    """The beginning of a text, and what is about a place and after it, that fits."""
    beginning = text[: min(place, _fitting(text, room / 3))]
    rest = text[max(len(beginning), place - _BEFORE) :]
    left = room - _length(f"{beginning}……")
    fits = _fitting(rest, left)
    return f"{beginning}…{rest[:fits]}{'…' if fits < len(rest) else ''}"


def _lines(text: str, room: float) -> list[str]:
    """A text on several lines, by its words where they fit; the last has the end of one that is longer still."""
    lines: list[str] = []
    rest = text.strip()
    while _length(rest) > room and len(lines) < _LINES - 1:
        most = max(1, _fitting(rest, room))
        space = rest.rfind(" ", 1, most + 1)
        lines.append(rest[: space if space > 0 else most])
        rest = rest[len(lines[-1]) :].lstrip()
    return [*lines, _shortened(rest, room)]
