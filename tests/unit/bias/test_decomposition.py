"""Planted truth: discriminators made as exact log-odds, a known offset and known noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.tree import DecisionTreeClassifier

from turinglearn.bias import (
    calibration_error,
    calibration_slope,
    excess_log_loss,
    log_odds_of,
    pair,
    squared_bias,
    squared_mean_difference,
    squared_mean_interval,
    squared_mean_of_products,
    variance,
)

WAVES = np.array([1.0, 1.0, 0.5])  # the mean squares of 1, x and sin 2x for x ~ N(0, 1), nearly


def waves(x):
    return np.stack((np.ones_like(x), x, np.sin(2 * x))) / np.sqrt(WAVES.sum())


def planted(rng, training_sets=20, fits=1, points=300, offset=0.4, of_sets=0.5, of_fits=0.3):
    """r̂ (training_sets, fits, points) with noise that is smooth in x, so that points do not average it away; and r."""
    x = rng.standard_normal(points)
    r = 1.5 * x
    noise = of_sets * rng.standard_normal((training_sets, 1, 3)) + of_fits * rng.standard_normal((training_sets, fits, 3))
    return r + offset * np.tanh(x) + noise @ waves(x), r


def truths(offset=0.4, of_sets=0.5, of_fits=0.3):
    """By quadrature over x and over the noise at each x, which is normal."""
    z, w = np.polynomial.hermite_e.hermegauss(101)
    w = w / w.sum()
    r, spread = 1.5 * z, (waves(z) ** 2).sum(axis=0)
    middle = r + offset * np.tanh(z)
    v = (of_sets**2 + of_fits**2) * spread
    mean_a = np.logaddexp(0, middle[:, None] + np.sqrt(v)[:, None] * z) @ w
    kl = np.logaddexp(0, middle) - expit(r) * middle - np.logaddexp(0, r) + expit(r) * r
    gap = mean_a - np.logaddexp(0, middle)
    return {
        "squared bias": w @ (offset * np.tanh(z)) ** 2,
        "variance": w @ v,
        "log-loss": w @ (kl + gap),
        "log-loss, bias": w @ kl,
        "log-loss, variance": w @ gap,
    }


def found(estimates, r):
    split = excess_log_loss(estimates, r)
    return {
        "squared bias": squared_bias(estimates, r),
        "variance": variance(estimates).total,
        "log-loss": split.total,
        "log-loss, bias": split.bias,
        "log-loss, variance": split.variance,
    }


@pytest.mark.parametrize("fits", [1, 3])
def test_planted_truth_is_recovered_and_covered(fits):
    """The means over simulations are right to four standard errors, and intervals cover; the long simulation is a benchmark."""
    rng, trials, expected = np.random.default_rng(0), 120, truths()
    results = [found(*planted(rng, fits=fits)) for _ in range(trials)]
    for name, truth in expected.items():
        values = np.array([result[name].value for result in results])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(trials), name
        hits = [result[name].low <= truth <= result[name].high for result in results]
        assert np.mean(hits) > 0.87, name  # .95 less four standard errors


def test_components_of_variance():
    rng = np.random.default_rng(1)
    parts = [variance(planted(rng, training_sets=10, fits=4)[0]) for _ in range(60)]
    spread = WAVES.sum() / WAVES.sum()
    for name, truth in (("training_sets", 0.25 * spread), ("fits", 0.09 * spread)):
        values = np.array([getattr(part, name) for part in parts])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(60) + 0.02 * truth, name
    assert all(part.total.value == pytest.approx(part.training_sets + part.fits) for part in parts)
    one = variance(planted(rng)[0])
    assert one.training_sets is None
    assert one.fits is None


def test_squared_bias_is_the_mean_over_pairs():
    estimates, r = planted(np.random.default_rng(2), training_sets=5, fits=2)
    e = estimates.mean(axis=1) - r
    pairs = [np.mean(e[s] * e[t]) for s in range(5) for t in range(5) if s != t]
    assert squared_bias(estimates, r).value == pytest.approx(np.mean(pairs))


def test_a_discriminator_that_never_errs():
    r = np.linspace(-3, 3, 50)
    estimates = np.tile(r, (5, 2, 1))
    assert squared_bias(estimates, r).value == 0
    assert variance(estimates).total.value < 1e-20
    split = excess_log_loss(estimates, r)
    assert abs(split.total.value) < 1e-12
    assert abs(split.bias.value) < 1e-12
    assert abs(split.variance.value) < 1e-12


def test_an_offset_alone_is_bias_alone():
    r = np.linspace(-3, 3, 50)
    estimates = np.tile(r + 0.7, (5, 1, 1))
    assert squared_bias(estimates, r).value == pytest.approx(0.49)
    split = excess_log_loss(estimates, r)
    assert split.bias.value == pytest.approx(split.total.value)
    assert split.total.value > 0.01


def test_the_split_adds_up():
    split = excess_log_loss(*planted(np.random.default_rng(3)))
    assert split.total.value == pytest.approx(split.bias.value + split.variance.value)


def test_products_say_what_errors_say():
    e = np.random.default_rng(3).normal(0.2, 1, (9, 5))
    products = e @ e.T / 5
    value = (products.sum() - np.trace(products)) / 72
    assert squared_mean_of_products(products) == squared_mean_interval(value, e)


@pytest.mark.parametrize("common", [0.0, 0.3])
def test_the_difference_of_squared_means_covers(common):
    """Of errors that share a part by seed, of unequal scatter; the jackknife covered .88 where one scatters alone."""
    rng, hits = np.random.default_rng(4), 0
    for _ in range(600):
        shared = common * rng.standard_normal((10, 1))
        e, f = 0.3 + shared + 0.3 * rng.standard_normal((10, 1)), 0.1 + shared + 0.05 * rng.standard_normal((10, 1))
        found = squared_mean_difference(e @ e.T, f @ f.T)
        hits += found.low <= 0.08 <= found.high
    assert hits / 600 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)


def test_squared_means_refuse_what_they_cannot_use():
    with pytest.raises(ValueError, match=r"errors have shape \(2, 4\); expected \(R, N\)"):
        squared_mean_interval(0.1, np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"products have shape \(3, 4\); expected \(R, R\)"):
        squared_mean_difference(np.zeros((3, 4)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="the same replicates"):
        squared_mean_difference(np.zeros((4, 4)), np.zeros((3, 3)))


def test_the_interval_of_a_squared_mean_holds_its_value():
    e = np.random.default_rng(4).standard_normal((20, 30))
    found = squared_mean_interval(-0.01, e)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(
    ("estimates", "truth", "message"),
    [
        (np.zeros((5, 10)), np.zeros(10), r"expected \(R, A, N\) and \(N,\)"),
        (np.zeros((5, 1, 10)), np.zeros(9), r"expected \(R, A, N\) and \(N,\)"),
        (np.zeros((2, 1, 10)), np.zeros(10), r"shape \(2, 1, 10\) .* R >= 3 training sets"),
        (np.zeros((1, 1, 10)), np.zeros(10), "R >= 3 training sets"),
        (np.full((5, 1, 10), np.inf), np.zeros(10), "must be finite log-odds"),
    ],
)
def test_bad_shapes_are_named(estimates, truth, message):
    for measure in (squared_bias, excess_log_loss):
        with pytest.raises(ValueError, match=message):
            measure(estimates, truth)


# ---------------------------------------------------------------------------------------------------------- calibration
def test_the_slope_undoes_a_stretch():
    r = np.random.default_rng(5).normal(0, 2, 2_000)
    for stretch in (0.25, 1.0, 4.0):
        assert calibration_slope(stretch * r + 1, r) == pytest.approx(1 / stretch, rel=1e-5)
    assert np.isnan(calibration_slope(np.ones(5), np.arange(5.0)))


def test_the_slope_is_scikit_learns_on_labels():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(6)
    r = rng.normal(0, 1.5, 200_000)
    r_hat = 2 * r + rng.normal(0, 1, len(r))
    y = rng.random(len(r)) < expit(r)
    fitted = LogisticRegression(C=np.inf).fit(r_hat[:, None], y)
    assert calibration_slope(r_hat, r) == pytest.approx(fitted.coef_[0, 0], abs=0.01)


def test_calibration_errors():
    r = np.random.default_rng(7).normal(0, 2, 20_000)
    assert calibration_error(r, r) < 1e-12
    assert calibration_error(np.zeros_like(r), r) < 1e-3  # saying the base rate is calibrated, and useless
    exact = np.mean((expit(2 * r) - expit(r)) ** 2)
    assert calibration_error(2 * r, r) == pytest.approx(exact, rel=0.03)


def test_points_of_which_a_discriminator_says_the_same_share_a_bin():
    """A stump has two log-odds: its calibration error is that of two points, whatever the order of the rows."""
    truth = pair("shifted", 2, 2.0)
    found = log_odds_of(DecisionTreeClassifier(max_depth=1), truth, 100, training_sets=3, points=4_000)
    pi = expit(found.truth)
    for predicted in found.values[:, 0]:
        leaves = np.unique(predicted)
        assert len(leaves) == 2
        exact = sum((expit(leaf) - pi[predicted == leaf].mean()) ** 2 * np.mean(predicted == leaf) for leaf in leaves)
        assert calibration_error(predicted, found.truth) == pytest.approx(exact, abs=5e-4)
        assert calibration_error(predicted[::-1], found.truth[::-1]) == pytest.approx(calibration_error(predicted, found.truth))
    assert abs(calibration_error(np.zeros(4_000), found.truth)) < 5e-4  # the base rate is calibrated, and useless


def test_a_calibrated_discriminator_with_noise_in_its_bins_has_no_error_on_average():
    """Log-odds of the first of two features are exactly calibrated: with 40 points too, the mean of many estimates is zero."""
    truth = pair("shifted", 2, 2.0)
    shift = truth.q.modes[0, 0]
    rng, errors = np.random.default_rng(8), []
    for _ in range(1_000):
        x = truth.points(40, rng)
        errors.append(calibration_error(shift * (shift / 2 - x[:, 0]), truth.log_odds(x), bins=10))
    assert min(errors) < 0
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(len(errors))


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.integers(1, 12))
def test_the_order_of_the_points_does_not_matter(predicted, bins):
    rng = np.random.default_rng(9)
    predicted, r, order = np.array(predicted, dtype=float), rng.normal(0, 2, len(predicted)), rng.permutation(len(predicted))
    assert calibration_error(predicted, r, bins=bins) == pytest.approx(calibration_error(predicted[order], r[order], bins=bins))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration_error(np.zeros(5), np.zeros(6)), r"shape \(5,\) and the truth \(6,\); expected \(N,\) of both"),
        (lambda: calibration_slope(np.zeros((5, 1)), np.zeros(5)), r"shape \(5, 1\)"),
        (lambda: calibration_error([0.0, np.nan], np.zeros(2)), "must be finite log-odds"),
        (lambda: calibration_slope(np.zeros(2), [0.0, np.inf]), "must be finite log-odds"),
        (lambda: calibration_error([0.0], [0.0]), "1 points; expected at least 2"),
        (lambda: calibration_error(np.zeros(5), np.zeros(5), bins=0), "bins=0"),
    ],
)
def test_calibration_refuses_what_is_not_log_odds(call, message):
    with pytest.raises(ValueError, match=message):
        call()
