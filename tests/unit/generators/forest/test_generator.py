"""A generator that learns from the leaves of its discriminator, and the signal that hands them over."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from turinglearn import Game, IncompatiblePlayers, PlayerError, TuringLearner, load, save
from turinglearn.datasets import moons
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.generators import AdversarialForest, ForestGenerator
from turinglearn.generators.forest.generator import leaf_index, shrinkage_density
from turinglearn.metrics import energy_distance
from turinglearn.objectives import NonSaturating
from turinglearn.protocols import Batch, Leaves, LogOdds, Losses, Samples
from turinglearn.signals import ImportanceWeights, LeafSignal, make_signal

FOREST = RandomForestClassifier(10, min_samples_leaf=5)


class SimpleDiscriminator:
    """A discriminator with leaves of a user's own."""

    score_type = LogOdds

    def __init__(self, leaves):
        self.leaves = leaves

    def update(self, real, fake, rng):
        pass

    def score_samples(self, batch):
        return LogOdds(np.zeros(batch.n))

    def apply(self, batch):
        return self.leaves(batch)


def started(x, condition=None, seed=0):
    generator = ForestGenerator()
    generator.start(Batch(x, condition), np.random.default_rng(seed))
    return generator


def trained(generator, x, leaves, condition=None):
    conditions = None if condition is None else condition[:4]
    generator.update(generator.propose(4, np.random.default_rng(0), conditions), Leaves(leaves, Batch(x, condition)))


# ------------------------------------------------------------------------------------------------------------- the
# discriminator
@pytest.mark.parametrize(
    ("estimator", "trees"),
    [
        (FOREST, 10),
        (ExtraTreesClassifier(7), 7),
        (DecisionTreeClassifier(), 1),
        (GradientBoostingClassifier(n_estimators=6), 6),
    ],
    ids=lambda e: type(e).__name__,
)
def test_forests_have_leaves(estimator, trees):
    discriminator, rng = ClassifierDiscriminator(estimator), np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    discriminator.start(Batch(x), rng)
    assert discriminator.apply(Batch(x)).shape == (60, 1)
    discriminator.update(Batch(x), Batch(x + 1), rng)
    assert discriminator.apply(Batch(x)).shape == (60, trees)
    assert (discriminator.apply(Batch(x)) == discriminator.estimator_.apply(x).reshape(60, -1)).all()


def test_other_classifiers_have_none():
    assert not hasattr(ClassifierDiscriminator(LogisticRegression()), "apply")
    with pytest.raises(PlayerError, match="before start"):
        ClassifierDiscriminator(FOREST).apply(Batch(np.zeros((3, 2))))


# ------------------------------------------------------------------------------------------------------------ the signal
def test_the_bridge_binds_leaves():
    assert isinstance(make_signal(ForestGenerator(), ClassifierDiscriminator(FOREST)), LeafSignal)
    with pytest.raises(IncompatiblePlayers, match=r"ClassifierDiscriminator has none\. Choose a forest"):
        Game(ForestGenerator(), LogisticRegression())
    with pytest.raises(IncompatiblePlayers, match="Leave objective out"):
        Game(ForestGenerator(), FOREST, objective=NonSaturating())
    with pytest.raises(IncompatiblePlayers, match="Leave signal out"):
        Game(ForestGenerator(), FOREST, signal=ImportanceWeights())


@pytest.mark.parametrize(
    "leaves",
    [lambda b: np.zeros(b.n, int), lambda b: np.zeros((b.n, 2)), lambda b: [[1]] * b.n, lambda b: np.zeros((b.n, 0), int)],
)
def test_leaves_that_are_none_are_refused(leaves):
    game = Game(ForestGenerator(), SimpleDiscriminator(leaves), batch_size=50, random_state=0)
    with pytest.raises(PlayerError, match=r"Discriminator\.apply returned .* expected integers of shape \(50, trees\)"):
        next(game.rounds(moons().sample(200, 0)))


def test_leaves_of_tuples_are_handed_to_their_members():
    x, condition = np.arange(24.0).reshape(4, 3, 2), np.arange(12.0).reshape(4, 3, 1)
    leaves = Leaves(np.arange(8).reshape(4, 2), Batch(x, condition))
    opened = leaves.unpack(3, Samples(np.zeros((12, 2))))
    assert opened.real.x.shape == (12, 2)
    assert opened.real.condition.shape == (12, 1)
    assert (opened.values[:, 0] == np.repeat([0, 2, 4, 6], 3)).all()
    assert (opened.real.x[4] == x[1, 1]).all()
    next(Game(ForestGenerator(), FOREST, pack=2, batch_size=60, random_state=0).rounds(moons().sample(300, 0)))


# ------------------------------------------------------------------------------------------------------------ the distribution
def test_leaves_are_numbered_apart_in_each_tree():
    leaf = leaf_index(np.array([[5, 5], [9, 5], [5, 7]]))
    assert leaf.tolist() == [[0, 2], [1, 2], [0, 3]]


def test_variances_are_shrunk_by_one_sample():
    rng = np.random.default_rng(0)
    u, leaf = rng.normal(size=(30, 1)), np.repeat([0, 1, 2], [20, 9, 1])[:, None]
    distribution = shrinkage_density(u, leaf)
    parts = [u[leaf[:, 0] == k, 0] for k in range(3)]
    squares = np.array([((part - part.mean()) ** 2).sum() for part in parts])
    within = squares.sum() / 27
    assert distribution.mean[:, 0] == pytest.approx([part.mean() for part in parts])
    assert distribution.sd[:, 0] ** 2 == pytest.approx((squares + within) / [20, 9, 1])
    assert np.exp(distribution.log_weights) == pytest.approx([20 / 30, 9 / 30, 1 / 30])


def test_it_begins_as_independent_gaussians():
    x = np.random.default_rng(0).normal([3, -1], [1, 20], (500, 2))
    generator = started(x)
    fake = generator.propose(20_000, np.random.default_rng(1)).x
    assert fake.mean(axis=0) == pytest.approx(x.mean(axis=0), abs=0.6)
    assert fake.std(axis=0) == pytest.approx(x.std(axis=0), rel=0.03)
    expected = stats.norm.logpdf(x, x.mean(axis=0), x.std(axis=0)).sum(axis=1)
    assert generator.log_density(x) == pytest.approx(expected)


def test_good_leaves_are_taken_up_and_empty_ones_are_not():
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, 400)
    x = np.where(side, 5.0, -5.0)[:, None] + rng.normal(size=(400, 2))
    generator = started(x)
    trained(generator, x, side[:, None])
    assert generator.accepted_ == 1
    fake = generator.propose(4000, rng).x
    assert (np.sign(fake[:, 0]) == np.sign(fake[:, 1])).mean() > 0.99
    trained(generator, x, rng.integers(0, 2, (400, 1)))
    assert (generator.accepted_, generator.updates_) == (1, 2)


def test_the_density_integrates_to_one():
    x = moons().sample(400, 0)
    generator = started(x)
    trained(generator, x, np.digitize(x, [-1, -0.5, 0, 0.5, 1, 1.5]) @ [[1, 1], [1, 10]])
    side = np.linspace(-4, 5, 300)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert np.exp(generator.log_density(grid)).sum() * (side[1] - side[0]) ** 2 == pytest.approx(1, abs=1e-3)


def test_conditions_are_further_columns():
    rng = np.random.default_rng(0)
    condition = rng.normal(size=(800, 1))
    x = 2 * condition + 0.1 * rng.normal(size=(800, 1))
    generator = started(x, condition)
    trained(generator, x, np.digitize(condition, np.linspace(-2, 2, 20)), condition)
    conditions = np.array([[0.5], [-1.0]]).repeat(2000, axis=0)
    fake = generator.propose(4000, rng, conditions)
    assert fake.condition is conditions
    assert fake.x.reshape(2, -1).mean(axis=1) == pytest.approx([1, -2], abs=0.25)
    grid = np.linspace(-8, 8, 4001)[:, None]
    density = np.exp(generator.log_density(grid, np.full((4001, 1), 0.5)))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1, abs=1e-3)
    cdf = np.cumsum(density) * (grid[1, 0] - grid[0, 0])
    assert stats.kstest(np.interp(fake.x[:2000, 0], grid[:, 0], cdf), "uniform").pvalue > 1e-3


def test_constant_columns_stay_so_and_events_keep_their_shape():
    x = np.random.default_rng(0).normal(size=(100, 2, 2))
    x[:, 1, 0] = 7
    generator = started(x)
    trained(generator, x, np.arange(100)[:, None] % 4)
    fake = generator.propose(9, np.random.default_rng(0)).x
    assert fake.shape == (9, 2, 2)
    assert (fake[:, 1, 0] == 7).all()
    assert np.isfinite(generator.log_density(x)).all()


# ----------------------------------------------------------------------------------------------------------------- games
@pytest.mark.parametrize(
    "discriminator", [FOREST, ExtraTreesClassifier(10, min_samples_leaf=5)], ids=lambda j: type(j).__name__
)
def test_it_learns_the_moons(discriminator):
    distribution = moons()
    game = Game(ForestGenerator(), discriminator, batch_size=500, samples_per_fit=500, random_state=0)
    records = [r.accuracy for r in islice(game.rounds(distribution.sample(2000, 0)), 6)]
    y = distribution.sample(2000, 1)
    start = started(distribution.sample(500, 2)).propose(2000, np.random.default_rng(0)).x
    assert energy_distance(game.sample(2000), y) < 0.2 * energy_distance(start, y)
    assert np.mean(records[-3:]) < records[0]


def test_a_learner_with_it_is_saved_and_loaded(tmp_path):
    pytest.importorskip("skops", reason="needs skops, which is not installed")
    x = moons().sample(400, 0)
    learner = TuringLearner(ForestGenerator(), FOREST, rounds=3, random_state=0).fit(x)
    save(learner, tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.array_equal(loaded.sample(20, random_state=1), learner.sample(20, random_state=1))
    more = [list(one.set_params(rounds=4).play(x, resume=True))[-1].accuracy for one in (learner, loaded)]
    assert more[0] == more[1]


def test_an_adversarial_forest_is_refitted_in_a_game_and_saved(tmp_path):
    pytest.importorskip("skops", reason="needs skops, which is not installed")
    learner = TuringLearner(AdversarialForest(max_iter=1), FOREST, rounds=2, random_state=0).fit(moons().sample(300, 0))
    save(learner, tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.array_equal(loaded.sample(20, random_state=1), learner.sample(20, random_state=1))


# ---------------------------------------------------------------------------------------------------------------- errors
def test_what_it_cannot_learn_from_is_refused():
    x = moons().sample(50, 0)
    generator = started(x)
    samples = generator.propose(5, np.random.default_rng(0))
    with pytest.raises(PlayerError, match="learns from Leaves"):
        generator.update(samples, Losses(np.zeros(5)))
    trained(generator, x, np.zeros((50, 1), int))
    with pytest.raises(PlayerError, match="proposed before update"):
        generator.update(samples, Leaves(np.zeros((50, 1), int), Batch(x)))
    with pytest.raises(PlayerError, match="has not been started"):
        ForestGenerator().propose(3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="without conditions"):
        generator.propose(5, np.random.default_rng(0), np.zeros((5, 1)))
