"""The Fréchet distance against scipy.linalg.sqrtm and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import ortho_group

from turinglearn.metrics import frechet_distance


def with_moments(mean, covariance, n=40, seed=0):
    """A sample whose mean and unbiased covariance are these exactly."""
    z = np.random.default_rng(seed).standard_normal((n, len(mean)))
    z -= z.mean(axis=0)
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z.T, ddof=1).reshape(len(mean), -1)), z.T).T
    return mean + z @ np.linalg.cholesky(covariance).T


def random_covariance(d, rng):
    a = rng.standard_normal((d, d))
    return a @ a.T + 0.1 * np.eye(d)


@pytest.mark.parametrize("d", [1, 2, 7, 30])
def test_equals_the_formula_with_sqrtm(d):
    rng = np.random.default_rng(d)
    x, y = (rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d) for n in (60, 80))
    cx, cy = (np.cov(z.T).reshape(d, d) for z in (x, y))
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(cx + cy - 2 * sqrtm(cx @ cy).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_commuting_covariances(d, seed):
    """With common eigenvectors it is |m - m'|² + the sum of (s - s')² over standard deviations along them."""
    rng = np.random.default_rng(seed)
    turn = ortho_group.rvs(d, random_state=seed) if d > 1 else np.eye(1)
    s, t, means = rng.uniform(0.1, 3, d), rng.uniform(0.1, 3, d), rng.standard_normal((2, d))
    x, y = (with_moments(m, turn * v**2 @ turn.T, seed=seed) for m, v in zip(means, (s, t), strict=True))
    expected = np.sum((means[0] - means[1]) ** 2) + np.sum((s - t) ** 2)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_is_the_cost_of_the_optimal_map():
    """A x + b with A positive definite is the optimal map between Gaussians: the cost is E|x - Ax - b|²."""
    rng = np.random.default_rng(0)
    x, a = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 3)), random_covariance(3, rng)
    y = x @ a + [1, 2, 3]
    moved = x - y
    expected = np.sum(moved.mean(0) ** 2) + np.trace(np.cov(moved.T))
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_nearly_singular_covariances_keep_their_digits():
    rng = np.random.default_rng(1)
    turn, s = ortho_group.rvs(6, random_state=0), np.array([1, 1e-2, 1e-4, 1e-6, 0, 0])
    x = rng.standard_normal((50, 6)) * s @ turn.T
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-14)
    assert frechet_distance(x, 2 * x) == pytest.approx(np.sum(x.mean(0) ** 2) + np.trace(np.cov(x.T)), rel=1e-9)


def test_a_far_off_origin_keeps_the_covariances():
    x, y = with_moments(np.zeros(3), np.eye(3)), with_moments(np.zeros(3), 4 * np.eye(3))
    assert frechet_distance(x + 1e6, y + 1e6) == pytest.approx(3, rel=1e-8)


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_symmetric_rigid_and_in_squared_units(seed, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 12, 3)) * rng.uniform(0.5, 2, (2, 1, 3))
    value, turn = frechet_distance(x, y), ortho_group.rvs(3, random_state=seed)
    assert value > 0
    assert frechet_distance(y, x) == pytest.approx(value, rel=1e-8)
    assert frechet_distance(x @ turn + 5, y @ turn + 5) == pytest.approx(value, rel=1e-8)
    assert frechet_distance(scale * x, scale * y) == pytest.approx(scale**2 * value, rel=1e-8)


def test_the_distribution_of_large_numbers():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50_000, 2)), 1.5 * rng.standard_normal((50_000, 2)) + [0.3, 0]
    assert frechet_distance(x, y) == pytest.approx(0.09 + 2 * 0.25, abs=0.02)


def test_every_array_library_gives_the_same(arrays_on):
    x, y = np.random.default_rng(0).standard_normal((2, 20, 3))
    assert frechet_distance(arrays_on.asarray(x), arrays_on.asarray(y)) == frechet_distance(x, y)


def test_one_feature_is_means_and_deviations():
    x, y = np.array([0.0, 1, 2, 5]), np.array([3.0, 3, 4])
    assert frechet_distance(x, y) == pytest.approx((x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2)
    assert type(frechet_distance(x, y)) is float
    assert not math.isnan(frechet_distance(np.ones(3), np.ones(4)))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 3)), np.zeros((9, 3)), r"first sample has 3 rows of 3 features.*at least 4 rows"),
        (np.zeros((9, 3)), np.zeros((2, 3)), r"second sample has 2 rows of 3 features"),
        (np.zeros((1, 1)), np.zeros((9, 1)), "expected at least 2 rows"),
        (np.zeros((9, 3)), np.zeros((9, 2)), "expected the same number"),
        (np.full((9, 2), np.inf), np.zeros((9, 2)), "9 rows with NaN"),
    ],
)
def test_bad_samples(x, y, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, y)
