"""Charts of a report: the plane of bias and variance, curves, dots with intervals, a heat map, bars, points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from turinglearn.plots.scales import Scale, linear, logarithmic, symlog, ticked_at
from turinglearn.report.analysis.blocks import Estimate
from turinglearn.report.render.document import format_cell
from turinglearn.report.render.html import Markup, element
from turinglearn.report.render.svg import Canvas, Panel, marker, series_style
from turinglearn.report.render.text_fitting import distinct, text_width

__all__ = ["bars", "curves", "dots", "format_estimate", "heat_map", "plane", "scatters"]

_ROOM = 190.0  # units that names beside a picture take, at most
# A scale is logarithmic where the largest value is at least so many times the smallest, or so many times the noise about 0.
_APART, _BEYOND = 30.0, 10.0
_LEVELS = 6  # of a continuous factor, at most, each with a tick of its own
_Attributes = dict[str, str | float | None]

_FINEST = 1e4  # largest value over the smallest that such a scale distinguishes from 0


def format_estimate(found: Estimate) -> str:
    """Return a value with its interval, as text."""
    if math.isnan(found.low):
        return format_cell(found.value)
    return f"{format_cell(found.value)} ({format_cell(found.low)} to {format_cell(found.high)})"


def plane(title: str, points: Mapping[str, tuple[Estimate, Estimate]], order: Sequence[str], labels: tuple[str, str]) -> Markup:
    """Return a chart of each discriminator by its bias, to the right, and its variance, upward, with both intervals."""
    x, y = (_scale([each[i] for each in points.values()]) for i in (0, 1))
    panel = Panel(title, x, y, (_scaled(labels[0], x), _scaled(labels[1], y)))
    for name, (bias, variance) in points.items():
        i = order.index(name)
        panel.horizontal(variance.value, bias.low, bias.high, i)
        panel.vertical(bias.value, variance.low, variance.high, i)
    for name, (bias, variance) in points.items():
        tip = f"{name}: {format_estimate(bias)}, {format_estimate(variance)}"
        panel.point(bias.value, variance.value, order.index(name), tip)
    return panel.svg()


def curves(
    title: str, lines: Mapping[str, Sequence[tuple[float, Estimate]]], order: Sequence[str], labels: tuple[str, str]
) -> Markup:
    """Return a chart with a line for each discriminator; intervals are shifted a little, so that they can be distinguished."""
    places = [x for line in lines.values() for x, _ in line]
    x_scale = ticked_at(places) if min(places) > 0 and max(places) / min(places) >= 4 else linear(places)
    if len(set(places)) <= _LEVELS:
        x_scale = replace(x_scale, ticks=tuple(sorted(set(places))))
    y = _scale([e for line in lines.values() for _, e in line])
    panel = Panel(title, x_scale, y, (labels[0], _scaled(labels[1], y)))
    for name, line in lines.items():
        i = order.index(name)
        panel.path([(x, e.value) for x, e in line], i)
        for x, e in line:
            panel.vertical(x, e.low, e.high, i, shift=1.5 * (i % 5 - 2))
            panel.point(x, e.value, i, f"{name}, {labels[0]} = {x:g}: {format_estimate(e)}")
    return panel.svg()


def dots(
    title: str, rows: Sequence[tuple[str, Mapping[str, Estimate]]], order: Sequence[str], label: str, mark: float | None = None
) -> Markup:
    """Return a chart with a row for each name, and in it each discriminator's value and interval.

    A value to compare with, `mark`, is a dashed line.
    """
    scale = _scale([e for _, found in rows for e in found.values()], also=mark)
    lanes = max(1, max((len(found) for _, found in rows), default=1))
    height = 72 + (12 + 11 * lanes) * len(rows)
    names = [name for name, _ in rows]
    left = _margin(names)
    canvas = Canvas(left + 256, height, title)

    def place(value: float) -> float:
        return left + scale.at(value) * 244

    for tick in scale.ticks:
        canvas.line(place(tick), 28, place(tick), height - 40, "grid")
        canvas.text(place(tick), height - 27, f"{tick:g}", "tick middle")
    if mark is not None:
        canvas.line(place(mark), 28, place(mark), height - 40, "mark")
    canvas.text(left + 122, height - 8, _scaled(label, scale), "label middle", room=260)
    top = 30.0
    for (name, found), shown in zip(rows, distinct(names, _ROOM), strict=True):
        canvas.label(left - 8, top + 6 + 5.5 * len(found), shown, name, "label end")
        for lane, (discriminator, e) in enumerate(found.items()):
            at, i = top + 8 + 11 * lane, order.index(discriminator)
            if math.isfinite(e.low) and math.isfinite(e.high):
                canvas.bar(((place(e.low), at), (place(e.high), at)), (scale.holds(e.low), scale.holds(e.high)), i)
            tip = element("title", f"{discriminator}: {format_estimate(e)}")
            canvas.add(element("g", marker(place(e.value), at, i, size=3.5), tip))
        top += 12 + 11 * lanes
    return canvas.svg()


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], Estimate],
    bounds: tuple[float, float],
) -> Markup:
    """Return a chart with a number in each cell; the larger it is between the bounds, the warmer its colour."""
    left, wide, high = _margin(rows), 52.0, 26.0
    above = min(_ROOM, max(map(text_width, columns)))  # names at a slant of 40 degrees
    top = 40.0 + round(0.65 * above)
    width = max(360, round(left + wide * (len(columns) - 0.5) + 0.77 * above + 12))
    canvas = Canvas(width, top + high * len(rows) + 8, title)
    for j, (column, shown) in enumerate(zip(columns, distinct(columns, _ROOM), strict=True)):
        canvas.label(left + wide * (j + 0.5), top - 8, shown, column, "label", degrees=-40)
    for i, (row, shown) in enumerate(zip(rows, distinct(rows, _ROOM), strict=True)):
        y = top + high * i
        canvas.label(left - 8, y + 17, shown, row, "label end")
        for j, column in enumerate(columns):
            if (e := cells.get((row, column))) is None:
                continue
            x, share = left + wide * j, (e.value - bounds[0]) / (bounds[1] - bounds[0])
            box: _Attributes = {"x": x, "y": y, "width": f"{wide:g}", "height": f"{high:g}"}
            canvas.add(element("rect", class_="heat", fill_opacity=f"{0.75 * min(1.0, max(0.0, share)):.2f}", **box))
            canvas.add(element("rect", element("title", f"{row}, {column}: {format_estimate(e)}"), class_="cell", **box))
            canvas.text(x + wide / 2, y + 17, f"{e.value:.2f}", "middle")
    return canvas.svg()


def scatters(
    title: str,
    real: Sequence[tuple[float, float]],
    learned: Mapping[str, Sequence[tuple[float, float]]],
    order: Sequence[str],
) -> list[Markup]:
    """Return a chart of points for each sample, the real one first. Points outside the axes of the real sample are counted."""
    x, y = (linear([point[i] for point in real]) for i in (0, 1))
    pictures = []
    for name, colour, points in (
        ("real", "real", real),
        *((f"from {name}", f"s{series_style(order.index(name))[0]}", found) for name, found in learned.items()),
    ):
        panel = Panel(f"{name}, {title}", x, y, ("", ""))
        inside = [(a, b) for a, b in points if x.holds(a) and y.holds(b)]
        path = "".join(f"M{panel.x(a):.1f} {panel.y(b):.1f}h0" for a, b in inside)  # lines of no length, with round ends
        panel.add(element("path", class_=f"{colour} points", d=path))
        if len(inside) < len(points):
            panel.text(panel.width - 24, 27, f"{len(points) - len(inside)} of {len(points)} outside", "tick end")
        pictures.append(panel.svg())
    return pictures


def bars(title: str, shares: Mapping[str, float], order: Sequence[str]) -> Markup:
    """Return a chart with a bar for each discriminator, of its share from 0 to 1."""
    left, names = _margin(list(shares)), distinct(list(shares), _ROOM)
    canvas = Canvas(left + 236, 34 + 24 * len(shares), title)
    for i, ((name, share), shown) in enumerate(zip(shares.items(), names, strict=True)):
        box: _Attributes = {"x": f"{left:g}", "y": 28 + 24 * i, "height": 16}
        canvas.label(left - 8, 28 + 24 * i + 13, shown, name, "label end")
        canvas.add(element("rect", class_="cell", width=170, **box))
        canvas.add(element("rect", class_=f"f{series_style(order.index(name))[0]}", width=170 * share, **box))
        canvas.text(left + 176, 28 + 24 * i + 13, f"{100 * share:.4g} %", "tick")
    return canvas.svg()


def _margin(names: Sequence[str]) -> float:
    """Return the width that these names take beside a picture."""
    return round(16 + min(_ROOM, max(map(text_width, names), default=0.0)))


def _scale(found: Sequence[Estimate], also: float | None = None) -> Scale:
    """Return the scale of estimates, which holds 0, or a value to compare with.

    Where values are far apart it is logarithmic, but linear about 0 where some values cannot be distinguished from 0.
    """
    more, values = [] if also is None else [also], [e.value for e in found]
    ends = [end for e in found for end in (e.low, e.high) if math.isfinite(end)]
    sure = [e.value for e in found if math.isfinite(e.high) and min(e.value, e.low) > 0]
    noise = [(e.high - e.low) / 2 for e in found if math.isfinite(e.high) and min(e.value, e.low) <= 0]
    low, high = min(values, default=0.0), max(values, default=0.0)
    least = min([*sure, *([float(np.median(noise))] if noise else [])], default=0.0)
    far, all_sure = max(high, -low), len(sure) == len(found)
    if not far > (_APART if all_sure else _BEYOND) * least > 0:
        return linear(_shown_range(found) + more, zero=also is None)
    if all_sure:
        return logarithmic([low, high, *(min(3 * high, max(low / 3, end)) for end in ends), *more])
    width = float(f"{max(least, far / _FINEST):.0e}")
    most, smallest = 3 * max(high, width), 3 * min(low, -width)
    return symlog([*values, *(min(most, max(smallest, end)) for end in ends), *more], width)


def _scaled(label: str, scale: Scale) -> str:
    """Return the label of an axis, with its kind where it is not linear."""
    if scale.log:
        return f"{label} (log)"
    return f"{label} (log beyond ±{scale.linear_width:g})" if scale.linear_width else label


def _shown_range(found: Sequence[Estimate]) -> list[float]:
    """Return what a linear scale holds: all values, and their intervals, except what is far beyond values and intervals."""
    values = [e.value for e in found] + [0.0]
    low, high = min(values), max(values)
    widths = [e.high - e.low for e in found if math.isfinite(e.high - e.low)]
    room = max(1.5 * (high - low), float(np.median(widths)) if widths else 0.0)
    ends = [end for e in found for end in (e.low, e.high) if math.isfinite(end)]
    return values[:-1] + [min(high + room, max(low - room, end)) for end in ends]
