"""Handwritten discriminators: plain scores by themselves, log-odds once slope and intercept are fitted."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone

from turinglearn.arrays import namespace
from turinglearn.discriminators.handwritten import HandwrittenDiscriminator
from turinglearn.protocols import Batch, LogOdds, PlayerError, Scores

STEP = 1e-5


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(n1, n0, seed=0, shift=1.0):
    """p = N(shift/2, I), q = N(-shift/2, I) in the first of two features: the log-odds are shift * x_0."""
    p, q = rng((seed, 1)).normal(size=(n1, 2)), rng((seed, 0)).normal(size=(n0, 2))
    p[:, 0] += shift / 2
    q[:, 0] -= shift / 2
    return Batch(p), Batch(q)


def first(x):
    return 3 * x[:, 0] + 5


def bumpy(x):
    xp = namespace(x)
    return xp.sum(xp.sin(x), axis=1)


def bumpy_slope(x):
    return namespace(x).cos(x)


def fitted(*arguments, batches=None, **options):
    discriminator = HandwrittenDiscriminator(*arguments, fit_intercept=True, **options)
    discriminator.update(*(batches or pair(100, 200)), rng())
    return discriminator


# ---------------------------------------------------------------------------------------------------- plain scores
def test_scores_are_plain_without_a_fit():
    discriminator, (real, fake) = HandwrittenDiscriminator(first), pair(20, 30)
    assert discriminator.score_type is Scores
    assert not discriminator.refits
    before = discriminator.score_samples(real)
    assert type(before) is Scores
    np.testing.assert_array_equal(before.values, first(real.x))
    discriminator.start(real, rng())
    discriminator.update(real, fake, rng())
    np.testing.assert_array_equal(discriminator.score_samples(real).values, before.values)


# -------------------------------------------------------------------------------------------------------- fitted intercepts
@pytest.mark.parametrize(("n1", "n0"), [(100, 400), (400, 100), (200, 200)])
def test_a_fitted_intercept_recovers_the_log_odds_whatever_the_counts(n1, n0):
    grid = np.stack((np.linspace(-2, 2, 5), np.zeros(5)), axis=1)
    r = np.array([fitted(first, batches=pair(n1, n0, seed)).score_samples(Batch(grid)).values for seed in range(40)])
    standard_error = r.std(axis=0, ddof=1) / np.sqrt(len(r))
    assert standard_error[2] < np.log(4) / 20
    assert np.all(np.abs(r.mean(axis=0) - grid[:, 0]) < 4 * standard_error + 0.05 * np.abs(grid[:, 0]))


def test_a_fitted_intercept_vanishes_for_equal_distributions():
    discriminator = fitted(first, batches=pair(2000, 8000, shift=0.0))
    assert discriminator.score_type is LogOdds
    assert discriminator.refits
    assert np.abs(discriminator.score_samples(pair(200, 1)[0]).values).max() < 0.3


def test_a_score_with_the_wrong_sign_gets_a_negative_slope():
    batch = pair(50, 1, seed=3)[0]
    forwards, backwards = fitted(first), fitted(lambda x: -first(x))
    assert forwards.slope_ > 0 > backwards.slope_
    np.testing.assert_allclose(backwards.score_samples(batch).values, forwards.score_samples(batch).values)


def test_each_update_fits_the_intercept_from_scratch():
    discriminator = fitted(first)
    discriminator.update(*pair(100, 200, seed=1, shift=3.0), rng())
    again = fitted(first, batches=pair(100, 200, seed=1, shift=3.0))
    assert (discriminator.slope_, discriminator.intercept_) == (again.slope_, again.intercept_)


def test_before_the_first_fit_the_evidence_is_zero():
    batch = pair(7, 1)[0]
    discriminator = HandwrittenDiscriminator(bumpy, fit_intercept=True, gradient=bumpy_slope)
    with pytest.raises(PlayerError, match=r"before start and before its first update.*call start"):
        discriminator.score_samples(batch)
    discriminator.start(batch, rng())
    scores, pullback = discriminator.vjp(batch)
    assert type(scores) is LogOdds
    assert np.array_equal(scores.values, np.zeros(7))
    assert np.array_equal(pullback(np.ones(7)), np.zeros((7, 2)))
    discriminator.update(*pair(50, 50), rng())
    assert np.any(discriminator.score_samples(batch).values)
    discriminator.start(batch, rng())
    assert not np.any(discriminator.score_samples(batch).values)


# ------------------------------------------------------------------------------------------------------------ gradients
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_the_gradient_agrees_with_finite_differences(fit_intercept):
    discriminator = HandwrittenDiscriminator(bumpy, fit_intercept=fit_intercept, gradient=bumpy_slope)
    discriminator.update(*pair(100, 200), rng())
    batch = pair(30, 1, seed=4)[0]
    scores, pullback = discriminator.vjp(batch)
    np.testing.assert_array_equal(scores.values, discriminator.score_samples(batch).values)
    expected = np.empty((30, 2))
    for feature, step in enumerate(STEP * np.eye(2)):
        up, down = (discriminator.score_samples(Batch(batch.x + sign * step)).values for sign in (1, -1))
        expected[:, feature] = (up - down) / (2 * STEP)
    slopes = rng(5).normal(size=30)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(pullback(slopes), slopes[:, None] * expected, rtol=1e-6, atol=1e-8)


def test_there_is_a_vjp_exactly_where_there_is_a_gradient():
    without = HandwrittenDiscriminator(bumpy)
    assert not hasattr(without, "vjp")
    assert hasattr(without.set_params(gradient=bumpy_slope), "vjp")
    assert hasattr(clone(without), "vjp")


def test_scores_and_gradients_stay_in_their_library(arrays_on):
    discriminator = HandwrittenDiscriminator(bumpy, fit_intercept=True, gradient=bumpy_slope)
    real, fake = (Batch(arrays_on.asarray(b.x)) for b in pair(30, 40))
    discriminator.update(real, fake, rng())
    scores, pullback = discriminator.vjp(real)
    gradient = pullback(arrays_on.asarray(np.ones(30)))
    assert type(scores.values) is type(gradient) is type(real.x)
    here = fitted(bumpy, gradient=bumpy_slope, batches=pair(30, 40))
    np.testing.assert_allclose(arrays_on.to_numpy(scores.values), here.score_samples(pair(30, 40)[0]).values)
    np.testing.assert_allclose(arrays_on.to_numpy(gradient), here.vjp(pair(30, 40)[0])[1](np.ones(30)))


# ----------------------------------------------------------------------------------------------------- how it is called
def test_events_and_conditions_reach_the_function_as_they_are():
    seen = []

    def look(x, condition=None):
        seen.append((x, condition))
        return x.sum(axis=(1, 2))

    def slope(x, *, condition):
        seen.append((x, condition))
        return np.ones_like(x)

    batch = Batch(rng().normal(size=(4, 2, 3)), rng().normal(size=(4, 1)))
    HandwrittenDiscriminator(look, gradient=slope).vjp(batch)
    assert len(seen) == 2
    for x, condition in seen:
        assert np.shares_memory(x, batch.x)
        assert x.shape == batch.x.shape
        assert condition is batch.condition


def test_a_function_that_writes_into_the_samples_is_stopped():
    """The samples belong to the generator: it would learn from samples that it never proposed."""
    batch = Batch(rng().normal(size=(4, 2)))
    with pytest.raises(PlayerError, match="read-only"):
        HandwrittenDiscriminator(lambda x: x.__isub__(5)[:, 0]).score_samples(batch)


@pytest.mark.parametrize("function", [partial(np.sum, axis=1), lambda x: x.sum(axis=1), np.linalg.norm])
def test_functions_without_a_condition_are_called_without(function):
    score = partial(np.linalg.norm, axis=1) if function is np.linalg.norm else function
    batch = Batch(rng().normal(size=(4, 2)), rng().normal(size=(4, 1)))
    np.testing.assert_array_equal(HandwrittenDiscriminator(score).score_samples(batch).values, score(batch.x))


def test_functions_without_a_signature_are_called_with_x_alone():
    x = rng().normal(size=5)
    np.testing.assert_array_equal(HandwrittenDiscriminator(np.tanh).score_samples(Batch(x, x[:, None])).values, np.tanh(x))


# --------------------------------------------------------------------------------------------------------- misbehaviour
def shouting(x):
    raise KeyError("loud")


BAD_SCORES = {
    "raises": (shouting, "shouting raised KeyError"),
    "list": (lambda x: [0.0] * len(x), "a list"),
    "None": (lambda x: None, "None"),
    "number": (lambda x: 1.0, "a float"),
    "short": (lambda x: x[1:, 0], r"\(8,\).*expected \(9,\)"),
    "columns": (lambda x: x, r"\(9, 2\).*expected \(9,\)"),
    "NaN": (lambda x: x[:, 0] * np.nan, "expected finite"),
    "infinite": (lambda x: np.where(x[:, 0] > 0, np.inf, 0.0), "expected finite"),
    "whole numbers": (lambda x: np.arange(len(x)), "floating-point"),
    "text": (lambda x: np.full(len(x), "good"), "floating-point"),
}


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("name", BAD_SCORES)
def test_a_misbehaving_function_is_named_with_what_was_expected(name, fit_intercept):
    score, problem = BAD_SCORES[name]
    discriminator = HandwrittenDiscriminator(score, fit_intercept=fit_intercept)
    act = (
        partial(discriminator.update, *pair(9, 9), rng())
        if fit_intercept
        else partial(discriminator.score_samples, pair(9, 1)[0])
    )
    with pytest.raises(PlayerError, match=problem) as raised:
        act()
    assert str(raised.value).startswith("The score function ")
    assert score.__qualname__ in str(raised.value)
    assert "xpected" in str(raised.value)
    if name == "raises":
        assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("gradient", "problem"),
    [
        (shouting, "shouting raised KeyError"),
        (lambda x: x[:, 0], r"\(9,\).*expected \(9, 2\)"),
        (lambda x: x.tolist(), "a list"),
        (lambda x: x * np.nan, "expected finite"),
    ],
)
def test_a_misbehaving_gradient_is_named(gradient, problem):
    discriminator = HandwrittenDiscriminator(bumpy, gradient=gradient)
    with pytest.raises(PlayerError, match=problem) as raised:
        discriminator.vjp(pair(9, 1)[0])
    assert str(raised.value).startswith("The gradient function ")


def test_parameters_follow_scikit_learn():
    discriminator = clone(HandwrittenDiscriminator(first, fit_intercept=True))
    assert discriminator.get_params() == {"score": first, "fit_intercept": True, "gradient": None}
