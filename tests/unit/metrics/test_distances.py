"""Energy distance and MMD against double loops, SciPy, closed forms, and their own symmetries."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from scipy import stats
from scipy.integrate import quad
from scipy.spatial.transform import Rotation

from turinglearn.metrics import distances, energy_distance, mmd

WIDTHS = [0.3, 1.0, 2.5]


def u_statistic(x, y, kernel):
    """E k(X, X') + E k(Y, Y') - 2 E k(X, Y), by loops over distinct indices."""

    def within(a):
        return np.mean([kernel(a[i], a[j]) for i, j in itertools.permutations(range(len(a)), 2)])

    return within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def gaussians(widths):
    return lambda a, b: np.mean([math.exp(-sum((a - b) ** 2) / (2 * h * h)) for h in widths])


def samples(seed, n=9, m=13, d=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), 0.5 + 1.5 * rng.standard_normal((m, d))


def points(n, d=2):
    """Rows on a coarse lattice, so that ties and repeated points occur."""
    return numpy_arrays(np.int64, (n, d), elements=st.integers(-40, 40)).map(lambda x: x / 8)


# ------------------------------------------------------------------------------------------ independent implementations
def test_energy_distance_equals_the_double_loop():
    x, y = samples(0)
    expected = u_statistic(x, y, lambda a, b: -math.dist(a, b))
    assert energy_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_mmd_equals_the_double_loop():
    x, y = samples(1)
    assert mmd(x, y, bandwidths=WIDTHS) == pytest.approx(u_statistic(x, y, gaussians(WIDTHS)), rel=1e-12)


def test_mmd_ladder_equals_separate_exponentials():
    x, y = samples(2)
    ladder = [4.0, 2.0, 1.0, 0.5, 0.25, 0.125]
    assert mmd(x, y, bandwidths=ladder) == pytest.approx(u_statistic(x, y, gaussians(ladder)), rel=1e-12)


def test_mmd_does_not_depend_on_the_order_of_bandwidths():
    x, y = samples(2)
    assert mmd(x, y, bandwidths=[1.0, 4.0, 2.0]) == mmd(x, y, bandwidths=(4.0, 2.0, 1.0))


def test_default_bandwidths_are_multiples_of_the_median_distance_within_the_second_sample():
    x, y = samples(3)
    median = np.median([math.dist(a, b) for a, b in itertools.combinations(y, 2)])
    widths = median * np.array([0.25, 0.5, 1, 2, 4])
    assert mmd(x, y) == pytest.approx(mmd(x, y, bandwidths=widths), rel=1e-12)
    assert mmd(x, y) != pytest.approx(mmd(y, x), rel=1e-3)


def test_default_bandwidths_of_a_large_sorted_sample_are_near_the_true_median():
    y = np.sort(np.random.default_rng(0).standard_normal(5_500))
    median = distances._default_bandwidths(y[:, None])[2]
    assert median == pytest.approx(math.sqrt(2) * stats.norm.ppf(0.75), rel=0.02)  # of |Y - Y'|, Y - Y' ~ N(0, 2)


def test_energy_distance_against_scipy():
    """SciPy gives the root of the V-statistic, in which a sample is also paired with itself, at distance 0."""
    x, y = samples(4, n=40, m=30, d=1)

    def gini(a):  # the mean absolute difference of distinct pairs, from order statistics
        n, a = len(a), np.sort(a, axis=None)
        return 2 * np.sum((2 * np.arange(1, n + 1) - n - 1) * a) / (n * (n - 1))

    v_statistic = stats.energy_distance(x[:, 0], y[:, 0]) ** 2
    assert energy_distance(x, y) == pytest.approx(v_statistic - gini(x) / len(x) - gini(y) / len(y), rel=1e-10)


# --------------------------------------------------------------------------------------------------------- closed forms
def mean_absolute(mean, deviation):
    """E|N(mean, deviation²)|, the folded normal."""
    return deviation * math.sqrt(2 / math.pi) * math.exp(-(mean**2) / (2 * deviation**2)) + mean * math.erf(
        mean / (deviation * math.sqrt(2))
    )


def energy_between_normals(mean, deviation):
    """Between N(0, 1) and N(mean, deviation²)."""
    differences = (mean, math.hypot(1, deviation)), (0, math.sqrt(2)), (0, math.sqrt(2) * deviation)
    between, within_x, within_y = itertools.starmap(mean_absolute, differences)
    return 2 * between - within_x - within_y


def mmd_between_normals(mean, deviation, h, d):
    """Between N(0, I) and N(mean e_1, deviation² I) in d dimensions, for one Gaussian kernel."""

    def expected(shift, variance):
        return (h * h / (h * h + variance)) ** (d / 2) * math.exp(-(shift**2) / (2 * (h * h + variance)))

    return expected(0, 2) + expected(0, 2 * deviation**2) - 2 * expected(mean, 1 + deviation**2)


def test_the_closed_form_of_the_energy_distance_is_twice_cramer_s_integral():
    integral = quad(lambda t: (stats.norm.cdf(t) - stats.norm.cdf(t, 0.7, 1.6)) ** 2, -15, 15, epsabs=1e-12)[0]
    assert energy_between_normals(0.7, 1.6) == pytest.approx(2 * integral, rel=1e-8)


@pytest.mark.parametrize(
    ("statistic", "d", "truth"),
    [
        (energy_distance, 1, energy_between_normals(0.7, 1.6)),
        (lambda x, y: mmd(x, y, bandwidths=[0.8]), 1, mmd_between_normals(0.7, 1.6, 0.8, 1)),
        (lambda x, y: mmd(x, y, bandwidths=[2, 1]), 3, np.mean([mmd_between_normals(0.7, 1.6, h, 3) for h in (1, 2)])),
    ],
    ids=["energy", "mmd-1d", "mmd-3d"],
)
def test_unbiased(statistic, d, truth):
    rng, values = np.random.default_rng(0), []
    for _ in range(6_000):
        y = 1.6 * rng.standard_normal((4, d))
        y[:, 0] += 0.7
        values.append(statistic(rng.standard_normal((3, d)), y))
    error = np.std(values) / math.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 4 * error
    assert error < truth  # tight enough that the V-statistic, whose bias is over ten errors, would fail
    assert min(values) < 0


@pytest.mark.parametrize("statistic", [energy_distance, mmd])
def test_near_zero_for_equal_distributions_and_large_for_different_ones(statistic):
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 2_000, 2))
    assert abs(statistic(x, y)) < 0.003
    assert statistic(x + 1, y) > 0.05


# --------------------------------------------------------------------------------------------------------------- blocks
@pytest.mark.parametrize("block", [1, 7, 64, 1000])
@pytest.mark.parametrize("statistic", [energy_distance, mmd])
def test_blocks_change_nothing(statistic, block, monkeypatch):
    x, y = samples(6, n=23, m=31)
    whole = statistic(x, y)
    monkeypatch.setattr(distances, "_BLOCK", block)
    assert statistic(x, y) == pytest.approx(whole, rel=1e-11)


@pytest.mark.parametrize("block", [1, 5, 17, 10_000])
def test_each_pair_is_met_once(block, monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK", block)
    x, y = 2.0 ** np.arange(12)[:, None], -(2.0 ** np.arange(9)[:, None])
    within = np.concatenate([b.ravel() for b in distances._within(x)])
    between = np.concatenate([b.ravel() for b in distances._between(x, y)])
    assert sorted(within) == sorted((a - b) ** 2 for a, b in itertools.combinations(x[:, 0], 2))
    assert sorted(between) == sorted((a - b) ** 2 for a in x[:, 0] for b in y[:, 0])


@pytest.mark.parametrize("statistic", [energy_distance, mmd])
def test_memory_is_bounded(statistic):
    x, y = samples(7, n=3_000, m=5_000, d=2)  # all pairs at once would be 120 MB
    tracemalloc.start()
    try:
        statistic(x, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16e6


# ---------------------------------------------------------------------------------------------------------- invariances
@given(points(6), points(4), st.floats(-50, 50), st.floats(0, 2 * np.pi), st.randoms(use_true_random=False))
def test_moving_both_samples_or_reordering_them_changes_nothing(x, y, shift, angle, random):
    turn = Rotation.from_euler("z", angle).as_matrix()[:2, :2]
    order = random.sample(range(6), 6)
    for statistic in (energy_distance, lambda x, y: mmd(x, y, bandwidths=WIDTHS)):
        plain = statistic(x, y)
        assert statistic(x + shift, y + shift) == pytest.approx(plain, abs=1e-10)
        assert statistic(x @ turn, y @ turn) == pytest.approx(plain, abs=1e-10)
        assert statistic(x[order], y) == pytest.approx(plain, abs=1e-10)
        assert statistic(y, x) == pytest.approx(plain, abs=1e-10)


@given(points(5), points(7), st.floats(0.01, 100))
def test_scaling_both_samples_scales_the_energy_distance_and_not_the_mmd(x, y, scale):
    assert energy_distance(scale * x, scale * y) == pytest.approx(scale * energy_distance(x, y), abs=1e-10 * scale)
    if np.median(distances.pdist(y)) > 0:
        assert mmd(scale * x, scale * y) == pytest.approx(mmd(x, y), abs=1e-10)


@given(points(5))
def test_a_sample_against_itself_is_below_zero_by_its_missing_self_pairs(x):
    """2 E - E - E with n² pairs in the first mean and n(n-1) in the others: -2/(n-1) times the first mean."""
    mean = np.mean(distances.cdist(x, x))
    assert energy_distance(x, x) == pytest.approx(-2 / 4 * mean, abs=1e-12)


# --------------------------------------------------------------------------------------------------------------- inputs
def test_every_array_library_gives_the_same(arrays_on):
    x, y = samples(8)
    for statistic in (energy_distance, mmd):
        assert statistic(arrays_on.asarray(x), arrays_on.asarray(y)) == statistic(x, y)


def test_one_dimensional_input_is_one_feature_and_events_are_flattened():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 12)), rng.standard_normal((8, 12))
    for statistic in (energy_distance, mmd):
        assert statistic(x[:, 0], y[:, 0]) == statistic(x[:, :1], y[:, :1])
        assert statistic(x.reshape(5, 3, 2, 2), y.reshape(8, 4, 3)) == statistic(x, y)
        assert type(statistic(x, y)) is float


def test_inputs_are_left_as_they_are_and_may_be_read_only():
    x, y = samples(9)
    kept = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    energy_distance(x, y), mmd(x, y)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


GOOD = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize("statistic", [energy_distance, mmd])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((0, 2)), "shape .0, 2.; expected at least 2 rows"),
        (np.zeros((1, 2)), "shape .1, 2.; expected at least 2 rows"),
        (np.zeros((3, 0)), "no features"),
        (np.zeros((3, 3)), "expected the same number"),
        (3.0, "single number"),
        (np.array([[0, 1], [np.nan, 0], [2, 2]]), "1 rows with NaN.*row 1"),
        (np.array([[0, 1], [3, 0], [-np.inf, np.inf]]), "1 rows with NaN.*row 2"),
        (np.full((3, 2), 1e200), "3 rows with NaN, infinity or values beyond 1e.150"),
        (GOOD + 1j, "complex128 values; expected real"),
        (GOOD.astype(object), "object values; expected real"),
        (GOOD.astype(str), "<U32 values; expected real"),
    ],
)
def test_bad_samples_are_named(statistic, bad, message):
    with pytest.raises(ValueError, match=message) as first:
        statistic(bad, GOOD)
    with pytest.raises(ValueError, match=message) as second:
        statistic(GOOD, bad)
    assert "first sample" in str(first.value)
    assert "second sample" in str(second.value)


@pytest.mark.parametrize(
    ("bandwidths", "message"),
    [([], "empty"), ([1, 0], "bandwidth=0"), ([-1], "bandwidth=-1"), ([np.nan], "bandwidth=nan")],
)
def test_bad_bandwidths(bandwidths, message):
    with pytest.raises(ValueError, match=message):
        mmd(GOOD, GOOD, bandwidths=bandwidths)


def test_no_bandwidth_follows_from_a_sample_of_repeats():
    with pytest.raises(ValueError, match=r"median distance within the second sample is 0.*Give bandwidths"):
        mmd(GOOD, np.ones((5, 2)))
    assert mmd(GOOD, np.ones((5, 2)), bandwidths=[1]) > 0
