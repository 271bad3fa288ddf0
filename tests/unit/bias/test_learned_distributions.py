"""Learned distributions split over seeds, parameters against the Cramér-Rao bound, cross-examination."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from turinglearn.bias import (
    cramer_rao,
    cross_examine,
    jackknife,
    parameter_errors,
    relative_efficiency,
    split_energy,
    split_mmd,
)
from turinglearn.bias.learned_distributions import bias_difference, energy_parts, split
from turinglearn.metrics import energy_distance

BIAS, SPREAD = 0.6, 0.4  # of the learned means of q_s = N(μ_s, 1), μ_s ~ N(BIAS, SPREAD²); p = N(0, 1)


def mmd_between(variance, shift, h=1.0):
    """E k(X, Y) for X - Y ~ N(shift, variance)."""
    total = h * h + variance
    return h / np.sqrt(total) * np.exp(-(shift**2) / (2 * total))


def test_the_split_of_gaussians_with_random_means():
    """Everything is a Gaussian integral; the means over many repetitions are right, at six seeds each."""
    rng = np.random.default_rng(0)
    within, across = mmd_between(2, 0), mmd_between(2 + SPREAD**2, BIAS)
    between = mmd_between(2 + 2 * SPREAD**2, 0)
    expected = np.array([2 * within - 2 * across, within + between - 2 * across, within - between])
    found = []
    for _ in range(150):
        real = rng.standard_normal((60, 1))
        samples = [rng.normal(BIAS + SPREAD * rng.standard_normal(), 1, (40, 1)) for _ in range(6)]
        split = split_mmd(samples, real, bandwidth=1.0)
        found.append([split.total.value, split.bias.value, split.variance.value])
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - expected) < 4 * error)


def test_the_total_is_the_mean_distance():
    rng = np.random.default_rng(1)
    real, samples = rng.standard_normal((50, 2)), [rng.standard_normal((30, 2)) + s for s in range(3)]
    split = split_energy(samples, real)
    assert split.total.value == pytest.approx(np.mean([energy_distance(x, real) for x in samples]))
    assert split.total.value == pytest.approx(split.bias.value + split.variance.value)


def test_perfect_generators_are_not_called_biased():
    """The real sample is drawn again each time: its error belongs to the interval, as do those of the seeds' samples."""
    rng, hits = np.random.default_rng(3), np.zeros(2)
    for _ in range(150):
        split = split_energy([rng.standard_normal((40, 2)) for _ in range(8)], rng.standard_normal((120, 2)))
        hits += [part.low <= 0 <= part.high for part in (split.total, split.bias)]
    assert np.all(hits / 150 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 150))


def test_the_error_of_the_real_sample_is_that_of_redrawing_it():
    rng = np.random.default_rng(4)
    samples = [rng.normal(0.5, 1, (200, 1)) for _ in range(4)]
    parts = [energy_parts(samples, rng.standard_normal((150, 1))) for _ in range(200)]
    redrawn = np.std([part.real.mean() - 2 * part.across.mean() for part in parts], ddof=1)
    assert np.sqrt(np.mean([part.real_error**2 for part in parts])) == pytest.approx(redrawn, rel=0.2)


def test_the_parts_are_means_over_pairs():
    """Of samples of any size, some alone and some together beyond what is compared at once."""
    rng = np.random.default_rng(6)
    y, xs = rng.standard_normal((40, 2)), [rng.standard_normal((n, 2)) for n in (2, 300, 90, 150, 3, 41)]
    parts = energy_parts(xs, y)
    for s, x in enumerate(xs):
        distinct = cdist(x, x).sum() / (len(x) * (len(x) - 1))
        assert parts.within[s] == pytest.approx(-distinct)
        assert parts.repeated[s] == pytest.approx(-cdist(x, x).mean())
        assert parts.across[s] == pytest.approx(-cdist(x, y).mean())
        for r, other in enumerate(xs):
            assert parts.between[s, r] == pytest.approx(-cdist(x, other).mean() if r != s else 0.0)
    np.testing.assert_allclose(parts.facing, -np.mean([cdist(x, y).mean(axis=0) for x in xs], axis=0))
    np.testing.assert_allclose(parts.real, -cdist(y, y).sum(axis=1) / 39)


def test_the_variance_of_distributions_has_the_jackknifes_interval():
    rng = np.random.default_rng(7)
    parts = energy_parts([rng.normal(s, 1, (20, 1)) for s in rng.standard_normal(7)], rng.standard_normal((30, 1)))

    def variance(kept):
        return parts.within[kept].mean() - parts.between[np.ix_(kept, kept)].sum() / (len(kept) * (len(kept) - 1))

    assert astuple(split(parts).variance) == pytest.approx(astuple(jackknife(variance, 7, skewed=True)))


def test_the_difference_of_two_biases():
    """The point is the difference of both; the seeds' common part falls out of the interval."""
    rng = np.random.default_rng(5)
    real, shared = rng.standard_normal((300, 1)), rng.normal(0, 0.5, 10)
    ours, control = ([rng.normal(0.5 + move + s, 0.1, (50, 1)) for s in shared] for move in (0.2, 0.0))
    parts = energy_parts(ours, real), energy_parts(control, real)
    found, each = bias_difference(*parts), [split(p).bias for p in parts]
    assert found.value == pytest.approx(each[0].value - each[1].value)
    assert found.high - found.low < 0.7 * sum(e.high - e.low for e in each)
    assert found.low <= found.value <= found.high


def test_splits_refuse_what_cannot_be_split():
    x = np.zeros((5, 2))
    with pytest.raises(ValueError, match="at least 3 samples, one for each seed"):
        split_energy([x, x], x)
    with pytest.raises(ValueError, match="the same number of features"):
        split_energy([x, x, x[:, :1]], x)
    with pytest.raises(ValueError, match=r"bandwidth=-1\.0"):
        split_mmd([x, x, x], x, bandwidth=-1)


# ----------------------------------------------------------------------------------------------------------- parameters
def test_maximum_likelihood_of_a_location_is_efficient():
    rng, n = np.random.default_rng(2), 50
    draws = rng.normal(3, 2, (200_000, 1))
    bound = cramer_rao(lambda x, theta: -((x[:, 0] - theta[0]) ** 2) / 8, np.array([3.0]), draws, n)
    assert bound == pytest.approx([2 / np.sqrt(n)], rel=0.01)
    means = rng.normal(3, 2, (400, n)).mean(axis=1, keepdims=True)
    errors = parameter_errors(means, np.array([3.0]))
    assert errors.rmse[0].low <= bound[0] <= errors.rmse[0].high
    assert errors.bias[0].low <= 0 <= errors.bias[0].high


@pytest.mark.parametrize("of_two", [None, 1e3, 1e9])
def test_errors_and_efficiency_have_the_jackknifes_intervals(of_two):
    """Also where nearly all error is in one of the seeds, and all in two."""
    estimates, control = np.random.default_rng(8).standard_normal((2, 9, 1))
    if of_two:
        estimates[0], estimates[2:] = of_two, 0.0
    rmse = jackknife(lambda kept: np.sqrt((estimates[kept] ** 2).mean()), 9, log=True)
    assert astuple(parameter_errors(estimates, np.zeros(1)).rmse[0]) == pytest.approx(astuple(rmse))
    ratio = jackknife(lambda kept: (control[kept] ** 2).mean() / (estimates[kept] ** 2).mean(), 9, log=True)
    assert astuple(relative_efficiency(estimates, control, np.zeros(1))[0]) == pytest.approx(astuple(ratio))


def test_the_median_wastes_a_third():
    """Its asymptotic efficiency for a normal location is 2/π."""
    x = np.random.default_rng(3).normal(0, 1, (1_500, 101))
    means, medians = x.mean(axis=1, keepdims=True), np.median(x, axis=1, keepdims=True)
    (found,) = relative_efficiency(medians, means, np.zeros(1))
    assert found.low <= 2 / np.pi + 0.01
    assert found.high >= 2 / np.pi - 0.01
    assert found.high - found.low < 0.15
    assert relative_efficiency(means, means, np.zeros(1))[0].value == pytest.approx(1)


def test_parameters_that_do_nothing_are_named():
    x = np.random.default_rng(4).standard_normal((100, 1))
    with pytest.raises(ValueError, match="information matrix is singular"):
        cramer_rao(lambda x, theta: -((x[:, 0] - theta[0]) ** 2) / 2, np.zeros(2), x, 10)
    with pytest.raises(ValueError, match="S >= 3"):
        parameter_errors(np.zeros((2, 1)), np.zeros(1))
    for estimates, truth in ((np.zeros((5, 1)), 0.0), (np.zeros(5), np.zeros(1)), (np.zeros((5, 2)), np.zeros(3))):
        with pytest.raises(ValueError, match=r"expected \(S, k\) with S >= 3 seeds and \(k,\), or \(S,\) and one number\.$"):
            parameter_errors(estimates, truth)
    for estimates, truth in (([0.0, 1.0, np.nan], 0.0), (np.zeros((4, 1)), [np.nan])):
        with pytest.raises(ValueError, match=r"must be finite numbers\. Leave out the seeds that failed"):
            parameter_errors(estimates, truth)
    with pytest.raises(ValueError, match=r"parameter 1 have no error in 3 of 4 seeds"):
        relative_efficiency([[1, 0], [1, 0], [1, 2], [1, 0]], np.ones((4, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="expected the same"):
        relative_efficiency(np.zeros((4, 1)), np.zeros((5, 1)), np.zeros(1))


def test_one_parameter_may_be_a_number():
    x = np.random.default_rng(7).normal(1, 1, (12, 2))
    assert parameter_errors(x[:, 0], 0.5) == parameter_errors(x[:, :1], np.array([0.5]))
    assert relative_efficiency(x[:, 0], x[:, 1], 1) == relative_efficiency(x[:, :1], x[:, 1:], np.ones(1))
    draws = np.random.default_rng(8).normal(3, 2, (1_000, 1))
    of_one, of_a_row = (cramer_rao(lambda x, theta: -((x[:, 0] - theta) ** 2) / 8, t, draws, 50) for t in (3.0, [3.0]))
    np.testing.assert_array_equal(of_one, of_a_row)
    assert of_one.shape == (1,)


def test_bounds_need_samples_and_a_density_of_each_draw():
    x = np.random.default_rng(9).standard_normal((100, 1))
    for n in (0, 2.5):
        with pytest.raises(ValueError, match=f"n={n}: expected a whole number from 1 on"):
            cramer_rao(lambda x, theta: -((x[:, 0] - theta) ** 2) / 2, 0.0, x, n)
    with pytest.raises(ValueError, match=r"log_density has returned shape \(100, 1\) for 100 draws; expected \(100,\)"):
        cramer_rao(lambda x, theta: -((x - theta) ** 2) / 2, 0.0, x, 10)
    with pytest.raises(ValueError, match="step=0"):
        cramer_rao(lambda x, theta: -((x[:, 0] - theta) ** 2) / 2, 0.0, x, 10, step=0)


# ---------------------------------------------------------------------------------------------------- cross-examination
def test_a_discriminator_sees_what_its_family_can_see():
    """A linear discriminator misses a change of scale, a tree sees it; neither sees anything in a perfect fake."""
    rng = np.random.default_rng(5)
    samples = {
        "perfect": [rng.standard_normal((400, 2)) for _ in range(4)],
        "wide": [3 * rng.standard_normal((400, 2)) for _ in range(4)],
    }
    discriminators = {"linear": LogisticRegression(), "tree": DecisionTreeClassifier(min_samples_leaf=20)}
    found = cross_examine(samples, rng.standard_normal((1_600, 2)), discriminators)
    assert (found.generators, found.discriminators, found.accuracies.shape) == (
        ("perfect", "wide"),
        ("linear", "tree"),
        (2, 2, 4),
    )
    assert found.intervals["wide", "tree"].low > 0.7
    assert found.hardest("wide") == "tree"
    for blind in (("wide", "linear"), ("perfect", "linear"), ("perfect", "tree")):  # four standard errors, .014 each
        assert abs(found.intervals[blind].value - 0.5) < 0.056, blind
    again = cross_examine({"wide": samples["wide"]}, rng.standard_normal((1_600, 2)), discriminators)
    assert again.accuracies.shape == (1, 2, 4)


def test_cross_examination_is_repeatable_and_the_same_for_each_generator():
    rng = np.random.default_rng(6)
    x, real = [rng.standard_normal((40, 2)) for _ in range(2)], rng.standard_normal((80, 2))
    found = cross_examine({"a": x, "b": x}, real, {"tree": DecisionTreeClassifier()}, random_state=3)
    np.testing.assert_array_equal(found.accuracies[0], found.accuracies[1])


def test_cross_examination_names_what_does_not_match():
    x, discriminators = np.zeros((16, 2)), {"tree": DecisionTreeClassifier()}
    for samples, real, kinds, message in (
        ({"a": [x, x], "b": [x]}, x, discriminators, "same number of seeds"),
        ({}, x, discriminators, "at least one discriminator"),
        ({"a": [x[:, :1], x]}, x, discriminators, r"samples\['a'\]\[0\] has 1 features; expected 2"),
        (
            {"a": x},
            x,
            discriminators,
            r"samples\['a'\] is one array of shape \(16, 2\); .* a list with one sample \(n, d\) per seed",
        ),
        ([[x, x]], x, discriminators, r"samples is a list; expected a dict"),
        ({"a": [x, x]}, x, [DecisionTreeClassifier()], r"discriminators is a list; expected a dict"),
        ({"a": [x] * 12}, x[:8], discriminators, "real has 8 rows for 12 seeds; expected at least 8 for each. Draw 96 or more"),
        ({"a": [x, x]}, x[:15], discriminators, "real has 15 rows for 2 seeds"),
    ):
        with pytest.raises(ValueError, match=message):
            cross_examine(samples, real, kinds)
    assert cross_examine({"a": np.stack((x, x))}, x, discriminators).accuracies.shape == (1, 1, 2)
