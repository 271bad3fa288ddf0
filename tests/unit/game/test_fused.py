"""The fused round of two networks: the same game as the plain one, and used only where it is."""

from __future__ import annotations

import copy
import itertools
from itertools import islice

import numpy as np
import pytest

from turinglearn import Game, Replicas
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.batches import RoundBatches
from turinglearn.game.fused import FusedRound, can_fuse
from turinglearn.game.fusion import FusionPlan
from turinglearn.game.replay import Replay
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import R1, Adam, BatchNorm, LeakyReLU, Network
from turinglearn.nn.workspace import workspace
from turinglearn.protocols import Batch, PlayerError
from turinglearn.signals import Smoothed

X = np.random.default_rng(0).normal([3, -1], [1, 0.2], (300, 2))


def nets(generator=None, discriminator=None, replicas=None, **options):
    """A game of two small networks in float64."""
    players = (
        NeuralGenerator(3, (16, 8), dtype="float64", **(generator or {})),
        NeuralDiscriminator((8, 16), dtype="float64", **(discriminator or {})),
    )
    options = {"batch_size": 40, "random_state": 0, **options}
    return Game(*players, **options) if replicas is None else Replicas(*players, replicas, **options)


def play(one, n=15):
    return [[r.index, r.generator_loss, r.discriminator_loss, r.accuracy] for r in islice(one.rounds(X), n)]


def on(backend, options):
    """The same options, with both players on this array library."""
    if backend == "torch":
        pytest.importorskip("torch", reason="needs torch, which is not installed")
    return {**options, **{role: {**options.get(role, {}), "backend": backend} for role in ("generator", "discriminator")}}


CASES = {
    "usual": {},
    "minimax": {"objective": o.Minimax()},
    "least squares": {"discriminator": {"criterion": o.LeastSquares()}},
    # a critic's last bias has a slope of exactly 0, but for rounding, of which Adam would make whole steps
    "hinge": {"discriminator": {"criterion": o.Hinge(), "optimizer": Adam(epsilon=1e-5)}},
    "clipped": {"discriminator": {"criterion": o.Wasserstein(clip=0.05), "optimizer": Adam(epsilon=1e-5)}},
    "averaged": {"generator": {"ema_decay": 0.9}},
    "steps": {"discriminator_steps": 3, "generator_steps": 2},
    "sizes": {"samples_per_fit": 70},
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
def test_a_fused_round_is_the_plain_one(options, backend):
    options = on(backend, options)
    fused = nets(**options)
    figures = play(fused)
    assert fused.fused
    plain = nets(**options, fuse=False)
    np.testing.assert_allclose(figures, play(plain), rtol=1e-9, atol=1e-12)
    assert not plain.fused
    for role in ("generator", "discriminator"):
        here, there = (getattr(g, role).network_.parameters for g in (fused, plain))
        np.testing.assert_allclose(here, there, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(fused.sample(50), plain.sample(50), rtol=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        {"replay": Replay(50)},
        {"pack": 2},
        {"signal": Smoothed()},
        {"discriminator": {"criterion": o.Relativistic()}},
        {"simultaneous": True},
        {"discriminator": {"backend": "torch"}},
        {"discriminator": {"penalties": (R1(1.0),)}},
        {"discriminator": {"minibatch_stddev": True}},
        {"discriminator": {"dropout": 0.1}},
        {"generator": {"activation": LeakyReLU()}},
        {"generator": {"normalization": BatchNorm()}},
    ],
)
def test_other_games_are_played_plainly(options):
    if options.get("discriminator", {}).get("backend") == "torch":
        pytest.importorskip("torch", reason="needs torch, which is not installed")
    one = nets(**options)
    play(one, 2)
    assert not one.fused


def test_conditions_are_played_plainly():
    one = nets()
    next(one.rounds(X, X[:, :1]))
    assert not one.fused


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("many", [{}, {"replicas": 2}])
def test_constant_columns_stay_what_they_are(backend, many):
    data = np.column_stack((X, np.full(300, 7.0)))
    fused, plain = (nets(**on(backend, many), fuse=fuse) for fuse in (True, False))
    list(islice(fused.rounds(data), 15))
    assert fused.fused
    list(islice(plain.rounds(data), 15))
    np.testing.assert_allclose(fused.sample(50), plain.sample(50), rtol=1e-8)
    np.testing.assert_array_equal(fused.sample(50)[..., 2], 7)


def test_copies_and_restored_games_have_buffers_of_their_own():
    one = nets()
    play(one, 3)
    copied, restored = copy.deepcopy(one), nets()
    restored.restore(one.state())
    expected = play(copy.deepcopy(one), 4)
    assert play(copied, 4) == play(restored, 4) == expected
    assert play(one, 4) == expected


def test_a_rate_is_read_at_every_step():
    one = nets()
    play(one, 2)
    before = one.generator.network_.parameters.copy()
    one.generator.learning_rate = 0.0
    play(one, 2)
    np.testing.assert_array_equal(one.generator.network_.parameters, before)


def test_a_generator_that_diverges_is_named():
    one = nets(generator={"learning_rate": 1e300})
    with np.errstate(all="ignore"), pytest.raises(PlayerError, match=r"Neural\w+\.\w+.* returned NaN or infinity"):
        play(one, 20)


@pytest.mark.parametrize("tail", [6, 4])
def test_a_workspace_makes_the_passes_of_its_network(tail):
    rng = np.random.default_rng(0)
    network = Network((3, 5, 4, 2), rng, dtype=np.float64)
    network.parameters += 0.1 * rng.normal(size=network.parameters.shape)  # biases too
    x, dy = rng.normal(size=(6, 3)), rng.normal(size=(tail, 2))
    whole, _ = network.forward(x)
    _, tape = network.forward(x[-tail:])
    network.backward(tape, dy)
    gradient, dx = network.gradient.copy(), network.backward_inputs(tape, dy)
    space = workspace(network, 6, tail)
    space.x[...] = x.T
    np.testing.assert_allclose(space.forward(), whole.T)
    network.gradient[...] = 0
    np.testing.assert_allclose(space.backward(dy.T, parameters=True, inputs=True), dx.T)
    np.testing.assert_allclose(network.gradient, gradient)
    network.gradient[...] = 0
    space.backward(dy.T, parameters=False, inputs=True)
    assert not network.gradient.any()


def test_data_coarser_than_the_networks_are_played_plainly():
    """Their precision rounds the fakes, which a fused round would not do."""
    coarse = nets()
    next(coarse.rounds(X.astype(np.float32)))
    assert not coarse.fused


def test_a_change_of_library_leaves_the_fused_round():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    one = nets()
    play(one, 2)
    assert [r.index for r in islice(one.rounds(torch.tensor(X)), 2)] == [3, 4]


def test_buffers_belong_to_two_networks_and_their_units():
    for role, part in itertools.product(("generator", "discriminator"), ("network_", "optimizer_", "location_")):
        one, other = nets(), nets(random_state=1)
        play(one, 2), play(other, 2)
        own = FusedRound([one.players])
        assert own.matches()
        setattr(getattr(one, role), part, getattr(getattr(other, role), part))  # another network in the same units
        assert not own.matches()
    one = nets()
    play(one, 2)
    own = FusedRound([one.players])
    one.discriminator.location_ += 1  # in place
    assert not own.matches()


def test_players_in_different_units_are_played_plainly():
    one = nets()
    play(one, 2)
    assert can_fuse(one.players, Batch(X))
    one.discriminator.location_ = one.discriminator.location_ + 1
    assert not can_fuse(one.players, Batch(X))
    play(one, 1)
    assert not one.fused


def test_rounds_that_must_be_fused_and_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"fuse=True, but these rounds cannot be computed in one piece: .* Leave fuse out"):
        play(nets(pack=2, fuse=True), 1)


def test_noise_and_data_come_from_the_host_wherever_torch_makes_its_tensors():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    place = {"backend": "torch", "device": "cpu"}
    here, elsewhere = (nets(place, place) for _ in range(2))
    expected = play(here)
    with torch.device("meta"):
        assert play(elsewhere) == expected
    assert elsewhere.fused


def test_buffers_for_batches_of_other_sizes_are_not_kept():
    one = nets(batch_size=None)
    next(one.rounds(X))
    for n in (150, 50, 30):
        plan, batches = FusionPlan.build([one.players], rows(150)), rows(n)
        assert plan.matches(rows(150))
        assert plan.matches(batches) == (n == 150)


def rows(n):
    return RoundBatches([Batch(X[:n])], Batch(X[:n]))


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("options", [{}, {"replicas": 2}, {"pack": 2}], ids=["one", "replicas", "packed"])
def test_tensors_that_remember_a_graph_are_data_like_others(options, drawn):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")

    class Distribution:
        def __init__(self, fits_on_history):
            self.fits_on_history = fits_on_history

        def draw(self, n, rng):
            return Batch(torch.tensor(rng.normal(size=(n, 2)), requires_grad=self.fits_on_history))

    parameters = []
    for fits_on_history in (False, True):
        one = nets(**on("torch", options))
        list(islice(one.rounds(Distribution(fits_on_history) if drawn else torch.tensor(X, requires_grad=fits_on_history)), 3))
        parameters.append(getattr(one, "games", [one])[0].generator.network_.parameters)
    assert torch.equal(*parameters)
