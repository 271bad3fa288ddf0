"""A document as one HTML file: nothing is fetched, everything from data is escaped, and it is readable without its script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from turinglearn.report.document import (
    Cell,
    Document,
    Figure,
    Formula,
    Heading,
    Listing,
    Paragraph,
    Statements,
    Table,
    say,
    tidy,
)
from turinglearn.report.dress import POLICY, SCRIPT, STYLE
from turinglearn.report.svg import marker

__all__ = ["FOLDER", "as_html", "left_out"]

FOLDER = "data"  # beside the page, for what is behind its figures
_SHOWN = 12  # pictures of a figure that are open from the start
_DETAILED = 2_000  # rows of a figure, at most, that its table has
_ROOMY = 3  # columns, at most, of a table whose texts have long lines
_SHORT = 48  # characters that stay on one line
_VERDICTS = ("true", "false", "undecided")


def as_html(document: Document) -> str:
    """The whole page."""
    parts = [_block(block) for block in document.blocks]
    links = [f'<a href="#{escape(b.anchor)}">{escape(b.text)}</a>' for b in document.blocks if isinstance(b, Heading)]
    title = escape(document.title)
    head = "".join(
        (
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">',
            f"<title>{title}</title><style>{STYLE}</style>",
        )
    )
    body = "\n".join((f"<h1>{title}</h1><nav>{' '.join(links)}</nav>", *parts))
    script = f"<script>{SCRIPT}</script>"
    return tidy(f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n{script}\n</body></html>\n')


def _block(block: object) -> str:
    match block:
        case Heading(text, anchor):
            return f'<h2 id="{escape(anchor)}">{escape(text)}</h2>'
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Statements(sentences):
            return f'<ul class="statements">{"".join(_statement(*each) for each in sentences)}</ul>'
        case Formula(title, formula, source):
            return f"<p><strong>{escape(title)}</strong> ({escape(source)})</p><pre>{escape(formula)}</pre>"
        case Listing(title, text):
            return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)
    raise TypeError(f"A document has no part of type {type(block).__name__}.")


def _statement(verdict: str, sentence: str) -> str:
    mark = f'<span class="verdict">{escape(verdict)}.</span> ' if verdict else ""
    return f'<li class="{escape(verdict) or "plain"}">{mark}{escape(sentence)}</li>'


def _table(table: Table) -> str:
    note = f'<p class="note">{escape(table.caption)}{left_out(table.rows, table.most)} {_link(table.name)}</p>'
    return f"{note}{_grid(table.columns, table.rows[: table.most])}"


def left_out(rows: Sequence[Sequence[Cell]], most: int) -> str:
    """What is said where only the first rows are shown."""
    return "" if len(rows) <= most else f" The first {most:,} of {len(rows):,} rows; all are in the file."


def _grid(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    numeric = [any(not isinstance(c, str | None) for c in cells) for cells in zip(*rows, strict=True)] or [False] * len(columns)
    head = "".join(f'<th scope="col"{_kind(n)}>{escape(c)}</th>' for c, n in zip(columns, numeric, strict=True))
    body = "".join(f"<tr>{''.join(map(_cell, row, numeric))}</tr>" for row in rows)
    kind = "sorted roomy" if len(columns) <= _ROOMY else "sorted"
    table = f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="wide" tabindex="0">{table}</div>'


def _cell(cell: Cell, numeric: bool) -> str:
    text = escape(say(cell))
    if cell in _VERDICTS:
        text = f'<span class="verdict {text}">{text}</span>'
    if not numeric:
        short = ' class="s"' if len(say(cell)) <= _SHORT else ""
        return f"<td{short}>{text}</td>"
    known = isinstance(cell, int | float) and not math.isnan(cell)
    return f'<td class="n" data-v="{cell if known else ""}">{text}</td>'


def _kind(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _figure(figure: Figure) -> str:
    legend = "".join(
        f'<li><svg viewBox="-8 -8 16 16" aria-hidden="true">{marker(0, 0, i)}</svg>{escape(arm)}</li>'
        for i, arm in figure.legend
    )
    keys = f'<ul class="legend">{legend}</ul>' if legend else ""
    caption = f"<figcaption>{escape(figure.caption)} {_link(figure.name)}</figcaption>"
    first, rest = figure.pictures[:_SHOWN], figure.pictures[_SHOWN:]
    pictures = _pictures(first) + (
        f"<details><summary>{len(rest)} more pictures</summary>{_pictures(rest)}</details>" if rest else ""
    )
    grid = _grid(figure.columns, figure.rows[:_DETAILED])
    more = left_out(figure.rows, _DETAILED)
    summary = f"The numbers as a table{more and '.'}{more}"
    return f"<figure>{caption}{keys}{pictures}<details><summary>{summary}</summary>{grid}</details></figure>"


def _pictures(svgs: Sequence[str]) -> str:
    return f'<div class="pictures">{"".join(svgs)}</div>' if svgs else ""


def _link(name: str) -> str:
    return f'<a href="{FOLDER}/{escape(name)}.csv">{escape(name)}.csv</a>'
