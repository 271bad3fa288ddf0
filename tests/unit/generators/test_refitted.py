"""Refitted models: rules, exact evidence, randomness, conditions, and models that are not what they should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from tests.players import SimpleDiscriminator
from turinglearn import Game, as_generator
from turinglearn.datasets import gaussian
from turinglearn.generators import GradientMove, RefittedGenerator, Resample, Reweight
from turinglearn.protocols import Batch, Gradients, Losses, PlayerError, Samples, Weights

TRUTH = gaussian([2.0, -1.0], [[1.0, 0.3], [0.3, 0.5]])
X = TRUTH.sample(2000, 0)


class Normal:
    """A model of one's own: independent normals, weights if they are given."""

    def fit(self, X, sample_weight=None):
        self.mean_ = np.average(X, axis=0, weights=sample_weight)
        self.scale_ = np.sqrt(np.average((X - self.mean_) ** 2, axis=0, weights=sample_weight))
        return self

    def sample(self, n, rng):
        return self.mean_ + self.scale_ * rng.standard_normal((n, len(self.mean_)))

    def score_samples(self, X):
        z = (X - self.mean_) / self.scale_
        return -0.5 * (z**2).sum(axis=1) - np.log(self.scale_).sum() - len(self.mean_) / 2 * np.log(2 * np.pi)


class Spy(Normal):
    """Remembers what it was fitted to."""

    def fit(self, X, sample_weight=None):
        self.shown = (X, sample_weight)
        return super().fit(X, sample_weight)


class Conditional:
    """A model with conditions: x = B^T [1, c] + noise."""

    def fit(self, X, condition):
        self.shown = (X, condition)
        self.coefficients_ = np.linalg.lstsq(np.column_stack((np.ones(len(X)), condition)), X)[0]
        return self

    def sample(self, n, condition, rng):
        return np.column_stack((np.ones(n), condition)) @ self.coefficients_ + 0.5 * rng.standard_normal((n, 2))


def started(model, rule=None, memory=10, condition=None, seed=0):
    generator = RefittedGenerator(model, rule=rule, memory=memory)
    generator.start(Batch(X, condition), np.random.default_rng(seed))
    return generator, np.random.default_rng(seed + 1)


def exact_weights(generator, x):
    w = np.exp(TRUTH.log_density(x) - generator.model_.score_samples(x))
    return Weights(w / w.mean())


# --------------------------------------------------------------------------------------------------------------- rules
@given(st.lists(st.floats(0, 10), min_size=2, max_size=50).filter(lambda w: sum(w) > 1e-3), st.floats(0, 0.999))
def test_systematic_resampling_takes_a_sample_as_often_as_its_weight_up_or_down(w, u):
    w = np.array(w)
    w = w / w.mean()
    x = np.arange(len(w), dtype=float)[:, None]
    taken, rows, weights = Resample().improve(x, w, np.ones(1), u)
    assert weights is None
    np.testing.assert_array_equal(taken[:, 0], rows)
    counts = np.bincount(rows, minlength=len(w))
    assert counts.sum() == len(w)
    assert (counts >= np.floor(w - 1e-6)).all()
    assert (counts <= np.ceil(w + 1e-6)).all()


def test_systematic_resampling_is_unbiased():
    w = np.array([0.3, 2.1, 0.05, 1.55])
    x = np.arange(4.0)[:, None]
    counts = [np.bincount(Resample().improve(x, w, np.ones(1), u)[1], minlength=4) for u in (np.arange(2000) + 0.5) / 2000]
    np.testing.assert_allclose(np.mean(counts, axis=0), w, atol=1e-3)


def test_moving_goes_down_the_gradient_in_units_of_the_spread():
    spread, gradient = np.array([10.0, 0.1]), np.array([[0.03, 1.0], [0.0, 0.0], [0.0, 4.0]])
    moved, rows, weights = GradientMove(0.5).improve(np.zeros((3, 2)), gradient, spread, 0.0)
    np.testing.assert_allclose(moved, -0.5 * spread**2 * gradient)  # |g| = (.3, .1), 0, (0, .4): none is shortened
    np.testing.assert_array_equal(rows, range(3))
    assert weights is None


def test_constant_columns_stay_constant_whatever_the_model_draws():
    x = np.column_stack((np.random.default_rng(8).normal(size=50), np.full(50, 0.1)))
    generator = RefittedGenerator(KernelDensity(bandwidth=0.2))
    rng = np.random.default_rng(0)
    generator.start(Batch(x), rng)
    for _ in range(3):
        samples = generator.propose(40, rng)
        assert set(samples.x[:, 1]) == {0.1}
        assert len(set(samples.x[:, 0])) == 40
        generator.update(samples, Weights(np.ones(40)))


@given(st.floats(1, 1e12), st.integers(1, 5))
def test_no_sample_moves_further_than_a_step(size, d):
    x, spread, gradient = np.ones((2, d)), np.arange(1.0, d + 1), size * np.ones((2, d))
    moved = (GradientMove(0.1).improve(x, gradient, spread, 0.0)[0] - x) / spread
    assert np.sqrt((moved**2).mean(axis=1)).max() <= 0.1 + 1e-12


@pytest.mark.parametrize("rule", [Reweight(), GradientMove(0.2)])
def test_the_model_is_fitted_to_what_the_rule_makes_of_the_remembered_rounds(rule):
    generator, rng = started(Spy(), rule, memory=3)
    expected = []
    for _ in range(5):
        samples = generator.propose(20, rng)
        v = rng.exponential(size=20) if generator.feedback_type is Weights else rng.normal(size=(20, 2))
        expected.append(rule.improve(samples.x, v, generator.spread_, 0.0))
        generator.update(samples, generator.feedback_type(v))
    x, weights = generator.model_.shown
    np.testing.assert_allclose(x, np.concatenate([part[0] for part in expected[-3:]]))
    if generator.feedback_type is Weights:
        np.testing.assert_allclose(weights, np.concatenate([part[2] for part in expected[-3:]]))
    else:
        assert weights is None


# ------------------------------------------------------------------------------------------------------- exact evidence
@pytest.mark.parametrize(
    ("model", "rule", "full"),
    [(GaussianMixture(1), Resample(), True), (Normal(), Reweight(), False), (Normal(), None, False)],
    ids=["mixture, resampled", "own, reweighted", "own, the default"],
)
def test_exact_weights_lead_to_the_real_distribution(model, rule, full):
    generator, rng = started(model, rule)
    for _ in range(20):
        samples = generator.propose(1000, rng)
        generator.update(samples, exact_weights(generator, samples.x))
    x = generator.propose(20_000, rng).x
    np.testing.assert_allclose(x.mean(axis=0), [2, -1], atol=0.05)
    # without a correlation of its own, the distribution nearest in KL(p || q) has the marginal variances
    np.testing.assert_allclose(np.cov(x.T), TRUTH.covariances[0] if full else np.diag([1, 0.5]), atol=0.06)


def test_what_is_remembered_takes_the_noise_of_a_batch_away():
    def scatter(memory):
        generator, rng = started(Normal(), Reweight(), memory=memory)
        means = []
        for _ in range(60):
            samples = generator.propose(100, rng)
            generator.update(samples, exact_weights(generator, samples.x))
            means.append(generator.model_.mean_)
        return np.std(means[20:], axis=0).max()

    assert scatter(10) < scatter(1) / 2


@pytest.mark.parametrize("memory", [1, 10])
def test_moves_along_an_exact_gradient_lead_to_the_nearest_distribution(memory):
    """Down KL(q || p): independent normals end at the mean of p and at variances 1 / diag(precision of p)."""
    generator, rng = started(Normal(), GradientMove(0.1), memory=memory)
    generator.model_.mean_ += np.array([1.0, -1.0])
    precision = np.linalg.inv(TRUTH.covariances[0])
    for _ in range(150):
        samples, model = generator.propose(500, rng), generator.model_
        slope = (samples.x - [2, -1]) @ precision - (samples.x - model.mean_) / model.scale_**2  # d(-log p/q)/dx
        generator.update(samples, Gradients(slope))
    np.testing.assert_allclose(generator.model_.mean_, [2, -1], atol=0.15)
    np.testing.assert_allclose(generator.model_.scale_**2, 1 / np.diag(precision), rtol=0.2)


def test_a_kernel_density_under_exact_weights_keeps_one_bandwidth_of_blur():
    """Each refit blurs by b^2 = .16, the weights undo it: the excess variance does not grow with the rounds."""
    bandwidth, excess = 0.4, []
    generator, rng = started(KernelDensity(bandwidth=bandwidth), Reweight())
    for _ in range(40):
        samples = generator.propose(200, rng)
        generator.update(samples, exact_weights(generator, samples.x))
        x = generator.propose(4000, rng).x
        excess.append(x.var(axis=0) - [1, 0.5])
    assert np.mean(excess[20:]) == pytest.approx(bandwidth**2, abs=0.06)


# ------------------------------------------------------------------------------------------------------------ randomness
@pytest.mark.parametrize("model", [GaussianMixture(2), KernelDensity(bandwidth=0.2), Normal()], ids=lambda m: type(m).__name__)
def test_a_seed_repeats_the_game(model):
    def run(seed):
        game = Game(RefittedGenerator(model), SimpleDiscriminator(lambda x: x[:, 0]), batch_size=100, random_state=seed)
        rounds = game.rounds(X)
        for _ in range(3):
            next(rounds)
        return game.sample(10)

    np.testing.assert_array_equal(run(0), run(0))
    assert not np.array_equal(run(0), run(1))


def test_a_seed_of_the_models_own_gives_way():
    """scikit-learn's mixture would answer every proposal with the same samples."""
    generator, rng = started(GaussianMixture(2, random_state=0))
    assert not np.isin(generator.propose(10, rng).x, generator.propose(10, rng).x).any()


def test_samples_come_in_random_order():
    """scikit-learn's mixture gives one component after the other, which packs would see."""
    generator, rng = started(GaussianMixture(2))
    generator.model_.fit(np.repeat([[-9.0, 0.0], [9.0, 0.0]], 50, axis=0) + 0.1 * rng.standard_normal((100, 2)))
    side = generator.propose(400, rng).x[:, 0] > 0
    assert 150 < np.count_nonzero(np.diff(side)) < 250


def test_the_model_that_was_given_is_not_fitted():
    model = GaussianMixture(1)
    next(Game(model, SimpleDiscriminator(lambda x: x[:, 0]), batch_size=100).rounds(X))
    assert not hasattr(model, "means_")
    assert isinstance(as_generator(model), RefittedGenerator)


def test_it_starts_with_the_location_and_spread_of_the_data_and_nothing_else():
    generator, _ = started(Spy())
    first, _ = generator.model_.shown
    np.testing.assert_allclose(first.mean(axis=0), X.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(first.std(axis=0), X.std(axis=0), rtol=0.1)
    assert abs(np.corrcoef(first.T)[0, 1]) < 0.1 < 0.4 < np.corrcoef(X.T)[0, 1]
    assert not np.isin(first, X).any()


# ------------------------------------------------------------------------------------------------- shapes and conditions
def test_images_are_flattened_for_the_model():
    game = Game(GaussianMixture(1), SimpleDiscriminator(lambda x: x[:, 0, 0]), batch_size=50, random_state=0)
    next(game.rounds(np.random.default_rng(0).standard_normal((100, 2, 3))))
    assert game.sample(4).shape == (4, 2, 3)


def test_gradients_of_images_are_flattened_too():
    generator, rng = RefittedGenerator(Spy(), rule=GradientMove(0.1)), np.random.default_rng(0)
    generator.start(Batch(rng.standard_normal((100, 2, 3))), rng)
    samples, gradient = generator.propose(5, rng), 0.1 * rng.standard_normal((5, 2, 3))
    generator.update(samples, Gradients(gradient))
    expected = samples.x.reshape(5, 6) - 0.1 * generator.spread_**2 * gradient.reshape(5, 6)
    np.testing.assert_allclose(generator.model_.shown[0], expected)


@pytest.mark.parametrize("rule", [Resample(), GradientMove(0.1)])
def test_a_sample_keeps_its_condition(rule):
    """Whatever the rule does, each row is fitted beside the condition that it was made under."""
    conditions = np.random.default_rng(5).normal(size=(len(X), 1))
    generator, rng = started(Conditional(), rule, condition=conditions, memory=2)
    asked = conditions[:50]
    for _ in range(3):
        samples = generator.propose(50, rng, asked)
        x = np.column_stack((asked[:, 0], np.zeros(50)))  # samples that show their conditions
        shown = Samples(x, asked, samples.context)
        values = rng.exponential(size=50) if generator.feedback_type is Weights else np.zeros((50, 2))
        generator.update(shown, generator.feedback_type(values))
    x, condition = generator.model_.shown
    assert len(x) == 100
    np.testing.assert_array_equal(x[:, :1], condition)


def test_a_game_tells_conditions():
    game = Game(RefittedGenerator(Conditional()), SimpleDiscriminator(lambda x: x[:, 0]), batch_size=100, random_state=0)
    next(game.rounds(X, X[:, :1]))
    assert game.sample(5, condition=np.ones(5)).shape == (5, 2)


# --------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("model", "options", "condition", "message"),
    [
        (PCA(), {}, None, "PCA has no sample. RefittedGenerator needs a model with fit"),
        (3, {}, None, "int has no fit"),
        (
            GaussianMixture(),
            {"rule": Reweight()},
            None,
            r"GaussianMixture.fit takes no sample_weight. Use rule=Resample\(\)",
        ),
        (GaussianMixture(), {}, X[:, :1], "GaussianMixture.fit does not take them. Give it a parameter named condition"),
        (Normal(), {"rule": GradientMove(0)}, None, r"GradientMove\(step=0\): expected a number above 0"),
        (Normal(), {"memory": 0}, None, "memory=0.*from 1 on"),
        (Normal(), {"memory": 2.5}, None, "memory=2.5.*an integer from 1 on"),
    ],
)
def test_what_cannot_be_refitted_is_refused_at_the_start(model, options, condition, message):
    with pytest.raises(ValueError, match=message):
        RefittedGenerator(model, **options).start(Batch(X, condition), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: None, "Answers.*returned its samples as None"),
        (lambda n: [[0.0, 0.0]] * n, "Answers.*as a list"),
        (lambda n: np.zeros((n, 3)), r"Answers.*samples of shape \(50, 3\); expected \(50, 2\)"),
        (lambda n: np.zeros((n - 1, 2)), r"Answers.*samples of shape \(49, 2\); expected \(50, 2\)"),
        (lambda n: np.zeros((n, 2), dtype=int), "Answers.*dtype int64"),
        (lambda n: np.full((n, 2), np.nan), "Answers.*NaN or infinity"),
        (lambda n: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_model_that_samples_nonsense_is_named(answer, message):
    class Answers(Normal):
        def sample(self, n):
            return answer(n)

    with pytest.raises(PlayerError, match=message):
        next(Game(RefittedGenerator(Answers()), SimpleDiscriminator(lambda x: x[:, 0]), batch_size=50).rounds(X))


def test_samples_are_good_for_one_update():
    generator, rng = started(Normal())
    samples = generator.propose(20, rng)
    generator.update(samples, Weights(np.ones(20)))
    with pytest.raises(PlayerError, match="proposed before update 1"):
        generator.update(samples, Weights(np.ones(20)))
    with pytest.raises(PlayerError, match="not proposed by it"):
        generator.update(Samples(samples.x), Weights(np.ones(20)))


def test_feedback_of_another_kind_or_shape_is_refused():
    generator, rng = started(Normal(), GradientMove())
    samples = generator.propose(20, rng)
    with pytest.raises(PlayerError, match="learns from Gradients"):
        generator.update(samples, Losses(np.ones(20)))
    with pytest.raises(PlayerError, match=r"shape \(20,\); expected \(20, 2\)"):
        generator.update(samples, Gradients(np.ones(20)))


def test_it_must_be_started():
    with pytest.raises(PlayerError, match="has not been started"):
        RefittedGenerator(Normal()).propose(3, np.random.default_rng(0))


def test_it_is_cloned_like_an_estimator():
    generator, _ = started(GaussianMixture(3), GradientMove(0.3))
    copy = clone(generator)
    assert not hasattr(copy, "model_")
    assert copy.set_params(model__n_components=5, rule__step=0.2).model.n_components == 5
    assert generator.model.n_components == 3
    assert generator.rule.step == 0.3
