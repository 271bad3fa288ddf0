"""Maps from margins to log-odds: against independent implementations; finite and rising for any margins; folds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import expit, log_expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from turinglearn.discriminators.calibration import CALIBRATORS, Isotonic, Platt, Temperature, folds
from turinglearn.discriminators.platt import platt
from turinglearn.persistence.codec import Parcel, decode, encode

every_calibrator = pytest.mark.parametrize("kind", CALIBRATORS.values(), ids=CALIBRATORS)


def rows(n1, n0, seed=0, shift=1.0, ties=False):
    """Margins (n,) of N(shift/2, 1) and N(-shift/2, 1), whose log-odds are shift * m, and which of them are genuine."""
    rng, genuine = np.random.default_rng(seed), np.arange(n1 + n0) < n1
    m = rng.normal(size=n1 + n0) + np.where(genuine, shift / 2, -shift / 2)
    return (np.round(m, 1) if ties else m), genuine


# ------------------------------------------------------------------------------------------------- against other people's
@every_calibrator
@pytest.mark.parametrize("counts", [(30_000, 30_000), (10_000, 50_000)])
@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_overconfident_margins_become_the_log_odds(kind, counts, factor):
    m, genuine = rows(*counts, shift=1.5)
    found = kind.fit(factor * 1.5 * m, genuine)
    x = np.linspace(-1.5, 1.5, 31)
    error = found(factor * 1.5 * x) - 1.5 * x
    assert np.sqrt(np.mean(error**2)) < (0.1 if kind is Isotonic else 0.03)
    assert abs(error.mean()) < 0.04


def test_platt_is_platts_regression():
    m, genuine = rows(40, 70)
    assert Platt.fit(m, genuine) == Platt(*platt(m, genuine))


@pytest.mark.parametrize("counts", [(50, 50), (200, 40), (3, 2)])
def test_temperature_minimises_the_cross_entropy_of_platts_targets(counts):
    m, genuine = rows(*counts, shift=2.0)
    n1, n0 = counts
    t = np.where(genuine, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    prior = np.log(t.sum() / (1 - t).sum())
    loss = lambda a: -np.sum(t * log_expit(a * m + prior) + (1 - t) * log_expit(-a * m - prior))  # noqa: E731
    found = minimize_scalar(loss, bounds=(0, 50), method="bounded", options={"xatol": 1e-10})
    assert Temperature.fit(m, genuine).slope == pytest.approx(found.x, abs=1e-5)


def test_temperature_is_near_scikit_learns():
    """Which has no smoothing, and takes the decision function for the margin; on equal counts of many rows they agree."""
    m, genuine = rows(2_000, 2_000, shift=1.5)
    line = LogisticRegression(C=np.inf, tol=1e-8).fit(m[:, None], genuine)
    line.coef_, line.intercept_ = np.array([[6.0]]), np.zeros(1)
    theirs = CalibratedClassifierCV(FrozenEstimator(line), method="temperature").fit(m[:, None], genuine)
    x = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(Temperature.fit(6 * m, genuine)(6 * x), logit(theirs.predict_proba(x[:, None])[:, 1]), atol=0.02)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("counts", [(40, 60), (300, 100), (1, 1)])
def test_isotonic_pools_adjacent_violators_with_one_row_more_of_each_kind(counts, ties):
    m, genuine = rows(*counts, ties=ties)
    values = np.unique(m)
    y, weight = (np.array([np.sum(w[m == v]) for v in values], dtype=float) for w in (genuine, np.ones(len(m))))
    y, weight = np.concatenate(([1.0], y, [0.0])), np.concatenate(([1.0], weight, [1.0]))  # outside all others
    p = isotonic_regression(y / weight, weights=weight).x[1:-1]
    prior = np.log((counts[0] + 1) / (counts[1] + 1))
    np.testing.assert_allclose(Isotonic.fit(m, genuine)(values), logit(p) - prior, atol=1e-12)


def test_isotonic_proves_no_more_than_the_rows_of_a_step():
    genuine = np.arange(30) < 20
    m = np.where(genuine, 1.0, -1.0) + np.linspace(-0.1, 0.1, 30)
    r = Isotonic.fit(m, genuine)(np.array([-9.0, -1.0, 1.0, 9.0]))
    np.testing.assert_allclose(expit(r + np.log(21 / 11)), [1 / 11, 1 / 11, 20 / 21, 20 / 21])


# ------------------------------------------------------------------------------------------------------------ properties
margins = st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), min_size=4, max_size=40)


@every_calibrator
@given(values=margins, seed=st.integers(0, 2**16))
def test_log_odds_are_finite_and_rise_or_for_platt_fall(kind, values, seed):
    m = np.array(values)
    genuine = np.random.default_rng(seed).permutation(len(m)) < len(m) // 2
    calibrate = kind.fit(m, genuine)
    x = np.sort(np.concatenate((m, m / 2, [0.0])))
    r = calibrate(x)
    assert r.shape == x.shape
    assert np.all(np.isfinite(r))
    steps = np.diff(r) if kind is not Platt or calibrate.slope >= 0 else -np.diff(r)
    assert np.all(steps >= -1e-9 * (1 + np.abs(r).max()))


@every_calibrator
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3e5])
@pytest.mark.parametrize("counts", [(30, 30), (10, 50)])
def test_constant_margins_say_nothing(kind, value, counts):
    m, genuine = np.full(60, value), np.arange(60) < counts[0]
    np.testing.assert_allclose(kind.fit(m, genuine)(m), 0, atol=1e-9)


@pytest.mark.parametrize("kind", [Isotonic, Temperature])
def test_margins_that_rank_the_wrong_way_say_nothing(kind):
    m, genuine = np.linspace(-1, 1, 101), np.arange(101) < 50
    np.testing.assert_allclose(kind.fit(m, genuine)(m), 0, atol=0.1)


@pytest.mark.parametrize("kind", [Platt, Temperature])
def test_slopes_are_the_derivative(kind):
    found = kind.fit(*rows(60, 40))
    m = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(found.slopes(m), (found(m + 1e-4) - found(m - 1e-4)) / 2e-4, rtol=1e-8)
    assert not hasattr(Isotonic, "slopes")


@every_calibrator
def test_maps_are_saved_as_numbers(kind):
    found, parcel = kind.fit(*rows(60, 40)), Parcel()
    again = decode(encode(found, "calibrator_", parcel), parcel)
    m = np.linspace(-3, 3, 13)
    np.testing.assert_array_equal(again(m), found(m))


# ----------------------------------------------------------------------------------------------------------------- folds
@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**16))
def test_folds_share_out_all_rows_of_each_class(n1, n0, seed):
    genuine = np.random.default_rng(seed).permutation(n1 + n0) < n1
    masks = list(folds(genuine, np.random.default_rng(seed)))
    assert len(masks) == min(3, n1, n0)
    np.testing.assert_array_equal(np.sum(masks, axis=0), 1)
    for kind, n in ((genuine, n1), (~genuine, n0)):
        counts = [int(np.sum(out & kind)) for out in masks]
        assert max(counts) - min(counts) <= 1
        assert max(counts) < n  # some are left to fit
    again = folds(genuine, np.random.default_rng(seed))
    assert all(np.array_equal(a, b) for a, b in zip(masks, again, strict=True))


def test_folds_are_random():
    genuine = np.arange(40) < 20
    a, b = (next(folds(genuine, np.random.default_rng(seed))) for seed in range(2))
    assert not np.array_equal(a, b)


def test_folds_need_two_of_each_class():
    with pytest.raises(ValueError, match="1 genuine samples; expected at least 2"):
        folds(np.arange(10) < 1, np.random.default_rng(0))
