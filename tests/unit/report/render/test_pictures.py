"""The pictures of a report: titles are whole, names that differ look different, and the first ones show the most."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.study_rows import discriminator_rows, game_rows, level
from turinglearn.report import compose
from turinglearn.report.analysis.blocks import Estimate
from turinglearn.report.render.charts import bars, dots, heat_map, plane
from turinglearn.report.render.document import Report, ReportFigure, format_cell
from turinglearn.report.render.html import Markup
from turinglearn.report.render.markdown import as_markdown, plain
from turinglearn.report.render.pictures import spread
from turinglearn.report.render.report_html import as_html
from turinglearn.report.render.text_fitting import distinct, text_width

ONE = Estimate(0.7, 0.6, 0.8, 3)
SETTING = "correlated (n = 1000, d = 16, KL = 0.8, generator network of two layers, signal {}, rounds 4000, batch_size 64)"


def drawn(svg, kind):
    """The texts of a class, as they are drawn."""
    return [unescape(text) for text in re.findall(rf'<text class="{kind}"[^>]*>([^<]*)', svg)]


@pytest.mark.parametrize("width", [40, 90, 190])
def test_names_that_differ_anywhere_are_drawn_distinct(width):
    many = [f"forest[max_depth=4, min_samples_leaf={i}, n_estimators=30]" for i in (1, 3, 10)]
    names = [*many, *(f"svm[C={c}, kernel=rbf]" for c in (1, 10)), "short", "covariance 0 0", "covariance 0 1"]
    shown = distinct(names, width)
    assert len(set(shown)) == len(names)
    assert all(text_width(text) <= width for text in shown)
    assert shown[names.index("short")] == "short"


def test_a_long_name_keeps_both_ends():
    (shown,) = distinct(["forest[max_depth=4, min_samples_leaf=10]"], 150)
    assert shown.startswith("forest[")
    assert shown.endswith("leaf=10]")


def test_long_names_of_a_kind_show_where_they_differ():
    names = [f"forest[min_samples_leaf={i}, n_estimators=300, max_depth=4]" for i in (1, 10)]
    shown = distinct(names, 190)
    assert [f"_leaf={i}," in text for i, text in zip((1, 10), shown, strict=True)] == [True, True]
    assert all(text.startswith("forest[") and text_width(text) <= 190 for text in shown)


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
    parts = compose(discriminator_rows(seeds=3)).data()
    shown = [drawn(svg, "title") for svg in parts["curves-discriminator-n"].pictures]
    names = [f"correlated (d = {d}, KL = 0.5): {part} in log-loss" for d in (2, 8) for part in ("bias", "variance")]
    assert sorted(" ".join(title) for title in shown) == names


def test_no_two_pictures_of_a_figure_have_the_same_title():
    rows = discriminator_rows(seeds=3) + game_rows(seeds=3)
    for each in rows:
        each["payload"]["problem"]["name"] += f" with {'a name that is long and ' * 4}ends"
    for part in compose(rows).data().values():
        if isinstance(part, ReportFigure):
            titles = [" ".join(drawn(svg, "title")) for svg in part.pictures]
            assert len(set(titles)) == len(titles)


# ------------------------------------------------------------------------------------------------ which come first, and how
def problems(many):
    """Discriminators of two sizes of training sets on so many problems."""
    rows = []
    for i in range(many):
        for each in discriminator_rows(
            seeds=2, dimensions=(2,), discriminators={"neural": (0.03, 0.01), "forest": (0.07, 0.02)}
        ):
            each["payload"]["problem"] = level(f"problem {i:02}", f"pair(family='{i:02}')")
            rows.append({**each, "identity": f"{i}-{each['identity']}"})
    return rows


def test_the_first_pictures_show_as_many_problems_and_both_quantities():
    parts = compose(problems(20)).data()
    planes = [drawn(svg, "title")[0] for svg in parts["plane-discriminator-squared_bias"].pictures]
    assert len(planes) == 40
    assert len({title.partition(" (")[0] for title in planes[:20]}) == 20
    curves = [" ".join(drawn(svg, "title")) for svg in parts["curves-discriminator-n"].pictures]
    assert len(curves) == 40
    assert [sum(f"{part} in log-loss" in title for title in curves[:12]) for part in ("bias", "variance")] == [6, 6]


def test_later_pictures_are_closed_and_none_is_missing():
    document = compose(problems(20))
    html = as_html(document)
    figure = html[html.index("<figure>") :]
    figure = figure[: figure.index("</figure>")]
    opened, rest = figure.split("<details>", 1)
    assert opened.count('role="img"') == 12
    assert "28 more pictures" in rest
    assert rest.count('role="img"') == 28


def test_a_figure_says_how_many_it_has_no_pictures_of():
    (figure, *_) = (p for p in compose(problems(40)).data().values() if isinstance(p, ReportFigure))
    assert len(figure.pictures) == 60
    assert "The first 60 of 80 are drawn; the numbers of all are in the file." in figure.caption


def test_every_figure_has_its_table_whatever_its_length():
    rows = [(f"name {i}", i / 3) for i in range(5_000)]
    html = as_html(Report("t", [ReportFigure("f", "caption", ("name", "value"), rows, [Markup("<svg></svg>")])]))
    assert html.count("<tr><td") == 2_000
    assert "The first 2,000 of 5,000 rows; all are in the file." in html


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3))))
def test_spreading_keeps_every_drawing_and_alternates(groups):
    drawings = [(group, lambda i=i: str(i)) for i, group in enumerate(groups)]
    found = spread(drawings)
    assert sorted(draw() for _, draw in found) == sorted(draw() for _, draw in drawings)
    widest = [group[0] for group, _ in found]
    assert len(set(widest[: len(set(widest))])) == len(set(widest))
    for wide in set(widest):  # within each group, the narrower ones alternate too
        narrow = [group[1] for group, _ in found if group[0] == wide]
        assert len(set(narrow[: len(set(narrow))])) == len(set(narrow))


def test_the_markdown_twin_has_the_numbers_of_every_figure():
    for part in compose(discriminator_rows(seeds=3) + game_rows(seeds=3)).data().values():
        text = as_markdown(Report("t", [part]))
        lines = [line for line in text.splitlines() if line.startswith("|")]
        assert len(lines) == 2 + min(60, len(part.rows))
        shown = [plain(format_cell(cell)) for cell in part.rows[0]]
        assert lines[2] == f"| {' | '.join(shown)} |"
        assert (f"The first 60 of {len(part.rows):,} rows; all are in the file." in text) == (len(part.rows) > 60)


def test_the_file_beside_real_samples_has_the_points_of_what_is_drawn():
    rows = []
    for i in range(20):
        for each in game_rows(seeds=3):
            each["payload"]["problem"]["name"] = f"problem {i:02}"
            rows.append({**each, "identity": f"{i}-{each['identity']}"})
    figure = compose(rows).data()["real-beside-fake"]
    assert len(figure.pictures) == 60
    assert "The first 15 of 20 are drawn; the file has their points." in figure.caption
    assert len({row[0] for row in figure.rows}) == 15
