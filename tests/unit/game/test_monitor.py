"""What the figures say of evidence, and the one warning: it comes in sick games, once, and not in healthy ones."""

from __future__ import annotations

import math
import warnings
from itertools import islice

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from tests.players import Shift, SimpleDiscriminator
from turinglearn import Game, Replicas
from turinglearn.contract import name_of
from turinglearn.discriminators import ClassifierDiscriminator, NeuralDiscriminator
from turinglearn.game.replay import Replay
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.protocols import EvidenceWarning, LogRatio, Losses, Scores

X = np.random.default_rng(0).normal(size=(600, 2))


class Refitted(SimpleDiscriminator):
    """A discriminator that says it is fitted from scratch."""

    refits = True


def condition(game, rounds, data=X):
    """The warnings of this many rounds."""
    with warnings.catch_warnings(record=True) as fake_recall:
        warnings.simplefilter("always")
        for _ in islice(game.rounds(data), rounds):
            pass
    return [str(w.message) for w in fake_recall if w.category is EvidenceWarning]


def first(score, generator=None, **options):
    return next(Game(generator or Shift(Losses), Refitted(score), batch_size=50, random_state=0, **options).rounds(X))


# --------------------------------------------------------------------------------------------------------------- figures
def test_figures_of_the_evidence():
    record = first(lambda x: 0.3 * x[:, 0])
    w = np.exp(record.scores.values)
    assert record.mean_ratio == pytest.approx(w.mean())
    assert record.effective_share == pytest.approx(w.sum() ** 2 / (w**2).sum() / 50)
    assert record.figures()["mean_ratio"] == record.mean_ratio


def test_the_mean_ratio_of_the_true_log_odds_is_one():
    """q = N(0, I) and p = N((1, 0), I): r = x_0 - 1/2, and E_q e^2r = e."""
    game = Game(Shift(Losses, rate=0), Refitted(lambda x: x[:, 0] - 0.5), batch_size=10_000, random_state=0)
    record = next(game.rounds(np.random.default_rng(1).normal([1, 0], 1, (30_000, 2))))
    assert record.mean_ratio == pytest.approx(1, abs=0.05)  # four standard errors
    assert record.effective_share == pytest.approx(1 / math.e, abs=0.05)


def test_figures_are_of_fakes_from_the_generator_that_the_discriminator_was_fitted_to():
    """Not of those that later steps of the round make."""
    record = first(lambda x: 0.1 * x[:, 0], generator_steps=5)
    assert record.mean_ratio != pytest.approx(np.exp(record.scores.values).mean(), rel=1e-9)


@pytest.mark.parametrize(
    "game",
    [
        Game(Shift(Losses), SimpleDiscriminator(), batch_size=50),
        Game(Shift(Losses), Refitted(), batch_size=50, replay=Replay()),
        Game(Shift(Losses), Refitted(), batch_size=50, simultaneous=True),
        Game(Shift(Losses), Refitted(score_type=Scores), batch_size=50),
        Game(NeuralGenerator(2, (4,)), NeuralDiscriminator((4,)), batch_size=50),
    ],
    ids=["no refits", "replay", "simultaneous", "an order", "fused"],
)
def test_where_there_is_no_such_distribution_or_ratio_figures_are_nan(game):
    record = next(game.rounds(X))
    assert math.isnan(record.mean_ratio)
    assert math.isnan(record.effective_share)


def test_a_ratio_up_to_a_constant_has_a_share_but_no_mean():
    record = next(Game(Shift(Losses), Refitted(lambda x: x[:, 0], score_type=LogRatio), batch_size=50).rounds(X))
    assert math.isnan(record.mean_ratio)
    assert 0 < record.effective_share < 1


def test_enormous_evidence_overflows_nowhere():
    record = first(lambda x: 1e4 * x[:, 0])
    assert math.isfinite(record.mean_ratio)
    assert record.effective_share == pytest.approx(1 / 50)


# --------------------------------------------------------------------------------------------------------------- warning
class Nearly(Refitted):
    """Knows the real samples by heart, and has no opinion in every so many-th round."""

    def __init__(self, every):
        super().__init__(self._score)
        self.every, self.rounds = every, 0

    def update(self, real, fake, rng):
        self.rounds += 1

    def _score(self, x):
        if self.rounds % self.every == 0:
            return np.zeros(len(x))
        known = np.array([(row == X).all(axis=1).any() for row in x])
        return np.where(known, 2.0, -2.0)


def test_a_discriminator_that_is_never_wrong_is_warned_of_once():
    game = Game(Shift(Losses, rate=0), RandomForestClassifier(5), batch_size=50, samples_per_fit=200, random_state=0)
    response = condition(game, 65, X + 100)
    assert len(response) == 1
    assert "RandomForestClassifier has recognised every fake for 30 rounds" in response[0]
    assert "replay=Replay()" in response[0]


def test_a_discriminator_that_is_far_too_sure_is_warned_of_once_where_ratios_are_weights():
    discriminator = KNeighborsClassifier(1)
    game = Game(MixtureGenerator(2), discriminator, batch_size=100, samples_per_fit=400, random_state=0)
    (response,) = condition(game, 70)
    assert "KNeighborsClassifier has been too sure for 30 rounds" in response
    assert "calibrate='isotonic'" in response
    calibrated = ClassifierDiscriminator(discriminator, calibrate="isotonic")  # the remedy
    assert not condition(Game(MixtureGenerator(2), calibrated, batch_size=100, samples_per_fit=400, random_state=0), 70)
    slopes = Game(Shift(Losses), discriminator, batch_size=100, samples_per_fit=400, random_state=0)
    assert not condition(slopes, 70)  # the loss is bounded in r: it learns all the same


def test_it_takes_thirty_rounds_on_end():
    game = Game(Shift(Losses), Nearly(30), batch_size=50, random_state=0)
    assert not condition(game, 100)
    game = Game(Shift(Losses), Nearly(31), batch_size=50, random_state=0)
    assert len(condition(game, 100)) == 1


def test_replicas_share_one_warning():
    game = Replicas(Shift(Losses), Nearly(1000), 3, batch_size=50, random_state=0)
    assert len(condition(game, 40)) == 1


@pytest.mark.parametrize("generator", [MixtureGenerator(3), GaussianMixture(3), NeuralGenerator(2, (16,))], ids=name_of)
@pytest.mark.parametrize(
    "discriminator", [RandomForestClassifier(10, min_samples_leaf=5), KNeighborsClassifier(30)], ids=name_of
)
def test_healthy_games_are_silent(generator, discriminator):
    game = Game(generator, discriminator, batch_size=100, samples_per_fit=300, random_state=0)
    assert condition(game, 40) == []


def test_real_samples_are_asked_about_only_on_suspicion():
    discriminator = Nearly(31)
    game, asked = Game(Shift(Losses), discriminator, batch_size=50, random_state=0), []
    plain = discriminator.score_samples
    discriminator.score_samples = lambda batch: asked.append(discriminator.rounds) or plain(batch)
    for _ in islice(game.rounds(X), 29):
        pass
    assert asked == list(range(1, 30))
    with pytest.warns(EvidenceWarning, match="every real sample too"):
        next(game.rounds(X))
    assert asked[29:] == [30, 30]
