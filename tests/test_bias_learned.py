"""What is learned: laws split over seeds, parameters beside the Cramér-Rao bound, cross-examination."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from turinglearn.bias import cramer_rao, cross_examine, parameter_errors, relative_efficiency, split_energy, split_mmd
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
        genuine = rng.standard_normal((60, 1))
        samples = [rng.normal(BIAS + SPREAD * rng.standard_normal(), 1, (40, 1)) for _ in range(6)]
        split = split_mmd(samples, genuine, bandwidth=1.0)
        found.append([split.total.value, split.bias.value, split.variance.value])
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - expected) < 4 * error)


def test_the_total_is_the_mean_distance():
    rng = np.random.default_rng(1)
    genuine, samples = rng.standard_normal((50, 2)), [rng.standard_normal((30, 2)) + s for s in range(3)]
    split = split_energy(samples, genuine)
    assert split.total.value == pytest.approx(np.mean([energy_distance(x, genuine) for x in samples]))
    assert split.total.value == pytest.approx(split.bias.value + split.variance.value)


def test_splits_refuse_what_cannot_be_split():
    x = np.zeros((5, 2))
    with pytest.raises(ValueError, match="at least 3 samples, one for each seed"):
        split_energy([x, x], x)
    with pytest.raises(ValueError, match="as many features"):
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
    with pytest.raises(ValueError, match="expected the same"):
        relative_efficiency(np.zeros((4, 1)), np.zeros((5, 1)), np.zeros(1))


# ---------------------------------------------------------------------------------------------------- cross-examination
def test_a_judge_sees_what_its_family_can_see():
    """A linear judge misses a change of scale, a tree sees it; neither sees anything in a perfect counterfeit."""
    rng = np.random.default_rng(5)
    samples = {
        "perfect": [rng.standard_normal((400, 2)) for _ in range(4)],
        "wide": [3 * rng.standard_normal((400, 2)) for _ in range(4)],
    }
    judges = {"linear": LogisticRegression(), "tree": DecisionTreeClassifier(min_samples_leaf=20)}
    found = cross_examine(samples, rng.standard_normal((1_600, 2)), judges)
    assert (found.generators, found.judges, found.accuracies.shape) == (("perfect", "wide"), ("linear", "tree"), (2, 2, 4))
    assert found.intervals["wide", "tree"].low > 0.7
    assert found.hardest("wide") == "tree"
    assert found.intervals["wide", "linear"].low < 0.5 < found.intervals["wide", "linear"].high + 0.05
    for judge in judges:
        assert abs(found.intervals["perfect", judge].value - 0.5) < 0.06
    again = cross_examine({"wide": samples["wide"]}, rng.standard_normal((1_600, 2)), judges)
    assert again.accuracies.shape == (1, 2, 4)


def test_cross_examination_is_repeatable_and_the_same_for_each_generator():
    rng = np.random.default_rng(6)
    x, genuine = [rng.standard_normal((40, 2)) for _ in range(2)], rng.standard_normal((80, 2))
    found = cross_examine({"a": x, "b": x}, genuine, {"tree": DecisionTreeClassifier()}, random_state=3)
    np.testing.assert_array_equal(found.accuracies[0], found.accuracies[1])


def test_cross_examination_names_what_does_not_match():
    x = np.zeros((10, 2))
    with pytest.raises(ValueError, match="same number of seeds"):
        cross_examine({"a": [x, x], "b": [x]}, x, {"tree": DecisionTreeClassifier()})
    with pytest.raises(ValueError, match=r"samples\['a'\]\[0\] has 1 features; expected 2"):
        cross_examine({"a": [x[:, :1], x]}, x, {"tree": DecisionTreeClassifier()})
