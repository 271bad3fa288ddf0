"""A game goes on from a state that fits it; any other is refused by name, and changes nothing."""

from __future__ import annotations

import pickle
from itertools import islice

import numpy as np
import pytest

from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.replay import Replay
from turinglearn.signals import Student
from turinglearn.state import remember

X = np.random.default_rng(0).normal([3, -1], [1, 2], (100, 2))


def play(game, rounds=3):
    list(islice(game.rounds(X), rounds))


def small(latent_dim=2, **options):
    return Game(NeuralGenerator(latent_dim, (4,)), NeuralDiscriminator((4,)), random_state=0, **options)


def everything(game):
    """All that a game and its players remember."""
    parts = [remember(player) for player in (game.generator, game.discriminator, *filter(None, [game.replay]))]
    return pickle.dumps([game.index, game.seed, game.streams, vars(game._dealer.deck), parts])


@pytest.mark.parametrize(
    ("other", "there", "here"),
    [
        (lambda: small(3), r"generator.latent_dim=2,", "generator.latent_dim=3. Restore"),
        (lambda: small(batch_size=7, pack=7), "batch_size=20, pack=1,", "batch_size=7, pack=7. Restore"),
        (lambda: small(batch_size=20, replay=Replay(9)), "replay=None,", r"replay=Replay\(capacity=9, .*\). Restore"),
        (
            lambda: small(batch_size=20, objective=o.Minimax()),
            r"objective=NonSaturating\(\),",
            r"objective=Minimax\(\). Restore",
        ),
        (lambda: Game(MixtureGenerator(2), NeuralDiscriminator((4,)), batch_size=20), "generator=NeuralGenerator", "MixtureG"),
        (lambda: small(batch_size=20, signal=Student()), r"signal=Exact\(\),", "signal=Student"),
        (lambda: small(batch_size=20, replicas=2), "replicas=None,", "replicas=2. Restore"),
    ],
)
@pytest.mark.parametrize("played", [False, True])
def test_a_state_of_a_game_made_otherwise_is_refused_and_changes_nothing(other, there, here, played):
    one, other = small(batch_size=20), other()
    play(one)
    for game in (other, *other.replicas) if played else ():
        next(game.rounds(X))
    before = [everything(game) for game in (other, *other.replicas)]
    with pytest.raises(ValueError, match=rf"a game with .*{there}.* but this one has .*{here}.*same players and options"):
        other.restore(one.state())
    assert [everything(game) for game in (other, *other.replicas)] == before


@pytest.mark.parametrize("state", [None, {}, 5, {"index": 3}, {"index": 3, "seed": 0, "replicas": []}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match=r"no state of a game, but a .*Give what `state` returned|with replicas=0"):
        small().restore(state)


@pytest.mark.parametrize("many", [{}, {"replicas": 2}])
@pytest.mark.parametrize("part", ["discriminator", "replay", "deck"])
def test_a_state_that_fails_halfway_changes_nothing(part, many):
    one, other = (small(replay=Replay(50), batch_size=20, **many) for _ in range(2))
    play(one), play(other, 2)
    state = one.state()
    (state["replicas"][1] if many else state)[part] = 3
    before = [everything(game) for game in (other, *other.replicas)]
    with pytest.raises(ValueError, match=r"The state cannot be restored \(\w+Error: .*Give what `state` returned"):
        other.restore(state)
    assert [everything(game) for game in (other, *other.replicas)] == before
    other.restore(one.state())
    next(one.rounds(X)), next(other.rounds(X))
    np.testing.assert_array_equal(other.sample(5), one.sample(5))


def test_functions_and_numbers_of_numpy_are_no_other_options():
    rates = [NeuralGenerator(2, (4,), learning_rate=lambda step: 1e-3, averaging=a) for a in (0.5, np.float64(0.5))]
    one, other = (Game(generator, NeuralDiscriminator((4,)), random_state=0) for generator in rates)
    play(one)
    other.restore(one.state())
    assert other.index == 3
