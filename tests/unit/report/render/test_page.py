"""The page: whole, self-contained and escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from turinglearn.report import Page

HOSTILE = '<script>alert("1")</script> & more'


class Balanced(HTMLParser):
    """Fails on tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "path", "use", "br", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag


def test_everything_is_escaped():
    page = Page(HOSTILE)
    page.heading(HOSTILE)
    page.paragraph(HOSTILE)
    page.table(HOSTILE, [HOSTILE, "b"], [[HOSTILE, "1"], ["x", HOSTILE]])
    html = page.html()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 8  # the title stands twice
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []


def test_rows_of_a_table_have_styles():
    page = Page("t")
    page.table("c", ["a"], [["floor"], ["plain"], ["best"]], floors=[0], best=[2])
    assert re.search(r'<tr class="floor"><td>floor.*<tr><td>plain.*<tr class="best"><td>best', page.html())


def test_pictures_share_no_ids():
    figures = pytest.importorskip("matplotlib.figure", reason="needs matplotlib, which is not installed")
    page = Page("t")
    made = []
    for _ in range(2):
        figure = figures.Figure()
        figure.subplots().plot([0, 1], [0, 1])
        made.append(figure)
    page.pictures(made)
    html = page.html()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html))
    assert used
    assert used <= set(ids)


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    page = Page("t")
    page.write(tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == page.html()
