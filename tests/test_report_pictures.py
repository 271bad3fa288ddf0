"""The pictures of a report: names that differ are drawn differently, and titles are drawn whole."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.study_rows import game_rows, judge_rows
from turinglearn.report import compose
from turinglearn.report.charts import bars, dots, heat_map, plane
from turinglearn.report.document import Figure
from turinglearn.report.estimates import Estimate
from turinglearn.report.svg import apart, extent

ONE = Estimate(0.7, 0.6, 0.8, 3)
SETTING = "correlated (n = 1000, d = 16, KL = 0.8, generator network of two layers, signal {}, rounds 4000, batch_size 64)"


def drawn(svg, kind):
    """The texts of a class, as they are drawn."""
    return [unescape(text) for text in re.findall(rf'<text class="{kind}"[^>]*>([^<]*)', svg)]


@pytest.mark.parametrize("width", [40, 90, 190])
def test_names_that_differ_anywhere_are_drawn_apart(width):
    many = [f"forest[max_depth=4, min_samples_leaf={i}, n_estimators=30]" for i in (1, 3, 10)]
    names = [*many, *(f"svm[C={c}, kernel=rbf]" for c in (1, 10)), "short", "covariance 0 0", "covariance 0 1"]
    shown = apart(names, width)
    assert len(set(shown)) == len(names)
    assert all(extent(text) <= width for text in shown)
    assert shown[names.index("short")] == "short"


def test_a_long_name_keeps_both_ends():
    (shown,) = apart(["forest[max_depth=4, min_samples_leaf=10]"], 150)
    assert shown.startswith("forest[")
    assert shown.endswith("leaf=10]")


@pytest.mark.parametrize(
    "draw",
    [
        lambda title: plane(title, {"a": (ONE, ONE)}, ["a"], ("x", "y")),
        lambda title: dots(title, [("mean", {"a": ONE})], ["a"], "x"),
        lambda title: heat_map(title, ["a"], ["b"], {("a", "b"): ONE}, (0.5, 1.0)),
        lambda title: bars(title, {"a": 0.5}, ["a"]),
    ],
    ids=["plane", "dots", "heat map", "bars"],
)
def test_a_title_is_drawn_whole_and_makes_its_picture_higher(draw):
    def height(svg):
        return float(re.search(r'viewBox="0 0 \S+ (\S+)"', svg)[1])

    long = draw(SETTING.format("smoothed"))
    assert " ".join(drawn(long, "title")) == SETTING.format("smoothed")
    assert height(long) == height(draw("short")) + 15 * (len(drawn(long, "title")) - 1)
    unbroken = draw("x" * 90)
    assert "".join(drawn(unbroken, "title")) == "x" * 90


def test_rows_and_columns_of_a_heat_map_differ():
    names = [f"forest[max_features=sqrt, min_samples_leaf={i}]" for i in (1, 10)]
    svg = heat_map("t", names, names, {(a, b): ONE for a in names for b in names}, (0.5, 1.0))
    assert len(set(drawn(svg, "label end"))) == len(set(drawn(svg, "label"))) == 2


def test_parameters_beside_their_bounds_have_names_of_their_own():
    names = [f"covariance of the whole population {i} {j}" for i in range(2) for j in range(2)]
    assert len(set(drawn(dots("t", [(n, {"a": ONE}) for n in names], ["a"], "x"), "label end"))) == 4


def test_curves_have_the_names_of_the_planes():
    parts = compose(judge_rows(seeds=3)).data()
    shown = [drawn(svg, "title") for svg in parts["curves-judge-n"].pictures]
    assert shown == [["correlated (d = 2, KL = 0.5)"], ["correlated (d = 8, KL = 0.5)"]] * 2


def test_no_two_pictures_of_a_figure_have_the_same_title():
    rows = judge_rows(seeds=3) + game_rows(seeds=3)
    for each in rows:
        each["payload"]["problem"] = f"{each['payload']['problem']} with {'a name that is long and ' * 4}ends"
    for part in compose(rows).data().values():
        if isinstance(part, Figure) and not part.name.startswith("curves"):  # of which bias and variance share a title
            titles = [" ".join(drawn(svg, "title")) for svg in part.pictures]
            assert len(set(titles)) == len(titles)
