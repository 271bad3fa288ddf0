"""Every option of a game between two networks of the core, on every library and device, against NumPy in float64."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.replay import Replay
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import LinearDecay
from turinglearn.signals import Smoothed

X = np.random.default_rng(0).normal([3, -1], [1, 2], (200, 2))

# Adam turns the rounding of a slope that is all but zero into a step (relativistic ones on the last bias): a larger epsilon
# would tame it, so few rounds are compared instead.
GAMES = {
    "ema_decay": ({"ema_decay": 0.9}, {}, {}),
    "a schedule": ({"learning_rate": LinearDecay(1e-2, 4)}, {"learning_rate": LinearDecay(1e-2, 4)}, {}),
    "least squares": ({}, {"criterion": o.LeastSquares()}, {}),
    "hinge": ({}, {"criterion": o.Hinge()}, {}),
    "clipped": ({}, {"criterion": o.Wasserstein(clip=0.1)}, {}),
    "relativistic": ({}, {"criterion": o.Relativistic()}, {}),
    "minimax": ({}, {}, {"objective": o.Minimax()}),
    "reverse KL": ({}, {}, {"objective": o.ReverseKL()}),
    "forward KL": ({}, {}, {"objective": o.ForwardKL()}),
    "two steps each": ({}, {}, {"discriminator_steps": 2, "generator_steps": 2}),
    "simultaneous": ({}, {}, {"simultaneous": True}),
    "packed": ({}, {}, {"pack": 2}),
    "replayed": ({}, {}, {"replay": True}),
    "smoothed": ({}, {}, {"signal": Smoothed()}),
}


def played(place, data, makes, discriminators, options):
    options = {**options, "replay": Replay(capacity=50)} if "replay" in options else options
    generator = NeuralGenerator(3, (8,), dtype="float64", **place, **makes)
    discriminator = NeuralDiscriminator((8,), dtype="float64", **place, **discriminators)
    game = Game(generator, discriminator, batch_size=20, random_state=0, **options)
    figures = [record.figures() for record in islice(game.rounds(data), 4)]
    return game, figures


@pytest.mark.parametrize("options", GAMES.values(), ids=GAMES)
def test_a_game_is_numpys(arrays_on, options):
    place = {} if arrays_on.name == "numpy" else {"backend": arrays_on.library, "device": arrays_on.device}
    game, figures = played(place, arrays_on.asarray(X), *options)
    expected, theirs = played({}, X, *options)
    for found, wanted in zip(figures, theirs, strict=True):
        np.testing.assert_allclose(list(found.values()), list(wanted.values()), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(arrays_on.to_numpy(game.sample(30)), expected.sample(30), rtol=1e-5, atol=1e-7)
    for player in (game.generator, game.discriminator):
        held = (player.network_.parameters, player.network_.gradient, player.location_)
        assert {str(part.device) for part in held} == {str(arrays_on.device)}
