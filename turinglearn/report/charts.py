"""The pictures of a report: the plane of bias and variance, curves, dots with intervals, a heat map, bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

import numpy as np

from turinglearn.report.document import say
from turinglearn.report.estimates import Estimate
from turinglearn.report.svg import Axis, Canvas, Panel, apart, axis, bent, extent, marker, powers, style_of

__all__ = ["bars", "curves", "dots", "heat_map", "plane", "scatters", "told"]

_ROOM = 190.0  # units that names beside a picture take, at most
_APART, _BEYOND = 30.0, 10.0  # largest value over smallest, and over what may as well be 0, from which on an axis is by powers
_LEVELS = 6  # of a dial, at most, that are its ticks
_FINEST = 1e4  # largest value over smallest that such an axis tells from 0


def told(found: Estimate) -> str:
    """A value with its interval, as text."""
    if math.isnan(found.low):
        return say(found.value)
    return f"{say(found.value)} ({say(found.low)} to {say(found.high)})"


def plane(title: str, points: Mapping[str, tuple[Estimate, Estimate]], order: Sequence[str], labels: tuple[str, str]) -> str:
    """Each arm by its bias, to the right, and its variance, upward, with both intervals."""
    x, y = (_axis([each[i] for each in points.values()]) for i in (0, 1))
    panel = Panel(title, x, y, (_scaled(labels[0], x), _scaled(labels[1], y)))
    for arm, (bias, variance) in points.items():
        i = order.index(arm)
        panel.level(variance.value, bias.low, bias.high, i)
        panel.upright(bias.value, variance.low, variance.high, i)
    for arm, (bias, variance) in points.items():
        panel.point(bias.value, variance.value, order.index(arm), f"{arm}: {told(bias)}, {told(variance)}")
    return panel.svg()


def curves(
    title: str, lines: Mapping[str, Sequence[tuple[float, Estimate]]], order: Sequence[str], labels: tuple[str, str]
) -> str:
    """A line for each arm, with its intervals, a little beside each other."""
    places = [x for line in lines.values() for x, _ in line]
    x_axis = axis(places, log=min(places) > 0 and max(places) / min(places) >= 4)
    if len(set(places)) <= _LEVELS:
        x_axis = replace(x_axis, ticks=tuple(sorted(set(places))))
    y = _axis([e for line in lines.values() for _, e in line])
    panel = Panel(title, x_axis, y, (labels[0], _scaled(labels[1], y)))
    for arm, line in lines.items():
        i = order.index(arm)
        panel.path([(x, e.value) for x, e in line], i)
        for x, e in line:
            panel.upright(x, e.low, e.high, i, aside=1.5 * (i % 5 - 2))
            panel.point(x, e.value, i, f"{arm}, {labels[0]} = {x:g}: {told(e)}")
    return panel.svg()


def dots(
    title: str, rows: Sequence[tuple[str, Mapping[str, Estimate]]], order: Sequence[str], label: str, mark: float | None = None
) -> str:
    """A row for each name, with each arm's value and interval; mark: a value to compare with."""
    span = _axis([e for _, found in rows for e in found.values()], also=mark)
    lanes = max(1, max((len(found) for _, found in rows), default=1))
    height = 72 + (12 + 11 * lanes) * len(rows)
    names = [name for name, _ in rows]
    left = _beside(names)
    canvas = Canvas(left + 256, height, title)

    def place(value: float) -> float:
        return left + span.at(value) * 244

    for tick in span.ticks:
        canvas.line(place(tick), 28, place(tick), height - 40, "grid")
        canvas.text(place(tick), height - 27, f"{tick:g}", "tick middle")
    if mark is not None:
        canvas.line(place(mark), 28, place(mark), height - 40, "mark")
    canvas.text(left + 122, height - 8, _scaled(label, span), "label middle", room=260)
    top = 30.0
    for (name, found), shown in zip(rows, apart(names, _ROOM), strict=True):
        canvas.label(left - 8, top + 6 + 5.5 * len(found), shown, name, "label end")
        for lane, (arm, e) in enumerate(found.items()):
            at, i = top + 8 + 11 * lane, order.index(arm)
            if math.isfinite(e.low) and math.isfinite(e.high):
                canvas.bar(((place(e.low), at), (place(e.high), at)), (span.holds(e.low), span.holds(e.high)), i)
            tip = escape(f"{arm}: {told(e)}")
            canvas.add(f"<g>{marker(place(e.value), at, i, size=3.5)}<title>{tip}</title></g>")
        top += 12 + 11 * lanes
    return canvas.svg()


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], Estimate],
    range_: tuple[float, float],
) -> str:
    """A number in each cell, on a ground that is the warmer the larger it is."""
    left, wide, high = _beside(rows), 52.0, 26.0
    above = min(_ROOM, max(map(extent, columns)))  # names at a slant of 40 degrees
    top = 40.0 + round(0.65 * above)
    canvas = Canvas(max(360, round(left + wide * (len(columns) - 0.5) + 0.77 * above + 12)), top + high * len(rows) + 8, title)
    for j, (column, shown) in enumerate(zip(columns, apart(columns, _ROOM), strict=True)):
        x, y = left + wide * (j + 0.5), top - 8
        canvas.add(f'<g transform="rotate(-40 {x:.1f} {y:.1f})">')
        canvas.label(x, y, shown, column, "label")
        canvas.add("</g>")
    for i, (row, shown) in enumerate(zip(rows, apart(rows, _ROOM), strict=True)):
        y = top + high * i
        canvas.label(left - 8, y + 17, shown, row, "label end")
        for j, column in enumerate(columns):
            if (e := cells.get((row, column))) is None:
                continue
            x, share = left + wide * j, (e.value - range_[0]) / (range_[1] - range_[0])
            box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:g}" height="{high:g}"'
            canvas.add(f'<rect class="heat" fill-opacity="{0.75 * min(1.0, max(0.0, share)):.2f}" {box}/>')
            canvas.add(f'<rect class="cell" {box}><title>{escape(f"{row} before {column}: {told(e)}")}</title></rect>')
            canvas.text(x + wide / 2, y + 17, f"{e.value:.2f}", "middle")
    return canvas.svg()


def scatters(
    title: str,
    genuine: Sequence[tuple[float, float]],
    learned: Mapping[str, Sequence[tuple[float, float]]],
    order: Sequence[str],
) -> list[str]:
    """A picture of points for each sample, all on the axes of the genuine one, the first; what lies outside is left out."""
    x, y = (axis([point[i] for point in genuine]) for i in (0, 1))
    pictures = []
    for name, colour, points in (
        ("genuine", "genuine", genuine),
        *((f"from {arm}", f"s{style_of(order.index(arm))[0]}", found) for arm, found in learned.items()),
    ):
        panel = Panel(f"{name}, {title}", x, y, ("", ""))
        inside = [(a, b) for a, b in points if x.holds(a) and y.holds(b)]
        path = "".join(f"M{panel.x(a):.1f} {panel.y(b):.1f}h0" for a, b in inside)  # lines of no length, with round ends
        panel.add(f'<path class="{colour} points" d="{path}"/>')
        if len(inside) < len(points):
            panel.text(panel.width - 24, 27, f"{len(points) - len(inside)} of {len(points)} outside", "tick end")
        pictures.append(panel.svg())
    return pictures


def bars(title: str, shares: Mapping[str, float], order: Sequence[str]) -> str:
    """A bar for each arm, of its share from 0 to 1."""
    left, names = _beside(list(shares)), apart(list(shares), _ROOM)
    canvas = Canvas(left + 236, 34 + 24 * len(shares), title)
    for i, ((arm, share), shown) in enumerate(zip(shares.items(), names, strict=True)):
        y = 28 + 24 * i
        canvas.label(left - 8, y + 13, shown, arm, "label end")
        canvas.add(f'<rect class="cell" x="{left:g}" y="{y}" width="170" height="16"/>')
        canvas.add(
            f'<rect class="f{style_of(order.index(arm))[0]}" x="{left:g}" y="{y}" width="{170 * share:.1f}" height="16"/>'
        )
        canvas.text(left + 176, y + 13, f"{100 * share:.4g} %", "tick")
    return canvas.svg()


def _beside(names: Sequence[str]) -> float:
    """The margin that these names take."""
    return round(16 + min(_ROOM, max(map(extent, names), default=0.0)))


def _axis(found: Sequence[Estimate], also: float | None = None) -> Axis:
    """From 0; where values are far apart by powers, but in proportion about 0 where some may as well be 0.

    also: a value that it holds as well.
    """
    more, values = [] if also is None else [also], [e.value for e in found]
    ends = [end for e in found for end in (e.low, e.high) if math.isfinite(end)]
    sure = [e.value for e in found if math.isfinite(e.high) and min(e.value, e.low) > 0]
    noise = [(e.high - e.low) / 2 for e in found if math.isfinite(e.high) and min(e.value, e.low) <= 0]
    low, high = min(values, default=0.0), max(values, default=0.0)
    least = min([*sure, *([float(np.median(noise))] if noise else [])], default=0.0)
    far, all_sure = max(high, -low), len(sure) == len(found)
    if not far > (_APART if all_sure else _BEYOND) * least > 0:
        return axis(_range(found) + more, zero=also is None)
    if all_sure:
        return powers([low, high, *(min(3 * high, max(low / 3, end)) for end in ends), *more])
    bend = float(f"{max(least, far / _FINEST):.0e}")
    return bent([*values, *(min(3 * max(high, bend), max(3 * min(low, -bend), end)) for end in ends), *more], bend)


def _scaled(label: str, along: Axis) -> str:
    return f"{label} (log)" if along.log else f"{label} (log beyond ±{along.bend:g})" if along.bend else label


def _range(found: Sequence[Estimate]) -> list[float]:
    """What an axis should hold: all values, and their intervals, but for what is far beyond all values and most intervals."""
    values = [e.value for e in found] + [0.0]
    low, high = min(values), max(values)
    widths = [e.high - e.low for e in found if math.isfinite(e.high - e.low)]
    room = max(1.5 * (high - low), float(np.median(widths)) if widths else 0.0)
    ends = [end for e in found for end in (e.low, e.high) if math.isfinite(end)]
    return values[:-1] + [min(high + room, max(low - room, end)) for end in ends]
