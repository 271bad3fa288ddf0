"""Scales: they hold their values in order, and their ticks are few, in place and short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn.plots.scales import Scale, linear, logarithmic, padded, symlog, tick_labels, ticked_at

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9)


@pytest.mark.parametrize(("values", "ticks"), [((0.02, 80), (0.1, 1, 10)), ((2, 40), (3, 10, 30)), ((3, 8), (5,))])
def test_ticks_of_a_logarithmic_scale_are_powers_of_ten_or_between_them(values, ticks):
    found = logarithmic(values)
    assert found.ticks == ticks
    assert found.at(found.low) == 0 < found.at(values[0]) < found.at(values[1]) < found.at(found.high) == 1
    assert found.at(-1.0) == 0


@given(VALUES, st.floats(1e-6, 1.0))
def test_a_symlog_scale_holds_its_values_in_order(values, width):
    found = symlog(values, width)
    assert all(map(found.holds, [0.0, *values, *found.ticks]))
    assert 2 <= len(found.ticks) <= 12 or max(map(abs, values)) <= 10 * width
    places = [found.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert found.at(width / 100) - found.at(0.0) == pytest.approx(found.at(0.0) - found.at(-width / 100), abs=1e-12)


@given(VALUES, st.booleans())
def test_a_linear_scale_holds_its_values_in_order(values, zero):
    found = linear(values, zero=zero)
    assert all(map(found.holds, values))
    assert found.holds(0.0) or not zero
    assert 2 <= len(found.ticks) <= 6
    places = [found.at(value) for value in sorted(values)]
    assert places == sorted(places)


def test_a_scale_can_have_its_ticks_at_the_values():
    found = ticked_at([10.0, 1.0, 100.0])
    assert found.ticks == (1.0, 10.0, 100.0)
    assert found.at(10.0) == pytest.approx(0.5)


def test_limits_have_a_margin_also_where_values_are_equal():
    low, high = padded([0.0, 3.0], [10.0, 3.0], 0.1)
    np.testing.assert_allclose(low, [-1.0, 2.0])
    np.testing.assert_allclose(high, [11.0, 4.0])


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ((0.0, 0.01, 0.1, 1.0), ["0", "0.01", "0.1", "1"]),
        ((-0.0001, 0.0, 0.0001, 0.01, 1.0), ["-1e-4", "0", "1e-4", "1e-2", "1"]),
        ((20000.0, 150000.0), ["2e4", "1.5e5"]),
        ((100.02, 100.04), ["100.02", "100.04"]),  # which would not differ
    ],
)
def test_labels_of_ticks_are_short_and_of_one_kind(ticks, texts):
    assert list(tick_labels(Scale(min(ticks), max(ticks), ticks)).values()) == texts
