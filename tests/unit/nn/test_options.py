"""Options of networks: one checked value, whose errors name the option and its owner."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from turinglearn import Game
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import (
    R1,
    SGD,
    Adam,
    BatchNorm,
    CosineDecay,
    ExponentialDecay,
    GradientPenalty,
    LayerNorm,
    LeakyReLU,
    LinearDecay,
    Maxout,
    Optimizer,
    RMSprop,
    SpectralNorm,
    Warmup,
)
from turinglearn.nn.options import NetworkOptions
from turinglearn.objectives import Hinge, Wasserstein


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1("a"), r"R1\(weight='a'\): expected a weight"),
        (lambda: GradientPenalty(-1.0), r"GradientPenalty\(weight=-1.0\): expected a weight"),
        (lambda: LeakyReLU(None), r"LeakyReLU\(slope=None\): expected a slope"),
        (lambda: Maxout(2.5), r"Maxout\(pieces=2.5\): expected an integer"),
        (lambda: BatchNorm(momentum=True), r"BatchNorm\(momentum=True\): expected the weight"),
        (lambda: LayerNorm(epsilon=np.nan), r"LayerNorm\(epsilon=nan\): expected a small"),
        (lambda: Adam(betas=("a", "b")), r"Adam\(betas=\('a', 'b'\)\): expected two decay rates"),
        (lambda: RMSprop(decay="x"), r"RMSprop\(decay='x'\): expected a decay"),
        (lambda: SGD(momentum=1.0), r"SGD\(momentum=1.0\): expected a decay"),
        (lambda: LinearDecay(1e-3, "x"), r"LinearDecay\(steps='x'\): expected at least one step"),
        (lambda: CosineDecay("x", 10), r"CosineDecay\(initial='x'\): expected a rate from 0 on"),
        (lambda: ExponentialDecay(1e-3, 10, 0.0), r"ExponentialDecay\(final=0.0\): expected a positive rate"),
        (lambda: Warmup(10, None), r"Warmup\(then=None\): expected a rate from 0 on, or a schedule"),
    ],
)
def test_an_option_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("player", "message"),
    [
        (NeuralGenerator(ema_decay="x"), r"NeuralGenerator\(ema_decay='x'\): expected a decay"),
        (NeuralGenerator(learning_rate=True), r"NeuralGenerator\(learning_rate=True\): expected a number"),
        (NeuralGenerator(clip_norm=True), r"NeuralGenerator\(clip_norm=True\): expected a positive norm"),
        (NeuralGenerator(learning_rate=lambda step: -1.0), r"gave -1.0 at step 0; expected a number from 0 on"),
        (NeuralGenerator(learning_rate=lambda step: None), r"gave None at step 0; expected a number from 0 on"),
    ],
)
def test_a_player_with_such_an_option(player, message):
    with pytest.raises(ValueError, match=message):
        next(Game(player, NeuralDiscriminator(), batch_size=20).rounds(np.random.default_rng(0).normal(size=(50, 2))))


@pytest.mark.parametrize("player", [NeuralGenerator(), NeuralDiscriminator()], ids=["generator", "discriminator"])
def test_options_of_players_are_those_of_the_value(player):
    """With the same defaults, so that a player and its options cannot come apart; scikit-learn's contract holds."""
    parameters, options = player.get_params(deep=False), vars(NetworkOptions())
    shared = parameters.keys() & options.keys()
    assert options.keys() - shared == ({"owner", "minibatch_stddev"} if "latent_dim" in parameters else {"owner", "ema_decay"})
    assert {name: parameters[name] for name in shared} == {name: options[name] for name in shared}
    changed = {"hidden": (3,), "dropout": 0.25, "clip_norm": 2.0, "dtype": "float64", "learning_rate": 0.5}
    copied = clone(player).set_params(**changed)
    assert vars(copied._options()) == {**options, **changed, "owner": type(player).__name__}


def test_options_are_one_frozen_value():
    with pytest.raises(AttributeError):
        NetworkOptions().dropout = 0.5
    assert NetworkOptions(hidden=(3,)) == NetworkOptions(hidden=(3,)) != NetworkOptions()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": (3, 0)}, r"Player\(hidden=\(3, 0\)\): expected a tuple of widths"),
        ({"hidden": 3}, r"Player\(hidden=3\): expected a tuple of widths"),
        ({"normalization": BatchNorm}, r"Player\(normalization=.*expected None, BatchNorm\(\)"),
        ({"dropout": 1.0}, r"Player\(dropout=1.0\): expected the share of features"),
        ({"minibatch_stddev": 1}, r"Player\(minibatch_stddev=1\): expected True or False"),
        ({"learning_rate": -1.0}, r"Player\(learning_rate=-1.0\): expected a number from 0 on"),
        ({"optimizer": Adam}, r"Player\(optimizer=.*expected a rule of turinglearn.nn: Adam\(\)"),
        ({"clip_norm": 0.0}, r"Player\(clip_norm=0.0\): expected a positive norm"),
        ({"ema_decay": 1.0}, r"Player\(ema_decay=1.0\): expected a decay"),
        ({"dtype": "float16"}, r"Player\(dtype='float16'\): expected 'float32' or 'float64'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NetworkOptions(owner="Player", **options)


def test_an_error_of_the_network_is_not_blamed_on_the_device(monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("turinglearn.nn.initialization.Network", fails)
    with pytest.raises(Exception, match="out of memory") as error:
        next(
            Game(NeuralGenerator(), NeuralDiscriminator(), batch_size=20).rounds(np.random.default_rng(0).normal(size=(50, 2)))
        )
    assert "device" not in str(error.value)


def test_a_gradient_whose_squares_overflow_is_still_shortened():
    p = np.zeros(4, np.float32)
    Optimizer(SGD(), p, 1.0).step(p, np.full(4, 1e30, np.float32), 1.0)
    np.testing.assert_allclose(p, -0.5)
    nothing = np.zeros(4, np.float32)
    Optimizer(SGD(), nothing, 1.0).step(nothing, np.zeros(4, np.float32), 1.0)
    assert not nothing.any()


@pytest.mark.parametrize(
    ("discriminator", "message"),
    [
        (NeuralDiscriminator(criterion=Wasserstein(), penalties=(GradientPenalty(),)), r"clip=0.01.*Choose one of them"),
        (NeuralDiscriminator(criterion=Wasserstein(), normalization=SpectralNorm()), r"clip=0.01.*Choose one of them"),
        (NeuralDiscriminator(penalties=(Hinge(),)), r"penalties=\(Hinge\(\),\)\): expected a tuple of penalties"),
        (NeuralDiscriminator(learning_rate=CosineDecay), r"learning_rate=.*expected a number from 0 on, or a function"),
        (NeuralDiscriminator(learning_rate=lambda: 1e-3), r"learning_rate=.*expected a number from 0 on, or a function"),
        (NeuralDiscriminator(activation=np.tanh), r"expected an activation of turinglearn.nn: ReLU\(\).*TorchDiscriminator"),
    ],
)
def test_a_discriminator_with_such_an_option(discriminator, message):
    with pytest.raises(ValueError, match=message):
        next(Game(NeuralGenerator(), discriminator, batch_size=20).rounds(np.random.default_rng(0).normal(size=(50, 2))))


def test_habits_from_torch_are_not_taken_for_other_options():
    for rule in (RMSprop, SGD):
        with pytest.raises(TypeError):
            rule(1e-3)
    with pytest.raises(ValueError, match=r"Wasserstein\(clip='a'\): expected a positive bound"):
        Wasserstein(clip="a")
