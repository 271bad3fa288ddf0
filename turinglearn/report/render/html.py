"""The one builder of HTML and SVG: elements, attributes and text, in which everything that is not markup is escaped.

Whatever the package writes as HTML or SVG is made here: the report of a study, its charts, and the page of the demonstration.

>>> element("p", "less < more", class_="note")
'<p class="note">less &lt; more</p>'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

__all__ = ["Markup", "element", "escape", "fragment", "html_page", "inline_svg", "start_tag", "styled_svg", "trusted"]

_VOID = frozenset({"br", "link", "meta"})  # of HTML: no end tag
_SHAPES = frozenset({"circle", "line", "path", "polygon", "polyline", "rect"})  # of SVG: closed at once


class Markup(str):
    """HTML or SVG that is escaped already. Only this module makes it."""

    __slots__ = ()


def element(tag: str, *children: str | Iterable[Markup] | None, **attributes: str | float | None) -> Markup:
    """Return an element.

    Parameters
    ----------
    tag : str
        Name of the element.
    *children : Markup, str, iterable of Markup, or None
        Content. A text that is not `Markup` is escaped; None is left out.
    **attributes : str, float or None
        Attributes; None is left out. An underscore stands for a hyphen, and one at the end is dropped: `class_`, `data_v`.
        Numbers are written with at most one decimal.
    """
    start, inside = start_tag(tag, **attributes), fragment(*children)
    if tag in _VOID:
        return start
    if tag in _SHAPES and not inside:
        return Markup(f"{start[:-1]}/>")
    return Markup(f"{start}{inside}</{tag}>")


def start_tag(tag: str, **attributes: str | float | None) -> Markup:
    """Return the start tag of an element."""
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    inside = "".join([f' {_attribute(name)}="{_value(value)}"' for name, value in pairs])
    return Markup(f"<{tag}{inside}>")


def fragment(*children: str | Iterable[Markup] | None) -> Markup:
    """Return children one after another, texts escaped."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, str):
            parts.append(child if isinstance(child, Markup) else escape(child))
        elif child is not None:
            parts += child
    return Markup("".join(parts))


def trusted(text: str) -> Markup:
    """Return a stylesheet, a script or a picture of this package as markup, without escaping. Never for text from data."""
    return Markup(text)


def html_page(title: str, style: str, *body: Markup, head: Iterable[Markup] = (), script: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Title of the window.
    style, script : str
        Stylesheet, and a script at the end of the body, or "".
    *body : Markup
        Parts of the body, each on a line of its own.
    head : iterable of Markup
        Further elements of the head.
    """
    top = fragment(
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        head,
        element("title", title),
        element("style", trusted(style)),
    )
    code = [element("script", trusted(script))] if script else []
    inside = "\n".join([*body, *code])
    return f'<!doctype html>\n<html lang="en"><head>{top}</head>\n<body>\n{inside}\n</body></html>\n'


def styled_svg(svg: Markup, style: str) -> Markup:
    """Return a picture with a stylesheet of its own, so that it can stand alone."""
    end = svg.index(">") + 1
    return Markup(f"{svg[:end]}{element('style', trusted(style))}{svg[end:]}")


def inline_svg(document: str, prefix: str) -> Markup:
    """Return the picture of an SVG document for a page: without its XML head, and with a prefix on its ids.

    A page has one space of ids, so each picture needs a prefix of its own.
    """
    svg = document[document.index("<svg") :]
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'(href=")#', rf"\g<1>#{prefix}", svg)
    return Markup(re.sub(r"url\(#", f"url(#{prefix}", svg))


def _attribute(name: str) -> str:
    return "viewBox" if name == "viewbox" else name


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.1f}" if isinstance(value, float) else str(value)
