"""Objectives: slopes against finite differences, equilibria against theory, on every library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from turinglearn import objectives as o
from turinglearn.protocols import LogOdds, LogRatio, Scores

LOSSES = [
    o.Minimax(),
    o.NonSaturating(),
    o.LinearLoss(),
    o.ReverseKL(),
    o.ForwardKL(),
    o.LeastSquaresLoss(),
    o.RelativisticLoss(),
]
CRITERIA = [o.Logistic(), o.LeastSquares(), o.Hinge(), o.Wasserstein(clip=0.1), o.Relativistic()]
STEP = 1e-6


def name(thing):
    return type(thing).__name__


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_slopes_of_losses(arrays_on, loss):
    rng = np.random.default_rng(0)
    r, reference = rng.normal(0, 3, 50), arrays_on.asarray(rng.normal(0, 3, 50))
    above, below = (arrays_on.to_numpy(loss.losses(arrays_on.asarray(v), reference)) for v in (r + STEP, r - STEP))
    slopes = arrays_on.to_numpy(loss.slopes(arrays_on.asarray(r), reference))
    np.testing.assert_allclose(slopes, (above - below) / (2 * STEP), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("criterion", CRITERIA, ids=name)
def test_slopes_of_criteria(arrays_on, criterion):
    rng = np.random.default_rng(1)
    n, m = (20, 20) if isinstance(criterion, o.Relativistic) else (20, 30)
    scores = [rng.normal(0.5, 2, n), rng.normal(-0.5, 2, m)]
    slopes = criterion.slopes(*map(arrays_on.asarray, scores))
    for side, values in enumerate(scores):
        for i in range(len(values)):
            ends = []
            for sign in (1, -1):
                moved = [s.copy() for s in scores]
                moved[side][i] += sign * STEP
                ends.append(float(criterion.value(*map(arrays_on.asarray, moved))))
            expected = (ends[0] - ends[1]) / (2 * STEP)
            assert float(slopes[side][i]) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_equilibrium_of_losses_under_the_best_discriminator(loss):
    """Where q = p the best discriminator says 0 in log-odds, or 1/2 to a regression."""
    r = np.full(5, 0.5 if isinstance(loss, o.LeastSquaresLoss) else 0.0)
    if math.isnan(loss.equilibrium):
        assert not np.allclose(loss.losses(r, r), loss.losses(r + 1, r + 1))  # the level is free, and it matters
    else:
        np.testing.assert_allclose(loss.losses(r, r), loss.equilibrium)


@pytest.mark.parametrize("criterion", CRITERIA, ids=name)
def test_equilibrium_of_criteria(criterion):
    """Where q = p no constant discriminator does better than the equilibrium, and some discriminator reaches it."""

    def value(level):
        return float(criterion.value(np.full(4, level), np.full(4, level)))

    best = minimize_scalar(value, bounds=(-3, 3), method="bounded")
    assert best.fun == pytest.approx(criterion.equilibrium, abs=1e-6)


@pytest.mark.parametrize(
    ("criterion", "best"),
    [
        (o.Logistic(), lambda p, q: math.log(p / q)),
        (o.LeastSquares(), lambda p, q: p / (p + q)),
    ],
    ids=["logistic", "least squares"],
)
@pytest.mark.parametrize(("p", "q"), [(0.7, 0.3), (0.1, 0.4)])
def test_the_best_score_is_what_the_criterion_makes(criterion, best, p, q):
    """On one point with densities p and q the criterion is p l(r) + q l'(r).

    Where its slope is 0, the discriminator is best.
    """

    def slope(r):
        real, fake = criterion.slopes(np.array([r]), np.array([r]))
        return p * real[0] + q * fake[0]

    assert brentq(slope, -4, 4) == pytest.approx(best(p, q))


def test_value_of_the_minimax_game_is_jsd():
    """At the best discriminator, -criterion = 2 JSD - log 4, on two discrete distributions."""
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    m, r = (p + q) / 2, np.log(p / q)
    jsd = (np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m))) / 2
    criterion = np.sum(p * o.softplus(-r)) + np.sum(q * o.softplus(r))
    assert -criterion == pytest.approx(2 * jsd - math.log(4))
    assert o.Logistic().equilibrium == pytest.approx(math.log(4))


def test_pathwise_gradients_are_those_of_the_divergences():
    """d/dmu of E l(r(mu + z)), r frozen at log p/q: reverse KL and forward KL of N(mu, 1) from N(0, 1)."""
    mu, z = 0.7, np.random.default_rng(0).standard_normal(400_000)
    x = mu + z
    r, dr = mu**2 / 2 - mu * x, -mu
    reverse = np.mean(o.ReverseKL().slopes(r, None) * dr)
    forward = np.mean(o.ForwardKL().slopes(r, None) * dr)
    assert reverse == pytest.approx(mu)  # KL(q || p) = mu^2 / 2
    assert forward == pytest.approx(mu, abs=0.02)  # KL(p || q) = mu^2 / 2


@given(st.floats(-1e4, 1e4))
def test_softplus_and_sigmoid_are_finite_everywhere(r):
    r = np.array([r])
    assert np.isfinite(o.softplus(r)).all()
    assert 0 <= o.sigmoid(r)[0] <= 1
    assert o.softplus(r)[0] == pytest.approx(max(r[0], 0) + math.log1p(math.exp(-abs(r[0]))))


def test_what_scores_must_mean():
    assert [loss.requires for loss in LOSSES] == [LogOdds, LogOdds, Scores, LogRatio, LogRatio, Scores, Scores]
    assert [c.score_type for c in CRITERIA] == [LogOdds, Scores, Scores, Scores, LogRatio]
    assert all(issubclass(c.score_type, c.default_generator_loss.requires) for c in CRITERIA)


@pytest.mark.parametrize("clip", [0, -1, math.inf, math.nan])
def test_wasserstein_needs_a_positive_bound(clip):
    with pytest.raises(ValueError, match=r"Wasserstein\(clip=.*expected a positive bound"):
        o.Wasserstein(clip=clip)


def test_relativistic_needs_pairs():
    with pytest.raises(ValueError, match="pairs real with fake samples, but got 3 and 4"):
        o.Relativistic().value(np.zeros(3), np.zeros(4))
