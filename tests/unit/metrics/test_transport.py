"""Wasserstein distances against SciPy, POT, an assignment solver and closed forms."""

from __future__ import annotations

import math
import sys
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from scipy import stats
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

from turinglearn.metrics import sliced_wasserstein, transport, wasserstein

ot = pytest.importorskip("ot", reason="needs POT, which is not installed")


def columns(least=1, most=9):
    """One feature on a coarse lattice, so that ties occur."""
    return st.integers(least, most).flatmap(
        lambda n: numpy_arrays(np.int64, (n, 1), elements=st.integers(-40, 40)).map(lambda x: x / 8)
    )


def samples(seed, n=30, m=50, d=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), 0.5 + 1.5 * rng.standard_normal((m, d))


def quantile_integral(x, y, p):
    """The integral of |F⁻¹ - G⁻¹|^p, in rational arithmetic, (n m) steps one by one."""
    x, y = sorted(map(Fraction, x.ravel().tolist())), sorted(map(Fraction, y.ravel().tolist()))
    n, m = len(x), len(y)
    return float(sum(abs(x[i // m] - y[i // n]) ** p for i in range(n * m)) / (n * m)) ** (1 / p)


# ---------------------------------------------------------------------------------------------------------- one feature
@given(columns(), columns())
def test_order_1_equals_scipy(x, y):
    assert wasserstein(x, y) == pytest.approx(stats.wasserstein_distance(x[:, 0], y[:, 0]), abs=1e-12)


@given(columns(), columns(), st.sampled_from([1, 2, 3]))
def test_every_order_is_the_integral_over_quantiles(x, y, p):
    assert wasserstein(x, y, p=p) == pytest.approx(quantile_integral(x, y, p), abs=1e-12)


def test_the_distribution_of_exponentials():
    """W_1 and W_2 between quantiles of Exp(1) and of Exp(1/3): F⁻¹ = -s log(1 - u), so W_p = 2 Γ(p + 1)^(1/p)."""
    u = (np.arange(200_000) + 0.5) / 200_000
    x, y = -np.log1p(-u), -3 * np.log1p(-u)
    assert wasserstein(x, y) == pytest.approx(2, rel=1e-4)
    assert wasserstein(x, y, p=2) == pytest.approx(2 * math.sqrt(2), rel=1e-3)


def test_large_values_and_powers_do_not_overflow():
    assert wasserstein([0.0, 1e150], [3e149, 4e149], p=6) == pytest.approx(1e150 * (0.5 * (0.3**6 + 0.6**6)) ** (1 / 6))


# --------------------------------------------------------------------------------------------------- several dimensions
@pytest.mark.parametrize("p", [1, 2, 1.5])
def test_equal_sizes_are_an_assignment(p):
    x, y = samples(0, n=60, m=60)
    costs = cdist(x, y) ** p
    expected = costs[linear_sum_assignment(costs)].mean() ** (1 / p)
    assert wasserstein(x, y, p=p) == pytest.approx(expected, rel=1e-10)


def test_different_sizes_are_a_linear_programme():
    x, y = samples(1, n=6, m=9, d=2)
    margins = np.vstack((np.kron(np.eye(6), np.ones(9)), np.kron(np.ones(6), np.eye(9))))
    plan = linprog(cdist(x, y).ravel(), A_eq=margins, b_eq=np.r_[np.full(6, 1 / 6), np.full(9, 1 / 9)])
    assert wasserstein(x, y) == pytest.approx(plan.fun, rel=1e-8)


def test_one_feature_among_constants_is_that_feature():
    x, y = samples(2, d=1)
    padded = [np.column_stack((z, np.full(len(z), 7.0))) for z in (x, y)]
    assert wasserstein(*padded, p=2) == pytest.approx(wasserstein(x, y, p=2), rel=1e-10)


@given(numpy_arrays(np.float64, (5, 2), elements=st.floats(-9, 9)), st.floats(-5, 5), st.floats(-5, 5))
def test_a_shift_costs_its_length(x, a, b):
    for p in (1, 2):
        assert wasserstein(x, x + np.array((a, b)), p=p) == pytest.approx(math.hypot(a, b), abs=1e-7)


def test_a_sample_is_at_distance_0_from_itself():
    x, _ = samples(3)
    for value in (wasserstein(x, x[::-1]), wasserstein(np.ones((3, 2)), np.ones((4, 2))), sliced_wasserstein(x, x[::-1])):
        assert value == pytest.approx(0, abs=1e-12)


def test_units():
    x, y = samples(4)
    for measure in (wasserstein, lambda x, y: sliced_wasserstein(x, y, random_state=0)):
        assert measure(1e-9 * x, 1e-9 * y) == pytest.approx(1e-9 * measure(x, y), rel=1e-9)


# --------------------------------------------------------------------------------------------------------------- sliced
@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("m", [50, 30])
def test_sliced_equals_pot_on_the_same_directions(p, m):
    x, y = samples(5, m=m)
    directions = np.random.default_rng(7).standard_normal((3, 40))
    directions /= np.linalg.norm(directions, axis=0)
    expected = ot.sliced_wasserstein_distance(x, y, projections=directions, p=p)
    assert sliced_wasserstein(x, y, p=p, projections=40, random_state=7) == pytest.approx(float(expected), rel=1e-9)


def test_sliced_in_one_dimension_is_exact():
    x, y = samples(6, d=1)
    for p in (1, 2):
        assert sliced_wasserstein(x, y, p=p, projections=3) == pytest.approx(wasserstein(x, y, p=p), rel=1e-12)


@pytest.mark.parametrize("d", [2, 5, 20])
def test_sliced_shift(d):
    """u·s has mean square |s|²/d over directions."""
    x = np.random.default_rng(0).standard_normal((50, d))
    shift = np.arange(1.0, d + 1)
    projections = 20_000
    expected, value = shift @ shift / d, sliced_wasserstein(x, x + shift, projections=projections, random_state=0) ** 2
    error = (shift @ shift) * math.sqrt(2 * (d - 1) / (d**2 * (d + 2)) / projections)  # of the mean of (u·s)²
    assert abs(value - expected) < 4 * error


def test_sliced_blocks_change_nothing(monkeypatch):
    x, y = samples(8)
    whole = sliced_wasserstein(x, y, projections=33, random_state=0)
    monkeypatch.setattr(transport, "_BLOCK", 250)
    assert sliced_wasserstein(x, y, projections=33, random_state=0) == pytest.approx(whole, rel=1e-12)


def test_sliced_memory_is_bounded():
    x, y = samples(9, n=20_000, m=20_000, d=2)  # all projections at once would be 160 MB
    tracemalloc.start()
    try:
        sliced_wasserstein(x, y, projections=500, random_state=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 120e6


def test_a_seed_repeats():
    x, y = samples(10)
    a, b, c = (sliced_wasserstein(x, y, projections=5, random_state=seed) for seed in (1, 1, 2))
    assert a == b != c


# --------------------------------------------------------------------------------------------------------------- inputs
def test_every_array_library_gives_the_same(arrays_on):
    x, y = samples(11)
    for measure in (wasserstein, lambda x, y: sliced_wasserstein(x, y, random_state=0)):
        assert measure(arrays_on.asarray(x), arrays_on.asarray(y)) == measure(x, y)


def test_too_many_rows_are_refused_with_a_remedy(monkeypatch):
    monkeypatch.setattr(transport, "_PAIRS", 20)
    wasserstein(np.zeros((4, 2)), np.zeros((5, 2)))
    wasserstein(np.zeros(100), np.ones(100))  # one feature has no limit
    with pytest.raises(ValueError, match=r"25 pairs; expected at most 20. Use sliced_wasserstein"):
        wasserstein(np.zeros((5, 2)), np.zeros((5, 2)))


def test_without_pot_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    assert wasserstein([0.0, 1.0], [1.0, 2.0]) == 1
    with pytest.raises(ImportError, match=r"turinglearn\[measures\].*sliced_wasserstein"):
        wasserstein(np.zeros((5, 2)), np.ones((5, 2)))


@pytest.mark.parametrize("measure", [wasserstein, sliced_wasserstein])
@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), {}, "expected the same number"),
        (np.zeros((0, 2)), np.zeros((3, 2)), {}, "at least 1 row"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), {}, "3 rows with NaN"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"p": 0.5}, "p=0.5"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"p": math.inf}, "p=inf"),
    ],
)
def test_bad_arguments(measure, x, y, options, message):
    with pytest.raises(ValueError, match=message):
        measure(x, y, **options)


def test_projections_are_a_count():
    with pytest.raises(ValueError, match="projections=0"):
        sliced_wasserstein([0.0], [1.0], projections=0)
