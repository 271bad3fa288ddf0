"""Mixtures: densities, scores and update rules against SciPy, finite differences and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tests.players import Judge
from turinglearn import Game
from turinglearn.datasets import gaussian, mixture
from turinglearn.generators import MixtureGenerator, ScoreFunction, WeightedEM
from turinglearn.generators.mixture_law import MixtureLaw
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Batch, IncompatiblePlayers, Losses, PlayerError, Scores, Weights

X = np.random.default_rng(0).normal([5, -2], [2, 0.5], (400, 2))
C = np.random.default_rng(1).standard_normal((400, 1))


def law(full, k=3, d=2, c=1, seed=0):
    rng = np.random.default_rng(seed)
    regressions = np.tril(rng.normal(0, 0.5, (k, d, d)), k=-1) if full else None
    return MixtureLaw(rng.normal(0, 0.5, k), rng.normal(0, 1, (k, c, d)), rng.normal(0, 0.3, (k, d)), regressions)


def regressors(n, c, seed=3):
    return np.hstack([np.ones((n, 1)), np.random.default_rng(seed).standard_normal((n, c - 1))])


@pytest.mark.parametrize("full", [False, True], ids=["diagonal", "full"])
@pytest.mark.parametrize("c", [1, 3], ids=["plain", "conditional"])
def test_density_is_scipys(full, c):
    q, h = law(full, c=c), regressors(20, c)
    x = np.random.default_rng(4).standard_normal((20, 2))
    covariances = q.covariances if full else np.stack([np.diag(v) for v in q.covariances])
    expected = np.zeros(20)
    for weight, coefficients, covariance in zip(q.weights, q.coefficients, covariances, strict=True):
        expected += weight * multivariate_normal(np.zeros(2), covariance).pdf(x - h @ coefficients)
    np.testing.assert_allclose(q.log_density(x, h), np.log(expected))


@pytest.mark.parametrize("full", [False, True], ids=["diagonal", "full"])
@pytest.mark.parametrize("c", [1, 3], ids=["plain", "conditional"])
@pytest.mark.parametrize("d", [1, 3])
def test_scores_meet_finite_differences(full, c, d):
    q, h, rng = law(full, d=d, c=c), regressors(6, c), np.random.default_rng(5)
    x, a = rng.standard_normal((6, d)), rng.standard_normal(6)
    for parameter, gradient in zip(q.parameters, q.score(x, h, a), strict=True):
        for index in np.ndindex(parameter.shape):
            if parameter is q.regressions and index[1] <= index[2]:
                assert gradient[index] == 0  # B is strictly lower triangular
                continue
            kept, ends = parameter[index], []
            for sign in (1, -1):
                parameter[index] = kept + sign * 1e-6
                ends.append(a @ q.log_density(x, h))
            parameter[index] = kept
            assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("full", [False, True], ids=["diagonal", "full"])
def test_samples_have_the_moments_of_the_law(full):
    q, n = law(full, c=2), 200_000
    h = np.tile([1.0, 0.7], (n, 1))
    x = q.sample(h, np.random.default_rng(6))
    means = np.einsum("c,kcd->kd", h[0], q.coefficients)
    covariances = q.covariances if full else np.stack([np.diag(v) for v in q.covariances])
    mean = q.weights @ means
    second = np.einsum("k,kij->ij", q.weights, covariances + means[:, :, None] * means[:, None])
    np.testing.assert_allclose(x.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(x.T), second - np.outer(mean, mean), atol=0.05)


@given(seed=st.integers(0, 1000), least=st.floats(1e-3, 1))
def test_covariances_are_taken_with_their_floor(seed, least):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((3, 2, 2))
    covariances = factors @ factors.mT
    q = law(True, seed=seed)
    q.set_covariances(covariances, least)
    expected = [np.maximum(np.linalg.eigvalsh(c), least) for c in covariances]
    np.testing.assert_allclose(np.linalg.eigvalsh(q.covariances), expected, rtol=1e-6)


def test_the_score_function_is_unbiased_with_its_baseline():
    """E sum_i (l_i - b_i) grad log q(x_i) / n = grad E l(x): for l(x) = x and q = N(m, 1), d/dm E l = 1."""

    class Recorder(MixtureLaw):
        def score(self, x, h, a):
            self.last = super().score(x, h, a)
            return self.last

    rng, gradients, plain = np.random.default_rng(0), [], []
    for _ in range(4000):
        q = Recorder(np.zeros(1), np.full((1, 1, 1), 5.0), np.zeros((1, 1)), None)
        h = np.ones((5, 1))
        x = q.sample(h, rng)
        plain.append(q.score(x, h, x[:, 0] / 5)[1].item())
        rule = ScoreFunction()
        rule.start(q)
        rule.learn(q, x, h, x[:, 0], 1e-3)
        gradients.append(q.last[1].item())
    assert np.mean(gradients) == pytest.approx(1, abs=4 * np.std(gradients) / np.sqrt(4000))
    assert np.std(gradients) < np.std(plain) / 3  # what the baseline is for


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_weights_of_an_exact_judge_reach_maximum_likelihood(covariance):
    """With w = p/q the limit of weighted EM is the maximum-likelihood fit: here the truth itself."""
    truth = gaussian([3.0, -1.0], [[1.0, 0.6], [0.6, 0.5]] if covariance == "full" else np.diag([1.0, 0.5]))
    real = truth.sample(4000, 0)
    generator = MixtureGenerator(1, covariance=covariance, rule=WeightedEM(step=0.3))
    generator.start(Batch(real), np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for _ in range(60):
        samples = generator.propose(4000, rng)
        w = np.exp(np.clip(truth.log_density(samples.x) - generator.log_density(samples.x), None, 5))
        generator.update(samples, Weights(w / w.mean()))
    np.testing.assert_allclose(generator.coefficients_[0, 0], [3, -1], atol=0.06)
    covariances = generator.covariances_[0] if covariance == "full" else np.diag(generator.covariances_[0])
    np.testing.assert_allclose(covariances, truth.covariances[0], atol=0.1)


@pytest.mark.parametrize("rule", [ScoreFunction(), WeightedEM()], ids=lambda rule: type(rule).__name__)
def test_exact_evidence_teaches_two_modes(rule):
    truth = mixture([0.5, 0.5], [[-2.0, 0.0], [2.0, 1.0]], [np.eye(2) * 0.3] * 2)
    real, unseen = truth.sample(2000, 0), truth.sample(3000, 1)
    generator = MixtureGenerator(2, rule=rule)
    generator.start(Batch(real), np.random.default_rng(3))
    rng = np.random.default_rng(1)
    before = energy_distance(generator.propose(3000, rng).x, unseen)
    for _ in range(250):
        samples = generator.propose(1000, rng)
        r = truth.log_density(samples.x) - generator.log_density(samples.x)
        w = np.exp(np.clip(r, None, 5))
        generator.update(samples, Losses(-r) if generator.learns_from is Losses else Weights(w / w.mean()))
    after = energy_distance(generator.propose(3000, rng).x, unseen)
    assert after < 0.1 * before
    assert after < 0.01


def test_conditions_move_the_means():
    """x | c ~ N(2c - 1, .5^2), by weights of the exact judge."""
    c = np.random.default_rng(0).uniform(-1, 1, (3000, 1))
    real = 2 * c - 1 + 0.5 * np.random.default_rng(1).standard_normal((3000, 1))
    generator = MixtureGenerator(1)
    generator.start(Batch(real, c), np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for _ in range(80):
        samples = generator.propose(2000, rng, c[:2000])
        log_p = -0.5 * ((samples.x - 2 * c[:2000] + 1)[:, 0] / 0.5) ** 2 - np.log(0.5 * np.sqrt(2 * np.pi))
        w = np.exp(np.clip(log_p - generator.log_density(samples.x, c[:2000]), None, 4))
        generator.update(samples, Weights(w / w.mean()))
    np.testing.assert_allclose(generator.coefficients_[0, :, 0], [-1, 2], atol=0.1)


@pytest.mark.parametrize("given", [None, C], ids=["plain", "conditional"])
def test_games_of_both_rules(given):
    for rule, judge in ((ScoreFunction(), Judge(lambda x: x[:, 0] - 5)), (WeightedEM(), Judge(lambda x: x[:, 0] - 5))):
        game = Game(MixtureGenerator(2, rule=rule), judge, batch_size=50, random_state=0)
        next(game.rounds(X, given))
        assert game.sample(7, given=None if given is None else given[:7]).shape == (7, 2)


def test_constant_columns_and_images():
    data = np.random.default_rng(0).standard_normal((100, 2, 2))
    data[:, 0, 0] = 3.0
    game = Game(MixtureGenerator(2), Judge(lambda x: x[:, 1, 1]), batch_size=50, random_state=0)
    rounds = game.rounds(data)
    for _ in range(20):
        next(rounds)
    sample = game.sample(50)
    assert sample.shape == (50, 2, 2)
    assert np.isfinite(sample).all()


def test_stale_samples_are_refused():
    generator = MixtureGenerator(2)
    generator.start(Batch(X), np.random.default_rng(0))
    samples = generator.propose(10, np.random.default_rng(0))
    generator.update(samples, Weights(np.ones(10)))
    with pytest.raises(PlayerError, match="MixtureGenerator"):
        generator.update(samples, Weights(np.ones(10)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_components": 0}, "n_components=0.*expected a whole number from 1"),
        ({"covariance": "round"}, "covariance='round'.*expected 'full' or 'diagonal'"),
        ({"floor": 0}, "floor=0.*expected"),
        ({"rule": WeightedEM(step=0)}, "step=0.*expected"),
        ({"rule": ScoreFunction(learning_rate=0)}, "learning_rate=0.*expected"),
    ],
)
def test_bad_options(arguments, message):
    with pytest.raises(ValueError, match=message):
        MixtureGenerator(**arguments).start(Batch(X), np.random.default_rng(0))


def test_weights_need_a_ratio():
    with pytest.raises(IncompatiblePlayers, match="MixtureGenerator learns from weights"):
        Game(MixtureGenerator(), Judge(says=Scores))
