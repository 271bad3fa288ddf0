"""Intervals from halves: coverage of known truths, agreement with closed-form standard errors, and where they are too wide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from turinglearn.metrics import energy_distance, frechet_distance, interval, mmd, wasserstein

SHIFTED = 2 * quad(lambda t: (stats.norm.cdf(t) - stats.norm.cdf(t - 0.5)) ** 2, -15, 15)[0]  # N(0, 1) against N(1/2, 1)


def gaussian_mmd(mean, h):
    """Between N(0, 1) and N(mean, 1), for one Gaussian kernel."""
    a = h * h + 2
    return 2 * h / math.sqrt(a) * (1 - math.exp(-(mean**2) / (2 * a)))


def shift(x, y):
    return y.mean() - x.mean()


def runs(measure, mean, n, repetitions, m=None):
    """The intervals of independent samples of N(0, 1) and N(mean, 1)."""
    for seed in range(repetitions):
        rng = np.random.default_rng([seed, n])
        x, y = rng.standard_normal(n), rng.standard_normal(m or n) + mean
        yield interval(measure, x, y, resamples=60, random_state=rng)


@pytest.mark.parametrize(
    ("measure", "mean", "truth", "n", "m"),
    [
        (energy_distance, 0.5, SHIFTED, 120, None),
        (energy_distance, 0.5, SHIFTED, 100, 300),
        (lambda x, y: mmd(x, y, bandwidths=[1.0]), 0.5, gaussian_mmd(0.5, 1.0), 120, None),
        (wasserstein, 1.5, 1.5, 150, None),
    ],
    ids=["energy", "energy-unequal", "mmd", "wasserstein-far-apart"],
)
def test_coverage(measure, mean, truth, n, m):
    repetitions = 200
    covered = sum(i.low <= truth <= i.high for i in runs(measure, mean, n, repetitions, m))
    assert 0.9 <= covered / repetitions <= 0.99  # .95 but for chance, ±.045 is three of its errors


def test_a_narrower_level_covers_less():
    covered = np.mean([i.low <= 0.5 <= i.high for i in (interval(shift, *pair, level=0.5) for pair in pairs(300))])
    assert abs(covered - 0.5) < 0.09


def pairs(repetitions):
    for seed in range(repetitions):
        x, y = np.random.default_rng(seed).standard_normal((2, 40))
        yield x, y + 0.5


def test_of_a_difference_of_means_it_is_the_textbook_interval():
    """Over halves without replacement a mean has the variance s²/n exactly."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(60), 3 * rng.standard_normal(90)
    found = interval(shift, x, y, resamples=6000, random_state=0)
    error = math.sqrt(x.var(ddof=1) / 60 + y.var(ddof=1) / 90)
    assert found.standard_error == pytest.approx(error, rel=4 / math.sqrt(2 * 6000))
    assert found.value == shift(x, y)
    np.testing.assert_allclose((found.low, found.high), found.value + 1.959964 * found.standard_error * np.array([-1, 1]))


def test_where_the_distributions_are_equal_it_is_too_wide_and_never_misses():
    """A degenerate U-statistic has an error of order 1/n: of halves twice as large, so √3 too large about the whole."""
    found = list(runs(energy_distance, 0.0, 60, 200))
    assert np.mean([i.low <= 0 <= i.high for i in found]) >= 0.97
    ratio = np.mean([i.standard_error for i in found]) / np.std([i.value for i in found])
    assert 1.2 < ratio < 2.2


def test_a_biased_measure_is_covered_with_its_bias_only():
    """The Fréchet distance of equal distributions in 10 dimensions and 40 rows is above 0, and so is its interval, mostly."""
    missed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        missed += interval(frechet_distance, *rng.standard_normal((2, 40, 10)), resamples=40, random_state=rng).low > 0
    assert missed > 10


def test_the_measure_gets_halves_of_distinct_rows_of_each_sample():
    seen = []

    def measure(x, y):
        seen.append((x, y))
        return 0.0

    x, y = np.arange(9.0), 100 + np.arange(6.0)
    interval(measure, x, y, resamples=5, random_state=0)
    assert [(len(a), len(b)) for a, b in seen] == [(9, 6)] + [(4, 3)] * 5
    for a, b in seen:
        assert len(np.unique(a)) == len(a) == len(np.intersect1d(a, x))
        assert len(np.unique(b)) == len(b) == len(np.intersect1d(b, y))


def test_a_seed_repeats():
    x, y = np.random.default_rng(0).standard_normal((2, 20))
    first, second, other = (interval(shift, x, y, random_state=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_every_array_library_gives_the_same(arrays_on):
    x, y = np.random.default_rng(1).standard_normal((2, 20, 2))
    samples = arrays_on.asarray(x), arrays_on.asarray(y)
    options = {"resamples": 5, "random_state": 0}
    assert interval(energy_distance, *samples, **options) == interval(energy_distance, x, y, **options)


def silent(x, y):
    return math.nan if len(x) < 5 else 0.0


@pytest.mark.parametrize(
    ("measure", "x", "options", "message"),
    [
        (shift, np.zeros(3), {}, "expected at least 4 rows"),
        (shift, np.zeros((8, 2)), {}, "expected the same number"),
        (shift, np.zeros(8), {"level": 1}, "level=1"),
        (shift, np.zeros(8), {"resamples": 1}, "resamples=1"),
        (silent, np.zeros(8), {}, "silent is nan for 4 and 4 rows"),
    ],
)
def test_bad_arguments(measure, x, options, message):
    with pytest.raises(ValueError, match=message):
        interval(measure, x, np.ones(8), **options)
