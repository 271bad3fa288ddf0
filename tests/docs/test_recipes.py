"""The recipes run as they stand on their pages, and print what the pages say."""

from __future__ import annotations

import re

import pytest

from tests.documents import DOCS, blocks, run

RECIPES = sorted((DOCS / "recipes").glob("*.py"))


def shape(text):
    """The text without its numbers, which follow the versions of what is installed."""
    return re.sub(r"\s+", " ", re.sub(r"[-+]?\d+(\.\d*)?", "#", text)).replace(" ]", "]").replace("[ ", "[").strip()


def test_every_recipe_has_a_page_and_every_page_a_recipe():
    pages = {path.stem for path in (DOCS / "recipes").glob("*.rst")} - {"index"}
    assert pages == {path.stem for path in RECIPES}
    listed = (DOCS / "recipes" / "index.rst").read_text(encoding="utf-8")
    assert [page for page in sorted(pages) if f"   {page}\n" not in listed] == []


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_prints_what_its_page_says(recipe, tmp_path):
    done = run(["-W", "error", str(recipe)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert shape(done.stdout) == shape(blocks(recipe.with_suffix(".rst"), "text")[0])
