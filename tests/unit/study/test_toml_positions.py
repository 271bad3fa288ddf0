"""Positions in TOML: the scanner finds all that tomllib finds, where it stands."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turinglearn.study.toml_positions import Place, positions

TEXT = r'''a = 1 # [x
b.c."d.e" = """x
# = [ "" y""\""""
[t.u]
k = [ 1, # c
  {p = 1, q = [2,3]}, 'a]b', ["\"]"] ]
[[g]]
n = 1
[[g]]
  n = 1979-05-27 07:32:00
[g.s]
z = {}
[[g.h]]
y = -inf
[[g.h]]
y="""it's""" # last
'''


def paths(value, path=()):
    """All paths of a document."""
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from paths(inner, (*path, step))


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("a",), (1, 1), (1, 5)),
        (("b", "c"), (2, 3), (2, 3)),
        (("b", "c", "d.e"), (2, 5), (2, 13)),
        (("t", "u"), (4, 4), (4, 4)),
        (("t", "u", "k", 1, "q", 1), (6, 18), (6, 18)),
        (("t", "u", "k", 2), (6, 23), (6, 23)),
        (("t", "u", "k", 3, 0), (6, 31), (6, 31)),
        (("g", 0, "n"), (8, 1), (8, 5)),
        (("g", 1, "n"), (10, 3), (10, 7)),
        (("g", 1, "s", "z"), (12, 1), (12, 5)),
        (("g", 1, "h", 1, "y"), (16, 1), (16, 3)),
    ],
)
def test_keys_and_values_have_their_line_and_column(path, key, value):
    assert positions(TEXT)[path] == Place(key, value)


def test_everything_that_tomllib_reads_has_a_place():
    assert set(positions(TEXT)) == set(paths(tomllib.loads(TEXT)))


def literal(text):
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{escaped}"'


def written(value, blank):
    """A value as TOML, with blanks and comments where they may stand."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + "".join(f"{blank}{written(each, blank)}{blank}," for each in value) + f"{blank}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)} = {written(each, '')}" for key, each in value.items()) + "}"
    return value.isoformat() if isinstance(value, date) else repr(value)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
SCALARS = st.booleans() | st.integers(-99, 99) | st.dates() | TEXTS | st.sampled_from(["]", "#", '"""', "'", "[[", "}"])
INLINE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(TEXTS, st.dictionaries(TEXTS, INLINE, max_size=4), max_size=4),
    st.sampled_from(["", " ", "\n", " # ]}\n\t"]),
)
def test_every_path_of_any_document_is_found_and_begins_where_its_value_begins(document, blank):
    lines = []
    for name, table in document.items():
        lines.append(f"  [ {literal(name)} ] # of [these]")
        lines += [f"{literal(key)} = {written(value, blank)}" for key, value in table.items()]
    text = "\n".join(lines)
    assert tomllib.loads(text) == document
    places = positions(text)
    assert set(places) == set(paths(document))
    rows = text.split("\n")
    for name, table in document.items():
        for key, value in table.items():
            line, column = places[name, key].value
            first = written(value, blank).split("\n")[0]
            assert rows[line - 1][column - 1 :].startswith(first)
            line, column = places[name, key].key
            assert rows[line - 1][column - 1 :].startswith(literal(key))
