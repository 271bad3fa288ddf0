"""Section on provenance: what the cells ran with, the levels of the factors, and the hash of the rows."""

from __future__ import annotations

import json

from tests.report_tables import table
from turinglearn.report import compose


def test_the_levels_of_discriminators_and_games_are_apart(rows):
    levels = {(c["cells"], c["factor"]): c["levels"] for c in table(compose(rows), "specification")}
    assert levels["discriminator", "n"] == "200, 800"
    assert levels["game", "n (budget: rows)"] == "400"
    assert not any("draws" in factor for _, factor in levels)  # of the problem by itself
    assert {kind for kind, _ in levels} == {"game", "discriminator"}


def test_the_hash_of_the_rows_tells_samples(rows):
    other = json.loads(json.dumps(rows))
    next(each for each in other if "x" in each["figures"])["figures"]["x"][0][0] += 1.0
    hashes = {table(compose(each), "provenance")[0]["which"] for each in (rows, other)}
    assert len(hashes) == 2


def test_provenance_names_limits_and_the_recipes_of_cross_examiners(document):
    origins = {(line["what"], line["which"]) for line in table(document, "provenance")}
    assert ("limits", "memory in MiB 1024, seconds 60") in origins
    recipes = {(line["factor"], line["name"], line["recipe"]) for line in table(document, "recipes")}
    assert ("cross_examiner", "forest", "forest(n_estimators=10)") in recipes
    assert {factor for factor, _, _ in recipes} == {
        "problem",
        "generator",
        "discriminator",
        "signal",
        "objective",
        "cross_examiner",
    }
