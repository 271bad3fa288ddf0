"""The schedule: each option named once, checked where it is made, and the same for games and learners."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from turinglearn import Game, Schedule, TuringLearner
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.replay import Replay
from turinglearn.generators import NeuralGenerator

PLAYERS = NeuralGenerator(2, (4,)), NeuralDiscriminator((4,))


def test_a_game_takes_a_schedule_or_its_options_by_name():
    by_name = Game(*PLAYERS, batch_size=np.int64(32), replay=Replay(50)).schedule
    assert by_name == Game(*PLAYERS, schedule=Schedule(batch_size=32, replay=Replay(50))).schedule
    assert type(by_name.batch_size) is int
    with pytest.raises(TypeError, match="Give a schedule or the option 'pack', not both"):
        Game(*PLAYERS, schedule=Schedule(), pack=2)


def test_a_schedule_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Schedule().pack = 2


def test_a_learner_has_the_options_of_the_schedule_but_those_of_a_game_alone():
    own = {field.name: field.default for field in fields(Schedule)}
    parameters = inspect.signature(TuringLearner).parameters
    shared = {name: parameters[name].default for name in own if name in parameters}
    assert shared == {name: default for name, default in own.items() if name not in ("simultaneous", "subsample")}
    assert Schedule.of(TuringLearner(pack=2, batch_size=64)) == Schedule(pack=2, batch_size=64)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"batchsize": 3}, TypeError, "A game has no option 'batchsize'; did you mean 'batch_size'?"),
        ({"colour": 3}, TypeError, "A game has no option 'colour'; expected one of: batch_size, samples_per_fit"),
        ({"batch_size": 0}, ValueError, "batch_size=0: expected an integer, at least 1"),
        ({"pack": None}, ValueError, "pack=None: expected an integer, at least 1"),
        ({"discriminator_steps": True}, ValueError, "discriminator_steps=True: expected an integer"),
        ({"subsample": 2.5}, ValueError, "subsample=2.5: expected an integer"),
        ({"replay": 5}, TypeError, "replay=5: expected a Replay"),
        ({"simultaneous": 1}, TypeError, "simultaneous=1: expected True or False"),
        ({"simultaneous": True, "discriminator_steps": 2}, ValueError, "one step of each player on the same fakes"),
    ],
)
def test_options_that_cannot_be_are_named_before_anything_is_played(options, error, said):
    with pytest.raises(error, match=said.replace("?", r"\?")):
        Game(*PLAYERS, **options)
