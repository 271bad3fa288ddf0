"""Filters: which cells they select, and what is said of those that select none."""

from __future__ import annotations

import pytest

from turinglearn.study import read_specification
from turinglearn.study.filters import Filter, select

TEXT = """\
seeds = 3
replicas = 2
[problems]
near = { make = "pair", family = "shifted", dimension = 2, kl = [0.1, 0.5] }
[discriminators]
trees = { make = "forest", min_samples_leaf = [1, 10] }
[[discriminator]]
problems = "near"
discriminators = ["logistic", "trees"]
n = [20, 40]
[[game]]
problems = ["near", "moons(noise=0.2)"]
generators = "neural(hidden=(8,))"
discriminators = ["neural", "trees"]
signals = "smoothed"
rounds = 5
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("filters") / "study.toml"
    file.write_text(TEXT)
    return file


def label(level):
    return "" if level is None else level.label


@pytest.fixture(scope="module")
def cells(path):
    return read_specification(path).cells


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        (["kind=discriminator"], lambda c: c.kind == "discriminator"),
        (
            ["discriminator=trees"],
            lambda c: label(c.discriminator) in ("trees[min_samples_leaf=1]", "trees[min_samples_leaf=10]"),
        ),
        (["discriminator=forest"], lambda c: label(c.discriminator).startswith("trees")),
        (["discriminator=trees[min_samples_leaf=10]"], lambda c: label(c.discriminator) == "trees[min_samples_leaf=10]"),
        (["discriminator[min_samples_leaf=10]"], lambda c: label(c.discriminator) == "trees[min_samples_leaf=10]"),
        (["problem[kl=0.5]"], lambda c: label(c.problem) == "near[kl=0.5]"),
        (["problem[family=shifted, kl=.1]"], lambda c: label(c.problem) == "near[kl=0.1]"),
        (["problem=pair"], lambda c: label(c.problem).startswith("near")),
        (["problem=moons"], lambda c: label(c.problem).startswith("moons")),
        (["generator[hidden=(8,)]"], lambda c: c.kind == "game"),
        (["seed=0", "kind=game"], lambda c: c.kind == "game" and 0 in c.seeds),
        (["n=20"], lambda c: ("n", 20) in c.budget),
        (["rounds=5"], lambda c: c.kind == "game"),
        (["discriminator=logistic", "discriminator=neural"], lambda c: label(c.discriminator) in ("logistic", "neural")),
        (["n=20", "problem[kl=0.5]"], lambda c: ("n", 20) in c.budget and label(c.problem) == "near[kl=0.5]"),
    ],
)
def test_filters_select_cells_and_leave_them_as_they_are(path, cells, filters, chosen):
    found = read_specification(path, only=filters).cells
    played = {cell.problem for cell in cells if chosen(cell) and cell.kind == "game"}
    assert found == tuple(cell for cell in cells if chosen(cell) or (cell.kind == "truth" and cell.problem in played))
    assert 0 < len(found) < len(cells)


def test_no_filter_selects_all(cells):
    assert select(cells, []) == tuple(cells)


def test_a_seed_selects_its_group(cells):
    assert {c.seeds for c in select(cells, ["seed=1", "discriminator=neural"]) if c.kind == "game"} == {(0, 1)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a filter; expected factor=name"),
        ("forest", "is not a filter; expected factor=name"),
        ("discriminator=", "is not a filter; expected factor=name"),
        ("discriminator=a=b[", "is not a filter; expected factor=name"),
        ("discriminater=forest", "there is no factor 'discriminater'; did you mean 'discriminator'"),
        ("discriminator=forrest", "selects no cell"),
        ("discriminator=logistc", "selects no cell; did you mean 'logistic'"),
        ("problem[kl]", "'kl' is not an option; expected option=value"),
        ("problem[]", "there is no option between the brackets"),
        ("problem[k=0.5]", "no problem sets 'k'; did you mean 'kl'"),
        ("problem[kl=0.3]", "selects no cell"),
        ("seed=7", "selects no cell"),
        ("n=30", "selects no cell; expected one of: "),
        ("problem[kl=__import__('os')]", "selects no cell"),
    ],
)
def test_a_filter_that_selects_nothing_says_why(cells, text, said):
    with pytest.raises(ValueError, match="filter") as caught:
        select(cells, [text])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(("?.", ".."))
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    "filters", [["discriminator=neural"], ["generator=neural"], ["signal=smoothed"], ["objective=usual"], ["kind=game"]]
)
def test_a_game_takes_along_the_truth_of_its_problem_and_of_no_other(cells, filters):
    def truths(*more):
        return [cell.problem.label for cell in select(cells, [*filters, *more]) if cell.kind == "truth"]

    assert truths() == ["near[kl=0.1]", "near[kl=0.5]", "moons(noise=0.2)"]
    assert truths("problem[kl=0.5]") == ["near[kl=0.5]"]


def test_discriminators_have_no_truth(cells):
    assert {cell.kind for cell in select(cells, ["discriminator=logistic"])} == {"discriminator"}


def test_filters_that_exclude_each_other_are_an_error(cells):
    with pytest.raises(ValueError, match="No cell is left"):
        select(cells, ["kind=discriminator", "rounds=5"])


def test_a_filter_is_read_with_its_values():
    assert Filter.read(" a = b c [x=1, y=(1, 2), z=word, w=[3]] ") == Filter(
        "a", "b c", (("x", 1), ("y", (1, 2)), ("z", "word"), ("w", (3,)))
    )
