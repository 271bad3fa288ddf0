"""Distributions and pairs whose truth is known: densities, the dial of KL, divergences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from turinglearn.bias import FAMILIES, Pair, divergences, pair
from turinglearn.datasets import banana, bits, gaussian, student_t

FLAT = {"correlated", "ring", "banana"}


def cells():
    for family in FAMILIES:
        for d in (2,) if family == "ring" else (2, 7) if family in FLAT else (1, 7):
            yield family, d


@pytest.mark.parametrize(("family", "d"), list(cells()))
@pytest.mark.parametrize("kl", [0.01, 0.5, 5.0])
def test_the_dial_sets_the_divergence(family, d, kl):
    """KL is the mean of r under p, to four standard errors of a simulation."""
    found = pair(family, d, kl)
    assert (found.name, found.kl, found.dimension) == (family, kl, d)
    r = found.log_odds(found.p.sample(100_000, 0))
    assert abs(r.mean() - kl) < 4 * r.std() / math.sqrt(len(r)) + 1e-6 * kl


def nodes(found):
    """Points x and the volumes that they stand for: the trapezoid rule, steps on the scale of p."""
    u = np.linspace(-9, 9, 361)
    h = u[1] - u[0]
    if found.name == "bits":
        x = np.array(list(itertools.product((0.0, 1.0), repeat=found.dimension)))
        return x, 1.0
    if found.name == "student":  # far tails
        return np.sinh(3 * u)[:, None], 3 * np.cosh(3 * u) * h
    if found.dimension == 1:
        return 2 * u[:, None], 2 * h
    z = np.stack(np.meshgrid(u, u, indexing="ij"), axis=-1).reshape(-1, 2)
    if found.name == "banana":
        return z + np.stack((0 * z[:, 0], found.p.bend * (z[:, 0] ** 2 - 1)), axis=1), h * h
    if found.name == "ring":
        return z / 3, h * h / 9
    factor = found.p.factors[0]
    return z @ factor.T, h * h * np.linalg.det(factor)


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("kl", [1e-4, 0.01, 0.5, 5.0])
def test_the_dial_keeps_its_promise_by_quadrature(family, kl):
    """∫ p log p / q, to 1e-6 of it, in the least dimension of each family and in two where it is another."""
    for d in {2 if family in FLAT else 1, 1 if family == "student" else 2}:
        found = pair(family, d, kl)
        x, volume = nodes(found)
        log_p, log_q = found.p.log_density(x), found.q.log_density(x)
        weights = np.exp(log_p) * volume
        assert weights.sum() == pytest.approx(1, abs=1e-9)
        assert weights @ (log_p - log_q) == pytest.approx(kl, rel=1e-6), d


@pytest.mark.parametrize(("family", "d"), list(cells()))
def test_the_dial_has_an_end(family, d):
    """Up to the largest kl, log-odds are finite and have the right mean; above it, an error names the largest."""
    reach = {"correlated": 10 * (d - 1), "bits": 10 * d}.get(family, 1_000)
    found = pair(family, d, reach)
    real, fake = found.draw(20_000, np.random.default_rng(0))
    r = found.log_odds(real.x)
    assert np.all(np.isfinite(r))
    assert np.all(np.isfinite(found.log_odds(fake.x)))
    assert abs(r.mean() - reach) < 5 * r.std() / math.sqrt(len(r)) + 1e-6 * reach
    for kl in (1.01 * reach, 1e9):
        with pytest.raises(ValueError, match=rf"this family reaches {reach} nats there"):
            pair(family, d, kl)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 5), st.integers(1, 30))
def test_closed_forms_of_the_gaussian_families(kl, d):
    shifted, scaled = pair("shifted", d, kl), pair("scaled", d, kl)
    assert np.sum(shifted.q.modes[0] ** 2) / 2 == pytest.approx(kl)
    s2 = scaled.q.sigma**2
    assert s2 < 1
    assert d / 2 * (1 / s2 - 1 + math.log(s2)) == pytest.approx(kl, rel=1e-6)
    if d > 1:
        correlated = pair("correlated", d, kl)
        assert -np.linalg.slogdet(correlated.p.covariances[0])[1] / 2 == pytest.approx(kl, rel=1e-6)


def test_importance_weights_have_mean_one():
    """E_q e^r = 1: the density of p is that of its samples."""
    for family, d in cells():
        found = pair(family, d, 0.1)
        w = np.exp(found.log_odds(found.q.sample(100_000, 1)))
        assert abs(w.mean() - 1) < 5 * w.std() / math.sqrt(len(w)), family


@pytest.mark.parametrize("distribution", [student_t(3, [1.0]), student_t(1.5, [-2.0])])
def test_students_density_is_that_of_its_samples(distribution):
    assert (
        stats.kstest(distribution.sample(5_000, 0)[:, 0], stats.t(distribution.degrees, distribution.location[0]).cdf).pvalue
        > 0.001
    )


def test_the_bananas_density_integrates_to_one():
    distribution, u = banana(0.7), np.linspace(-9, 12, 500)
    x = np.stack(np.meshgrid(u, u, indexing="ij"), axis=-1).reshape(-1, 2)
    assert np.exp(distribution.log_density(x)).sum() * (u[1] - u[0]) ** 2 == pytest.approx(1, abs=1e-3)
    z = distribution.sample(100_000, 0)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(z.var(axis=0), [1, 1 + 2 * 0.49], rtol=0.05)


def test_bits_have_probabilities():
    distribution = bits([0.2, 0.7])
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    np.testing.assert_allclose(np.exp(distribution.log_density(corners)), [0.24, 0.56, 0.06, 0.14])
    assert distribution.log_density([[0.5, 1]])[0] == -np.inf
    np.testing.assert_allclose(distribution.sample(50_000, 0).mean(axis=0), [0.2, 0.7], atol=0.01)


def test_divergences_of_a_shift_by_quadrature():
    """r is normal under p, with mean kl and variance 2 kl; so all is an integral over one variable."""
    kl = 0.6
    found = divergences(pair("shifted", 5, kl), draws=2**17)
    z, w = np.polynomial.hermite_e.hermegauss(80)
    r = kl + math.sqrt(2 * kl) * z
    loss = float(w @ np.logaddexp(0, -r) / w.sum())
    expected = {
        "kl": kl,
        "log_loss": loss,
        "jsd": math.log(2) - loss,
        "accuracy": stats.norm.cdf(math.sqrt(kl / 2)),
    }
    for name, value in expected.items():
        interval = getattr(found, name)
        assert interval.low - 1e-12 <= value <= interval.high + 1e-12, name
    assert found.log_loss.standard_error < 2e-3
    assert found.kl.standard_error == 0


def test_intervals_end_where_nothing_is_possible():
    """Far apart the Bayes rule never errs in a sample; nearly alike, the noise reaches beyond equal distributions."""
    far, near = (divergences(pair("shifted", 1, kl), draws=2**10) for kl in (1_000.0, 1e-6))
    for found in (far, near):
        for name, low, high in (("jsd", 0, math.log(2)), ("log_loss", 0, math.log(2)), ("accuracy", 0.5, 1)):
            interval = getattr(found, name)
            assert low <= interval.low <= interval.value <= interval.high <= high, name
    assert (far.accuracy.value, far.log_loss.low) == (1, 0)
    assert near.accuracy.low == 0.5 < near.accuracy.high
    assert divergences(Pair(gaussian([0.0], [[1.0]]), gaussian([1e-6], [[1.0]])), draws=2**10).kl.low == 0


def test_a_pair_of_ones_own():
    own = Pair(gaussian([0.0], [[1.0]]), gaussian([1.0], [[1.0]]))
    assert own.kl is None
    found = divergences(own, draws=2**16).kl
    assert found.low <= 0.5 <= found.high
    real, fake = own.draw(10, np.random.default_rng(0))
    assert real.x.shape == fake.x.shape == (10, 1)
    assert own.points(11, np.random.default_rng(0)).shape == (11, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair("spiral", 2, 1.0), "no family 'spiral' of pairs. Choose among: shifted"),
        (lambda: pair("ring", 3, 1.0), "takes 2 dimensions"),
        (lambda: pair("banana", 1, 1.0), "takes at least 2 dimensions"),
        (lambda: pair("shifted", 2, 0.0), "kl=0.0"),
        (lambda: Pair(gaussian([0.0], [[1.0]]), banana()), "p has 1 features and q has 2"),
        (lambda: student_t(0), "degrees=0"),
        (lambda: student_t(3, []), "expected finite numbers"),
        (lambda: bits([1.0]), "strictly between 0 and 1"),
        (lambda: banana(np.inf), "expected a finite number"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
