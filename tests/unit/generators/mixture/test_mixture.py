"""The mixture: its distribution against SciPy, its score against differences, its updates against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone

from tests.players import SimpleDiscriminator
from turinglearn import Game
from turinglearn.generators import MixtureGenerator, ScoreFunction, WeightedEM
from turinglearn.generators.mixture.distribution import MixtureDistribution
from turinglearn.protocols import Batch, IncompatiblePlayers, Losses, PlayerError, Samples, Scores, Weights

COVARIANCES = ("full", "diagonal")


def random_distribution(rng, covariance, k=3, c=1, d=2):
    regressions = np.tril(rng.normal(size=(k, d, d)), -1) if covariance == "full" else None
    return MixtureDistribution(rng.normal(size=k), rng.normal(size=(k, c, d)), 0.3 * rng.normal(size=(k, d)), regressions)


def regressors(rng, n, c):
    return np.hstack((np.ones((n, 1)), rng.normal(size=(n, c - 1))))


def scipy_log_density(weights, means, covariances, x):
    """log density of a mixture; means (K, n, d), covariances (K, d, d) or (K, d)."""
    covariances = [np.diag(v) if v.ndim == 1 else v for v in covariances]
    terms = [
        np.log(w) + multivariate_normal(np.zeros(x.shape[1]), v).logpdf(x - m)
        for w, m, v in zip(weights, means, covariances, strict=True)
    ]
    return logsumexp(terms, axis=0)


def started(seed=0, x=None, condition=None, **parameters):
    rng = np.random.default_rng(seed)
    x = rng.normal([3.0, -1.0], [2.0, 0.5], (500, 2)) if x is None else x
    generator = MixtureGenerator(**parameters)
    generator.start(Batch(x, condition), rng)
    return generator, rng


# --------------------------------------------------------------------------------------------------------------- the
# distribution
@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize(("c", "d"), [(1, 1), (1, 3), (3, 2)])
def test_log_density_is_scipys(covariance, c, d):
    rng = np.random.default_rng(c + d)
    distribution, h, x = random_distribution(rng, covariance, c=c, d=d), regressors(rng, 20, c), rng.normal(size=(20, d))
    expected = scipy_log_density(distribution.weights, h @ distribution.coefficients, distribution.covariances, x)
    np.testing.assert_allclose(distribution.log_density(x, h), expected, rtol=1e-10)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize(("c", "d"), [(1, 1), (1, 3), (3, 2)])
def test_score_is_the_difference_quotient_of_the_log_density(covariance, c, d):
    rng = np.random.default_rng(10 * c + d)
    distribution, h, x, a = (
        random_distribution(rng, covariance, c=c, d=d),
        regressors(rng, 9, c),
        rng.normal(size=(9, d)),
        rng.normal(size=9),
    )
    gradients, step = distribution.score(x, h, a), 1e-6
    assert len(gradients) == len(distribution.parameters) == (4 if covariance == "full" else 3)
    for parameter, gradient in zip(distribution.parameters, gradients, strict=True):
        free = np.tril(np.ones(parameter.shape), -1) if parameter is distribution.regressions else np.ones(parameter.shape)
        for i in np.ndindex(parameter.shape):
            centre = parameter[i]
            parameter[i] = centre + step
            above = a @ distribution.log_density(x, h)
            parameter[i] = centre - step
            below = a @ distribution.log_density(x, h)
            parameter[i] = centre
            expected = free[i] * (above - below) / (2 * step)
            assert gradient[i] == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_covariances_are_taken_as_they_are_given(covariance):
    rng = np.random.default_rng(1)
    distribution, other = random_distribution(rng, covariance, d=3), random_distribution(rng, covariance, d=3)
    distribution.set_covariances(other.covariances, least=1e-12)
    np.testing.assert_allclose(distribution.covariances, other.covariances, rtol=1e-10)


@given(seed=st.integers(0, 1000), least=st.floats(1e-3, 1))
def test_no_direction_has_less_variance_than_the_floor(seed, least):
    rng = np.random.default_rng(seed)
    distribution, factors = random_distribution(rng, "full"), rng.normal(size=(3, 2, 2))
    distribution.set_covariances(factors @ factors.mT, least)
    expected = np.maximum(np.linalg.eigvalsh(factors @ factors.mT), least)
    np.testing.assert_allclose(np.linalg.eigvalsh(distribution.covariances), expected, rtol=1e-6)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_samples_have_the_moments_of_the_distribution(covariance):
    rng = np.random.default_rng(3)
    distribution, n = random_distribution(rng, covariance, c=2, d=2), 200_000
    h = np.tile([1.0, 0.7], (n, 1))
    x, means = distribution.sample(h, rng), distribution.coefficients.transpose(0, 2, 1) @ h[0]
    mean = distribution.weights @ means
    within = np.array([np.diag(v) for v in distribution.covariances]) if covariance == "diagonal" else distribution.covariances
    second = within + means[:, :, None] * means[:, None, :]
    expected = np.einsum("k,kij->ij", distribution.weights, second) - np.outer(mean, mean)
    tolerance = 5 * np.sqrt(np.diag(expected) / n)
    assert (np.abs(x.mean(axis=0) - mean) < tolerance).all()
    np.testing.assert_allclose(np.cov(x.T), expected, atol=0.05 * np.diag(expected).max())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    covariance=st.sampled_from(COVARIANCES),
    shift=st.floats(-1e3, 1e3),
    scale=st.floats(1e-3, 1e3),
)
def test_the_density_follows_the_units_of_the_data(seed, covariance, shift, scale):
    x = np.random.default_rng(seed).normal(size=(50, 2))
    unit, _ = started(seed, x, covariance=covariance)
    other, _ = started(seed, shift + scale * x, covariance=covariance)
    expected = unit.log_density(x) - 2 * np.log(scale)
    np.testing.assert_allclose(other.log_density(shift + scale * x), expected, rtol=1e-5, atol=1e-5)


# --------------------------------------------------------------------------------------------------------- the generator
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_attributes_are_in_the_units_of_the_data(covariance):
    rng = np.random.default_rng(4)
    x, condition = rng.normal([3.0, -1.0], [2.0, 0.5], (100, 2)), rng.normal(5.0, 3.0, (100, 2))
    generator, rng = started(4, x, condition, covariance=covariance)
    generator.distribution_.coefficients[:] = rng.normal(size=generator.distribution_.coefficients.shape)
    h = np.hstack((np.ones((100, 1)), condition))
    expected = scipy_log_density(generator.weights_, h @ generator.coefficients_, generator.covariances_, x)
    np.testing.assert_allclose(generator.log_density(x, condition), expected, rtol=1e-9)


def test_it_starts_as_wide_as_the_data_and_knows_nothing_else_of_them():
    generator, _ = started(5, n_components=2)
    np.testing.assert_allclose(generator.covariances_, [np.diag(generator.spread_**2)] * 2)
    one, _ = started(5, np.array([[0.0], [2.0]] * 50), n_components=2)  # two points or a normal distribution: the same start
    normal = np.random.default_rng(0).normal(size=(100, 1))
    two, _ = started(5, 1 + (normal - normal.mean()) / normal.std(), n_components=2)
    np.testing.assert_allclose(one.coefficients_, two.coefficients_)


def test_events_keep_their_shape():
    rng = np.random.default_rng(6)
    generator, rng = started(6, rng.normal(size=(40, 2, 3)), covariance="diagonal")
    samples = generator.propose(7, rng)
    assert samples.x.shape == (7, 2, 3)
    assert samples.x.dtype == np.float64
    assert generator.log_density(samples.x).shape == (7,)
    generator.update(samples, Weights(np.ones(7)))


def test_a_seed_repeats_a_run():
    def run():
        generator, rng = started(7)
        for _ in range(5):
            samples = generator.propose(64, rng)
            generator.update(samples, Weights(np.exp(samples.x[:, 0]) / np.exp(samples.x[:, 0]).mean()))
        return generator.propose(10, rng).x

    np.testing.assert_array_equal(run(), run())


@pytest.mark.parametrize("rule", [WeightedEM(), ScoreFunction()])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_constant_column_stays_constant(rule, covariance):
    """To the last bit: a forest would tell a jitter of any size from none."""
    x = np.column_stack((np.random.default_rng(8).normal(size=100), np.full(100, 7.0), np.zeros(100)))
    generator, rng = started(8, x, rule=rule, covariance=covariance)
    for _ in range(30):
        samples = generator.propose(100, rng)
        r = -np.abs(samples.x - [0, 7, 0]).sum(axis=1)
        generator.update(samples, Losses(-r) if generator.feedback_type is Losses else Weights(np.exp(r) / np.exp(r).mean()))
    fake = generator.propose(1000, rng).x
    np.testing.assert_array_equal(fake[:, 1:], np.tile([7.0, 0.0], (1000, 1)))
    alone, _ = started(8, x[:, :1], rule=rule, covariance=covariance)
    alone.distribution_ = generator.distribution_
    np.testing.assert_allclose(generator.log_density(x), alone.log_density(x[:, :1]))
    assert not generator.covariances_[:, 1:].any()
    np.testing.assert_array_equal(generator.coefficients_[:, 0, 1:], [[7.0, 0.0]] * 4)


def test_nothing_but_constants_is_learned_at_once():
    generator, rng = started(9, np.full((1, 2), 3.0))
    samples = generator.propose(5, rng)
    generator.update(samples, Weights(np.ones(5)))
    np.testing.assert_array_equal(samples.x, np.full((5, 2), 3.0))


# ------------------------------------------------------------------------------------------------------- score function
def test_losses_are_compared_with_the_mean_of_the_others(monkeypatch):
    rng = np.random.default_rng(10)
    distribution, h, x, losses = random_distribution(rng, "full"), np.ones((6, 1)), rng.normal(size=(6, 2)), rng.normal(size=6)
    seen = []
    monkeypatch.setattr(MixtureDistribution, "score", lambda self, x, h, a: seen.append(a))
    ScoreFunction().gradient(distribution, x, h, losses)
    expected = [(losses[i] - np.delete(losses, i).mean()) / 6 for i in range(6)]
    np.testing.assert_allclose(seen[0], expected, rtol=1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_score_function_estimate_is_unbiased(covariance):
    """Mean of the estimates against the gradient of E_q[l] = E |x - t|^2 in closed form, by differences."""
    rng = np.random.default_rng(11)
    distribution, target, n, repeats = random_distribution(rng, covariance, k=2, d=2), np.array([1.0, -2.0]), 2, 5000

    def expected_loss():
        means = distribution.coefficients[:, 0]
        variances = (
            distribution.covariances if covariance == "diagonal" else np.diagonal(distribution.covariances, axis1=1, axis2=2)
        )
        return distribution.weights @ (((means - target) ** 2).sum(axis=1) + variances.sum(axis=1))

    exact = []
    for parameter in distribution.parameters:
        gradient = np.zeros_like(parameter)
        free = np.tril(np.ones(parameter.shape), -1) if parameter is distribution.regressions else np.ones(parameter.shape)
        for i in np.ndindex(parameter.shape):
            centre = parameter[i]
            parameter[i] = centre + 1e-6
            above = expected_loss()
            parameter[i] = centre - 1e-6
            gradient[i] = free[i] * (above - expected_loss()) / 2e-6
            parameter[i] = centre
        exact.append(gradient)

    x, h, rule = distribution.sample(np.ones((n * repeats, 1)), rng), np.ones((n, 1)), ScoreFunction()
    estimates = []
    for batch in np.split(x, repeats):
        losses = ((batch - target) ** 2).sum(axis=1)
        estimates.append(np.concatenate([g.ravel() for g in rule.gradient(distribution, batch, h, losses)]))
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(len(estimates))
    deviation, size = np.abs(mean - (exact := np.concatenate([g.ravel() for g in exact]))), np.abs(exact)
    assert (deviation < 4 * error + 1e-8).all()
    assert (size > 12 * error).any()  # so that half of the gradient would be seen


def test_the_baseline_takes_noise_away():
    """For l(x) = x and q = N(5, 1): E sum (l_i - b_i) d log q / dm / n = 1, with far less noise than without b_i."""
    rng, h, with_baseline, plain = np.random.default_rng(0), np.ones((5, 1)), [], []
    distribution = MixtureDistribution(np.zeros(1), np.full((1, 1, 1), 5.0), np.zeros((1, 1)), None)
    for _ in range(4000):
        x = distribution.sample(h, rng)
        with_baseline.append(ScoreFunction().gradient(distribution, x, h, x[:, 0])[1].item())
        plain.append(distribution.score(x, h, x[:, 0] / 5)[1].item())
    assert np.mean(with_baseline) == pytest.approx(1, abs=4 * np.std(with_baseline) / np.sqrt(4000))
    assert np.std(with_baseline) < np.std(plain) / 3


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_score_function_descends_to_the_target(covariance):
    """Exact reverse KL against a normal distribution that the mixture can be."""
    mean, variance = np.array([2.0, -1.0]), np.array([[1.0, 0.6], [0.6, 0.8]])
    target = multivariate_normal(mean, variance if covariance == "full" else np.diag(np.diag(variance)))
    rng = np.random.default_rng(12)
    generator, rng = started(12, target.rvs(300, random_state=rng), n_components=1, covariance=covariance, rule=ScoreFunction())
    for _ in range(300):
        samples = generator.propose(256, rng)
        generator.update(samples, Losses(generator.log_density(samples.x) - target.logpdf(samples.x)))
    x = target.rvs(4000, random_state=rng)
    assert np.mean(target.logpdf(x) - generator.log_density(x)) < 0.005


def test_no_conditional_deviation_falls_below_the_floor():
    generator, rng = started(13, rule=ScoreFunction(0.5), n_components=1, floor=0.1, covariance="diagonal")
    for _ in range(60):
        samples = generator.propose(64, rng)
        generator.update(samples, Losses((((samples.x - [3, -1]) / [2, 0.5]) ** 2).sum(axis=1)))
    np.testing.assert_allclose(np.sqrt(generator.covariances_[0]), 0.1 * generator.spread_, rtol=1e-9)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_weights_on_one_sample_leave_the_floor(covariance):
    generator, rng = started(13, rule=WeightedEM(0.5), n_components=1, floor=0.1, covariance=covariance)
    least = []
    for _ in range(30):
        generator.update(generator.propose(50, rng), Weights(np.append(50.0, np.zeros(49))))
        variances = generator.distribution_.covariances[0]
        least.append(np.min(variances if covariance == "diagonal" else np.linalg.eigvalsh(variances)))
    assert min(least) == pytest.approx(0.01, rel=1e-9)


def test_one_sample_has_no_others_to_be_compared_with():
    generator, rng = started(14, rule=ScoreFunction())
    with pytest.raises(ValueError, match="at least 2"):
        generator.update(generator.propose(1, rng), Losses(np.zeros(1)))


# -------------------------------------------------------------------------------------------------------------- weights
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_whole_step_of_em_is_the_textbooks(covariance):
    rng = np.random.default_rng(15)
    distribution, n = random_distribution(rng, covariance, k=2, d=2), 400
    x, w = rng.normal(size=(n, 2)), rng.exponential(size=n)
    w, h = w / w.mean(), np.ones((n, 1))
    rho = distribution.responsibilities(x, h) * w
    means = (rho @ x) / rho.sum(axis=1, keepdims=True)
    centred = x - means[:, None]
    covariances = np.einsum("kn,kni,knj->kij", rho, centred, centred) / rho.sum(axis=1)[:, None, None]
    rule = WeightedEM(step=1.0)
    rule.learn(distribution, x, h, w, floor=1e-6)
    np.testing.assert_allclose(distribution.weights, rho.sum(axis=1) / n, rtol=1e-4)
    np.testing.assert_allclose(distribution.coefficients[:, 0], means, atol=1e-4)
    found = distribution.covariances if covariance == "full" else np.stack([np.diag(v) for v in distribution.covariances])
    expected = covariances if covariance == "full" else covariances * np.eye(2)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_damping_mixes_the_moments(covariance):
    """Without weights the distribution keeps its own moments.

    S <- (1 - step) s + step s_batch, for mass, mean and second moment.
    """
    rng = np.random.default_rng(16)
    distribution, step = random_distribution(rng, covariance, k=1, d=2), 0.3
    mean, variance = distribution.coefficients[0, 0].copy(), distribution.covariances[0].copy()
    x = rng.normal(2.0, 1.5, size=(500, 2))
    rule = WeightedEM(step)
    rule.learn(distribution, x, np.ones((500, 1)), np.ones(500), floor=1e-6)
    mixed = (1 - step) * mean + step * x.mean(axis=0)
    variance = np.diag(variance) if covariance == "diagonal" else variance
    second = (1 - step) * (variance + np.outer(mean, mean)) + step * (x.T @ x) / 500
    expected = second - np.outer(mixed, mixed)
    np.testing.assert_allclose(distribution.coefficients[0, 0], mixed, atol=1e-5)
    np.testing.assert_allclose(
        distribution.covariances[0], expected if covariance == "full" else np.diag(expected), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_exact_weights_lead_to_the_real_distribution(covariance):
    weights, means = np.array([0.7, 0.3]), np.array([[0.0, 0.0], [4.0, 2.0]])
    covariances = np.array([[[1.0, 0.5], [0.5, 1.0]], [[0.3, -0.1], [-0.1, 0.2]]])
    if covariance == "diagonal":
        covariances = covariances * np.eye(2)
    rng = np.random.default_rng(17)
    component = rng.random(2000) < weights[1]
    x = np.where(
        component[:, None], *(rng.multivariate_normal(m, v, 2000) for m, v in zip(means[::-1], covariances[::-1], strict=True))
    )

    def log_p(x):
        return scipy_log_density(weights, means[:, None], covariances, x)

    generator, rng = started(17, x, n_components=2, covariance=covariance, rule=WeightedEM(0.1))
    for _ in range(300):
        samples = generator.propose(512, rng)
        w = np.exp(log_p(samples.x) - generator.log_density(samples.x))
        generator.update(samples, Weights(w / w.mean()))
    assert np.mean(log_p(x) - generator.log_density(x)) < 0.01
    order = np.argsort(generator.coefficients_[:, 0, 0])
    np.testing.assert_allclose(generator.weights_[order], weights, atol=0.05)
    np.testing.assert_allclose(generator.coefficients_[order, 0], means, atol=0.15)


def test_exact_weights_teach_a_mixture_of_regressions():
    """x | c is N(1 + 2c, .3^2) or N(-1 - c, .6^2), three to one."""
    rng = np.random.default_rng(18)
    weights, slopes, spreads = np.array([0.75, 0.25]), np.array([[1.0, 2.0], [-1.0, -1.0]]), np.array([0.3, 0.6])

    def draw(n):
        condition = rng.normal(10.0, 2.0, (n, 1))
        component = rng.choice(2, n, p=weights)
        standard = (condition[:, 0] - 10) / 2
        return slopes[component, 0] + slopes[component, 1] * standard + spreads[component] * rng.normal(size=n), condition

    def log_p(x, condition):
        means = slopes[:, :1] + slopes[:, 1:] * (condition[:, 0] - 10) / 2
        return scipy_log_density(weights, means[..., None], spreads[:, None] ** 2, x)

    x, condition = draw(2000)
    generator, _ = started(18, x[:, None], condition, n_components=2, rule=WeightedEM(0.2))
    for _ in range(200):
        _, asked = draw(512)
        samples = generator.propose(512, rng, asked)
        assert samples.condition is asked
        w = np.exp(log_p(samples.x, asked) - generator.log_density(samples.x, asked))
        generator.update(samples, Weights(w / w.mean()))
    assert np.mean(log_p(x[:, None], condition) - generator.log_density(x[:, None], condition)) < 0.02
    order = np.argsort(-generator.coefficients_[:, 1, 0])
    np.testing.assert_allclose(generator.coefficients_[order, 1, 0], slopes[:, 1] / 2, atol=0.05)


def test_a_component_without_samples_stays_what_it_is():
    rng = np.random.default_rng(19)
    distribution = MixtureDistribution(np.zeros(2), np.array([[[0.0]], [[1e3]]]), np.zeros((2, 1)), np.zeros((2, 1, 1)))
    rule = WeightedEM(step=1.0)
    for _ in range(50):
        rule.learn(distribution, rng.normal(size=(100, 1)), np.ones((100, 1)), np.ones(100), floor=1e-3)
    np.testing.assert_allclose(distribution.coefficients[1], 1e3)
    np.testing.assert_allclose(distribution.covariances[1], 1.0)
    assert 0 < distribution.weights[1] < 1e-5


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    covariance=st.sampled_from(COVARIANCES),
    step=st.floats(0.01, 1.0),
    n=st.integers(1, 20),
    sharpness=st.floats(0, 200),
    c=st.integers(0, 2),
)
def test_whatever_the_weights_the_mixture_stays_valid(seed, covariance, step, n, sharpness, c):
    rng = np.random.default_rng(seed)
    conditions = rng.normal(size=(30, c)) if c else None
    generator, rng = started(seed, rng.normal(size=(30, 3)), conditions, covariance=covariance, rule=WeightedEM(step))
    for _ in range(5):
        samples = generator.propose(n, rng, None if conditions is None else conditions[:n])
        w = np.exp(sharpness * (z := rng.normal(size=n)) - sharpness * z.max())
        generator.update(samples, Weights(w / w.mean()))
    assert generator.weights_.sum() == pytest.approx(1)
    assert (generator.weights_ > 0).all()
    covariances = generator.distribution_.covariances
    variances = covariances if covariance == "diagonal" else np.linalg.eigvalsh(covariances)
    assert (variances > 0.99e-6).all()
    assert np.isfinite(generator.log_density(samples.x, samples.condition)).all()


# --------------------------------------------------------------------------------------------------------------- errors
def test_samples_are_good_for_one_update():
    generator, rng = started(20)
    samples = generator.propose(10, rng)
    generator.update(samples, Weights(np.ones(10)))
    with pytest.raises(PlayerError, match="proposed before update 1"):
        generator.update(samples, Weights(np.ones(10)))
    with pytest.raises(PlayerError, match="not proposed by it"):
        generator.update(Samples(samples.x), Weights(np.ones(10)))


def test_feedback_of_another_kind_or_shape_is_refused():
    generator, rng = started(21)
    samples = generator.propose(10, rng)
    with pytest.raises(PlayerError, match="learns from Weights"):
        generator.update(samples, Losses(np.ones(10)))
    with pytest.raises(PlayerError, match=r"shape \(9,\)"):
        generator.update(samples, Weights(np.ones(9)))
    with pytest.raises(PlayerError, match="NaN"):
        generator.update(samples, Weights(np.full(10, np.nan)))


def test_what_it_learns_from_belongs_to_its_rule():
    assert MixtureGenerator().feedback_type is Weights
    assert MixtureGenerator(rule=WeightedEM()).feedback_type is Weights
    assert MixtureGenerator(rule=ScoreFunction()).feedback_type is Losses


def test_conditions_are_those_of_the_example():
    generator, rng = started(22)
    with pytest.raises(ValueError, match="without conditions"):
        generator.propose(4, rng, np.zeros((4, 1)))
    generator, rng = started(22, condition=np.zeros((500, 2)))
    for condition in (None, np.zeros((4, 1)), np.zeros((3, 2))):
        with pytest.raises(ValueError, match=r"expected an array of shape \(4, 2\)"):
            generator.propose(4, rng, condition)
    assert generator.propose(4, rng, np.zeros((4, 2))).x.shape == (4, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components=0"),
        ({"n_components": 2.5}, "n_components=2.5"),
        ({"covariance": "tied"}, "'full' or 'diagonal'"),
        ({"floor": 0.0}, "floor=0.0"),
        ({"rule": WeightedEM(0.0)}, r"step=0.0"),
        ({"rule": WeightedEM(1.1)}, r"step=1.1"),
        ({"rule": ScoreFunction(0.0)}, "learning_rate=0.0"),
        ({"rule": ScoreFunction(betas=(0.5, 1.0))}, r"betas=\(0.5, 1.0\)"),
    ],
)
def test_senseless_parameters_are_refused_at_the_start(parameters, message):
    with pytest.raises(ValueError, match=message):
        started(23, **parameters)


def test_it_must_be_started():
    with pytest.raises(PlayerError, match="start"):
        MixtureGenerator().propose(3, np.random.default_rng(0))


def test_it_is_cloned_like_an_estimator_and_starts_anew():
    generator, rng = started(24, rule=WeightedEM(0.5), n_components=2)
    generator.update(generator.propose(50, rng), Weights(np.ones(50)))
    copy = clone(generator)
    assert not hasattr(copy, "distribution_")
    assert copy.rule.step == 0.5
    assert copy.set_params(rule__step=0.1).rule.step == 0.1
    assert generator.rule.step == 0.5
    assert "WeightedEM(step=0.5)" in repr(generator)


# --------------------------------------------------------------------------------------------------------------- a game
@pytest.mark.parametrize("conditions", [False, True], ids=["plain", "conditional"])
@pytest.mark.parametrize("rule", [ScoreFunction(), WeightedEM()], ids=lambda rule: type(rule).__name__)
def test_a_game_of_each_rule(rule, conditions):
    rng = np.random.default_rng(0)
    x, condition = rng.normal([5, -2], [2, 0.5], (400, 2)), rng.normal(size=(400, 1)) if conditions else None
    game = Game(MixtureGenerator(2, rule=rule), SimpleDiscriminator(lambda x: x[:, 0] - 5), batch_size=50, random_state=0)
    next(game.rounds(x, condition))
    assert game.sample(7, condition=condition[:7] if conditions else None).shape == (7, 2)


def test_weights_need_a_ratio():
    with pytest.raises(IncompatiblePlayers, match="MixtureGenerator learns from weights"):
        Game(MixtureGenerator(), SimpleDiscriminator(score_type=Scores))
