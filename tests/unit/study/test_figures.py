"""Declared figures: what each means, and how their names are taken apart."""

from __future__ import annotations

import math

import pytest

from turinglearn.study.factors import CellKind
from turinglearn.study.figures import (
    BIAS,
    CROSS_EXAMINATION,
    ESTIMATE,
    FIGURES,
    MEANINGS,
    SPLITS,
    TOTAL,
    Better,
    FigureName,
    Measure,
    MeasureKind,
    Part,
    check_declared,
    parse_name,
    possible,
)


@pytest.mark.parametrize("measure", FIGURES.values(), ids=FIGURES)
def test_every_figure_is_explained(measure):
    assert measure.title
    assert measure.meaning or measure.formula
    assert measure.bounds[0] < measure.bounds[1]
    assert measure.parts[0] is Part.VALUE
    assert measure.kind in MeasureKind
    assert measure.better in Better


@pytest.mark.parametrize("measure", FIGURES.values(), ids=FIGURES)
def test_every_name_of_a_figure_is_taken_apart(measure):
    if measure.keyed:
        for key in ("a", "mean 0", "x@y", "near[kl=0.5]", ""):
            assert parse_name(measure.of(key)) == FigureName(measure, key)
        assert parse_name(measure.name) is None
        return
    for part in measure.parts:
        assert parse_name(f"{measure.name}{part}") == FigureName(measure, part=part)


@pytest.mark.parametrize(
    "name", ["", "speed", "kl_low", "variance_seconds", "bound", "rounds[a]", "estimate[a", "squared_bias_"]
)
def test_other_names_are_not_declared(name):
    assert parse_name(name) is None
    with pytest.raises(ValueError, match="Figures without a declaration"):
        check_declared(["rounds", name])


def test_measures_of_the_answer_are_declared():
    groups = [*BIAS.values(), *TOTAL.values(), *(pair for pairs in SPLITS.values() for pair in pairs)]
    measures = [measure for group in groups for measure in group]
    assert all(FIGURES[measure.name] is measure for measure in measures)
    assert BIAS.keys() == TOTAL.keys() == SPLITS.keys() == {CellKind.DISCRIMINATOR, CellKind.GAME}
    assert [m.kind for pairs in SPLITS.values() for pair in pairs for m in pair] == [MeasureKind.BIAS, MeasureKind.VARIANCE] * 2
    assert all(isinstance(measure, Measure) for measure in measures)


def test_figures_have_bounds():
    assert possible("modes_captured", {"modes": 8.0}) == (0.0, 8.0)
    assert possible("high_quality", {}) == (0.0, 1.0)
    assert possible(CROSS_EXAMINATION.of("forest"), {}) == (0.0, 1.0)
    assert possible("energy_distance", {}) == possible("anything", {}) == (-math.inf, math.inf)


def test_keyed_figures_have_no_single_meaning_in_tables():
    assert "rounds" in MEANINGS
    assert ESTIMATE.name not in MEANINGS
