"""Random streams by seed and role: each role's own, and nobody else's."""

from __future__ import annotations

from itertools import combinations, islice

import numpy as np
import pytest

from tests.players import Diary, Shift
from turinglearn import Game
from turinglearn.game.replay import Replay
from turinglearn.protocols import Gradients, Losses
from turinglearn.signals import Smoothed, Student
from turinglearn.streams import Streams, as_seed

X = np.random.default_rng(0).normal(size=(400, 2))
ROLES = ("generator", "generator/start", "discriminator", "discriminator/start", "signal", "replay", "real", "start", "sample")


def test_every_role_has_draws_of_its_own():
    draws = {role: Streams(3)(role).random(8) for role in ROLES}
    for one, other in combinations(ROLES, 2):
        assert not np.isin(draws[one], draws[other]).any(), (one, other)


def test_a_stream_depends_on_its_seed_and_its_role_alone():
    early, late = Streams(3), Streams(3)
    late("generator").random(100)
    np.testing.assert_array_equal(early("signal").random(5), late("signal").random(5))
    assert Streams(4)("signal").random() != Streams(3)("signal").random()


def test_a_stream_goes_on_where_it_was():
    streams = Streams(0)
    assert streams("real") is streams("real")


def proposals(**options):
    """What a generator that never moves proposes in three rounds, and how many draws each stream has made by then."""
    generator = Shift(options.pop("feedback_type", Losses), rate=0.0)
    game = Game(generator, Diary(), batch_size=50, samples_per_fit=100, random_state=0, **options)
    list(islice(game.rounds(X), 3))
    states = {role: rng.bit_generator.state["state"]["state"] for role, rng in game.streams.opened.items()}
    return [samples.x for samples, _ in generator.feedbacks], states


@pytest.mark.parametrize(
    ("one", "other", "touched"),
    [
        ({}, {"replay": Replay()}, {"replay"}),
        ({"feedback_type": Gradients, "signal": Smoothed()}, {"feedback_type": Gradients, "signal": Student()}, {"signal"}),
    ],
    ids=["replay", "signal"],
)
def test_what_one_role_draws_changes_no_other(one, other, touched):
    (here, states), (there, others) = proposals(**one), proposals(**other)
    np.testing.assert_array_equal(here, there)
    assert {role for role in {*states, *others} if states.get(role) != others.get(role)} == touched


@pytest.mark.parametrize("bad", [-1, True, "7", 1.5])
def test_what_is_no_seed_is_refused(bad):
    with pytest.raises(ValueError, match=r"random_state=.* is not a seed. Give a whole number"):
        as_seed(bad)


def test_seeds_of_every_kind():
    assert as_seed(np.int64(5)) == 5
    assert as_seed(None) != as_seed(None)
    assert as_seed(np.random.default_rng(1)) == as_seed(np.random.default_rng(1))
    assert as_seed(np.random.RandomState(1)) == as_seed(np.random.RandomState(1))
