"""The kernel machine: against scikit-learn's decision function, finite differences, and the exact log-odds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.svm import SVC

from tests.two_gaussians import pair, rng
from turinglearn.discriminators.classifiers.calibration import Platt, hold_out
from turinglearn.discriminators.kernels import functions as kernels
from turinglearn.discriminators.kernels.svm import KernelSVMDiscriminator
from turinglearn.protocols import Batch, LogOdds, PlayerError

STEP = 1e-5


def fitted(batches=None, seed=1, **options):
    discriminator = KernelSVMDiscriminator(**options)
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


@pytest.mark.parametrize(
    ("event", "conditions", "options"),
    [
        ((3,), 0, {}),
        ((3,), 2, {}),
        ((2, 2), 1, {"gamma": 0.7, "C": 10.0}),
        ((), 0, {"gamma": 2.0}),
        ((1,), 1, {"held_out": 0.5}),
        ((12,), 0, {"C": 0.3}),
    ],
    ids=["plain", "conditions", "matrices", "numbers", "one feature", "many features"],
)
def test_the_gradient_agrees_with_finite_differences(event, conditions, options):
    discriminator = fitted(pair(event=event, conditions=conditions), **options)
    batch = pair(seed=5, event=event, conditions=conditions)[1]
    scale = np.geomspace(0.1, 10, int(np.prod(event))).reshape(event)
    scores, pullback = discriminator.vjp(batch)
    assert type(scores) is LogOdds
    np.testing.assert_allclose(scores.values, discriminator.score_samples(batch).values, rtol=1e-12)
    slopes = rng(7).normal(size=batch.n)
    column = slopes.reshape(-1, *(1 for _ in event))
    exact, expected = pullback(slopes), column * central_differences(discriminator, batch, scale)
    assert exact.shape == batch.x.shape
    assert np.abs(expected * scale).max() > 0.01
    np.testing.assert_allclose(exact * scale, expected * scale, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("constants", [0, 2])
def test_the_machine_is_that_of_scikit_learn(constants):
    real, fake, batch = (
        Batch(np.concatenate((b.x, np.full((b.n, constants), 0.1)), axis=1)) for b in (*pair(), pair(seed=3)[0])
    )
    X, is_real = np.concatenate((real.x, fake.x)), np.arange(200) < 80
    held = hold_out(is_real, 1 / 3, rng(1))
    mean, scale = X[~held].mean(axis=0), X[~held].std(axis=0)
    scale[3:] = 1
    svc = SVC(C=2.0).fit((X[~held] - mean) / scale, is_real[~held])  # its default gamma is "scale"
    line = Platt.fit(svc.decision_function((X[held] - mean) / scale), is_real[held])
    expected = line(svc.decision_function((batch.x - mean) / scale))
    np.testing.assert_allclose(fitted((real, fake), C=2.0).score_samples(batch).values, expected, rtol=1e-9, atol=1e-10)


def test_blocks_change_nothing(monkeypatch):
    discriminator, batch = fitted(), pair(seed=3)[0]
    whole, gradient = discriminator.score_samples(batch).values, discriminator.vjp(batch)[1](np.ones(batch.n))
    for size in (1, 7 * len(discriminator.support_vectors_)):
        monkeypatch.setattr(kernels, "_BLOCK", size)
        np.testing.assert_allclose(discriminator.score_samples(batch).values, whole, rtol=1e-12)
        np.testing.assert_allclose(discriminator.vjp(batch)[1](np.ones(batch.n)), gradient, rtol=1e-10, atol=1e-12)


def test_evidence_does_not_depend_on_units():
    (real, fake), batch = pair(), pair(seed=3)[0]
    scale, shift = np.array([1e-3, 1.0, 1e4]), np.array([5.0, -1.0, 0.0])
    discriminator = fitted([Batch(b.x * scale + shift) for b in (real, fake)])
    there = Batch(batch.x * scale + shift)
    np.testing.assert_allclose(
        discriminator.score_samples(there).values, fitted().score_samples(batch).values, rtol=1e-6, atol=1e-8
    )
    gradient = fitted().vjp(batch)[1](np.ones(batch.n))
    np.testing.assert_allclose(discriminator.vjp(there)[1](np.ones(batch.n)) * scale, gradient, rtol=1e-5, atol=1e-7)


def test_evidence_follows_the_exact_log_odds_on_fresh_samples():
    discriminator = fitted(pair(500, 500, event=(1,), shift=2.0))
    x = np.concatenate([batch.x for batch in pair(1000, 1000, seed=9, event=(1,), shift=2.0)])
    r, truth = discriminator.score_samples(Batch(x)).values, 2.0 * (x[:, 0] - 3) / 0.1
    assert np.corrcoef(r, truth)[0, 1] > 0.8
    assert np.mean((r - truth) ** 2) < np.mean(truth**2) / 2  # the machine saturates at its margins: half is a lot


@pytest.mark.parametrize(("n1", "n0"), [(100, 400), (400, 100)])
def test_the_counts_are_taken_out_of_the_log_odds(n1, n0):
    share, errors = n1 / (n1 + n0), []
    for seed in range(20):
        discriminator = fitted(pair(n1, n0, seed=seed), seed)
        fresh = pair(10 * n1, 10 * n0, seed=seed + 1000)
        r = np.concatenate([discriminator.score_samples(batch).values for batch in fresh])
        errors.append(expit(r + np.log(n1 / n0)).mean() - share)  # with the counts put back it is calibrated
    standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert standard_error < 0.01
    assert abs(np.mean(errors)) < 4 * standard_error


def test_equal_distributions_are_hardly_discriminated():
    slopes, evidence = [], []
    for seed in range(10):
        discriminator = fitted(pair(200, 200, seed=seed, shift=0.0), seed)
        slopes.append(discriminator.calibrator_.slope)
        evidence.append(np.abs(discriminator.score_samples(pair(seed=99, shift=0.0)[0]).values).mean())
    assert np.mean(evidence) < 0.3
    assert min(slopes) < 0 < max(slopes)  # of either sign, as noise has it


def test_constant_columns_are_no_evidence():
    (real, fake), batch = pair(seed=2), pair(seed=3)[0]
    padded = [Batch(np.concatenate((b.x, np.full((b.n, 2), 0.1)), axis=1)) for b in (real, fake, batch)]
    discriminator = fitted(padded[:2], gamma=0.5)
    np.testing.assert_allclose(
        discriminator.score_samples(padded[2]).values, fitted((real, fake), gamma=0.5).score_samples(batch).values
    )
    gradient = discriminator.vjp(padded[2])[1](np.ones(batch.n))
    np.testing.assert_allclose(gradient[:, 3:], 0, atol=1e-10)


def test_nothing_but_constants_is_no_evidence():
    same = Batch(np.full((9, 2), 0.1))
    discriminator = fitted((same, same))
    np.testing.assert_array_equal(discriminator.score_samples(same).values, np.zeros(9))
    np.testing.assert_array_equal(discriminator.vjp(same)[1](np.ones(9)), np.zeros((9, 2)))


def test_far_from_all_data_the_evidence_is_flat_and_finite():
    discriminator, far = fitted(), Batch(np.full((2, 3), 1e8))
    scores, pullback = discriminator.vjp(far)
    np.testing.assert_allclose(scores.values, discriminator.calibrator_(discriminator.intercept_))
    np.testing.assert_array_equal(pullback(np.ones(2)), np.zeros((2, 3)))


def test_before_the_first_fit_the_evidence_is_zero():
    discriminator, batch = KernelSVMDiscriminator(), pair()[0]
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


def test_the_fit_depends_on_the_stream_only():
    batch = pair(seed=3)[0]
    outputs = [fitted(seed=seed).score_samples(batch).values for seed in (1, 1, 2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])


def test_batches_of_every_library_have_the_same_gradient(arrays_on):
    batches, batch = pair(conditions=1), pair(seed=3, conditions=1)[0]
    there = [Batch(arrays_on.asarray(b.x), arrays_on.asarray(b.condition)) for b in (*batches, batch)]
    scores, pullback = fitted(batches).vjp(batch)
    same, pull = fitted(there[:2]).vjp(there[2])
    np.testing.assert_allclose(same.values, scores.values)
    slopes = np.linspace(-1, 1, batch.n)
    np.testing.assert_allclose(pull(arrays_on.asarray(slopes)), pullback(slopes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 0.0}, r"gamma=0\.0\): expected a positive number or 'scale'"),
        ({"gamma": "auto"}, r"gamma='auto'\)"),
        ({"gamma": np.nan}, r"gamma=nan\)"),
        ({"held_out": 0.0}, r"held_out=0\.0\): expected a share"),
        ({"held_out": 1.0}, r"held_out=1\.0\): expected a share"),
    ],
)
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fitted(**options)


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="1 real samples; expected at least 2"):
        fitted(pair(1, 20))
    with pytest.raises(ValueError, match="80 real and 0 fake samples"):
        fitted((pair()[0], Batch(np.empty((0, 3)))))


def test_parameters_follow_scikit_learn():
    discriminator = clone(KernelSVMDiscriminator(0.5, held_out=0.4)).set_params(C=3.0)
    assert repr(discriminator) == "KernelSVMDiscriminator(C=3.0, gamma=0.5, held_out=0.4)"
    assert discriminator.refits
    assert discriminator.score_type is LogOdds
