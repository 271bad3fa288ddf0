"""Canvases for small SVG pictures: marks, intervals, lines, axes.

A report has pictures of its own, beside the matplotlib figures of `turinglearn.plots`, since it must work without matplotlib,
follow the light or dark theme of its page, and have the same bytes on each machine. Scales and colours are the same as there:
`turinglearn.plots.scales` and `turinglearn.plots.palette`. Colours are CSS variables of the stylesheet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from turinglearn.plots.palette import SERIES_LIGHT
from turinglearn.plots.scales import Scale, tick_labels
from turinglearn.report.render.html import Markup, element, fragment
from turinglearn.report.render.text_fitting import lines_of, shortened

__all__ = ["SHAPES", "Canvas", "Panel", "marker", "series_style"]

SHAPES = 7  # coprime to the number of colours, so that the first 56 series differ, and neighbours differ in both
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2", "10 4")
_LEFT, _TOP, _BOTTOM, _RIGHT = 56, 30, 42, 20
_TITLE = 13.2  # units: height of a letter of the title
_HEAD = 5.0  # units: length of the head of an arrow
_BROAD = 480  # units: a wider picture has a row of the page to itself

_Points = Sequence[tuple[float, float]]


def series_style(index: int) -> tuple[int, int, str]:
    """Return the colour, the shape and the dashes of the series with this number."""
    return index % len(SERIES_LIGHT), index % SHAPES, _DASHES[index % len(_DASHES)]


def marker(x: float, y: float, index: int, *, size: float = 4.5) -> Markup:
    """Return the mark of the series with this number."""
    colour, shape, _ = series_style(index)
    s, d, e = size, size * 1.25, size / 3
    plus = [(-d, -e), (-e, -e), (-e, -d), (e, -d), (e, -e), (d, -e), (d, e), (e, e), (e, d), (-e, d), (-e, e), (-d, e)]
    corners = {
        1: [(-s, -s), (s, -s), (s, s), (-s, s)],
        2: [(0, -d), (d, s), (-d, s)],
        3: [(0, -d), (d, 0), (0, d), (-d, 0)],
        4: [(0, d), (d, -s), (-d, -s)],
        5: plus,
        6: [((dx - dy) * 0.7071, (dx + dy) * 0.7071) for dx, dy in plus],
    }.get(shape)
    if corners is None:
        return element("circle", class_=f"f{colour}", cx=float(x), cy=float(y), r=f"{s:g}")
    return element("polygon", class_=f"f{colour}", points=_points([(x + dx, y + dy) for dx, dy in corners]))


class Canvas:
    """A picture of a fixed number of units, which scales to the room that it has.

    Parameters
    ----------
    width, height : float
        Size in units. The title stands above the picture and makes it higher, by as many lines as it takes.
    title : str
        Title.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[Markup] = []

    def add(self, *parts: Markup) -> None:
        """Add elements."""
        self._parts += parts

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """Add a straight line with a CSS class."""
        self.add(element("line", class_=style, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2)))

    def bar(self, ends: _Points, whole: Sequence[bool], index: int) -> None:
        """Add an interval between two places; an end beyond what is shown is the head of an arrow."""
        colour, _, _ = series_style(index)
        (x1, y1), (x2, y2) = ends
        self.line(x1, y1, x2, y2, f"s{colour} bar")
        for (x, y), (x0, y0), shown in zip(ends, reversed(ends), whole, strict=True):
            if not shown and (length := math.hypot(x - x0, y - y0)) > 0:
                dx, dy = _HEAD * (x - x0) / length, _HEAD * (y - y0) / length
                corners = ((x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2))
                self.add(element("polygon", class_=f"f{colour}", points=_points(corners)))

    def text(self, x: float, y: float, text: str, style: str = "", *, degrees: int = 0, room: float = 340) -> None:
        """Add a text, turned by an angle and shortened to a width; a shortened text is whole in its tooltip."""
        if text:
            self.label(x, y, shortened(text, room), text, style, degrees=degrees)

    def label(self, x: float, y: float, shown: str, text: str, style: str = "", *, degrees: int = 0) -> None:
        """Add what is shown of a text, turned by an angle; the whole text is in its tooltip."""
        tip = element("title", text) if shown != text else None
        turn = f"rotate({degrees} {x:.1f} {y:.1f})" if degrees else None
        self.add(element("text", shown, tip, class_=style, x=float(x), y=float(y), transform=turn))

    def svg(self) -> Markup:
        """Return the whole picture."""
        lines = lines_of(self.title, (self.width - 20) / _TITLE)
        title = [element("text", line, class_="title", x=8, y=16 + 15 * i) for i, line in enumerate(lines)]
        more = 15 * (len(lines) - 1)
        inside = element("g", self._parts, transform=f"translate(0 {more})") if more else fragment(self._parts)
        return element(
            "svg",
            title,
            inside,
            xmlns="http://www.w3.org/2000/svg",
            viewbox=f"0 0 {self.width:g} {self.height + more:g}",
            role="img",
            aria_label=self.title,
            class_="broad" if self.width > _BROAD else None,
        )


class Panel(Canvas):
    """A canvas with axes: x to the right, y up.

    Parameters
    ----------
    title : str
        Title.
    x, y : Scale
        Scales of the axes.
    labels : (str, str)
        Labels of the axes.
    size : (float, float)
        Width and height in units.
    """

    def __init__(
        self, title: str, x: Scale, y: Scale, labels: tuple[str, str], *, size: tuple[float, float] = (360, 260)
    ) -> None:
        super().__init__(*size, title)
        self.x_scale, self.y_scale = x, y
        self._draw(labels)

    def x(self, value: float) -> float:
        """Return the horizontal place of a value."""
        return _LEFT + self.x_scale.at(value) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        return self.height - _BOTTOM - self.y_scale.at(value) * (self.height - _TOP - _BOTTOM)

    def point(self, x: float, y: float, index: int, tip: str) -> None:
        """Add a mark with a tooltip."""
        self.add(element("g", marker(self.x(x), self.y(y), index), element("title", tip)))

    def vertical(self, x: float, low: float, high: float, index: int, *, shift: float = 0.0) -> None:
        """Add an interval of y, unless it is unknown."""
        if math.isfinite(low) and math.isfinite(high):
            at, whole = self.x(x) + shift, (self.y_scale.holds(low), self.y_scale.holds(high))
            self.bar(((at, self.y(low)), (at, self.y(high))), whole, index)

    def horizontal(self, y: float, low: float, high: float, index: int) -> None:
        """Add an interval of x, unless it is unknown."""
        if math.isfinite(low) and math.isfinite(high):
            whole = self.x_scale.holds(low), self.x_scale.holds(high)
            self.bar(((self.x(low), self.y(y)), (self.x(high), self.y(y))), whole, index)

    def path(self, points: _Points, index: int) -> None:
        """Add a line through points."""
        colour, _, dash = series_style(index)
        places = _points([(self.x(x), self.y(y)) for x, y in points])
        self.add(element("polyline", class_=f"s{colour} curve", stroke_dasharray=dash or None, points=places))

    def _draw(self, labels: tuple[str, str]) -> None:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        for tick in self.x_scale.ticks:
            self.line(self.x(tick), _TOP, self.x(tick), bottom, "zero" if tick == 0 else "grid")
            self.text(self.x(tick), bottom + 14, f"{tick:g}", "tick middle")
        for tick, label in tick_labels(self.y_scale).items():
            self.line(_LEFT, self.y(tick), right, self.y(tick), "zero" if tick == 0 else "grid")
            self.text(_LEFT - 5, self.y(tick) + 4, label, "tick end")
        self.text((_LEFT + right) / 2, self.height - 8, labels[0], "label middle")
        self.text(13, (_TOP + bottom) / 2, labels[1], "label middle", degrees=-90, room=bottom - _TOP)


def _points(points: _Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
