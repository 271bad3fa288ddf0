"""What a report says, apart from how it is written: headings, paragraphs, statements, tables, figures, formulas."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

__all__ = [
    "Cell",
    "Document",
    "Figure",
    "Formula",
    "Heading",
    "Listing",
    "Paragraph",
    "Statements",
    "Table",
    "comma_separated",
    "keys",
    "say",
    "tidy",
]

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

Cell = str | float | int | None


@dataclass(frozen=True)
class Heading:
    """The beginning of a section; anchor: its name in links."""

    text: str
    anchor: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Statements:
    """Sentences, each with its verdict, whose first word is true, false, undecided or depends, or with none."""

    sentences: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows to be sorted and filtered. name: that of its CSV. most: how many rows are shown. whole: with all columns."""

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    most: int = 1_000
    whole: Table | None = None

    def without(self, columns: Collection[str]) -> Table:
        """The same, of which only the CSV has these columns."""
        kept = [i for i, name in enumerate(self.columns) if name not in columns]
        rows = [[row[i] for i in kept] for row in self.rows]
        return replace(self, columns=[self.columns[i] for i in kept], rows=rows, whole=self)


@dataclass(frozen=True)
class Figure:
    """Pictures that belong together, as SVG, with the numbers that they show. legend: arms with the numbers of their marks."""

    name: str
    caption: str
    pictures: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    legend: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Formula:
    """What a measure is."""

    title: str
    formula: str
    source: str


@dataclass(frozen=True)
class Listing:
    """A text as a program wrote it, closed until it is asked for."""

    title: str
    text: str


Block = Heading | Paragraph | Statements | Table | Figure | Formula | Listing


@dataclass
class Document:
    """What a report says: a title, and the parts that follow it. `compose` makes one, `write` writes it."""

    title: str
    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """More of it."""
        self.blocks += blocks

    def data(self) -> dict[str, Table | Figure]:
        """All that has a CSV, by name."""
        return {block.name: block for block in self.blocks if isinstance(block, Table | Figure)}


def tidy(text: str) -> str:
    """Without characters that no text has, or that turn the direction of what follows."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def keys(arms: Sequence[str], rows: Iterable[Sequence[Cell]], column: int) -> list[tuple[int, str]]:
    """The legend of the arms that a column of the rows names."""
    named = {row[column] for row in rows}
    return [(i, arm) for i, arm in enumerate(arms) if arm in named]


def say(cell: Cell) -> str:
    """A cell as it is read: three digits of a number, and a dash for one that is not known."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, float):
        return f"{cell:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "\N{MINUS SIGN}")
    return f"{cell:,}" if isinstance(cell, int) else cell


def comma_separated(part: Table | Figure) -> str:
    """The exact numbers as CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    part = (part.whole or part) if isinstance(part, Table) else part
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(part.columns)
    writer.writerows(map(_exact, row) for row in part.rows)
    return tidy(stream.getvalue())


def _exact(cell: Cell) -> Cell:
    """What csv writes by itself, to the last digit, but for this."""
    if isinstance(cell, str):
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
    return cell if cell == cell else None
