"""Maps from margins to log-odds: compared with independent implementations; finite and increasing; rows left out of fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression, minimize, minimize_scalar
from scipy.special import expit, log_expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from turinglearn.discriminators.classifiers.calibration import CALIBRATORS, Isotonic, Platt, Temperature, folds, hold_out
from turinglearn.persistence.codec import Attachments, decode, encode

every_calibrator = pytest.mark.parametrize("kind", CALIBRATORS.values(), ids=CALIBRATORS)


def rows(n1, n0, seed=0, shift=1.0, ties=False):
    """Margins (n,) of N(shift/2, 1) and N(-shift/2, 1), whose log-odds are shift * m, and which of them are real."""
    rng, real = np.random.default_rng(seed), np.arange(n1 + n0) < n1
    m = rng.normal(size=n1 + n0) + np.where(real, shift / 2, -shift / 2)
    return (np.round(m, 1) if ties else m), real


# ------------------------------------------------------------------------------------------------- compared with others
@every_calibrator
@pytest.mark.parametrize("counts", [(30_000, 30_000), (10_000, 50_000)])
@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_overconfident_margins_become_the_log_odds(kind, counts, factor):
    m, real = rows(*counts, shift=1.5)
    found = kind.fit(factor * 1.5 * m, real)
    x = np.linspace(-1.5, 1.5, 31)
    error = found(factor * 1.5 * x) - 1.5 * x
    assert np.sqrt(np.mean(error**2)) < (0.1 if kind is Isotonic else 0.03)
    assert abs(error.mean()) < 0.04


@pytest.mark.parametrize("counts", [(50, 50), (200, 40), (3, 2)])
def test_temperature_minimises_the_cross_entropy_of_platts_targets(counts):
    m, real = rows(*counts, shift=2.0)
    n1, n0 = counts
    t = np.where(real, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    prior = np.log(t.sum() / (1 - t).sum())
    loss = lambda a: -np.sum(t * log_expit(a * m + prior) + (1 - t) * log_expit(-a * m - prior))  # noqa: E731
    found = minimize_scalar(loss, bounds=(0, 50), method="bounded", options={"xatol": 1e-10})
    assert Temperature.fit(m, real).slope == pytest.approx(found.x, abs=1e-5)


def test_temperature_is_near_scikit_learns():
    """scikit-learn's has no smoothing, and uses the decision function as margin; on equal counts of many rows they agree."""
    m, real = rows(2_000, 2_000, shift=1.5)
    line = LogisticRegression(C=np.inf, tol=1e-8).fit(m[:, None], real)
    line.coef_, line.intercept_ = np.array([[6.0]]), np.zeros(1)
    theirs = CalibratedClassifierCV(FrozenEstimator(line), method="temperature").fit(m[:, None], real)
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(Temperature.fit(6 * m, real)(6 * x), logit(theirs.predict_proba(x[:, None])[:, 1]), atol=0.02)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("counts", [(40, 60), (300, 100), (1, 1)])
def test_isotonic_pools_adjacent_violators_with_one_row_more_of_each_class(counts, ties):
    m, real = rows(*counts, ties=ties)
    values = np.unique(m)
    y, weight = (np.array([np.sum(w[m == v]) for v in values], dtype=float) for w in (real, np.ones(len(m))))
    y, weight = np.concatenate(([1.0], y, [0.0])), np.concatenate(([1.0], weight, [1.0]))  # outside all others
    p = isotonic_regression(y / weight, weights=weight).x[1:-1]
    prior = np.log((counts[0] + 1) / (counts[1] + 1))
    np.testing.assert_allclose(Isotonic.fit(m, real)(values), logit(p) - prior, atol=1e-12)


def test_isotonic_proves_no_more_than_the_rows_of_a_step():
    real = np.arange(30) < 20
    m = np.where(real, 1.0, -1.0) + np.linspace(-0.1, 0.1, 30)
    r = Isotonic.fit(m, real)(np.array([-9.0, -1.0, 1.0, 9.0]))
    np.testing.assert_allclose(expit(r + np.log(21 / 11)), [1 / 11, 1 / 11, 20 / 21, 20 / 21])


# ------------------------------------------------------------------------------------------------------------ properties
margins = st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), min_size=4, max_size=40)


@every_calibrator
@given(values=margins, seed=st.integers(0, 2**16))
def test_log_odds_are_finite_and_increase_or_for_platt_decrease(kind, values, seed):
    m = np.array(values)
    real = np.random.default_rng(seed).permutation(len(m)) < len(m) // 2
    calibrate = kind.fit(m, real)
    x = np.sort(np.concatenate((m, m / 2, [0.0])))
    r = calibrate(x)
    assert r.shape == x.shape
    assert np.all(np.isfinite(r))
    steps = np.diff(r) if kind is not Platt or calibrate.slope >= 0 else -np.diff(r)
    assert np.all(steps >= -1e-9 * (1 + np.abs(r).max()))


@every_calibrator
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3e5])
@pytest.mark.parametrize("counts", [(30, 30), (10, 50)])
def test_constant_margins_are_no_evidence(kind, value, counts):
    m, real = np.full(60, value), np.arange(60) < counts[0]
    np.testing.assert_allclose(kind.fit(m, real)(m), 0, atol=1e-9)


@pytest.mark.parametrize("kind", [Isotonic, Temperature])
def test_margins_that_rank_the_wrong_way_are_no_evidence(kind):
    m, real = np.linspace(-1, 1, 101), np.arange(101) < 50
    np.testing.assert_allclose(kind.fit(m, real)(m), 0, atol=0.1)


@pytest.mark.parametrize("kind", [Platt, Temperature])
def test_slopes_are_the_derivative(kind):
    found = kind.fit(*rows(60, 40))
    m = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(found.slopes(m), (found(m + 1e-4) - found(m - 1e-4)) / 2e-4, rtol=1e-8)
    assert not hasattr(Isotonic, "slopes")


@every_calibrator
def test_maps_are_saved_as_numbers(kind):
    found, attachments = kind.fit(*rows(60, 40)), Attachments()
    again = decode(encode(found, "calibrator_", attachments), attachments)
    m = np.linspace(-3, 3, 13)
    np.testing.assert_array_equal(again(m), found(m))


# ---------------------------------------------------------------------------------------------------------- Platt scaling
def line_of(scores, real):
    """Slope and intercept of Platt scaling."""
    found = Platt.fit(scores, real)
    return found.slope, found.intercept


def targets(real):
    n1, n0 = real.sum(), (~real).sum()
    return np.where(real, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))


def cross_entropy(theta, s, t):
    r = theta[0] * s + theta[1]
    return -np.sum(t * log_expit(r) + (1 - t) * log_expit(-r))


def with_prior(line, real):
    """Slope and intercept of the regression itself, without the correction by the class ratio."""
    t = targets(real)
    return line[0], line[1] + np.log(t.sum() / (1 - t).sum())


@pytest.fixture(params=[(40, 40, 0.5), (10, 90, 1.0), (200, 30, 3.0), (5, 5, 30.0)], ids=["even", "rare", "many", "apart"])
def scored(request):
    n1, n0, shift = request.param
    rng = np.random.default_rng(n1)
    real = np.arange(n1 + n0) < n1
    return rng.normal(size=n1 + n0) + shift * real, real


def test_platt_minimises_the_cross_entropy_of_its_targets(scored):
    s, real = scored
    t = targets(real)
    found = minimize(cross_entropy, np.zeros(2), (s, t), method="BFGS", options={"gtol": 1e-9})
    line = with_prior(line_of(s, real), real)
    np.testing.assert_allclose(line, found.x, rtol=1e-4, atol=1e-5)
    assert cross_entropy(line, s, t) <= found.fun + 1e-10 * abs(found.fun)


def test_platt_is_the_unpenalised_logistic_regression_on_its_targets(scored):
    s, real = scored
    t = targets(real)
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    regression.fit(np.tile(s, 2)[:, None], np.repeat([1, 0], len(s)), sample_weight=np.concatenate((t, 1 - t)))
    expected = regression.coef_[0, 0], regression.intercept_[0]
    np.testing.assert_allclose(with_prior(line_of(s, real), real), expected, rtol=1e-5, atol=1e-6)


def test_platt_is_stationary_for_heavy_tails():
    """Newton's full steps diverge on some of these."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        real = rng.permutation(60) < rng.integers(1, 60)
        s = rng.standard_t(0.3, 60) + 10 * real
        a, b = with_prior(line_of(s, real), real)
        excess = expit(a * s + b) - targets(real)
        assert abs(excess.sum()) < 1e-6
        assert abs(excess @ s) < 1e-6 * np.abs(s).max()


@given(
    scale=st.sampled_from([1e-90, 1e-8, 1.0, 1e8, 1e90]),
    shift=st.floats(-100, 100),
    separation=st.floats(-50, 50),
    counts=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    seed=st.integers(0, 2**16),
)
def test_platt_is_equivariant_under_the_units_of_the_score(scale, shift, separation, counts, seed):
    real = np.arange(sum(counts)) < counts[0]
    s = np.random.default_rng(seed).normal(size=sum(counts)) + separation * real
    a, b = line_of(s, real)
    c, d = line_of(scale * (s + shift), real)
    r = a * s + b
    assert np.all(np.isfinite(r))
    np.testing.assert_allclose(c * (scale * (s + shift)) + d, r, rtol=1e-6, atol=1e-6)


@given(st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), min_size=4, max_size=40), st.integers(0, 2**16))
def test_platt_is_finite_for_any_scores(scores, seed):
    s = np.array(scores)
    real = np.random.default_rng(seed).permutation(len(s)) < len(s) // 2
    a, b = line_of(s, real)
    assert np.all(np.isfinite(a * s + b))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3e5])
def test_a_constant_score_is_no_evidence(value):
    assert line_of(np.full(60, value), np.arange(60) < 13) == (0.0, 0.0)


def test_noise_is_hardly_any_evidence_whatever_the_counts():
    rng = np.random.default_rng(0)
    a, b = line_of(rng.normal(size=20_000), np.arange(20_000) < 2_000)
    assert abs(a) < 0.1  # four standard errors: 1 / sqrt(1,800)
    assert abs(b) < 0.1


def test_a_score_that_ranks_the_wrong_way_gets_a_negative_slope():
    s, real = np.linspace(-1, 1, 100), np.arange(100) < 50
    assert line_of(s, real)[0] < 0
    assert line_of(-s, real)[0] == pytest.approx(-line_of(s, real)[0])


# ------------------------------------------------------------------------------------------------- rows left out of a fit
@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**16))
def test_folds_partition_the_rows_of_each_class(n1, n0, seed):
    real = np.random.default_rng(seed).permutation(n1 + n0) < n1
    masks = list(folds(real, np.random.default_rng(seed)))
    assert len(masks) == min(3, n1, n0)
    np.testing.assert_array_equal(np.sum(masks, axis=0), 1)
    for kind, n in ((real, n1), (~real, n0)):
        counts = [int(np.sum(out & kind)) for out in masks]
        assert max(counts) - min(counts) <= 1
        assert max(counts) < n  # some are left to fit
    again = folds(real, np.random.default_rng(seed))
    assert all(np.array_equal(a, b) for a, b in zip(masks, again, strict=True))


def test_folds_are_random():
    real = np.arange(40) < 20
    a, b = (next(folds(real, np.random.default_rng(seed))) for seed in range(2))
    assert not np.array_equal(a, b)


def test_folds_need_two_of_each_class():
    with pytest.raises(ValueError, match="1 real samples; expected at least 2"):
        folds(np.arange(10) < 1, np.random.default_rng(0))


@given(st.integers(2, 60), st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 2**16))
def test_hold_out_takes_its_share_of_each_class_and_leaves_some(n1, n0, share, seed):
    real = np.arange(n1 + n0) < n1
    held = hold_out(real, share, np.random.default_rng(seed))
    for kind, n in ((real, n1), (~real, n0)):
        out = held[kind].sum()
        assert 1 <= out <= n - 1
        assert abs(out - share * n) <= 1
    assert np.array_equal(held, hold_out(real, share, np.random.default_rng(seed)))


def test_hold_out_needs_two_of_each_class():
    with pytest.raises(ValueError, match="1 real samples; expected at least 2"):
        hold_out(np.arange(10) < 1, 0.3, np.random.default_rng(0))
