"""A document as Markdown, with its pictures as files beside it."""

from __future__ import annotations

import re
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
from turinglearn.report.dress import PICTURE_STYLE
from turinglearn.report.markup import FOLDER, left_out
from turinglearn.report.svg import Canvas, marker

__all__ = ["as_markdown", "plain", "standing_alone"]

_MOST = 60  # rows of a table


def plain(text: str) -> str:
    """Text in which nothing is markup: no tag, no link, no row of a table, no new line."""
    text = escape(re.sub(r"\s+", " ", text), quote=False)
    return re.sub(r"([\\`*_\[\]|~!#$@]|:(?=//)|(?<=www)\.)", r"\\\1", text)


def as_markdown(document: Document) -> str:
    """The whole text."""
    return tidy("\n\n".join([f"# {plain(document.title)}", *map(_block, document.blocks)]) + "\n")


def standing_alone(document: Document) -> dict[str, str]:
    """The pictures as files, by name, each with its own style."""
    return {name: tidy(svg) for block in document.blocks if isinstance(block, Figure) for name, svg in _files(block)}


def _block(block: object) -> str:
    match block:
        case Heading(text, _):
            return f"## {plain(text)}"
        case Paragraph(text):
            return plain(text)
        case Statements(sentences):
            return "\n".join(f"- {f'**{plain(v)}.** ' if v else ''}{plain(text)}" for v, text in sentences)
        case Formula(title, formula, source):
            return f"**{plain(title)}** ({plain(source)})\n\n{_indented(formula)}"
        case Listing(title, text):
            return f"{plain(title)}\n\n{_indented(text)}"
        case Table():
            return f"{_captioned(block, min(_MOST, block.most))}\n\n{_grid(block, min(_MOST, block.most))}"
        case Figure():
            pictures = "\n".join(f"![{plain(block.name)} {i}]({FOLDER}/{name})" for i, (name, _) in enumerate(_files(block)))
            return "\n\n".join(filter(None, (_captioned(block, _MOST), pictures, _grid(block, _MOST))))
    raise TypeError(f"A document has no part of type {type(block).__name__}.")


def _files(figure: Figure) -> list[tuple[str, str]]:
    pictures = [_legend(figure.legend), *figure.pictures] if figure.legend else list(figure.pictures)
    return [
        (f"{figure.name}-{i}.svg", re.sub(r"(<svg[^>]*>)", rf"\1<style>{PICTURE_STYLE}</style>", svg, count=1))
        for i, svg in enumerate(pictures)
    ]


def _legend(legend: Sequence[tuple[int, str]]) -> str:
    canvas = Canvas(360, 20 * len(legend) + 28, "Legend")
    for line, (i, arm) in enumerate(legend):
        canvas.add(marker(14, 20 * line + 36, i))
        canvas.text(28, 20 * line + 40, arm, room=324)
    return canvas.svg()


def _captioned(part: Table | Figure, most: int) -> str:
    return f"{plain(part.caption)}{left_out(part.rows, most)} {_link(part.name)}"


def _grid(part: Table | Figure, most: int) -> str:
    head = [_row(part.columns), _row(["---"] * len(part.columns), escaped=True)]
    return "\n".join([*head, *map(_row, part.rows[:most])])


def _row(cells: Sequence[Cell], escaped: bool = False) -> str:
    return f"| {' | '.join(say(c) if escaped else plain(say(c)) for c in cells)} |"


def _indented(text: str) -> str:
    """A block of code, in which nothing is markup."""
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])


def _link(name: str) -> str:
    return f"[{plain(name)}.csv]({FOLDER}/{name}.csv)"
