"""A new type of feedback with its signal is one new file: this one. A game, packing and the checks then know it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest

from tests.players import SimpleDiscriminator
from turinglearn import Game
from turinglearn.contract import score_samples
from turinglearn.protocols import Batch, Feedback, IncompatiblePlayers, LogOdds, Rng, Samples
from turinglearn.signals import Estimator, ScoredFeedback, Signal, Smoothed, make_signal


class Ranks(Feedback):
    """Rank of each fake among its batch, (n,), from 0 for the one that looks least real to 1."""

    __slots__ = ()


@dataclass(frozen=True)
class Ties(Estimator):
    """Option of the signal: how ties are ranked."""

    first: bool = True

    serves = Ranks


@dataclass(frozen=True)
class RankSignal(Signal):
    """Ranks need nothing but an order."""

    ties: Ties

    serves = Ranks

    @classmethod
    def bind(cls, generator, discriminator, objective, estimator, *, replayed):
        if not issubclass(discriminator.score_type, LogOdds):
            raise IncompatiblePlayers("RankSignal is for log-odds in this test. Choose such a discriminator.")
        return cls(discriminator, cls.checked_objective(discriminator, objective), estimator or Ties())

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        scores = score_samples(self.discriminator, fake)
        order = np.argsort(np.argsort(scores.values, kind="stable"), kind="stable")
        return ScoredFeedback(Ranks(order / max(1, fake.n - 1)), scores, None)

    @property
    def estimator(self):
        return self.ties


class Best:
    """A generator that moves towards the better half of its samples."""

    feedback_type = Ranks

    def __init__(self):
        self.mean = np.zeros(2)

    def propose(self, n, rng, condition=None):
        return Samples(self.mean + rng.normal(size=(n, 2)), condition)

    def update(self, samples, feedback):
        assert type(feedback) is Ranks
        self.mean = samples.x[feedback.values >= 0.5].mean(axis=0)


X = np.random.default_rng(0).normal([2, -1], 1, (500, 2))


@pytest.mark.parametrize("pack", [1, 2])
def test_a_game_is_played_by_a_new_kind_of_feedback(pack):
    target = np.array([2.0, -1.0])
    discriminator = SimpleDiscriminator(lambda x: -((x - target) ** 2).reshape(len(x), -1).sum(axis=1))
    game = Game(Best(), discriminator, batch_size=100, pack=pack, random_state=0)
    assert isinstance(game.signal, RankSignal)
    list(islice(game.rounds(X), 40))
    np.testing.assert_allclose(game.generator.mean, target, atol=0.3)


def test_options_of_the_new_signal_and_of_others():
    discriminator = SimpleDiscriminator(lambda x: x[:, 0])
    assert make_signal(Best(), discriminator, signal=Ties(first=False)).estimator == Ties(first=False)
    with pytest.raises(IncompatiblePlayers, match=r"Smoothed.* makes gradients, but Best learns from ranks"):
        make_signal(Best(), discriminator, signal=Smoothed())
