"""Plots of what users have at hand: games, learners, discriminators, classifiers and functions are drawn alike."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from turinglearn import Game, TuringLearner, datasets
from turinglearn.discriminators import HandwrittenDiscriminator, NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.objectives import sigmoid
from turinglearn.plots import density_panel, discriminator_surface, losses, pairs, real_beside_fake
from turinglearn.plots.players import probabilities_at, samples_of, scores_at
from turinglearn.protocols import Batch

pytest.importorskip("matplotlib", reason="needs matplotlib, which is not installed")


def points(axes):
    return np.asarray(axes.collections[0].get_offsets())


def played(d, **options):
    """A game of two rounds on a Gaussian in d dimensions, its real samples, and the figures of its rounds."""
    real = np.random.default_rng(0).normal(size=(60, d))
    game = Game(NeuralGenerator(2, (4,)), NeuralDiscriminator((4,)), batch_size=20, random_state=0, **options)
    return game, real, [r.figures() for r in islice(game.rounds(real), 2)]


@pytest.fixture(scope="module")
def learner():
    real = np.random.default_rng(0).normal(size=(80, 2))
    return TuringLearner(rounds=2, random_state=0).fit(real)


def test_a_game_and_its_discriminator_have_the_same_scores():
    game, real, _ = played(2)
    expected = game.discriminator.score_samples(Batch(real)).values
    for scored in (game, game.discriminator, lambda x: game.discriminator.score_samples(Batch(x)).values):
        np.testing.assert_array_equal(scores_at(scored, real), expected)
    np.testing.assert_allclose(probabilities_at(game, real), sigmoid(expected))


def test_a_learner_and_a_classifier_score_by_their_decision_function(learner):
    x = np.random.default_rng(1).normal(size=(30, 2))
    np.testing.assert_array_equal(scores_at(learner, x), learner.decision_function(x))
    classifier = LogisticRegression().fit(x, x[:, 0] > 0)
    np.testing.assert_array_equal(scores_at(classifier, x), classifier.decision_function(x))
    np.testing.assert_allclose(probabilities_at(learner, x), sigmoid(learner.decision_function(x)))


def test_a_surface_takes_a_game_or_a_learner_without_fakes(learner):
    game, real, _ = played(2)
    for source in (game, learner):
        axes = discriminator_surface(source, real).axes[0]
        assert [len(each.get_offsets()) for each in axes.collections[-2:]] == [60, 60]


def test_samples_of_a_learner_are_the_same_each_time(learner):
    np.testing.assert_array_equal(samples_of(learner, 5), samples_of(learner, 5))
    fake = learner.sample(40, random_state=0)
    _, right = real_beside_fake(fake + 1, learner).axes
    np.testing.assert_allclose(points(right), fake)


def test_samples_of_a_game_are_drawn_beside_real_ones():
    game, real, _ = played(2)
    _, right = real_beside_fake(real, game).axes
    assert points(right).shape == (60, 2)


def test_a_learner_has_its_history_and_its_losses(learner):
    left, _ = losses(learner).axes
    dashed = sorted(line.get_ydata()[0] for line in left.lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(dashed, [np.log(2), 2 * np.log(2)])


def test_a_game_has_its_losses():
    game, _, rounds = played(2)
    one, other = losses(rounds, game), losses(rounds, game.signal.objective, game.criterion)
    for here, there in zip(one.axes, other.axes, strict=True):
        for a, b in zip(here.lines, there.lines, strict=True):
            np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


def test_a_density_panel_takes_distributions_and_a_game():
    game, _, _ = played(1)
    x, normal = np.linspace(-3, 3, 30), datasets.gaussian([0.0], [[1.0]])
    expected = np.exp(normal.log_density(x[:, None]))
    above, below = density_panel(x, normal, lambda points: np.full(len(points), 0.1), game).axes
    np.testing.assert_allclose(above.lines[0].get_ydata(), expected)
    np.testing.assert_allclose(above.lines[1].get_ydata(), 0.1)
    np.testing.assert_allclose(below.lines[1].get_ydata(), probabilities_at(game, x[:, None]))


def test_a_density_panel_draws_the_fakes_of_a_game():
    game, _, _ = played(1)
    above, below = density_panel(np.linspace(-3, 3, 30), lambda x: np.ones(len(x)), None, game).axes
    assert [each.get_label() for each in above.patches] == ["fake q"]
    assert len(below.lines) == 2


def test_pairs_take_a_learner():
    pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    rng = np.random.default_rng(0)
    real = pandas.DataFrame({"height": rng.normal(size=60), "city": rng.choice(["Lima", "Rome"], 60)})
    grid = pairs(real, TuringLearner(rounds=2, random_state=0).fit(real)).axes
    assert [len(grid[i].collections[0].get_offsets()) for i in (1, 2)] == [60, 60]


def test_games_without_scores_of_single_samples_are_refused():
    game, real, _ = played(2, pack=2)
    with pytest.raises(ValueError, match=r"The game has pack=2, so it has no score"):
        discriminator_surface(game, real, real)


def test_what_cannot_score_is_named():
    with pytest.raises(TypeError, match="list cannot score samples; expected a Game, a TuringLearner"):
        discriminator_surface([], np.ones((5, 2)), np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"There are no fakes\. Pass fake, or a Game"):
        discriminator_surface(lambda x: x[:, 0], np.ones((5, 2)))
    handwritten = HandwrittenDiscriminator(lambda x: x[:, 0])
    with pytest.raises(ValueError, match="returns Scores, from which no probability follows; expected LogOdds"):
        density_panel(np.arange(3.0), np.ones(3), np.ones(3), handwritten)
