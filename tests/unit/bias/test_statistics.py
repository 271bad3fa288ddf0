"""Intervals, tests and aggregates, beside independent implementations and simulations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turinglearn.bias import (
    completion,
    holm,
    interquartile_mean,
    iqm_interval,
    jackknife,
    mean_interval,
    paired_interval,
    probability_of_improvement,
    sign_flip_test,
)

VALUES = np.random.default_rng(0).normal(1, 2, 12)


# ------------------------------------------------------------------------------------------------------------ jackknife
def test_the_jackknife_of_a_mean_is_students_interval():
    found = jackknife(lambda kept: VALUES[kept].mean(), len(VALUES))
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    np.testing.assert_allclose((found.low, found.high), (expected.low, expected.high))
    assert found.value == pytest.approx(VALUES.mean())


def test_the_jackknife_takes_the_bias_out_of_a_plug_in():
    """The variance with denominator n becomes the one with n - 1, exactly."""
    assert jackknife(lambda kept: VALUES[kept].var(), len(VALUES)).value == pytest.approx(VALUES.var(ddof=1))


def test_the_logarithms_interval_is_positive_and_covers():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(300):
        x = rng.normal(0, 3, 20)
        found = jackknife(lambda kept, x=x: x[kept].var(ddof=1), 20, log=True)
        assert 0 < found.low < found.value < found.high
        hits += found.low <= 9 <= found.high
    assert hits / 300 > 0.90  # .95 less four standard errors


def test_the_logarithms_degrees_of_freedom_follow_the_tails():
    """Satterthwaite's: as many as replicates less one for tails no heavier than a normal's, fewer for heavier ones."""

    def degrees(values):
        found = jackknife(lambda kept: np.exp(values[kept].mean()), len(values), log=True)  # pseudo-values: the values
        t = (np.log(found.high) - values.mean()) / (values.std(ddof=1) / np.sqrt(len(values)))
        return next(df for df in np.arange(1, 12, 0.01) if stats.t.ppf(0.975, df) <= t + 1e-9)

    assert degrees(np.linspace(-1, 1, 12)) == pytest.approx(11, abs=0.02)
    heavy = np.array([-0.1, 0.1] * 5 + [-3.0, 3.0])
    kurtosis = stats.kurtosis(heavy, fisher=False)
    assert degrees(heavy) == pytest.approx(24 / (kurtosis - 1 + 2 / 11), abs=0.02)


def test_another_source_of_error_widens():
    alone, wider = (jackknife(lambda kept: VALUES[kept].mean(), 12, extra_error=also) for also in (0.0, 1.0))
    assert wider.standard_error == pytest.approx(np.hypot(alone.standard_error, 1.0))


@pytest.mark.parametrize("log", [False, True])
def test_the_jackknife_refuses_what_is_not_finite(log):
    with pytest.raises(ValueError, match=r"The statistic is nan on 12 replicates; .* Leave out replicates that failed"):
        jackknife(lambda kept: float("nan"), 12, log=log)
    with pytest.raises(ValueError, match="expected a whole number from 3 on"):
        jackknife(lambda kept: 1.0, 2)


# ------------------------------------------------------------------------------------------------------------ contrasts
def test_skewed_values_get_an_interval_that_covers():
    """Squares of ten normal values: Student's interval ends too early above, the corrected one holds the mean."""
    rng, hits = np.random.default_rng(0), {False: 0, True: 0}
    for _ in range(1000):
        squares = rng.normal(0.6, 0.4, 10) ** 2
        for skewed in hits:
            found = mean_interval(squares, skewed=skewed)
            hits[skewed] += found.low <= 0.52 <= found.high
    assert hits[True] > 922  # .95 less four standard errors
    assert hits[True] - hits[False] > 15


@given(st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=3, max_size=20))
def test_the_correction_for_skewness_mirrors_and_holds_the_mean(values):
    x = np.array(values)
    found, mirrored = mean_interval(x, skewed=True), mean_interval(-x, skewed=True)
    assert found.low <= found.value <= found.high
    scale = max(1.0, np.abs([found.low, found.high]).max())
    np.testing.assert_allclose((found.low, found.high), (-mirrored.high, -mirrored.low), atol=1e-6 * scale)
    both = mean_interval(np.concatenate((x, -x)), skewed=True)  # symmetric about 0
    assert both.high == pytest.approx(-both.low, rel=1e-4, abs=1e-6)
    students = mean_interval(np.concatenate((x, -x))).high
    assert both.high >= students - 1e-4 * abs(students)  # wider where tails are heavy


def test_the_paired_interval_is_scipys():
    control = VALUES - np.random.default_rng(2).normal(0.5, 0.1, 12)
    found, expected = paired_interval(VALUES, control), stats.ttest_rel(VALUES, control).confidence_interval(0.95)
    np.testing.assert_allclose((found.low, found.high), (expected.low, expected.high))


def test_means_of_ten_normal_values_are_covered():
    rng = np.random.default_rng(3)
    hits = [i.low <= 2 <= i.high for i in (mean_interval(rng.normal(2, 1, 10)) for _ in range(500))]
    assert 0.92 < np.mean(hits) < 0.98


def test_the_sign_flip_test_looks_at_every_pattern():
    d = VALUES[:8]
    patterns = np.array(list(itertools.product([-1, 1], repeat=8)))
    assert sign_flip_test(d, np.zeros(8)) == np.mean(np.abs(patterns @ d) >= abs(d.sum()) - 1e-9)


def test_the_sign_flip_test_is_scipys_permutation_test():
    x, y = np.random.default_rng(4).normal(0.3, 1, (2, 30))
    expected = stats.permutation_test(
        (x, y), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(0)
    ).pvalue
    assert sign_flip_test(x, y, flips=20_000, random_state=1) == pytest.approx(expected, abs=0.02)


def test_the_sign_flip_tests_size_is_its_level():
    rng = np.random.default_rng(5)
    p = [sign_flip_test(rng.standard_normal(7), rng.standard_normal(7)) for _ in range(600)]
    assert np.mean(np.array(p) <= 0.05) < 0.08


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_no_correction_and_bonferronis(p):
    adjusted = holm(dict(enumerate(p)))
    assert list(adjusted) == list(range(len(p)))
    for i, value in adjusted.items():
        assert p[i] <= value <= min(1.0, len(p) * p[i])
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff([adjusted[i] for i in order]) >= 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: holm({"x": 1.2}), "The p-value of 'x' is 1.2"),
        (lambda: mean_interval([1.0]), "at least 2 seeds"),
        (lambda: mean_interval([1.0, np.nan]), "1 values that are not finite"),
        (lambda: paired_interval([1.0, 2], [1.0, 2, 3]), "2 values and 3 of the control"),
        (lambda: interquartile_mean([np.nan]), "not finite"),
        (lambda: iqm_interval(VALUES, tasks="all"), "expected 'fixed' or 'resampled'"),
        (lambda: probability_of_improvement(np.ones((2, 3)), np.ones((3, 3))), "scores of 2 tasks and of 3"),
        (lambda: completion([], 1.0), "at least one run"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ----------------------------------------------------------------------------------------------------------- aggregates
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_interquartile_mean_is_scipys_trimmed_mean(scores):
    assert interquartile_mean(scores) == pytest.approx(stats.trim_mean(scores, 0.25), rel=1e-9, abs=1e-6)


def test_intervals_of_the_interquartile_mean():
    """Tasks that differ widen it only where they are drawn again; one failing seed moves it little."""
    rng = np.random.default_rng(6)
    scores = rng.normal(0, 0.1, (8, 10)) + np.arange(8)[:, None]
    fixed, resampled = (iqm_interval(scores, tasks=tasks, random_state=0) for tasks in ("fixed", "resampled"))
    assert fixed.low < fixed.value < fixed.high
    assert resampled.high - resampled.low > 5 * (fixed.high - fixed.low)
    scores[0, 0] = 1e9
    assert interquartile_mean(scores) == pytest.approx(fixed.value, abs=0.2)


def test_fixed_tasks_are_covered():
    rng, hits = np.random.default_rng(7), 0
    for trial in range(150):
        found = iqm_interval(rng.normal(0, 1, (5, 20)), resamples=300, random_state=trial)
        hits += found.low <= 0 <= found.high
    assert hits / 150 > 0.88


def test_the_probability_of_improvement_is_mann_and_whitneys():
    x, y = np.random.default_rng(8).integers(0, 5, (2, 3, 9)).astype(float)
    expected = np.mean([stats.mannwhitneyu(a, b).statistic / 81 for a, b in zip(x, y, strict=True)])
    assert probability_of_improvement(x, y) == pytest.approx(expected)


def test_failures_are_shown_twice():
    found = completion([1.0, 3.0, np.nan, np.nan], worst=10.0)
    assert (found.rate, found.dropped, found.imputed) == (0.5, 2.0, 6.0)
    assert np.isnan(completion([np.nan], worst=1.0).dropped)
