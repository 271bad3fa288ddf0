"""One HTML file that needs no network: headings, paragraphs, tables and pictures, with everything from data escaped."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

__all__ = ["Page"]

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; }
p { max-width: 46rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; margin: .6rem 0; }
caption { text-align: left; color: #555; padding-bottom: .3rem; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap;
         font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { border-bottom: 2px solid #888; }
tr.floor { color: #666; font-style: italic; } tr.best { background: #e8f3fa; font-weight: 600; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); gap: .8rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; } footer { color: #666; font-size: .85rem; margin: 3rem 0 1rem; }
"""


class Page:
    """A page that grows from top to bottom, and is written at the end in one piece.

    >>> page = Page("A & B")
    >>> page.paragraph("less < more")
    >>> "<h1>A &amp; B</h1>" in page.html() and "less &lt; more" in page.html()
    True
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts = [f"<h1>{escape(title)}</h1>"]
        self._pictures = 0

    def heading(self, text: str) -> None:
        """A heading of the second order."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def paragraph(self, text: str) -> None:
        """A paragraph of plain text."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def table(
        self,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        floors: Collection[int] = (),
        best: Collection[int] = (),
    ) -> None:
        """A table of text; the rows numbered in floors are set back, those in best stand out."""
        kinds = {**dict.fromkeys(floors, ' class="floor"'), **dict.fromkeys(best, ' class="best"')}
        head = "".join(f"<th>{escape(column)}</th>" for column in columns)
        body = "".join(
            f"<tr{kinds.get(i, '')}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for i, row in enumerate(rows)
        )
        self._parts.append(
            f'<div class="wide"><table><caption>{escape(caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def pictures(self, figures: Sequence[Any]) -> None:
        """matplotlib figures as inline SVG, side by side where there is room."""
        self._parts.append('<div class="pictures">' + "".join(map(self._svg, figures)) + "</div>")

    def html(self) -> str:
        """The whole page."""
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(self.title)}</title>'
        body = "\n".join(self._parts)
        return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'

    def write(self, path: Path) -> None:
        """Write the page, whole or not at all."""
        draft = path.with_suffix(".part")
        draft.write_text(self.html(), encoding="utf-8")
        os.replace(draft, path)

    def _svg(self, figure: Any) -> str:
        """The figure without its XML head; its ids are numbered by picture, since a page has one space of ids."""
        stream = StringIO()
        figure.savefig(stream, format="svg", dpi=200, metadata={"Date": None})
        svg = stream.getvalue()
        svg = svg[svg.index("<svg") :]
        self._pictures += 1
        mark = f"p{self._pictures}-"
        svg = re.sub(r'\bid="', f'id="{mark}', svg)
        svg = re.sub(r'(href=")#', rf"\g<1>#{mark}", svg)
        svg = re.sub(r"url\(#", f"url(#{mark}", svg)
        return f"<figure>{svg}</figure>"
