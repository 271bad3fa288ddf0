"""Section on methods: formulas and references are those of this report, and each symbol is explained."""

from __future__ import annotations

import re

import pytest

from tests.report_tables import single_rows, table
from tests.study_rows import discriminator_rows, everything, game_rows
from turinglearn.report import compose
from turinglearn.report.render.document import Formula, Heading


def methods(document):
    """The titles and sources of the section on methods, and its references."""
    formulas = [block for block in document.parts if isinstance(block, Formula)]
    heads = [i for i, block in enumerate(document.parts) if block == Heading("References", "references")]
    return [f.title for f in formulas], " ".join(f.source for f in formulas), [p.text for p in document.parts[heads[0] + 1 :]]


@pytest.mark.parametrize(
    "make", [everything, single_rows, lambda: game_rows(seeds=12), list], ids=["all", "one", "games", "none"]
)
def test_what_is_cited_is_referenced_and_nothing_else(make):
    _, sources, references = methods(compose(make()))
    cited = re.findall(r"([A-Z]\w+)(?: & \w+| et al\.)? \((\d{4})\)", sources)
    assert bool(cited) == bool(make())
    for name, year in cited:
        assert [text for text in references if name in text and year in text], f"{name} ({year})"
    for text in references:
        assert [name for name, year in cited if name in text and year in text], text
    assert len(set(references)) == len(references)


def test_methods_are_those_of_this_report():
    games, discriminators, single = (
        set(methods(compose(rows))[0]) for rows in (game_rows(), discriminator_rows(), single_rows())
    )
    only = {
        "Comparison of two biases that only all seeds together have": (True, False, False),
        "Interval of the variance of a distribution": (True, False, False),
        "Parameter efficiency": (True, False, False),
        "Cross-examination": (True, False, False),
        "Comparison of two discriminators by seed": (False, True, False),
        "Comparison of cells of one seed, over R training sets": (False, False, True),
        "Mean difference over settings, by seed": (False, True, False),
        "Mean difference over settings where no seed has a difference in all of them": (False, False, True),
        "Probability that a seed has less": (False, True, False),
        "Interval of a squared bias, or of the bias of a distribution": (True, True, True),
        "Family of comparisons": (True, True, True),
    }
    assert {title: tuple(title in each for each in (games, discriminators, single)) for title in only} == only


def test_symbols_of_formulas_are_explained(document):
    """Each symbol is in the table of symbols."""
    letters = " ".join(line["symbol"] for line in table(document, "symbols"))
    for letter in ("n", "d", "KL", "R", "S", "k", "π", "I", "D", "r̄", "ℓ", "λ"):
        formulas = " ".join(block.formula for block in document.parts if isinstance(block, Formula))
        assert letter in letters or f"{letter} =" in formulas, letter
    meaning = next(line["meaning"] for line in table(document, "symbols") if line["symbol"] == "n")
    assert "rows of each kind" in meaning
    assert "in all" in meaning
