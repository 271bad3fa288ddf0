"""The pictures: what is drawn is what was given, on axes that a reader can trust."""

from __future__ import annotations

import math
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest

from turinglearn import plots
from turinglearn.objectives import LinearLoss, Logistic, NonSaturating
from turinglearn.plots import DISCRIMINATOR, FAKE, REAL, density_panel, losses, real_beside_fake

colors = pytest.importorskip("matplotlib.colors", reason="needs matplotlib, which is not installed")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def history(n=50, **constant):
    names = ("generator_loss", "discriminator_loss", "accuracy")
    return [{"index": i + 1, **{name: constant.get(name, i / n) for name in names}} for i in range(n)]


def points(axes):
    return np.asarray(axes.collections[0].get_offsets())


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def levels(axes):
    """Where the dashed lines from side to side lie."""
    return sorted(line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--")


def texts(axes):
    return [text.get_text() for text in axes.texts]


# ------------------------------------------------------------------------------------------------------ real beside fake
def test_points_are_drawn_as_they_are(rng):
    real, fake = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    left, right = real_beside_fake(real, fake).axes
    np.testing.assert_allclose(points(left), real)
    np.testing.assert_allclose(points(right), fake)
    assert (left.get_title(), right.get_title()) == ("real", "fake")
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()


def test_axes_hold_the_real_samples_and_count_what_they_leave_out(rng):
    real, fake = rng.uniform(size=(100, 2)), rng.uniform(size=(100, 2))
    fake[:30] += 50
    left, right = real_beside_fake(real, fake).axes
    assert left.get_xlim()[0] < real[:, 0].min() < real[:, 0].max() < left.get_xlim()[1] < 2
    assert texts(left) == []
    assert texts(right) == ["30 % outside"]


def test_tables_are_drawn_on_the_components_of_the_real_samples(rng):
    real = rng.normal(size=(200, 5)) * [1, 2, 3, 4, 5] @ rng.normal(size=(5, 5))
    axes = real_beside_fake(real, real).axes
    assert len(axes) == 4
    z = (real - real.mean(axis=0)) / real.std(axis=0)
    variances = np.sort(np.linalg.eigvalsh(np.cov(z.T, bias=True)))[::-1]
    drawn = np.concatenate([points(axes[0]), points(axes[2])], axis=1)
    np.testing.assert_allclose(np.cov(drawn.T, bias=True), np.diag(variances[:4]), atol=1e-9)
    assert axes[0].get_xlabel() == "component 1"
    assert axes[2].get_ylabel() == "component 4"


def test_units_of_a_table_do_not_matter(rng):
    real, fake = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    scale, shift = np.array([1e-3, 1.0, 1e4]), np.array([5.0, -2.0, 1e3])
    here = [points(axes) for axes in real_beside_fake(real, fake).axes]
    there = [points(axes) for axes in real_beside_fake(real * scale + shift, fake * scale + shift).axes]
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(np.abs(a), np.abs(b), atol=1e-6)  # components have no sign


def test_a_constant_column_is_no_obstacle(rng):
    real = np.column_stack((rng.normal(size=(50, 3)), np.ones(50)))
    for axes in real_beside_fake(real, real).axes:
        assert np.isfinite(points(axes)).all()


def test_one_feature_becomes_histograms_of_mass_one(rng):
    real, fake = rng.uniform(0, 1, (4000, 1)), rng.uniform(0.25, 0.75, (4000, 1))
    for axes, height in zip(real_beside_fake(real, fake).axes, (1, 2), strict=True):
        values, edges, _ = axes.patches[0].get_data()
        assert np.sum(values * np.diff(edges)) == pytest.approx(1, abs=0.02)
        inside = (edges[:-1] > 0.3) & (edges[1:] < 0.7)
        np.testing.assert_allclose(values[inside], height, rtol=0.35)


def test_heavy_tails_do_not_flatten_a_histogram(rng):
    real = rng.standard_cauchy((5000, 1))
    left, _ = real_beside_fake(real, real).axes
    _, edges, _ = left.patches[0].get_data()
    assert edges[-1] < np.abs(real).max() / 5


def test_images_stand_in_a_grid(rng):
    real, fake = rng.uniform(size=(25, 4, 3)), rng.uniform(size=(7, 4, 3))
    left, right = (axes.images[0].get_array() for axes in real_beside_fake(real, fake).axes)
    assert left.shape == right.shape == (5 * 5 - 1, 5 * 4 - 1)
    np.testing.assert_allclose(left[5:9, 4:7], real[6])  # second row, second column
    np.testing.assert_allclose(right[5:9, 4:7], fake[6])
    assert (right[10:] == real.min()).all()  # of seven images none is in the third row


def is_drawn_from_all(values, most):
    """Of 0, ..., 1 in their order, so many were drawn, all over, and each once."""
    return len(set(values)) == len(values) == most and np.ptp(np.histogram(values, 4, (0, 1))[0]) < most / 3


@pytest.mark.parametrize("d", [2, 3])
def test_sorted_data_are_drawn_from_all_over(rng, d):
    """The first rows of a sorted sample would show a mode that is none."""
    real = np.sort(rng.uniform(size=(8000, 1)), axis=0) * np.ones(d)
    real[:, 1:] = rng.normal(size=(8000, d - 1))
    once, again = (real_beside_fake(real, real) for _ in range(2))
    for axes, other in zip(once.axes, again.axes, strict=True):
        assert len(points(axes)) == 1000
        np.testing.assert_array_equal(points(axes), points(other))
    if d == 2:
        assert is_drawn_from_all(points(once.axes[0])[:, 0], 1000)
    else:
        shown = np.concatenate([points(axes) for axes in once.axes[::2]], axis=1)
        np.testing.assert_allclose(shown.mean(axis=0), 0, atol=0.15)
        np.testing.assert_allclose(shown.std(axis=0), 1, atol=0.15)


def test_sorted_images_are_drawn_from_all_over():
    real = np.linspace(0, 1, 400)[:, None, None] * np.ones((1, 3, 3))
    left, right = (axes.images[0].get_array() for axes in real_beside_fake(real, real).axes)
    np.testing.assert_array_equal(left, right)
    assert is_drawn_from_all(np.ravel(left[::4, ::4]), 25)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3)), "samples of shape"),
        (np.zeros(5), np.zeros(5), r"real has shape \(5,\)"),
        (np.zeros((5, 2)), np.full((5, 2), np.nan), "fake contains NaN"),
        (np.zeros((0, 2)), np.zeros((5, 2)), "real has shape"),
        (np.zeros((5, 2, 2, 3)), np.zeros((5, 2, 2, 3)), "expected"),
    ],
)
def test_what_cannot_be_drawn_is_named(real, fake, message):
    with pytest.raises(ValueError, match=message):
        real_beside_fake(real, fake)


# ---------------------------------------------------------------------------------------------------------------- losses
def test_losses_stand_beside_their_equilibria():
    left, right = losses(history(), NonSaturating(), Logistic()).axes
    np.testing.assert_allclose(levels(left), [math.log(2), 2 * math.log(2)])
    np.testing.assert_allclose(levels(right), [0.5])
    low, high = left.get_ylim()
    assert low < 0
    assert high > 2 * math.log(2)


def test_an_objective_without_equilibrium_has_no_line():
    left, _ = losses(history(), LinearLoss()).axes
    assert levels(left) == []


def test_a_constant_curve_stays_where_it_is():
    left, _ = losses(history(generator_loss=3.0)).axes
    x, y = curve(left, "generator")
    np.testing.assert_allclose(x, np.arange(1, 51))
    np.testing.assert_allclose(y, 3.0)


def test_a_straight_curve_stays_straight():
    left, _ = losses(history()).axes
    np.testing.assert_allclose(curve(left, "discriminator")[1], np.arange(50) / 50, atol=1e-12)


def test_figures_that_are_not_finite_are_left_out():
    figures = history(discriminator_loss=math.nan, accuracy=math.nan)
    figures[3]["generator_loss"] = math.inf
    left, right = losses(figures, NonSaturating(), None).axes
    assert 4 not in curve(left, "generator")[0]
    assert [line for line in left.lines if line.get_label() == "discriminator"] == []
    np.testing.assert_allclose(levels(right), [0.5])


def test_one_round_is_enough():
    losses(history(1), NonSaturating(), Logistic()).savefig(BytesIO())


def test_a_history_may_be_columns():
    """As `TuringLearner.history_` is."""
    rows = history()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for here, there in zip(losses(rows).axes, losses({**columns, "distance": [math.nan] * 50}).axes, strict=True):
        assert len(here.lines) == len(there.lines)
        for one, other in zip(here.lines, there.lines, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


def test_no_rounds_are_too_few():
    with pytest.raises(ValueError, match="history is empty"):
        losses([])


# -------------------------------------------------------------------------------------------------------- one dimension
def test_the_best_discriminator_is_drawn_from_the_densities():
    x = np.linspace(-3, 3, 50)
    p, q, D = np.exp(-(x**2)), np.exp(-((x - 1) ** 2)), np.full(50, 0.3)
    above, below = density_panel(x, p, q, D).axes
    np.testing.assert_allclose(curve(above, "real p")[1], p)
    np.testing.assert_allclose(curve(above, "fake q")[1], q)
    np.testing.assert_allclose(curve(below, "p / (p + q)")[1], p / (p + q))
    np.testing.assert_allclose(curve(below, "discriminator's D")[1], D)


def test_where_both_densities_vanish_there_is_no_best_discriminator():
    x = np.linspace(0, 1, 4)
    _, below = density_panel(x, np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1]), np.full(4, 0.5)).axes
    np.testing.assert_array_equal(curve(below, "p / (p + q)")[1], [1, 0.5, np.nan, 0])


def test_fakes_stand_for_an_unknown_density(rng):
    x = np.linspace(0, 1, 50)
    above, below = density_panel(x, np.ones(50), None, np.full(50, 0.5), fake=rng.uniform(size=(9000, 1))).axes
    values, _, _ = next(p for p in above.patches if p.get_label() == "fake q").get_data()
    np.testing.assert_allclose(values, 1, atol=0.4)
    assert [line for line in below.lines if "p + q" in str(line.get_label())] == []


@pytest.mark.parametrize("both", [{"q": None}, {"q": np.ones(5), "fake": np.ones(5)}])
def test_the_fake_density_is_given_once(both):
    with pytest.raises(ValueError, match="not both"):
        density_panel(np.arange(5.0), np.ones(5), D=np.ones(5), **both)


def test_densities_of_another_length_are_named():
    with pytest.raises(ValueError, match="p has shape"):
        density_panel(np.arange(5.0), np.ones(4), np.ones(5), np.ones(5))


# ----------------------------------------------------------------------------------------------------------------- style
def test_every_label_lies_within_its_figure(rng):
    x = np.linspace(0, 1, 50)
    figures = [
        real_beside_fake(rng.normal(size=(60, d)), rng.normal(size=(60, d)), title="breast cancer: logistic regression")
        for d in (1, 2, 5)
    ]
    figures.append(losses(history(), NonSaturating(), Logistic(), title="losses"))
    figures.append(density_panel(x, x, 1 - x, x, title="p, q and D"))
    for figure in figures:
        figure.savefig(BytesIO())  # the layout is made when it is drawn
        page = figure.bbox
        labels = [figure._suptitle, *(t for axes in figure.axes for t in (axes.title, axes.xaxis.label, axes.yaxis.label))]
        legends = [axes.get_legend() for axes in figure.axes]
        for part in [*(t for t in labels if t and t.get_text()), *filter(None, legends)]:
            box = part.get_window_extent()
            assert box.x0 >= -1, part
            assert box.y0 >= -1, part
            assert box.x1 <= page.x1 + 1, part
            assert box.y1 <= page.y1 + 1, part


def test_colours_differ_in_lightness_too():
    def luminance(colour):
        return float(np.dot(np.array(colors.to_rgb(colour)) ** 2.2, [0.2126, 0.7152, 0.0722]))

    assert len({round(luminance(c), 2) for c in (REAL, FAKE, DISCRIMINATOR)}) == 3


def test_drawing_leaves_matplotlibs_state_alone():
    script = (
        "import sys; from turinglearn.plots import losses; import io\n"
        "f = losses([{'index': 1, 'generator_loss': 1, 'discriminator_loss': 1, 'accuracy': 1}]); f.savefig(io.BytesIO())\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'turinglearn\[plot\]'"):
        losses(history())


# ------------------------------------------------------------------------------------------------------- tables, surfaces
def people(n, seed):
    pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    rng = np.random.default_rng(seed)
    table = pandas.DataFrame(
        {"height": rng.normal(size=n), "city": rng.choice(["Lima", "Rome"], n), "well": rng.random(n) < 0.3}
    )
    table["day"] = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(rng.integers(0, 90, n), unit="D")
    table.loc[0, "height"] = None
    return table


def test_pairs_show_real_rows_below_and_fakes_above():
    figure = plots.pairs(people(300, 0), people(200, 1), title="people")
    grid = np.array(figure.axes).reshape(4, 4)
    for i in range(4):
        for j in range(4):
            if i != j:
                (points,) = grid[i, j].collections
                colour = colors.to_hex(points.get_facecolor()[0])
                assert colour.upper() == (plots.REAL if i > j else plots.FAKE)
                assert len(points.get_offsets()) == 200  # as many of each
    assert [axes.get_xlabel() for axes in grid[-1]] == ["height", "city", "well", "day (days)"]
    assert [label.get_text() for label in grid[-1, 1].get_xticklabels()] == ["Lima", "Rome"]


def test_pairs_spread_categories_apart_from_each_other():
    """Two categories are blurred independently, or their points would lie on a line."""
    figure = plots.pairs(people(300, 0), people(300, 1), columns=["city", "well"])
    x, y = np.asarray(figure.axes[2].collections[0].get_offsets()).T
    assert abs(np.corrcoef(x - np.rint(x), y - np.rint(y))[0, 1]) < 0.3


def test_pairs_of_sorted_tables_are_drawn_from_all_over():
    pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    table = pandas.DataFrame({"a": np.linspace(0, 1, 4000)})
    table["b"] = table["a"] ** 2
    for axes in (plots.pairs(table, table).axes[i] for i in (1, 2)):
        x, y = points(axes).T
        assert is_drawn_from_all(np.maximum(x, y), 500)
        np.testing.assert_allclose(np.maximum(x, y) ** 2, np.minimum(x, y))  # rows stay together


@pytest.mark.parametrize(
    ("columns", "message"),
    [(["height", "age"], "no column 'age' in both tables"), (list("abcdef"), "no column"), ([], "0 columns")],
)
def test_pairs_that_cannot_be(columns, message):
    with pytest.raises(ValueError, match=message):
        plots.pairs(people(9, 0), people(9, 1), columns=columns)
    with pytest.raises(ValueError, match=r"must be pandas data frames. For arrays, use real_beside_fake"):
        plots.pairs(np.ones((3, 2)), people(9, 1))


def test_the_surface_is_the_discriminators():
    """The undecided line lies where the score is 0, and colours are those of the scores."""
    rng = np.random.default_rng(0)
    figure = plots.discriminator_surface(lambda x: x[:, 0] - 0.5, rng.normal(size=(200, 2)), rng.normal(size=(100, 2)) + 1)
    axes = figure.axes[0]
    line = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    np.testing.assert_allclose(line[:, 0], 0.5, atol=1e-6)
    surface = axes.images[0].get_array()
    left, right, *_ = axes.images[0].get_extent()
    np.testing.assert_allclose(surface[0], np.linspace(left, right, surface.shape[1]) - 0.5)


def test_a_surface_shows_sorted_samples_from_all_over():
    samples = np.linspace(0, 1, 4000)[:, None] * np.ones(2)
    axes = plots.discriminator_surface(lambda x: x[:, 0] - 5, samples, samples).axes[0]
    for shown in axes.collections:
        assert is_drawn_from_all(np.asarray(shown.get_offsets())[:, 0], 500)


@pytest.mark.parametrize(
    ("discriminator", "real", "message"),
    [
        (lambda x: x, np.ones((5, 2)), r"returned scores of shape \(14400, 2\)"),
        (lambda x: np.full(len(x), np.nan), np.ones((5, 2)), "expected finite scores"),
        (lambda x: x[:, 0], np.ones((5, 3)), r"expected \(n, 2\): the surface is over a plane"),
    ],
)
def test_surfaces_that_cannot_be(discriminator, real, message):
    with pytest.raises(ValueError, match=message):
        plots.discriminator_surface(discriminator, real, real)


def test_dark_pictures_are_dark():
    x = np.linspace(-1, 1, 9)
    samples = np.random.default_rng(0).normal(size=(30, 2))
    figures = [
        plots.real_beside_fake(samples, samples, title="t", theme=plots.DARK),
        plots.losses(history(), title="t", theme=plots.DARK),
        plots.density_panel(x, x**2, x**2, x**2, title="t", theme=plots.DARK),
        plots.discriminator_surface(lambda z: z[:, 0], samples, samples, title="t", theme=plots.DARK),
        plots.pairs(people(9, 0), people(9, 1), theme=plots.DARK),
    ]
    for figure in figures:
        assert colors.to_hex(figure.get_facecolor()) == plots.DARK.paper.lower()
        for axes in figure.axes:
            words = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title]
            if axes.axison and not axes.images and axes.get_label() != "<colorbar>":
                assert colors.to_hex(axes.get_facecolor()) == plots.DARK.paper.lower()
            assert not any(colors.to_hex(word.get_color()) == "#000000" for word in words if word.get_text())
