"""A game goes on from a state that fits it; any other is refused by name, and changes nothing."""

from __future__ import annotations

import pickle
from itertools import islice

import numpy as np
import pytest

from turinglearn import Game, Replicas
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.checkpoint import get_state
from turinglearn.game.replay import Replay
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.signals import Student

X = np.random.default_rng(0).normal([3, -1], [1, 2], (100, 2))


def play(game, rounds=3):
    list(islice(game.rounds(X), rounds))


def small(latent_dim=2, replicas=None, **options):
    players = NeuralGenerator(latent_dim, (4,)), NeuralDiscriminator((4,))
    if replicas is None:
        return Game(*players, random_state=0, **options)
    return Replicas(*players, replicas, random_state=0, **options)


def games_of(game):
    return getattr(game, "games", (game,))


def everything(game):
    """All that a game and its players remember."""
    parts = [get_state(player) for player in (game.generator, game.discriminator, *filter(None, [game.buffer]))]
    return pickle.dumps([game.index, game.seed, game.streams, vars(game._sampler.index), parts])


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
    ],
)
@pytest.mark.parametrize("played", [False, True])
def test_a_state_of_a_game_made_otherwise_is_refused_and_changes_nothing(other, there, here, played):
    one, other = small(batch_size=20), other()
    play(one)
    if played:
        next(other.rounds(X))
    before = [everything(game) for game in games_of(other)]
    with pytest.raises(ValueError, match=rf"a game with .*{there}.* but this one has .*{here}.*same players and options"):
        other.restore(one.state())
    assert [everything(game) for game in games_of(other)] == before


@pytest.mark.parametrize("state", [None, {}, 5, {"index": 3}, {"index": 3, "seed": 0, "replicas": []}])
def test_what_is_not_a_state_is_refused(state):
    with pytest.raises(ValueError, match=r"not a state of a game, but a .*Give what `state` returned"):
        small().restore(state)


@pytest.mark.parametrize("state", [None, {}, {"index": 3}, {"index": 3, "seed": 0, "replicas": []}])
def test_what_is_not_a_state_of_replicas_is_refused(state):
    with pytest.raises(ValueError, match=r"not a state of replicas.*Give what|has 0 replicas, but there are 2"):
        small(replicas=2).restore(state)


@pytest.mark.parametrize("many", [{}, {"replicas": 2}])
@pytest.mark.parametrize("part", ["discriminator", "replay", "batches"])
def test_a_state_that_fails_halfway_changes_nothing(part, many):
    one, other = (small(replay=Replay(50), batch_size=20, **many) for _ in range(2))
    play(one), play(other, 2)
    state = one.state()
    (state["replicas"][1] if many else state)[part] = 3
    before = [everything(game) for game in games_of(other)]
    with pytest.raises(ValueError, match=r"The state cannot be restored \(\w+Error: .*Give what `state` returned"):
        other.restore(state)
    assert [everything(game) for game in games_of(other)] == before
    other.restore(one.state())
    next(one.rounds(X)), next(other.rounds(X))
    np.testing.assert_array_equal(other.sample(5), one.sample(5))


def test_functions_and_numbers_of_numpy_are_no_other_options():
    rates = [NeuralGenerator(2, (4,), learning_rate=lambda step: 1e-3, ema_decay=a) for a in (0.5, np.float64(0.5))]
    one, other = (Game(generator, NeuralDiscriminator((4,)), random_state=0) for generator in rates)
    play(one)
    other.restore(one.state())
    assert other.index == 3
