"""Platt scaling: against two independent minimisers, and where there is nothing to learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from sklearn.linear_model import LogisticRegression

from turinglearn.discriminators.platt import hold_out, platt


def targets(genuine):
    n1, n0 = genuine.sum(), (~genuine).sum()
    return np.where(genuine, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))


def cross_entropy(theta, s, t):
    r = theta[0] * s + theta[1]
    return -np.sum(t * log_expit(r) + (1 - t) * log_expit(-r))


def with_prior(line, genuine):
    """Slope and intercept of the regression itself: the correction by the masses taken back."""
    t = targets(genuine)
    return line[0], line[1] + np.log(t.sum() / (1 - t).sum())


@pytest.fixture(params=[(40, 40, 0.5), (10, 90, 1.0), (200, 30, 3.0), (5, 5, 30.0)], ids=["even", "rare", "many", "apart"])
def rows(request):
    n1, n0, shift = request.param
    rng = np.random.default_rng(n1)
    genuine = np.arange(n1 + n0) < n1
    return rng.normal(size=n1 + n0) + shift * genuine, genuine


def test_platt_minimises_the_cross_entropy_of_its_targets(rows):
    s, genuine = rows
    t = targets(genuine)
    found = minimize(cross_entropy, np.zeros(2), (s, t), method="BFGS", options={"gtol": 1e-9})
    line = with_prior(platt(s, genuine), genuine)
    np.testing.assert_allclose(line, found.x, rtol=1e-4, atol=1e-5)
    assert cross_entropy(line, s, t) <= found.fun + 1e-10 * abs(found.fun)


def test_platt_is_the_unpenalised_logistic_regression_on_its_targets(rows):
    s, genuine = rows
    t = targets(genuine)
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    regression.fit(np.tile(s, 2)[:, None], np.repeat([1, 0], len(s)), sample_weight=np.concatenate((t, 1 - t)))
    expected = regression.coef_[0, 0], regression.intercept_[0]
    np.testing.assert_allclose(with_prior(platt(s, genuine), genuine), expected, rtol=1e-5, atol=1e-6)


def test_platt_is_stationary_for_heavy_tails():
    """Newton's full steps diverge on some of these."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        genuine = rng.permutation(60) < rng.integers(1, 60)
        s = rng.standard_t(0.3, 60) + 10 * genuine
        a, b = with_prior(platt(s, genuine), genuine)
        excess = expit(a * s + b) - targets(genuine)
        assert abs(excess.sum()) < 1e-6
        assert abs(excess @ s) < 1e-6 * np.abs(s).max()


@given(
    scale=st.sampled_from([1e-90, 1e-8, 1.0, 1e8, 1e90]),
    shift=st.floats(-100, 100),
    separation=st.floats(-50, 50),
    counts=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    seed=st.integers(0, 2**16),
)
def test_platt_moves_with_the_units_of_the_score(scale, shift, separation, counts, seed):
    genuine = np.arange(sum(counts)) < counts[0]
    s = np.random.default_rng(seed).normal(size=sum(counts)) + separation * genuine
    a, b = platt(s, genuine)
    c, d = platt(scale * (s + shift), genuine)
    r = a * s + b
    assert np.all(np.isfinite(r))
    np.testing.assert_allclose(c * (scale * (s + shift)) + d, r, rtol=1e-6, atol=1e-6)


@given(st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), min_size=4, max_size=40), st.integers(0, 2**16))
def test_platt_is_finite_for_any_scores(scores, seed):
    s = np.array(scores)
    genuine = np.random.default_rng(seed).permutation(len(s)) < len(s) // 2
    a, b = platt(s, genuine)
    assert np.all(np.isfinite(a * s + b))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3e5])
def test_a_constant_score_says_nothing(value):
    assert platt(np.full(60, value), np.arange(60) < 13) == (0.0, 0.0)


def test_a_score_that_is_noise_says_about_nothing_whatever_the_counts():
    rng = np.random.default_rng(0)
    a, b = platt(rng.normal(size=20_000), np.arange(20_000) < 2_000)
    assert abs(a) < 0.1  # four standard errors: 1 / sqrt(1,800)
    assert abs(b) < 0.1


def test_a_score_that_ranks_the_wrong_way_gets_a_negative_slope():
    s, genuine = np.linspace(-1, 1, 100), np.arange(100) < 50
    assert platt(s, genuine)[0] < 0
    assert platt(-s, genuine)[0] == pytest.approx(-platt(s, genuine)[0])


@given(st.integers(2, 60), st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 2**16))
def test_hold_out_takes_its_share_of_each_class_and_leaves_some(n1, n0, share, seed):
    genuine = np.arange(n1 + n0) < n1
    held = hold_out(genuine, share, np.random.default_rng(seed))
    for kind, n in ((genuine, n1), (~genuine, n0)):
        out = held[kind].sum()
        assert 1 <= out <= n - 1
        assert abs(out - share * n) <= 1
    assert np.array_equal(held, hold_out(genuine, share, np.random.default_rng(seed)))


def test_hold_out_needs_two_of_each_class():
    with pytest.raises(ValueError, match="1 genuine samples; expected at least 2"):
        hold_out(np.arange(10) < 1, 0.3, np.random.default_rng(0))
