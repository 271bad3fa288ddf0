"""The colours of a report: told from the paper, and from each other by those who see fewer of them."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from turinglearn.report.dress import STYLE
from turinglearn.report.svg import COLOURS, MARKS, marker, style_of

FOUND = re.findall(r"--c\d: (#[0-9a-f]{6})", STYLE)
PALETTES = {"light": (FOUND[:COLOURS], "#ffffff"), "dark": (FOUND[COLOURS:], "#15181c")}

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


@pytest.mark.parametrize("theme", PALETTES)
def test_colours_are_told_from_the_paper(theme):
    """By WCAG's 3 to 1 for graphics."""
    colours, paper = PALETTES[theme]
    assert len(set(colours)) == COLOURS
    for colour in colours:
        dark, light = sorted((luminance(colour), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) > 3


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", PALETTES)
def test_colours_are_told_from_each_other(theme, sight):
    for one, other in combinations(PALETTES[theme][0], 2):
        assert np.linalg.norm(lab(SIGHTS[sight] @ linear(one)) - lab(SIGHTS[sight] @ linear(other))) > 10


def test_many_arms_differ_and_eight_in_colour():
    many = MARKS * COLOURS
    assert len({style_of(i)[:2] for i in range(many)}) == len({marker(0, 0, i) for i in range(many)}) == many
    assert len({style_of(i)[0] for i in range(8)}) == 8
