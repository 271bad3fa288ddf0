"""A page of text, tables and matplotlib figures as one HTML file that needs no network, such as that of the demonstration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from io import StringIO
from pathlib import Path
from typing import Protocol

from turinglearn.data.atomic import write_atomic
from turinglearn.report.render.html import Markup, element, html_page, inline_svg
from turinglearn.report.render.stylesheet import PAGE_STYLE

__all__ = ["Page"]


class SavableFigure(Protocol):
    """Figure that can be saved as SVG, such as one of matplotlib."""

    def savefig(self, fname: StringIO, *, format: str, dpi: float, metadata: dict[str, None]) -> None:
        """Write the figure to a stream."""


class Page:
    """A page that grows from top to bottom, and is written in one piece.

    Parameters
    ----------
    title : str
        Title of the page.

    Examples
    --------
    >>> page = Page("A & B")
    >>> page.paragraph("less < more")
    >>> "<h1>A &amp; B</h1>" in page.html() and "less &lt; more" in page.html()
    True
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts = [element("h1", title)]
        self._pictures = 0

    def heading(self, text: str) -> None:
        """Add a heading of the second level."""
        self._parts.append(element("h2", text))

    def paragraph(self, text: str) -> None:
        """Add a paragraph of plain text."""
        self._parts.append(element("p", text))

    def table(
        self,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        floors: Collection[int] = (),
        best: Collection[int] = (),
    ) -> None:
        """Add a table of text.

        Parameters
        ----------
        caption : str
            Caption.
        columns : sequence of str
            Names of the columns.
        rows : sequence of sequence of str
            Rows.
        floors, best : collection of int
            Indices of rows that stand back, such as lower bounds, and of rows that stand out.
        """
        styles = {**dict.fromkeys(floors, "floor"), **dict.fromkeys(best, "best")}
        body = [element("tr", [element("td", cell) for cell in row], class_=styles.get(i)) for i, row in enumerate(rows)]
        table = element(
            "table",
            element("caption", caption),
            element("thead", element("tr", [element("th", column) for column in columns])),
            element("tbody", body),
        )
        self._parts.append(element("div", table, class_="wide"))

    def pictures(self, figures: Sequence[SavableFigure]) -> None:
        """Add matplotlib figures as inline SVG, side by side where there is room."""
        self._parts.append(element("div", [element("figure", self._svg(figure)) for figure in figures], class_="pictures"))

    def html(self) -> str:
        """Return the whole page."""
        return html_page(self.title, PAGE_STYLE, *self._parts)

    def write(self, path: Path) -> None:
        """Write the page, whole or not at all."""
        write_atomic(path, lambda file: file.write(self.html().encode()))

    def _svg(self, figure: SavableFigure) -> Markup:
        stream = StringIO()
        figure.savefig(stream, format="svg", dpi=200, metadata={"Date": None})
        self._pictures += 1
        return inline_svg(stream.getvalue(), f"p{self._pictures}-")
