"""Parts of a report, apart from how they are written: headings, paragraphs, statements, tables, figures, formulas."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

from turinglearn.report.analysis.contrasts import Verdict
from turinglearn.report.render.html import Markup

__all__ = [
    "DATA",
    "CellValue",
    "Formula",
    "Heading",
    "Listing",
    "Paragraph",
    "Report",
    "ReportFigure",
    "ReportPart",
    "ReportTable",
    "Statement",
    "Statements",
    "Tabular",
    "comma_separated",
    "first_rows",
    "format_cell",
    "legend_of",
    "sanitize",
]

DATA = "data"  # folder beside the page, for the numbers and pictures of its figures

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

CellValue = str | float | int | None


@dataclass(frozen=True)
class Heading:
    """Beginning of a section, and the name of the section in links."""

    text: str
    anchor: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Statement:
    """Sentence with a verdict, and a note that limits the verdict, such as "in 2 of 3"."""

    verdict: Verdict
    note: str
    text: str

    @property
    def answer(self) -> str:
        """Verdict with its note."""
        return f"{self.verdict} {self.note}".rstrip()


@dataclass(frozen=True)
class Statements:
    """List of statements."""

    statements: Sequence[Statement]


@dataclass(frozen=True)
class Tabular:
    """Part of a report that has a CSV file.

    Parameters
    ----------
    name : str
        Name of the file.
    caption : str
        Caption.
    columns : sequence of str
        Names of the columns.
    rows : sequence of sequence of CellValue
        Rows.
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[CellValue]]

    @property
    def filed(self) -> Tabular:
        """Table of the file."""
        return self


@dataclass(frozen=True)
class ReportTable(Tabular):
    """Table that can be sorted and filtered.

    Parameters
    ----------
    most : int
        Number of rows that are shown, at most; the file has all.
    complete : ReportTable or None
        Table with all columns, for the file, where only some are shown.
    """

    most: int = 1_000
    complete: ReportTable | None = None

    @property
    def filed(self) -> Tabular:
        """Table with all columns."""
        return self.complete or self

    def without(self, columns: Collection[str]) -> ReportTable:
        """Return the table without these columns, which only the file has."""
        kept = [i for i, name in enumerate(self.columns) if name not in columns]
        rows = [[row[i] for i in kept] for row in self.rows]
        return replace(self, columns=[self.columns[i] for i in kept], rows=rows, complete=self)


@dataclass(frozen=True)
class ReportFigure(Tabular):
    """Pictures that belong together, and the numbers that they show.

    Parameters
    ----------
    pictures : sequence of Markup
        Pictures as SVG.
    legend : sequence of (int, str)
        Number of the mark and label of each discriminator.
    """

    pictures: Sequence[Markup] = ()
    legend: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Formula:
    """Definition of a measure or of an interval."""

    title: str
    formula: str
    source: str


@dataclass(frozen=True)
class Listing:
    """Text as a program wrote it, which is closed at first."""

    title: str
    text: str


ReportPart = Heading | Paragraph | Statements | ReportTable | ReportFigure | Formula | Listing


@dataclass
class Report:
    """Report of a study: a title, and the parts that follow it.

    `turinglearn.report.compose` makes it, and `turinglearn.report.write` writes it.

    Parameters
    ----------
    title : str
        Title.
    parts : list of ReportPart
        Parts in order.
    """

    title: str
    parts: list[ReportPart] = field(default_factory=list)

    def add(self, *parts: ReportPart) -> None:
        """Add parts at the end."""
        self.parts += parts

    def data(self) -> dict[str, Tabular]:
        """Return the tables and figures, each of which has a CSV file, by name."""
        return {part.name: part for part in self.parts if isinstance(part, Tabular)}


def sanitize(text: str) -> str:
    """Replace characters that text cannot have, or that change the direction of what follows."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def legend_of(order: Sequence[str], rows: Iterable[Sequence[CellValue]], column: int) -> list[tuple[int, str]]:
    """Return the legend of the discriminators that a column of the rows names."""
    named = {row[column] for row in rows}
    return [(i, name) for i, name in enumerate(order) if name in named]


def format_cell(cell: CellValue) -> str:
    """Return a cell as text: a number with three digits, and a dash for an unknown one."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, float):
        return f"{cell:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "\N{MINUS SIGN}")
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def first_rows(rows: Sequence[Sequence[CellValue]], most: int) -> str:
    """Return a sentence for a table that shows only its first rows, "" where it shows all."""
    return "" if len(rows) <= most else f" The first {most:,} of {len(rows):,} rows; all are in the file."


def comma_separated(part: Tabular) -> str:
    """Return the exact numbers as CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(part.filed.columns)
    writer.writerows([_exact(cell) for cell in row] for row in part.filed.rows)
    return sanitize(stream.getvalue())


def _exact(cell: CellValue) -> CellValue:
    """Return a cell of which csv writes all digits."""
    if isinstance(cell, str):
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else str(cell)
    return cell if cell == cell else None
