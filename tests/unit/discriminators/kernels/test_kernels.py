"""Discriminators that compare samples with the rows of their fit: gradients, leave-one-out evidence, and the exact log-odds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import expit
from scipy.stats import gaussian_kde, multivariate_normal, multivariate_t
from sklearn.base import clone

from tests.two_gaussians import pair, rng
from turinglearn.discriminators import (
    KernelDensityDiscriminator,
    KLIEPDiscriminator,
    NeighboursDiscriminator,
    ULSIFDiscriminator,
)
from turinglearn.discriminators.classifiers.calibration import Platt
from turinglearn.discriminators.kernels import functions as kernels
from turinglearn.discriminators.kernels.base import losses
from turinglearn.protocols import Batch, LogOdds, PlayerError
from turinglearn.registry import make

STEP = 1e-5
DISCRIMINATORS = {
    "density": KernelDensityDiscriminator(),
    "density, left out": KernelDensityDiscriminator("loo"),
    "density, 0.4": KernelDensityDiscriminator(0.4),
    "neighbours": NeighboursDiscriminator(),
    "neighbours, left out": NeighboursDiscriminator("loo"),
    "neighbours, Gaussian": NeighboursDiscriminator(tail=np.inf),
    "neighbours, 5": NeighboursDiscriminator(5, tail=2.5),
    "uLSIF": ULSIFDiscriminator(),
    "uLSIF, few centres": ULSIFDiscriminator(7, widths=(0.5,), ridges=(0.03,)),
    "KLIEP": KLIEPDiscriminator(),
    "KLIEP, few centres": KLIEPDiscriminator(7, widths=(0.5,)),
}
KINDS = ("density", "neighbours", "uLSIF", "KLIEP")
every_discriminator = pytest.mark.parametrize("name", DISCRIMINATORS)
every_kind = pytest.mark.parametrize("name", KINDS)


def fitted(name, batches=None, seed=1, **options):
    discriminator = clone(DISCRIMINATORS[name]).set_params(**options)
    discriminator.update(*(batches or pair()), rng(seed))
    return discriminator


def central_differences(discriminator, batch, scale):
    gradient = np.empty(batch.x.shape)
    for feature in np.ndindex(batch.x.shape[1:]):
        step = np.zeros(batch.x.shape[1:])
        step[feature] = STEP * scale[feature]
        up, down = (discriminator.score_samples(Batch(batch.x + sign * step, batch.condition)).values for sign in (1, -1))
        gradient[:, *feature] = (up - down) / (2 * step[feature])
    return gradient


# -------------------------------------------------------------------------------------------------------------- gradients
@every_discriminator
@pytest.mark.parametrize(
    ("event", "conditions"),
    [((3,), 0), ((2, 2), 1), ((), 0), ((12,), 0)],
    ids=["plain", "matrices and conditions", "numbers", "many features"],
)
def test_the_gradient_agrees_with_finite_differences(name, event, conditions):
    discriminator = fitted(name, pair(event=event, conditions=conditions))
    batch = pair(seed=5, event=event, conditions=conditions)[1]
    scale = np.geomspace(0.1, 10, int(np.prod(event))).reshape(event)
    scores, pullback = discriminator.vjp(batch)
    assert type(scores) is LogOdds
    np.testing.assert_allclose(scores.values, discriminator.score_samples(batch).values, rtol=1e-12)
    slopes = rng(7).normal(size=batch.n)
    exact, expected = (
        pullback(slopes),
        slopes.reshape(-1, *(1 for _ in event)) * central_differences(discriminator, batch, scale),
    )
    assert exact.shape == batch.x.shape
    assert np.abs(expected * scale).max() > 0.01
    np.testing.assert_allclose(exact * scale, expected * scale, rtol=1e-6, atol=1e-6)


@every_discriminator
def test_blocks_change_nothing(name, monkeypatch):
    batch = pair(seed=3)[0]
    discriminator = fitted(name)
    whole, gradient = discriminator.score_samples(batch).values, discriminator.vjp(batch)[1](np.ones(batch.n))
    for size in (1, 7 * 200):
        monkeypatch.setattr(kernels, "_BLOCK", size)
        for again in (discriminator, fitted(name)):
            np.testing.assert_allclose(again.score_samples(batch).values, whole, rtol=1e-9, atol=1e-10)
            np.testing.assert_allclose(again.vjp(batch)[1](np.ones(batch.n)), gradient, rtol=1e-8, atol=1e-9)


@every_kind
def test_batches_of_every_library_have_the_same_gradient(name, arrays_on):
    batches, batch = pair(conditions=1), pair(seed=3, conditions=1)[0]
    there = [Batch(arrays_on.asarray(b.x), arrays_on.asarray(b.condition)) for b in (*batches, batch)]
    scores, pullback = fitted(name, batches).vjp(batch)
    same, pull = fitted(name, there[:2]).vjp(there[2])
    np.testing.assert_allclose(same.values, scores.values)
    slopes = np.linspace(-1, 1, batch.n)
    np.testing.assert_allclose(pull(arrays_on.asarray(slopes)), pullback(slopes))


# ------------------------------------------------------------------------------------------ against other implementations
def features(discriminator, batch):
    return (batch.x - discriminator.mean_) / discriminator.scale_


@pytest.mark.parametrize("bandwidth", ["scott", "loo", 0.3])
def test_densities_are_those_of_scipy(bandwidth):
    (real, fake), batch = pair(), pair(seed=3)[0]
    discriminator = fitted("density", bandwidth=bandwidth)
    z, logs = features(discriminator, batch), []
    wide = multivariate_normal(np.zeros(3), 4 * np.eye(3))
    for own, h in zip((real, fake), discriminator.bandwidths_, strict=True):
        rows = features(discriminator, own)
        kde = gaussian_kde(rows.T)
        kde._data_cho_cov, kde.covariance = h * np.eye(3), h**2 * np.eye(3)  # an isotropic kernel, of this width
        kde.cho_cov, kde.log_det = h * np.eye(3), 2 * 3 * np.log(h * np.sqrt(2 * np.pi))
        density = np.mean([multivariate_normal(row, h**2 * np.eye(3)).pdf(z) for row in rows], axis=0)
        np.testing.assert_allclose(kde(z.T), density, rtol=1e-8)
        logs.append(np.log((len(rows) * density + wide.pdf(z)) / (len(rows) + 1)))
    expected = discriminator.calibrator_(logs[0] - logs[1])
    np.testing.assert_allclose(discriminator.score_samples(batch).values, expected, rtol=1e-9, atol=1e-10)


def test_the_usual_bandwidth_is_scotts():
    batches = pair()
    discriminator = fitted("density", batches)
    for batch, h in zip(batches, discriminator.bandwidths_, strict=True):
        rows = features(discriminator, batch)
        assert np.isclose(h, gaussian_kde(rows.T).scotts_factor() * np.sqrt(rows.var(axis=0).mean()))


@pytest.mark.parametrize("tail", [1.0, 3.5, np.inf])
def test_neighbours_are_sums_of_student_kernels(tail):
    (real, fake), batch = pair(), pair(seed=3)[0]
    discriminator = fitted("neighbours", tail=tail, neighbours=6)
    z, rows = features(discriminator, batch), np.concatenate([features(discriminator, b) for b in (real, fake)])
    distances = np.linalg.norm(rows[:, None] - rows, axis=2)
    widths = np.sort(distances, axis=1)[:, 6]  # the first of each is the row itself
    np.testing.assert_allclose(discriminator.widths_, widths, rtol=1e-9)
    densities = np.stack([multivariate_t(row, h**2 * np.eye(3), tail).pdf(z) for row, h in zip(rows, widths, strict=True)])
    expected = discriminator.calibrator_(np.log(densities[:80].mean(axis=0) / densities[80:].mean(axis=0)))
    np.testing.assert_allclose(discriminator.score_samples(batch).values, expected, rtol=1e-8, atol=1e-9)


def kernel(discriminator, batch):
    return np.exp(-cdist(features(discriminator, batch), discriminator.centres_, "sqeuclidean") / (2 * discriminator.width_**2))


def test_least_squares_have_the_least_error():
    (real, fake) = pair()
    discriminator = fitted("uLSIF", centres=9, widths=(0.7,), ridges=(0.05,))
    P, Q = (
        np.exp(-kernels.squared_distances(features(discriminator, b), discriminator.centres_) / (2 * discriminator.width_**2))
        for b in (real, fake)
    )

    def error(alpha):
        return np.mean((Q @ alpha) ** 2) / 2 - np.mean(P @ alpha) + 0.05 * alpha @ alpha / 2

    best = minimize(error, np.zeros(9), method="BFGS", options={"gtol": 1e-9}).x
    assert np.any(best < 0)
    np.testing.assert_allclose(discriminator.weights_, np.maximum(best, 0), atol=1e-6)


@pytest.mark.parametrize(("n1", "n0"), [(12, 12), (9, 14), (14, 9)])
def test_ratios_left_out_are_those_of_fits_without_the_pair(n1, n0):
    real, fake = pair(n1, n0)
    discriminator = clone(DISCRIMINATORS["uLSIF"]).set_params(widths=(0.6,), ridges=(0.02,))
    scores, is_real = discriminator._fit(np.concatenate((real.x, fake.x)), np.arange(n1 + n0) < n1, rng(4))
    P, Q = (
        np.exp(-kernels.squared_distances(features(discriminator, b), discriminator.centres_) / (2 * discriminator.width_**2))
        for b in (real, fake)
    )
    stream = rng(4)
    stream.permutation(n1)  # the centres
    pairs = list(zip(stream.permutation(n1)[:n0], stream.permutation(n0)[:n1], strict=True))
    assert len(pairs) == is_real.sum() == (~is_real).sum()
    for (i, j), one, other in zip(pairs, scores[is_real], scores[~is_real], strict=True):
        p, q = np.delete(P, i, axis=0), np.delete(Q, j, axis=0)
        alpha = np.maximum(0, np.linalg.solve(q.T @ q / len(q) + 0.02 * np.eye(len(P)), p.mean(axis=0)))
        np.testing.assert_allclose(
            np.exp([one, other]) - discriminator.floor_, [P[i] @ alpha, Q[j] @ alpha], rtol=1e-8, atol=1e-12
        )


def test_the_likelihood_is_the_greatest():
    (real, fake) = pair()
    discriminator = fitted("KLIEP", centres=6, widths=(0.6,), tolerance=1e-7)
    P, Q = (
        np.exp(-kernels.squared_distances(features(discriminator, b), discriminator.centres_) / (2 * discriminator.width_**2))
        for b in (real, fake)
    )
    b = (Q.sum(axis=0) + 1) / 121
    np.testing.assert_allclose(discriminator.weights_ @ b, 1)

    def loss(alpha):
        return -np.mean(np.log(P @ alpha + 1 / 121))

    bounds, constraint = [(0, None)] * 6, {"type": "eq", "fun": lambda alpha: alpha @ b - 1}
    found = minimize(loss, 1 / b / 6, method="SLSQP", bounds=bounds, constraints=constraint, options={"ftol": 1e-12})
    assert abs(found.fun - loss(discriminator.weights_)) < 1e-6
    np.testing.assert_allclose(discriminator.weights_, found.x, atol=1e-2)
    rough = fitted("KLIEP", centres=6, widths=(0.6,), tolerance=0.02)
    assert 0 <= loss(rough.weights_) - found.fun < 0.02


def test_ratios_are_within_what_the_fakes_can_prove():
    real, fake = pair(60, 40, shift=30.0)
    discriminator = fitted("KLIEP", (real, fake))
    for z in (features(discriminator, real), features(discriminator, fake), rng().normal(scale=9, size=(50, 3))):
        s = discriminator._score(z)[0]
        assert np.all((s >= -np.log(41) - 1e-9) & (s <= np.log(41 + 1 / 41)))


# --------------------------------------------------------------------------------------------------------- what they say
def scores_left_out(discriminator, batches, left):
    """What `_fit` says of row `left` by its own leave-one-out formula."""
    X = np.concatenate([b.x for b in batches])
    scores, _ = clone(discriminator)._fit(X, np.arange(len(X)) < batches[0].n, rng())
    return scores[left]


@pytest.mark.parametrize("left", [3, 90])
def test_scores_leave_each_row_out_of_its_density(left):
    batches = pair()
    discriminator = fitted("density, 0.4")
    z = np.concatenate([features(discriminator, b) for b in batches])
    same = (np.arange(200) < 80) == (left < 80)
    wide = multivariate_normal(np.zeros(3), 4 * np.eye(3)).pdf(z[left])

    def log_density(own):
        return np.log(
            (np.sum([multivariate_normal(row, 0.16 * np.eye(3)).pdf(z[left]) for row in z[own]]) + wide) / (own.sum() + 1)
        )

    own, other = same & (np.arange(200) != left), ~same
    expected = (log_density(own) - log_density(other)) * (1 if left < 80 else -1)
    assert np.isclose(scores_left_out(discriminator, batches, left), expected)


@pytest.mark.parametrize("left", [3, 90])
def test_scores_leave_each_row_out_of_its_neighbours(left):
    batches = pair()
    discriminator = fitted("neighbours, 5")
    z = np.concatenate([features(discriminator, b) for b in batches])
    kernel = np.array(
        [multivariate_t(row, h**2 * np.eye(3), 2.5).pdf(z[left]) for row, h in zip(z, discriminator.widths_, strict=True)]
    )
    real, others = np.arange(200) < 80, np.arange(200) != left
    expected = np.log(kernel[real & others].mean() / kernel[~real & others].mean())
    assert np.isclose(scores_left_out(discriminator, batches, left), expected)


def left_out(discriminator, batches, real, **options):
    """The loss of each row that is left out."""
    X = np.concatenate([b.x for b in batches])
    scores, _ = clone(discriminator).set_params(**options)._fit(X, real, rng())
    if isinstance(discriminator, NeighboursDiscriminator):
        scores = Platt.fit(scores, real)(scores)
    return losses(scores, real)


def test_bandwidths_are_those_of_the_least_log_loss():
    batches, real = pair(), np.arange(200) < 80
    discriminator = fitted("density, left out", batches)
    least = left_out(discriminator, batches, real).mean()
    assert discriminator.bandwidths_ != fitted("density").bandwidths_
    assert least < left_out(discriminator, batches, real, bandwidth="scott").mean()


def test_neighbours_are_the_most_that_do_as_well_as_the_best():
    batches, real = pair(), np.arange(200) < 80
    discriminator = fitted("neighbours, left out", batches)
    each = {k: left_out(discriminator, batches, real, neighbours=k) for k in (4, 8, 16, 32, 64, 128)}
    best = min(each.values(), key=np.mean)
    enough = [k for k, loss in each.items() if loss.mean() <= best.mean() + best.std() / np.sqrt(200)]
    assert discriminator.neighbours_ == max(enough)
    assert discriminator.neighbours_ > 4


def test_losses_are_the_cross_entropies_of_labels():
    r, real = np.array([1.0, -2.0, 0.5]), np.array([True, False, False])
    p = expit(r + np.log(1 / 2))
    np.testing.assert_allclose(losses(r, real), -np.log(np.where(real, p, 1 - p)))


@every_kind
def test_evidence_nears_the_exact_log_odds_as_rows_grow(name):
    x = np.concatenate([batch.x for batch in pair(500, 500, seed=9, event=(2,), shift=1.5)])
    truth, errors = 1.5 * (x[:, 0] - 3) / 0.1, []
    for n in (60, 1000):
        discriminators = [fitted(name, pair(n, n, seed=seed, event=(2,), shift=1.5), seed) for seed in range(3)]
        errors.append(
            np.mean([np.mean((discriminator.score_samples(Batch(x)).values - truth) ** 2) for discriminator in discriminators])
        )
    assert errors[1] < errors[0]
    assert errors[1] < np.mean(truth**2) / 3


@every_kind
def test_evidence_is_calibrated_on_fresh_samples(name):
    fits, loss, silence = [], [], []
    for seed in range(8):
        discriminator = fitted(name, pair(200, 200, seed=seed, event=(2,), shift=1.2), seed)
        fresh = pair(1000, 1000, seed=seed + 100, event=(2,), shift=1.2)
        r, real = np.concatenate([discriminator.score_samples(b).values for b in fresh]), np.arange(2000) < 1000
        fits.append(Platt.fit(r, real).slope)
        loss.append(losses(r, real).mean())
        silence.append(losses(0 * r, real).mean())
    assert 0.8 < np.mean(fits) < 1.25
    assert np.mean(loss) < np.mean(silence) - 0.08  # the exact log-odds gain .15


@every_kind
@pytest.mark.parametrize(("n1", "n0"), [(60, 240), (240, 60)])
def test_the_counts_are_taken_out_of_the_log_odds(name, n1, n0):
    share, errors = n1 / (n1 + n0), []
    for seed in range(12):
        discriminator = fitted(name, pair(n1, n0, seed=seed), seed)
        fresh = pair(5 * n1, 5 * n0, seed=seed + 1000)
        r = np.concatenate([discriminator.score_samples(batch).values for batch in fresh])
        errors.append(expit(r + np.log(n1 / n0)).mean() - share)  # with the counts put back it is calibrated
    standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert standard_error < 0.02
    assert abs(np.mean(errors)) < 4 * standard_error


@every_kind
def test_equal_distributions_are_hardly_discriminated(name):
    evidence = [
        np.abs(fitted(name, pair(200, 200, seed=s, shift=0.0), s).score_samples(pair(seed=99)[0]).values) for s in range(6)
    ]
    assert np.mean(evidence) < 0.3


@every_kind
def test_evidence_does_not_depend_on_units(name):
    (real, fake), batch = pair(), pair(seed=3)[0]
    scale, shift = np.array([1e-3, 1.0, 1e4]), np.array([5.0, -1.0, 0.0])
    discriminator = fitted(name, [Batch(b.x * scale + shift) for b in (real, fake)])
    there = Batch(batch.x * scale + shift)
    np.testing.assert_allclose(
        discriminator.score_samples(there).values, fitted(name).score_samples(batch).values, rtol=1e-6, atol=1e-8
    )
    gradient = fitted(name).vjp(batch)[1](np.ones(batch.n))
    np.testing.assert_allclose(discriminator.vjp(there)[1](np.ones(batch.n)) * scale, gradient, rtol=1e-5, atol=1e-7)


@every_kind
def test_constant_columns_are_no_evidence(name):
    (real, fake), batch = pair(seed=2), pair(seed=3)[0]
    padded = [Batch(np.concatenate((b.x, np.full((b.n, 2), 0.1)), axis=1)) for b in (real, fake, batch)]
    discriminator = fitted(name, padded[:2])
    expected = fitted(name, (real, fake)).score_samples(batch).values
    np.testing.assert_allclose(discriminator.score_samples(padded[2]).values, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(discriminator.vjp(padded[2])[1](np.ones(batch.n))[:, 3:], 0, atol=1e-10)


@every_discriminator
def test_nothing_but_constants_is_no_evidence(name):
    same = Batch(np.full((9, 2), 0.1))
    discriminator = fitted(name, (same, same))
    np.testing.assert_allclose(discriminator.score_samples(same).values, np.zeros(9), atol=1e-12)
    np.testing.assert_allclose(discriminator.vjp(same)[1](np.ones(9)), np.zeros((9, 2)), atol=1e-12)


@given(
    arrays(np.float64, (12, 2), elements=st.floats(-1e6, 1e6, width=32)),
    arrays(np.float64, (8, 2), elements=st.floats(-1e6, 1e6, width=32)),
    st.sampled_from(KINDS),
    st.integers(0, 6),
)
@settings(max_examples=60, deadline=None)
def test_evidence_is_finite_on_any_rows_near_and_far(real, fake, name, duplicates):
    real[:duplicates], fake[:duplicates] = real[-1], real[-1]
    discriminator = fitted(name, (Batch(real), Batch(fake)))
    for x in (real, fake, 1e9 * np.ones((2, 2)), -1e9 * np.eye(2)):
        scores, pullback = discriminator.vjp(Batch(x))
        assert np.all(np.isfinite(scores.values))
        assert np.all(np.isfinite(pullback(np.ones(len(x)))))


@every_discriminator
@pytest.mark.parametrize(("n1", "n0"), [(2, 2), (2, 9), (9, 2)])
def test_two_of_a_kind_are_enough(name, n1, n0):
    discriminator = fitted(name, pair(n1, n0))
    assert np.all(np.isfinite(discriminator.score_samples(pair(seed=3)[0]).values))


def test_one_of_a_kind_is_too_few():
    with pytest.raises(ValueError, match=r"NeighboursDiscriminator leaves rows.*1 real samples; expected at least 2"):
        fitted("neighbours", pair(1, 20))


@every_discriminator
def test_before_the_first_fit_the_evidence_is_zero(name):
    discriminator, batch = clone(DISCRIMINATORS[name]), pair()[0]
    for look in (discriminator.score_samples, discriminator.vjp):
        with pytest.raises(PlayerError, match=r"before start and before its first update.*call start"):
            look(batch)
    discriminator.start(batch, rng())
    scores, pullback = discriminator.vjp(batch)
    assert np.array_equal(scores.values, np.zeros(batch.n))
    assert np.array_equal(discriminator.score_samples(batch).values, np.zeros(batch.n))
    assert np.array_equal(pullback(np.ones(batch.n)), np.zeros(batch.x.shape))
    discriminator.update(*pair(), rng())
    assert np.any(discriminator.score_samples(batch).values)
    discriminator.start(batch, rng())
    assert not np.any(discriminator.score_samples(batch).values)


@every_discriminator
def test_the_fit_depends_on_the_stream_only(name):
    batch = pair(seed=3)[0]
    outputs = [fitted(name, seed=seed).score_samples(batch).values for seed in (1, 1)]
    np.testing.assert_array_equal(outputs[0], outputs[1])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("density", {"bandwidth": 0.0}, r"bandwidth=0\.0\): expected 'scott', 'loo' or a positive number"),
        ("density", {"bandwidth": "silverman"}, r"bandwidth='silverman'\)"),
        ("density", {"bandwidth": np.nan}, r"bandwidth=nan\)"),
        ("neighbours", {"neighbours": 0}, r"neighbours=0\): expected a whole number from 1 on, or 'loo'"),
        ("neighbours", {"neighbours": 2.5}, r"neighbours=2\.5\)"),
        ("neighbours", {"neighbours": "all"}, r"neighbours='all'\)"),
        ("neighbours", {"tail": 0.0}, r"tail=0\.0\): expected a positive number, or infinity"),
        ("uLSIF", {"centres": 0}, r"ULSIFDiscriminator\(centres=0\): expected a whole number from 1 on"),
        ("KLIEP", {"centres": 1.5}, r"KLIEPDiscriminator\(centres=1\.5\)"),
        ("uLSIF", {"widths": ()}, r"widths=\(\)\): expected positive numbers, in units of the median"),
        ("KLIEP", {"widths": (1.0, -1.0)}, r"widths=\(1\.0, -1\.0\)\)"),
        ("uLSIF", {"ridges": (0.0,)}, r"ridges=\(0\.0,\)\): expected positive numbers"),
        ("KLIEP", {"tolerance": 0.0}, r"tolerance=0\.0\): expected a positive number"),
    ],
)
def test_bad_parameters_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        fitted(name, **options)


def test_parameters_follow_scikit_learn():
    assert repr(KernelDensityDiscriminator("loo")) == "KernelDensityDiscriminator(bandwidth='loo')"
    assert repr(NeighboursDiscriminator("loo")) == "NeighboursDiscriminator(neighbours='loo')"
    assert all(discriminator.refits and discriminator.score_type is LogOdds for discriminator in DISCRIMINATORS.values())


def test_they_have_names_on_the_command_line():
    kinds = (KernelDensityDiscriminator, NeighboursDiscriminator, ULSIFDiscriminator, KLIEPDiscriminator)
    for name, kind in zip(("kde", "knn", "ulsif", "kliep"), kinds, strict=True):
        assert type(make("discriminator", name)) is kind
