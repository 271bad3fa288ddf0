"""Names from data are text wherever they stand: in HTML, SVG, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.study_rows import HOSTILE, discriminator_rows, failing, game_rows, payload, renamed, row
from turinglearn.report import compose, write
from turinglearn.report.render.document import ReportFigure, ReportTable, comma_separated
from turinglearn.report.render.markdown import as_markdown, picture_files, plain
from turinglearn.report.render.report_html import as_html
from turinglearn.report.render.stylesheet import SCRIPT

NASTY = "a\"b'c<img src=x onerror=alert(1)>|`[x](javascript:alert(1))\n# *"


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts."""

    def __init__(self, html):
        super().__init__()
        self.found, self.scripts, self._inside = [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.scripts.append(data)


@pytest.mark.parametrize(
    "name", [HOSTILE, NASTY, '" onload="alert(1)', "</title></svg></table>", "&lt;b&gt;", "\x00\u202e\ud800"]
)
def test_names_from_data_are_text_wherever_they_stand(tmp_path, name):
    rows = [
        *renamed(failing(discriminator_rows(seeds=3)), "forest", name),
        *renamed(game_rows(seeds=4), "forest", name),
        row(payload("game", name, "some.Class", name, generator=name), status="error", error=f"{name}\n{name}"),
    ]
    for each in rows:
        each["payload"]["problem"]["name"] = name + each["payload"]["problem"]["name"]
        each["figures"] = {
            k.replace("balanced_accuracy[forest]", f"balanced_accuracy[{name}]"): v for k, v in each["figures"].items()
        }
        each["commit"], each["versions"] = name, {name: name}
    document = compose(rows, title=name)
    html = as_html(document)
    elements = Elements(html)
    assert [tag for tag, _ in elements.found].count("script") == 1
    assert "".join(elements.scripts).strip() == SCRIPT.strip()
    allowed = {"html", "head", "meta", "link", "title", "style", "body", "h1", "h2", "nav", "a", "p", "ul", "li", "span", "div"}
    allowed |= {"table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary", "pre", "strong"}
    allowed |= {"svg", "g", "line", "text", "circle", "polygon", "polyline", "path", "rect", "script"}
    assert {tag for tag, _ in elements.found} <= allowed
    attributes = {(tag, key) for tag, attrs in elements.found for key in attrs}
    assert not [key for _, key in attributes if key.startswith("on")]
    links = {attrs[key] for _, attrs in elements.found for key in ("href", "src") if key in attrs}
    assert all(link.startswith(("#", "data/")) or link == "data:," for link in links)
    for svg in picture_files(document).values():
        ElementTree.fromstring(svg)
        assert not re.search(
            r"<script|<img|onload=|onerror=", re.sub(r"<(text|title)[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", svg)
        )
    text = as_markdown(document)
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert not re.search(r"<(script|img|b|/)", prose)
    assert "](javascript" not in re.sub(r"\\.", "", prose)
    write(document, tmp_path)


def test_tables_of_markdown_keep_their_columns():
    document = compose(renamed(discriminator_rows(seeds=3), "forest", "a|b\n|c"))
    tables = [part.splitlines() for part in as_markdown(document).split("\n\n") if part.startswith("|")]
    assert len(tables) == len(document.data())
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_plain_text_is_no_markup():
    assert plain("<b> *x* [y](z) `c`\n# d | e_f") == "&lt;b&gt; \\*x\\* \\[y\\](z) \\`c\\` \\# d \\| e\\_f"


def test_a_text_in_markdown_is_no_link_and_no_formula():
    assert plain("https://a.example www.a.example a@b.example $x$ 1:2") == (
        r"https\://a.example www\.a.example a\@b.example \$x\$ 1:2"
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_name_is_no_formula_of_a_spreadsheet(name):
    written = comma_separated(ReportTable("t", "", ("a", "b"), [(name, -1.5)]))
    assert next(csv.reader(io.StringIO(written.splitlines()[1]))) == [f"'{name}", "-1.5"]


def test_the_page_asks_for_nothing(document):
    html = as_html(document)
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", html)
    assert "@import" not in html
    assert "default-src 'none'" in html.replace("&#x27;", "'")


def test_pictures_are_well_formed_and_finite(document):
    svgs = [svg for part in document.data().values() if isinstance(part, ReportFigure) for svg in part.pictures]
    for svg in [*svgs, *picture_files(document).values()]:
        ElementTree.fromstring(svg)
        assert not re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', re.sub(r"aria-label=\"[^\"]*\"", "", svg))
