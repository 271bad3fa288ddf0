"""Known densities against SciPy, quadrature and each other; the tables' splits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import dblquad, quad
from scipy.optimize import brentq
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits, make_moons

from turinglearn import datasets
from turinglearn.datasets import (
    breast_cancer,
    digits,
    g_and_k,
    g_and_k_quantile,
    gaussian,
    grid,
    mixture,
    moons,
    ring,
    wine,
)
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Batch, Source

COVARIANCE = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]])
UNEVEN = mixture([0.2, 0.8], [[0, 0], [3, 1]], [[[1, 0.5], [0.5, 2]], [[0.3, -0.1], [-0.1, 0.2]]])
PROBLEMS = {
    "ring": ring(),
    "grid": grid(),
    "gaussian": gaussian([1, 2, 3], COVARIANCE),
    "mixture": UNEVEN,
    "moons": moons(),
    "g_and_k": g_and_k(3, 1, 2, 0.5),
}


@pytest.fixture(params=PROBLEMS.values(), ids=PROBLEMS.keys())
def problem(request):
    return request.param


# -------------------------------------------------------------------------------------------------------- every problem
def test_each_problem_is_an_endless_source(problem):
    source: Source = problem
    batch = source.draw(7, np.random.default_rng(0))
    assert type(batch) is Batch
    assert batch.condition is None
    assert batch.x.shape == (7, problem.dimension)
    assert batch.x.dtype == np.float64
    assert not hasattr(source, "__len__")
    assert problem.sample(0).shape == (0, problem.dimension)


def test_samples_follow_the_random_state(problem):
    np.testing.assert_array_equal(problem.sample(5, 3), problem.sample(5, 3))
    assert not np.array_equal(problem.sample(5, 3), problem.sample(5, 4))
    assert not np.array_equal(problem.sample(5), problem.sample(5))
    for make in (np.random.default_rng, np.random.RandomState):
        state = make(3)
        first, second = problem.sample(5, state), problem.sample(5, state)
        np.testing.assert_array_equal(first, problem.sample(5, make(3)))
        assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", ["gaussian", "mixture", "moons", "g_and_k"])
def test_the_entropy_of_the_density_matches_the_samples(name):
    """E log p over samples, against the integral of p log p by importance sampling from a wide proposal."""
    problem = PROBLEMS[name]
    x = problem.sample(10_000, 0)
    log_p = problem.log_density(x)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    rng, d = np.random.default_rng(1), problem.dimension
    y = centre + scale * rng.standard_t(3, (40_000, d))
    log_q = stats.t(3).logpdf((y - centre) / scale).sum(axis=1) - np.log(scale).sum()
    log_p_y = problem.log_density(y)
    weight = np.exp(log_p_y - log_q)
    assert abs(weight.mean() - 1) < 4 * weight.std() / math.sqrt(len(y))
    difference = log_p.mean() - (weight * log_p_y).mean()
    assert abs(difference) < 4 * math.hypot(log_p.std() / math.sqrt(len(x)), (weight * log_p_y).std() / math.sqrt(len(y)))


def test_log_density_accepts_every_array_library(problem, arrays_on):
    x = problem.sample(6, 0)
    np.testing.assert_array_equal(problem.log_density(arrays_on.asarray(x)), problem.log_density(x))


def test_log_density_far_away_is_low_and_finite(problem):
    far = problem.log_density(np.full((1, problem.dimension), 1e6))
    assert np.isfinite(far).all()
    assert far < problem.log_density(problem.sample(10, 0)).min()


@pytest.mark.parametrize("n", [-1, 2.5, True, "8"])
def test_a_sample_size_is_a_whole_number(problem, n):
    with pytest.raises(ValueError, match=f"n={n!r}: expected a whole number"):
        problem.sample(n)
    with pytest.raises(ValueError, match=f"n={n!r}: expected a whole number"):
        problem.draw(n, np.random.default_rng(0))


def test_points_of_another_dimension_are_refused(problem):
    with pytest.raises(ValueError, match=f"the distribution has {problem.dimension}"):
        problem.log_density(np.zeros((3, 7)))


# ------------------------------------------------------------------------------------------------------------- mixtures
def test_ring_has_eight_distinct_modes_at_equal_distances():
    problem = ring()
    np.testing.assert_allclose(np.linalg.norm(problem.modes, axis=1), 1)
    neighbours = np.linalg.norm(problem.modes - np.roll(problem.modes, 1, axis=0), axis=1)
    np.testing.assert_allclose(neighbours, 2 * math.sin(math.pi / 8))
    assert pdist(problem.modes).min() == pytest.approx(2 * math.sin(math.pi / 8))
    assert problem.sigma == 0.01


def test_grid_is_the_published_one():
    problem = grid()
    expected = {(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)}
    assert {tuple(mode) for mode in problem.modes} == expected
    assert len(problem.modes) == 25
    assert problem.sigma == 0.05


def test_other_rings_and_grids():
    np.testing.assert_allclose(ring(4, 2.0, 0.1).modes, [[2, 0], [0, 2], [-2, 0], [0, -2]], atol=1e-15)
    np.testing.assert_array_equal(grid(2, 3.0, 0.1).modes, [[-1.5, -1.5], [-1.5, 1.5], [1.5, -1.5], [1.5, 1.5]])


@pytest.mark.parametrize("name", ["ring", "grid", "gaussian", "mixture"])
def test_log_density_against_scipy(name):
    problem = PROBLEMS[name]
    x = np.concatenate((problem.sample(50, 0), np.random.default_rng(1).uniform(-5, 5, (50, problem.dimension))))
    logs = [
        math.log(w) + stats.multivariate_normal(m, c).logpdf(x)
        for w, m, c in zip(problem.weights, problem.modes, problem.covariances, strict=True)
    ]
    np.testing.assert_allclose(problem.log_density(x), np.logaddexp.reduce(logs, axis=0), rtol=1e-10)


@pytest.mark.parametrize("name", ["ring", "grid", "gaussian", "mixture"])
def test_samples_of_a_mixture_have_its_moments(name):
    problem, n = PROBLEMS[name], 200_000
    x = problem.sample(n, 0)
    mean = problem.weights @ problem.modes
    spread = problem.modes - mean
    covariance = np.einsum("k,kij->ij", problem.weights, problem.covariances + spread[:, :, None] * spread[:, None])
    scale = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((x.mean(axis=0) - mean) / scale, 0, atol=4.5 / math.sqrt(n))
    np.testing.assert_allclose(np.cov(x.T) / np.outer(scale, scale), covariance / np.outer(scale, scale), atol=0.015)


def test_components_are_drawn_by_weight():
    n = 100_000
    nearest = UNEVEN.sample(n, 0)[:, 0] > 1.9  # nearly parts the two
    expected = 0.2 * stats.norm.sf(1.9) + 0.8 * stats.norm.sf(1.9, 3, math.sqrt(0.3))
    assert abs(nearest.mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_samples_of_a_full_gaussian_are_normal_once_whitened():
    problem = PROBLEMS["gaussian"]
    z = np.linalg.solve(np.linalg.cholesky(COVARIANCE), (problem.sample(20_000, 5) - [1, 2, 3]).T)
    assert min(stats.kstest(row, "norm").pvalue for row in z) > 1e-3
    np.testing.assert_allclose(z @ z.T / 20_000, np.eye(3), atol=0.04)


def test_sigma_is_known_only_where_all_components_are_alike_and_round():
    eye = np.eye(2)
    assert mixture([0.3, 0.7], [[0, 0], [1, 1]], [0.09 * eye, 0.09 * eye]).sigma == pytest.approx(0.3)
    assert mixture([0.3, 0.7], [[0, 0], [1, 1]], [eye, 2 * eye]).sigma is None
    assert gaussian([0, 0], [[1, 0.1], [0.1, 1]]).sigma is None
    assert UNEVEN.sigma is None


def test_a_mixture_copies_its_arrays_and_they_are_read_only():
    means = np.zeros((1, 2))
    problem = mixture([1.0], means, [np.eye(2)])
    means[0, 0] = 9
    assert problem.modes[0, 0] == 0
    for array in (problem.weights, problem.modes, problem.covariances, problem.factors):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ring(modes=0), "modes=0: expected a whole number from 1"),
        (lambda: ring(modes=8.0), "modes=8.0"),
        (lambda: ring(radius=-1.0), "radius=-1.0"),
        (lambda: ring(sigma=0), "sigma=0"),
        (lambda: grid(side=True), "side=True"),
        (lambda: grid(spacing=math.nan), "spacing=nan"),
        (lambda: moons(noise=0), "noise=0"),
        (lambda: gaussian([0, 0], np.eye(3)), r"covariance has shape \(3, 3\); expected \(2, 2\)"),
        (lambda: gaussian([0, 0], [[1, 2], [2, 1]]), r"covariances\[0\] is not a covariance"),
        (lambda: gaussian([0, 0], [[1, 0.5], [0, 1]]), r"covariances\[0\] is not a covariance"),
        (lambda: gaussian([0, math.nan], np.eye(2)), "mean has 1 rows with NaN"),
        (lambda: mixture([0.5, 0.6], np.eye(2), [np.eye(2)] * 2), "with sum 1"),
        (lambda: mixture([1.5, -0.5], np.eye(2), [np.eye(2)] * 2), "above 0"),
        (lambda: mixture([1.0], np.eye(2), [np.eye(2)] * 2), r"weights has shape \(1,\); expected \(2,\)"),
        (lambda: mixture([0.5, 0.5], np.eye(2), np.eye(2)), r"covariances has shape \(2, 2\); expected \(2, 2, 2\)"),
        (lambda: g_and_k(0, 0, 1, 1), "b=0"),
        (lambda: g_and_k(math.inf, 1, 1, 1), "expected finite numbers"),
        (lambda: g_and_k(0, 1, 1, -0.5), "does not increase"),
        (lambda: g_and_k(0, 1, 0, -0.6), "does not increase"),
        (lambda: g_and_k(0, 1, 2, 0, c=1.0), "does not increase"),
        (lambda: g_and_k(0, 1, 2, 0, c=0.9), "does not increase"),
        (lambda: g_and_k(0, 1, 5, -0.4), "does not increase"),
    ],
)
def test_bad_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---------------------------------------------------------------------------------------------------------------- moons
def test_moons_have_the_shape_of_scikit_learn_s():
    reference, _ = make_moons(4_000, noise=0.1, random_state=0)
    assert abs(energy_distance(moons(0.1).sample(4_000, 1), reference)) < 0.003


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.5])
def test_moons_density_against_adaptive_quadrature(noise):
    problem = moons(noise)
    x = np.concatenate((problem.sample(6, 0), np.random.default_rng(0).uniform(-1.5, 2, (6, 2))))

    def blurred(t, point, centre):
        return math.exp(-((point[0] - centre(t)[0]) ** 2 + (point[1] - centre(t)[1]) ** 2) / (2 * noise**2))

    arcs = (lambda t: (math.cos(t), math.sin(t))), (lambda t: (1 - math.cos(t), 0.5 - math.sin(t)))
    edges = np.linspace(0, math.pi, 13)
    expected = [
        math.fsum(
            quad(blurred, a, b, args=(point, arc), epsabs=0, epsrel=1e-10)[0]
            for arc in arcs
            for a, b in itertools.pairwise(edges)
        )
        for point in x
    ]
    np.testing.assert_allclose(
        problem.log_density(x), np.log(expected) - math.log(2 * math.pi * 2 * math.pi * noise**2), atol=1e-8
    )


def test_moons_density_integrates_to_one():
    ticks = np.linspace(-3, 4, 281)
    u, v = np.meshgrid(ticks, ticks)
    p = np.exp(moons(0.15).log_density(np.column_stack((u.ravel(), v.ravel()))))
    assert p.sum() * (ticks[1] - ticks[0]) ** 2 == pytest.approx(1, abs=1e-9)  # trapezoid: exponentially accurate here


def test_mixture_density_integrates_to_one():
    total, _ = dblquad(lambda v, u: math.exp(UNEVEN.log_density([[u, v]])[0]), -6, 7, -9, 9, epsabs=1e-5)
    assert total == pytest.approx(1, abs=1e-4)


# -------------------------------------------------------------------------------------------------------------- g-and-k
parameters = st.tuples(
    st.floats(-5, 5), st.floats(0.1, 4), st.floats(-4, 4), st.floats(0, 1.5), st.sampled_from([0.0, 0.5, 0.8])
)


@given(parameters, st.floats(-4, 4))
def test_g_and_k_density_is_the_slope_of_the_distribution_function(parameters, z):
    distribution = g_and_k(*parameters)

    def cdf(x):  # Φ(z) where Q(z) = x, by a root finder of SciPy
        return stats.norm.cdf(brentq(lambda z: g_and_k_quantile(np.array(z), *parameters) - x, -9, 9, xtol=1e-14))

    x = float(g_and_k_quantile(np.array(z), *parameters))
    h = 1e-4 * parameters[1]
    slope = (8 * (cdf(x + h) - cdf(x - h)) - (cdf(x + 2 * h) - cdf(x - 2 * h))) / (12 * h)
    assert math.exp(distribution.log_density([[x]])[0]) == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("parameters", [(3, 1, 2, 0.5), (0, 2, -1, 0.0), (1, 0.5, 0, -0.3), (0, 1, 1, 1.5)])
def test_g_and_k_density_integrates_to_one(parameters):
    distribution = g_and_k(*parameters)
    edges = g_and_k_quantile(np.linspace(-8.0, 8.0, 33), *parameters)
    pieces = [quad(lambda x: math.exp(distribution.log_density([[x]])[0]), a, b)[0] for a, b in itertools.pairwise(edges)]
    assert math.fsum(pieces) == pytest.approx(1, abs=1e-8)


def test_g_and_k_without_skewness_and_tails_is_normal():
    x = np.linspace(-8, 12, 101)[:, None]
    np.testing.assert_allclose(g_and_k(2, 1.5, 0, 0).log_density(x), stats.norm(2, 1.5).logpdf(x[:, 0]), rtol=1e-12)


def test_g_and_k_without_the_skewing_term_at_k_one_half():
    """Q(z) = z sqrt(1 + z²), so z² = (sqrt(1 + 4 x²) - 1) / 2: a closed form."""
    x = np.linspace(-30, 30, 121)
    z = np.sign(x) * np.sqrt((np.sqrt(1 + 4 * x * x) - 1) / 2)
    slope = (1 + 2 * z * z) / np.sqrt(1 + z * z)
    np.testing.assert_allclose(g_and_k(0, 1, 0, 0.5).log_density(x), stats.norm.logpdf(z) - np.log(slope), rtol=1e-9, atol=1e-9)


def test_g_and_k_samples_have_its_quantiles():
    x, n = g_and_k(3, 1, 2, 0.5).sample(40_000, 0)[:, 0], 40_000
    for level in (0.01, 0.1, 0.5, 0.9, 0.99):
        quantile = g_and_k_quantile(np.array(stats.norm.ppf(level)), 3, 1, 2, 0.5)
        assert abs((x < quantile).mean() - level) < 4 * math.sqrt(level * (1 - level) / n)


def test_g_and_k_quantile_by_hand():
    z = 1.3
    expected = 3 + 2 * (1 + 0.8 * (1 - math.exp(-1.5 * z)) / (1 + math.exp(-1.5 * z))) * (1 + z**2) ** 0.4 * z
    assert g_and_k_quantile(np.array([z]), 3, 2, 1.5, 0.4)[0] == pytest.approx(expected)


def test_g_and_k_quantile_runs_on_every_library(arrays_on):
    z = np.linspace(-2, 2, 5)
    result = g_and_k_quantile(arrays_on.asarray(z), 3.0, 2.0, 1.5, 0.4)
    np.testing.assert_allclose(arrays_on.to_numpy(result), g_and_k_quantile(z, 3.0, 2.0, 1.5, 0.4), rtol=1e-12)


# --------------------------------------------------------------------------------------------------------------- tables
@pytest.mark.parametrize(
    ("load", "rows", "columns"),
    [(digits, 1797, 64), (breast_cancer, 569, 30), (wine, 178, 13)],
    ids=["digits", "breast_cancer", "wine"],
)
def test_tables_are_parted_the_same_way_each_time(load, rows, columns):
    table, again = load(), load()
    for field in ("train", "held_out", "target_train", "target_held_out"):
        np.testing.assert_array_equal(getattr(table, field), getattr(again, field))
    assert table.train.dtype == table.held_out.dtype == np.float64
    assert table.train.shape[1] == table.held_out.shape[1] == len(table.names) == columns
    assert len(table.train) + len(table.held_out) == rows
    assert len(table.train) / rows == pytest.approx(0.6, abs=0.01)
    assert len(table.target_train) == len(table.train)
    assert len(table.target_held_out) == len(table.held_out)
    assert all(type(name) is str for name in table.names)
    assert np.isfinite(table.train).all()


@pytest.mark.parametrize("load", [digits, breast_cancer, wine])
def test_no_held_out_row_is_seen_in_training_and_none_is_lost(load):
    table = load()
    train, held_out = ({row.tobytes() for row in x} for x in (table.train, table.held_out))
    assert not train & held_out
    assert len(train) + len(held_out) == len(table.train) + len(table.held_out)  # no table repeats a row


@pytest.mark.parametrize("load", [digits, breast_cancer, wine])
def test_both_parts_have_the_same_classes(load):
    table = load()
    shares = [np.bincount(t) / len(t) for t in (table.target_train, table.target_held_out)]
    np.testing.assert_allclose(*shares, atol=0.01)


def test_digits_are_dequantised_by_one_grey_level():
    table = digits()
    x = np.concatenate((table.train, table.held_out))
    assert 0 <= x.min() < x.max() < 1
    assert len(np.unique(x)) == x.size  # no two pixels agree, so that exact levels reveal nothing
    levels = {row.tobytes() for row in load_digits().data}
    assert all(row.tobytes() in levels for row in np.floor(17 * x))
    assert stats.kstest((17 * x - np.floor(17 * x)).ravel(), "uniform").pvalue > 1e-3


def test_the_seed_of_digits_changes_the_noise_but_not_the_split():
    one, two = digits(), digits(seed=1)
    assert not np.array_equal(one.train, two.train)
    np.testing.assert_array_equal(np.floor(17 * one.train), np.floor(17 * two.train))


def test_g_and_k_with_a_vanishing_skewness_is_the_one_without():
    np.testing.assert_array_equal(g_and_k(0, 1, 1e-250, 0.3).log_density([2.0]), g_and_k(0, 1, 0, 0.3).log_density([2.0]))


def test_everything_public_is_named():
    assert sorted(datasets.__all__) == datasets.__all__
    assert all(hasattr(datasets, name) for name in datasets.__all__)
