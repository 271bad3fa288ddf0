"""A report as Markdown, with its pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import singledispatch

from turinglearn.report.render.document import (
    DATA,
    CellValue,
    Formula,
    Heading,
    Listing,
    Paragraph,
    Report,
    ReportFigure,
    ReportTable,
    Statements,
    Tabular,
    first_rows,
    format_cell,
    sanitize,
)
from turinglearn.report.render.html import Markup, escape, styled_svg
from turinglearn.report.render.stylesheet import PICTURE_STYLE
from turinglearn.report.render.svg import Canvas, marker

__all__ = ["as_markdown", "picture_files", "plain"]

_MOST = 60  # rows of a table


def plain(text: str) -> str:
    """Escape a text, so that nothing in it is Markdown: no tag, no link, no row of a table, no new line."""
    text = escape(re.sub(r"\s+", " ", text), quote=False)
    return re.sub(r"([\\`*_\[\]|~!#$@]|:(?=//)|(?<=www)\.)", r"\\\1", text)


def as_markdown(report: Report) -> str:
    """Return the whole text."""
    return sanitize("\n\n".join([f"# {plain(report.title)}", *map(_part, report.parts)]) + "\n")


def picture_files(report: Report) -> dict[str, str]:
    """Return the pictures as files, by name, each with its own style."""
    figures = (part for part in report.parts if isinstance(part, ReportFigure))
    return {name: sanitize(svg) for figure in figures for name, svg in _files(figure)}


@singledispatch
def _part(part: object) -> str:
    """Return a part of a report as Markdown."""
    raise TypeError(f"A report has no part of type {type(part).__name__}.")


@_part.register
def _(part: Heading) -> str:
    return f"## {plain(part.text)}"


@_part.register
def _(part: Paragraph) -> str:
    return plain(part.text)


@_part.register
def _(part: Statements) -> str:
    return "\n".join(f"- **{plain(each.answer)}.** {plain(each.text)}" for each in part.statements)


@_part.register
def _(part: Formula) -> str:
    return f"**{plain(part.title)}** ({plain(part.source)})\n\n{_indented(part.formula)}"


@_part.register
def _(part: Listing) -> str:
    return f"{plain(part.title)}\n\n{_indented(part.text)}"


@_part.register
def _(part: ReportTable) -> str:
    most = min(_MOST, part.most)
    return f"{_captioned(part, most)}\n\n{_grid(part, most)}"


@_part.register
def _(part: ReportFigure) -> str:
    pictures = "\n".join(f"![{plain(part.name)} {i}]({DATA}/{name})" for i, (name, _) in enumerate(_files(part)))
    return "\n\n".join(filter(None, (_captioned(part, _MOST), pictures, _grid(part, _MOST))))


def _files(figure: ReportFigure) -> list[tuple[str, Markup]]:
    pictures = [_legend(figure.legend), *figure.pictures] if figure.legend else list(figure.pictures)
    return [(f"{figure.name}-{i}.svg", styled_svg(svg, PICTURE_STYLE)) for i, svg in enumerate(pictures)]


def _legend(legend: Sequence[tuple[int, str]]) -> Markup:
    canvas = Canvas(360, 20 * len(legend) + 28, "Legend")
    for line, (i, name) in enumerate(legend):
        canvas.add(marker(14, 20 * line + 36, i))
        canvas.text(28, 20 * line + 40, name, room=324)
    return canvas.svg()


def _captioned(part: Tabular, most: int) -> str:
    return f"{plain(part.caption)}{first_rows(part.rows, most)} {_link(part.name)}"


def _grid(part: Tabular, most: int) -> str:
    rule = f"| {' | '.join(['---'] * len(part.columns))} |"
    return "\n".join([_row(part.columns), rule, *map(_row, part.rows[:most])])


def _row(cells: Sequence[CellValue]) -> str:
    return f"| {' | '.join(plain(format_cell(cell)) for cell in cells)} |"


def _indented(text: str) -> str:
    """Return a block of code, in which nothing is Markdown."""
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])


def _link(name: str) -> str:
    return f"[{plain(name)}.csv]({DATA}/{name}.csv)"
