"""A report as one HTML file, which fetches nothing and can be read without its script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch

from turinglearn.report.analysis.contrasts import Verdict
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
    Statement,
    Statements,
    first_rows,
    format_cell,
    sanitize,
)
from turinglearn.report.render.html import Markup, element, fragment, html_page
from turinglearn.report.render.stylesheet import POLICY, REPORT_STYLE, SCRIPT
from turinglearn.report.render.svg import marker

__all__ = ["as_html"]

_SHOWN = 12  # pictures of a figure that are open at first
_DETAILED = 2_000  # rows of the table of a figure, at most
_ROOMY = 3  # columns, at most, of a table whose texts have long lines
_SHORT = 48  # characters that stay on one line


def as_html(report: Report) -> str:
    """Return the whole page."""
    headings = [part for part in report.parts if isinstance(part, Heading)]
    links = [element("a", each.text, href=f"#{each.anchor}") for each in headings]
    head = (
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
    )
    top = fragment(element("h1", report.title), element("nav", links))
    return sanitize(html_page(report.title, REPORT_STYLE, top, *map(_part, report.parts), head=head, script=SCRIPT))


@singledispatch
def _part(part: object) -> Markup:
    """Return a part of a report as markup."""
    raise TypeError(f"A report has no part of type {type(part).__name__}.")


@_part.register
def _(part: Heading) -> Markup:
    return element("h2", part.text, id=part.anchor)


@_part.register
def _(part: Paragraph) -> Markup:
    return element("p", part.text)


@_part.register
def _(part: Statements) -> Markup:
    return element("ul", map(_statement, part.statements), class_="statements")


@_part.register
def _(part: Formula) -> Markup:
    return fragment(element("p", element("strong", part.title), f" ({part.source})"), element("pre", part.formula))


@_part.register
def _(part: Listing) -> Markup:
    return element("details", element("summary", part.title), element("pre", part.text))


@_part.register
def _(part: ReportTable) -> Markup:
    caption = element("p", f"{part.caption}{first_rows(part.rows, part.most)} ", _link(part.name), class_="note")
    return fragment(caption, _grid(part.columns, part.rows[: part.most]))


@_part.register
def _(part: ReportFigure) -> Markup:
    legend = [
        element("li", element("svg", marker(0, 0, i), viewbox="-8 -8 16 16", aria_hidden="true"), name)
        for i, name in part.legend
    ]
    first, rest = part.pictures[:_SHOWN], part.pictures[_SHOWN:]
    more = first_rows(part.rows, _DETAILED)
    return element(
        "figure",
        element("figcaption", f"{part.caption} ", _link(part.name)),
        element("ul", legend, class_="legend") if legend else None,
        _pictures(first),
        _closed(f"{len(rest)} more pictures", _pictures(rest)) if rest else None,
        _closed(f"The numbers as a table{more and '.'}{more}", _grid(part.columns, part.rows[:_DETAILED])),
    )


def _statement(statement: Statement) -> Markup:
    answer = element("span", f"{statement.answer}.", class_="verdict")
    return element("li", answer, f" {statement.text}", class_=statement.verdict)


def _closed(summary: str, content: Markup) -> Markup:
    return element("details", element("summary", summary), content)


def _pictures(pictures: Sequence[Markup]) -> Markup:
    return element("div", pictures, class_="pictures") if pictures else fragment()


def _link(name: str) -> Markup:
    return element("a", f"{name}.csv", href=f"{DATA}/{name}.csv")


def _grid(columns: Sequence[str], rows: Sequence[Sequence[CellValue]]) -> Markup:
    numeric = [any(not isinstance(c, str | None) for c in cells) for cells in zip(*rows, strict=True)] or [False] * len(columns)
    heads = [element("th", c, scope="col", class_="n" if n else None) for c, n in zip(columns, numeric, strict=True)]
    body = [element("tr", map(_cell, row, numeric)) for row in rows]
    style = "sorted roomy" if len(columns) <= _ROOMY else "sorted"
    table = element("table", element("thead", element("tr", heads)), element("tbody", body), class_=style)
    return element("div", table, class_="wide", tabindex="0")


def _cell(cell: CellValue, numeric: bool) -> Markup:
    text = format_cell(cell)
    if numeric:
        known = isinstance(cell, int | float) and not math.isnan(cell)
        return element("td", text, class_="n", data_v=str(cell) if known else "")
    content = element("span", text, class_=f"verdict {cell}") if isinstance(cell, Verdict) else text
    return element("td", content, class_="s" if len(text) <= _SHORT else None)
