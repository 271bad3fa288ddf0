"""The pictures of a report: colours that everybody can tell apart, and axes that show what is small beside what is large."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from turinglearn.plots.palette import SERIES_DARK, SERIES_LIGHT
from turinglearn.report.analysis.blocks import Estimate
from turinglearn.report.render.charts import curves, dots, plane, scatters
from turinglearn.report.render.stylesheet import REPORT_STYLE
from turinglearn.report.render.svg import SHAPES, marker, series_style

COLOURS = len(SERIES_LIGHT)
PALETTES = {"light": (SERIES_LIGHT, "#ffffff"), "dark": (SERIES_DARK, "#15181c")}

# Linear RGB as it is seen without long, middle or short cones (Machado, Oliveira & Fernandes 2009, table for severity 1).
SIGHTS = {
    "all": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(colour):
    """Linear RGB of sRGB."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def lab(rgb):
    """CIE L*a*b* of linear RGB, by D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_stylesheet_has_the_colours_of_both_themes():
    assert re.findall(r"--c\d: (#[0-9a-f]{6})", REPORT_STYLE) == [*SERIES_LIGHT, *SERIES_DARK]


@pytest.mark.parametrize("theme", PALETTES)
def test_colours_stand_out_from_the_paper(theme):
    """By WCAG's 3 to 1 for graphics."""
    colours, paper = PALETTES[theme]
    assert len(set(colours)) == COLOURS
    for colour in colours:
        dark, light = sorted((luminance(colour), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) > 3


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", PALETTES)
def test_colours_differ_for_any_colour_vision(theme, sight):
    for one, other in combinations(PALETTES[theme][0], 2):
        assert np.linalg.norm(lab(SIGHTS[sight] @ linear(one)) - lab(SIGHTS[sight] @ linear(other))) > 10


def test_many_series_differ_and_eight_in_colour():
    many = SHAPES * COLOURS
    assert len({series_style(i)[:2] for i in range(many)}) == len({marker(0, 0, i) for i in range(many)}) == many
    assert len({series_style(i)[0] for i in range(8)}) == 8


def drawn(*values, spread=0.1):
    """The heights of the arms' marks, and the label of their scale, in a picture of two places."""
    lines = {
        f"arm {i}": [(x, Estimate(v, v - spread * abs(v), v + spread * abs(v), 9)) for x in (1, 2)]
        for i, v in enumerate(values)
    }
    picture = curves("title", lines, list(lines), ("n", "bias"))
    heights = [float(y) for y in re.findall(r'class="s\d curve"[^>]* points="[^,]+,([\d.]+) ', picture)]
    return heights, re.search(r">(bias[^<]*)</text>", picture)[1]


def test_values_far_apart_are_on_a_logarithmic_scale():
    heights, scale = drawn(0.001, 0.1, 10.0)
    assert scale == "bias (log)"
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)


def test_values_that_cannot_be_distinguished_from_0_are_on_a_linear_scale_about_0():
    heights, scale = drawn(-0.5, 0.01, 10.0)
    assert scale == "bias (log beyond ±0.01)"
    assert 260 - 42 > heights[0] > heights[1] > heights[2]
    heights, scale = drawn(-2e-9, 1e-9, 10.0)  # no decade is shown that is so far below the largest
    assert scale == "bias (log beyond ±0.001)"
    assert heights[0] == pytest.approx(heights[1], abs=0.2)


def test_values_near_each_other_are_on_a_linear_scale_from_0():
    heights, scale = drawn(1.0, 2.0, 3.0)
    assert scale == "bias"
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)
    assert drawn(0.1, 1.0, 3.0, spread=2.0)[1] == "bias"  # none is surely above 0, nor beyond the noise


def estimates(spread):
    """Of three arms, one of which errs so much."""
    of = {"a": (1.0, 0.1), "b": (1.2, 0.1), "c": (1.1, spread)}
    return {arm: Estimate(v, v - s, v + s, 9) for arm, (v, s) in of.items()}


@pytest.mark.parametrize(
    "draw",
    [
        lambda found: curves("title", {arm: [(1.0, e), (2.0, e)] for arm, e in found.items()}, ["a", "b", "c"], ("n", "bias")),
        lambda found: plane("title", {arm: (e, e) for arm, e in found.items()}, ["a", "b", "c"], ("bias", "variance")),
        lambda found: dots("title", [("row", found)], ["a", "b", "c"], "rmse"),
    ],
)
def test_an_interval_that_is_longer_than_shown_ends_in_an_arrow(draw):
    arrows = re.compile(r'class="s\d bar"[^>]*/><polygon class="f\d" points="([^"]*)"/>')
    assert not arrows.search(draw(estimates(0.1)))
    heads = arrows.findall(draw(estimates(50.0)))
    assert heads
    for head in heads:  # three corners, of which the first is the tip
        (x, y), *sides = [tuple(map(float, corner.split(","))) for corner in head.split()]
        assert len({round(np.hypot(x - a, y - b), 1) for a, b in sides}) == 1


def test_learned_samples_have_the_colours_of_their_discriminators_and_the_real_one_its_own():
    pictures = scatters("ring", [(0.0, 0.0), (1.0, 1.0)], {"real": [(0.5, 0.5)], "svm": [(9.0, 0.5)]}, ["svm", "real"])
    assert [re.search(r'class="(\w+) points"', svg)[1] for svg in pictures] == ["real", "s1", "s0"]
    assert "1 of 1 outside" in pictures[2]


@pytest.mark.parametrize("levels", [(2, 3, 4), (1024, 32768, 131072)])
def test_few_levels_of_a_factor_are_its_ticks(levels):
    line = [(float(level), Estimate(1.0, 0.9, 1.1, 9)) for level in levels]
    picture = curves("title", {"arm": line}, ["arm"], ("d", "bias"))
    assert re.findall(r'class="tick middle"[^>]*>([^<]*)', picture) == [str(level) for level in levels]


def test_a_scale_of_values_below_0_holds_the_typical_interval_about_0():
    line = [(x, Estimate(v, v - e, v + e, 9)) for x, v, e in ((1.0, -5.0, 0.1), (2.0, -4.0, 0.1), (3.0, -0.05, 0.3))]
    picture = curves("title", {"arm": line}, ["arm"], ("d", "bias"))
    assert "(log beyond" in picture
    assert 'polygon class="f0"' not in picture  # no arrow
