"""The builder of HTML: texts are escaped, markup is not, and nothing else in the package writes tags."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import turinglearn
from turinglearn.report.render import html
from turinglearn.report.render.html import Markup, element, fragment, html_page, inline_svg, styled_svg

PACKAGE = Path(turinglearn.__file__).parent
HOSTILE = '<script>alert("1")</script> & more'
TAG = re.compile(
    r"</?(a|b|body|br|code|div|figure|g|h\d|head|html|img|li|line|p|path|pre|rect|span|style|svg|t[dhr]|text|ul)\b[^<]*>"
)


def test_texts_are_escaped_and_markup_is_not():
    inner = element("b", HOSTILE)
    assert inner == "<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more</b>"
    assert element("p", inner, HOSTILE) == f"<p>{inner}{fragment(HOSTILE)}</p>"
    assert element("p", [inner, inner], None) == f"<p>{inner}{inner}</p>"


def test_attributes_are_escaped_and_named():
    found = element("td", "x", class_="n", data_v='"><b>', title=None, x=1.25, y=3, viewbox="0 0 1 1")
    assert found == '<td class="n" data-v="&quot;&gt;&lt;b&gt;" x="1.2" y="3" viewBox="0 0 1 1">x</td>'


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("meta", "<meta>"), ("circle", "<circle/>"), ("td", "<td></td>"), ("p", "<p></p>")],
)
def test_elements_without_content_are_closed_as_their_language_wants(tag, expected):
    assert element(tag) == expected


def test_a_page_is_whole():
    page = html_page(HOSTILE, "p > a { color: red }", element("p", "x"), script="a < b")
    assert page.startswith("<!doctype html>")
    assert page.count(HOSTILE) == 0
    assert "<style>p > a { color: red }</style>" in page
    assert page.endswith("<p>x</p>\n<script>a < b</script>\n</body></html>\n")


def test_a_picture_can_stand_alone_or_on_a_page():
    assert styled_svg(Markup('<svg a="1"><g/></svg>'), "g {}") == '<svg a="1"><style>g {}</style><g/></svg>'
    document = '<?xml version="1.0"?><svg><path id="m"/><use href="#m"/><g clip-path="url(#m)"/></svg>'
    assert inline_svg(document, "p1-") == '<svg><path id="p1-m"/><use href="#p1-m"/><g clip-path="url(#p1-m)"/></svg>'


def test_one_module_writes_html():
    """Tags in the literals of any other module would be a second builder; docstrings may show them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path == Path(html.__file__):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, nodes)}
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert [text for text in texts - docstrings if TAG.search(text)] == [], path
        imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imports |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "html" not in imports, path
