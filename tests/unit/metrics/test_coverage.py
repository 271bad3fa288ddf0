"""Mode coverage against planted counts and the known value of the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from scipy import stats

from turinglearn.datasets import gaussian, grid, ring
from turinglearn.metrics import mode_coverage


@pytest.mark.parametrize("problem", [ring(), grid()], ids=["ring", "grid"])
def test_the_truth_scores_one_minus_exp_of_minus_four_and_a_half(problem):
    n = 100_000
    result = mode_coverage(problem.sample(n, 0), problem.modes, problem.sigma)
    truth, k = 1 - math.exp(-4.5), len(problem.modes)
    assert abs(result.high_quality - truth) < 4 * math.sqrt(truth * (1 - truth) / n)
    assert result.captured == k
    assert 0 < result.reverse_kl < stats.chi2(k - 1).ppf(0.9999) / (2 * n)  # 2 n KL is about chi-squared


def test_high_quality_in_another_dimension():
    problem = gaussian(np.zeros(5), 0.04 * np.eye(5))
    result = mode_coverage(problem.sample(50_000, 1), problem.modes, problem.sigma)
    truth = stats.chi2(5).cdf(9)
    assert abs(result.high_quality - truth) < 4 * math.sqrt(truth * (1 - truth) / 50_000)


@given(numpy_arrays(np.int64, 8, elements=st.integers(0, 12)).filter(lambda counts: counts.any()), st.integers(0, 9))
def test_planted_counts(counts, strays):
    problem = ring()
    x = np.concatenate((np.repeat(problem.modes, counts, axis=0), np.zeros((strays, 2))))
    result = mode_coverage(np.random.default_rng(0).permutation(x), problem.modes, problem.sigma)
    np.testing.assert_array_equal(result.counts, counts)
    assert result.captured == (counts > 0).sum()
    assert result.high_quality == counts.sum() / len(x)
    assert result.reverse_kl == pytest.approx(math.log(8) - stats.entropy(counts), abs=1e-12)


def test_one_mode_alone_has_the_largest_reverse_kl():
    problem = grid()
    result = mode_coverage(problem.modes[[7] * 30], problem.modes, problem.sigma)
    assert (result.captured, result.high_quality) == (1, 1.0)
    assert result.reverse_kl == pytest.approx(math.log(25))


def test_without_a_high_quality_sample_the_reverse_kl_is_infinite():
    result = mode_coverage(np.zeros((10, 2)), ring().modes, 0.01)
    assert (result.captured, result.high_quality, result.reverse_kl) == (0, 0.0, math.inf)
    np.testing.assert_array_equal(result.counts, np.zeros(8))


def test_the_limit_is_three_sigma():
    x = [[0.2999, 0.0], [0.3001, 0.0], [0.0, -0.2999], [0.25, 0.25]]
    assert mode_coverage(x, [[0.0, 0.0], [9.0, 9.0]], 0.1).counts.tolist() == [2, 0]


def test_a_sample_counts_for_its_nearest_mode_only():
    result = mode_coverage([[0.4, 0.0], [0.6, 0.0]], [[0.0, 0.0], [1.0, 0.0]], 1.0)  # within 3 sigma of both
    assert result.counts.tolist() == [1, 1]


def test_every_array_library_gives_the_same(arrays_on):
    problem = ring()
    x = problem.sample(200, 3)
    result = mode_coverage(arrays_on.asarray(x), arrays_on.asarray(problem.modes), problem.sigma)
    np.testing.assert_array_equal(result.counts, mode_coverage(x, problem.modes, problem.sigma).counts)


def test_the_result_is_frozen_and_plain():
    result = mode_coverage(np.zeros((3, 2)), ring().modes, 0.01)
    with pytest.raises(AttributeError):
        result.captured = 8
    assert [type(v) for v in (result.captured, result.high_quality, result.reverse_kl)] == [int, float, float]


def test_the_endpoint_trap_is_refused():
    angle = np.linspace(0, 2 * np.pi, 8)  # the first mode twice
    with pytest.raises(ValueError, match=r"8 modes coincide.*endpoint=False"):
        mode_coverage(np.zeros((3, 2)), np.column_stack((np.cos(angle), np.sin(angle))), 0.01)


@pytest.mark.parametrize(
    ("x", "modes", "sigma", "message"),
    [
        (np.zeros((0, 2)), np.eye(2), 1, "x has shape"),
        (np.zeros((3, 3)), np.eye(2), 1, "x has 3 features, but modes has 2"),
        (np.full((3, 2), np.nan), np.eye(2), 1, "x has 3 rows with NaN"),
        (np.zeros((3, 2)), np.zeros((0, 2)), 1, "modes has shape"),
        (np.zeros((3, 2)), np.eye(2), 0, "sigma=0"),
        (np.zeros((3, 2)), np.eye(2), np.inf, "sigma=inf"),
    ],
)
def test_bad_arguments(x, modes, sigma, message):
    with pytest.raises(ValueError, match=message):
        mode_coverage(x, modes, sigma)
