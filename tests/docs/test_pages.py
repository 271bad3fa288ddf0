"""The pages: every public name is on the reference, code runs as it is shown, and Sphinx builds without a warning."""

from __future__ import annotations

import importlib
import importlib.util
import re
from html.parser import HTMLParser

import pytest

from tests.documents import DOCS, REPOSITORY, blocks, run, shortened

REFERENCE = DOCS / "reference"
PAGES = [path for path in sorted(DOCS.glob("*.rst")) if path.stem != "tour" and blocks(path, "python")]
MODULES = (
    "generators",
    "discriminators",
    "signals",
    "objectives",
    "metrics",
    "datasets",
    "bias",
    "study",
    "report",
    "protocols",
    "checks",
    "persistence",
    "data.tables",
    "nn",
    "plots",
    "game",
)


def described(page):
    """The names that a reference page describes or lists."""
    text = page.read_text(encoding="utf-8")
    names = re.findall(r"^\.\. (?:autoclass|autofunction|autoexception|py:data):: (\S+)", text, flags=re.M)
    for listing in re.findall(r"^\.\. autosummary::\n   :nosignatures:\n\n((?:   .*\n)+)", text, flags=re.M):
        names += listing.split()
    return {name.removesuffix("()").rpartition(".")[2].lstrip("~") for name in names}  # protocols show no arguments


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_on_the_reference_and_no_other(name):
    assert described(REFERENCE / f"{name}.rst") == set(importlib.import_module(f"turinglearn.{name}").__all__)


def test_every_name_of_the_front_door_is_on_the_reference():
    assert described(REFERENCE / "index.rst") == set(importlib.import_module("turinglearn").__all__)


@pytest.mark.slow
@pytest.mark.parametrize("page", [*PAGES, REPOSITORY / "README.md"], ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, tmp_path):
    done = run(["-W", "error", "-c", shortened("\n".join(blocks(page, "python")))], tmp_path)
    assert done.returncode == 0, done.stderr


def test_budgets_are_found_in_the_code():
    assert shortened("islice(game.rounds(X, given), 1000)") == "islice(game.rounds(X, given), 4)"
    assert shortened("fit(rounds=10_000); if r.index % 500 == 0") == "fit(rounds=40); if r.index % 2 == 0"
    assert shortened("fit a.csv --rounds 60 --out m") == "fit a.csv --rounds 2 --out m"
    assert shortened("ring().sample(10_000, random_state=0)") == "ring().sample(300, random_state=0)"


# -------------------------------------------------------------------------------------------------------- what Sphinx makes
class Resources(HTMLParser):
    """What a browser would fetch to show a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and "src" in attributes:
            self.found.append(attributes["src"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "icon", "preconnect"):
            self.found.append(attributes.get("href", ""))


@pytest.mark.slow
def test_the_pages_build_without_a_warning_and_fetch_nothing(tmp_path):
    for package in ("sphinx", "pydata_sphinx_theme", "numpydoc", "sphinx_design"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}, which is not installed")
    done = run(["-m", "sphinx", "-q", "-W", "-n", "-E", "-b", "html", "-d", "trees", str(DOCS), "html"], tmp_path)
    assert done.returncode == 0, done.stderr
    pages = sorted((tmp_path / "html").rglob("*.html"))
    assert len(pages) > len(MODULES)
    for page in pages:
        resources = Resources()
        resources.feed(page.read_text(encoding="utf-8"))
        assert [r for r in resources.found if re.match(r"(https?:)?//", r)] == [], page.name
