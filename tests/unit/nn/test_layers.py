"""Layers: every derivative meets a finite difference on every library, and PyTorch's layers compute the same."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn.nn import GELU, BatchNorm, LayerNorm, LeakyReLU, Maxout, MinibatchStdDev, Network, ReLU, SpectralNorm, Tanh
from turinglearn.nn.affine import Affine
from turinglearn.nn.dropout import Dropout
from turinglearn.nn.layers import LayerBuffers
from turinglearn.nn.mlp import mlp
from turinglearn.nn.options import NetworkOptions
from turinglearn.nn.spectral import SpectralAffine
from turinglearn.protocols import PlayerError

STEP = 1e-6
# Layers between an affine layer of six features and the last one, and their number of features.
MIDDLES = {
    "relu": ((ReLU(),), 6),
    "leaky relu": ((LeakyReLU(0.3),), 6),
    "tanh": ((Tanh(),), 6),
    "gelu": ((GELU(),), 6),
    "maxout": ((Maxout(3),), 2),
    "batch norm": ((BatchNorm(),), 6),
    "layer norm": ((LayerNorm(),), 6),
    "dropout": ((Dropout(0.4),), 6),
    "minibatch standard deviation": ((MinibatchStdDev(),), 7),
    "spectral norm": ((SpectralAffine(6, 4),), 4),
    "many": ((BatchNorm(), GELU(), Dropout(0.3), MinibatchStdDev(), SpectralAffine(7, 5), LayerNorm(), Tanh()), 5),
}


def network_on(arrays_on, middle, seed=0):
    layers, features = MIDDLES[middle]
    rng = np.random.default_rng(seed)
    layers = (Affine(3, 6), *layers, Affine(features, 2))
    network = Network((3, 6, 2), rng, arrays_on.xp, arrays_on.device, arrays_on.xp.float64, layers=layers)
    network.parameters += arrays_on.asarray(0.1 * rng.standard_normal(network.parameters.shape))  # gains and biases too
    return network


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("middle", MIDDLES)
def test_every_derivative_meets_finite_differences(arrays_on, middle, training):
    """Of <dy, y> + <dt, J t>: in the parameters jointly and one by one, of <dy, y> in x, and J t itself."""
    network, rng = network_on(arrays_on, middle), np.random.default_rng(1)
    x, t, dy, dt = (arrays_on.asarray(rng.standard_normal((5, k))) for k in (3, 3, 2, 2))

    def passes(x):
        return network.forward(x, training, np.random.default_rng(7))  # the same gaps each time

    def value(of_y=1.0, of_t=0.0):
        y, tape = passes(x)
        moved, _ = network.tangent(tape, t)
        return float(arrays_on.xp.sum(of_y * dy * y + of_t * dt * moved))

    def differences(buffer, **of):
        slopes = []
        for index in np.ndindex(tuple(buffer.shape)):
            kept, ends = float(buffer[index]), []
            for sign in (1, -1):
                buffer[index] = kept + sign * STEP
                ends.append(value(**of))
            buffer[index] = kept
            slopes.append((ends[0] - ends[1]) / (2 * STEP))
        return np.reshape(slopes, tuple(buffer.shape))

    _, tape = passes(x)
    along = (passes(x + STEP * t)[0] - passes(x - STEP * t)[0]) / (2 * STEP)
    moved, tangent_tape = network.tangent(tape, t)
    np.testing.assert_allclose(arrays_on.to_numpy(moved), arrays_on.to_numpy(along), atol=1e-8)
    np.testing.assert_allclose(arrays_on.to_numpy(network.backward_inputs(tape, dy)), differences(x), atol=1e-7)
    network.backward(tape, dy)
    np.testing.assert_allclose(arrays_on.to_numpy(network.gradient), differences(network.parameters), atol=1e-7)
    network.backward_tangent(tangent_tape, dt)
    of_t = differences(network.parameters, of_y=0.0, of_t=1.0)
    np.testing.assert_allclose(arrays_on.to_numpy(network.gradient), of_t, atol=1e-7)
    jointly = of_t + differences(network.parameters)
    network.backward(tape, dy, add=True)
    np.testing.assert_allclose(arrays_on.to_numpy(network.gradient), jointly, atol=2e-7)
    network.backward_tangent(tangent_tape, dt, dy)
    np.testing.assert_allclose(arrays_on.to_numpy(network.gradient), jointly, atol=2e-7)
    network.backward_tangent(tangent_tape, dt, dy, add=True)
    np.testing.assert_allclose(arrays_on.to_numpy(network.gradient), 2 * jointly, atol=4e-7)


@pytest.mark.parametrize("middle", MIDDLES)
def test_passes_change_no_array_that_they_are_given(middle):
    class Here:
        xp, device, asarray = np, None, staticmethod(np.asarray)

    network, rng = network_on(Here, middle), np.random.default_rng(1)
    x, t, dy = (rng.standard_normal((5, k)) for k in (3, 3, 2))
    before = [v.copy() for v in (x, t, dy, network.parameters)]
    for v in (x, t, dy):
        v.flags.writeable = False
    _, tape = network.forward(x, True, rng)
    network.backward(tape, dy)
    network.backward_inputs(tape, dy)
    network.backward_tangent(network.tangent(tape, t)[1], dy, dy)
    for now, then in zip((x, t, dy, network.parameters), before, strict=True):
        np.testing.assert_array_equal(now, then)


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.sampled_from([ReLU(), LeakyReLU(), Tanh(), GELU(), Maxout(2)]),
    st.sampled_from([None, BatchNorm(), LayerNorm(), SpectralNorm()]),
    st.sampled_from([0.0, 0.5]),
    st.booleans(),
    st.integers(0, 100),
)
def test_the_tangent_is_the_transpose_of_the_pullback(widths, activation, normalization, dropout, minibatch_stddev, seed):
    """<dy, J t> = <J^T dy, t>, for every chain that options can make."""
    options = NetworkOptions(
        activation=activation, normalization=normalization, dropout=dropout, minibatch_stddev=minibatch_stddev
    )
    layers = mlp(tuple(widths), options)
    rng = np.random.default_rng(seed)
    network = Network(tuple(widths), rng, dtype=np.float64, layers=layers)
    x, t, dy = (rng.standard_normal((4, k)) for k in (widths[0], widths[0], widths[-1]))
    _, tape = network.forward(x, True, rng)
    there, back = np.vdot(dy, network.tangent(tape, t)[0]), np.vdot(network.backward_inputs(tape, dy), t)
    assert there == pytest.approx(back, rel=1e-9, abs=1e-9)


def test_plain_networks_are_distinguished_from_others():
    rng = np.random.default_rng(0)
    plain = Network((3, 5, 4, 2), rng)
    assert plain.plain
    assert not plain.coupled
    assert plain.statistics.shape == (0,)
    for middle, (layers, features) in MIDDLES.items():
        network = Network((3, 6, 2), rng, layers=(Affine(3, 6), *layers, Affine(features, 2)))
        assert network.plain == (middle == "relu")
        assert network.coupled == any(isinstance(layer, BatchNorm | MinibatchStdDev) for layer in layers)


def test_matrices_are_views_of_every_affine_layer():
    layers = mlp((3, 4, 2), NetworkOptions(activation=Maxout(2), normalization=LayerNorm()))
    network = Network((3, 4, 2), np.random.default_rng(0), dtype=np.float64, layers=layers)
    first, last = network.matrices(network.parameters)
    assert (first.shape, last.shape) == ((4, 8), (5, 2))
    x, network.parameters[...] = np.ones((1, 3)), 0.0
    last[-1] = [1.0, 2.0]
    np.testing.assert_array_equal(network.forward(x)[0], [[1.0, 2.0]])


# --------------------------------------------------------------------------------------------------- beside PyTorch's
def both(ours, theirs, features=6, inputs=None):
    """Ours between two identities, with everything that training and evaluation give, against the module."""
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    rng = np.random.default_rng(3)
    network = Network((features, features), rng, dtype=np.float64, layers=(Affine(features, features), ours))
    network.matrices(network.parameters)[0][...] = np.vstack((np.eye(features), np.zeros(features)))
    theirs = theirs.double()
    for parameter, value in zip(theirs.parameters(), network._parts[1][1].parameters, strict=True):
        value[...] = rng.standard_normal(value.shape)
        with torch.no_grad():
            parameter.copy_(torch.tensor(value[0]))
    for training in (True, True, False):
        x, dy = 2 + rng.standard_normal((8, features)), rng.standard_normal((8, features))
        theirs.train(training)
        z = torch.tensor(x, requires_grad=True)
        y, tape = network.forward(x, training)
        expected = theirs(z)
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
        theirs.zero_grad()
        expected.backward(torch.tensor(dy))
        np.testing.assert_allclose(network.backward_inputs(tape, dy), z.grad.numpy(), rtol=1e-9, atol=1e-12)
        network.backward(tape, dy)
        for parameter, slope in zip(theirs.parameters(), network._parts[1][1].gradients, strict=True):
            np.testing.assert_allclose(slope[0], parameter.grad.numpy(), rtol=1e-9, atol=1e-12)
    return network, theirs


def test_activations_and_layer_norm_are_pytorchs():
    nn = pytest.importorskip("torch", reason="needs torch, which is not installed").nn
    for ours, theirs in (
        (ReLU(), nn.ReLU()),
        (LeakyReLU(), nn.LeakyReLU(0.2)),
        (Tanh(), nn.Tanh()),
        (GELU(), nn.GELU()),
        (LayerNorm(), nn.LayerNorm(6)),
    ):
        both(ours, theirs)


@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_batch_norm_and_its_running_averages_are_pytorchs(momentum):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    network, theirs = both(BatchNorm(momentum), torch.nn.BatchNorm1d(6, momentum=momentum))
    np.testing.assert_allclose(network.statistics[:6], theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(network.statistics[6:], theirs.running_var.numpy(), rtol=1e-12)


def test_spectral_norm_is_pytorchs():
    """Values, gradients, u and v over several updates, each with one power iteration."""
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    rng = np.random.default_rng(3)
    network = Network((5, 3), rng, dtype=np.float64, layers=(SpectralAffine(5, 3),))
    (weight, bias), (v, u) = network._parts[0][1].parameters, network._parts[0][1].statistics
    module = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(5, 3).double())
    norm, original = module.parametrizations.weight[0], module.parametrizations.weight.original
    with torch.no_grad():
        original.copy_(torch.tensor(weight.T))
        module.bias.copy_(torch.tensor(bias[0]))
        norm._u.copy_(torch.tensor(u[0]))
        norm._v.copy_(torch.tensor(v[0]))
    module.eval()
    for _ in range(4):
        x, dy = rng.standard_normal((6, 5)), rng.standard_normal((6, 3))
        y, tape = network.forward(x)
        expected = module(torch.tensor(x))
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-10)
        module.zero_grad()
        expected.backward(torch.tensor(dy))
        network.backward(tape, dy)
        np.testing.assert_allclose(network.matrices(network.gradient)[0][:-1].T, original.grad.numpy(), atol=1e-12)
        network.parameters += 0.1 * network.gradient
        network.on_parameters_changed()
        with torch.no_grad():
            original += 0.1 * original.grad
            module.bias += 0.1 * module.bias.grad
        module.train()
        module(torch.tensor(x))  # one power iteration
        module.eval()
        np.testing.assert_allclose(u[0], norm._u.numpy(), atol=1e-12)


def test_spectral_norm_finds_the_largest_singular_value():
    network = Network((20, 10), np.random.default_rng(0), dtype=np.float64, layers=(SpectralAffine(20, 10),))
    for _ in range(300):
        network.on_parameters_changed()
    weight = network._parts[0][1].parameters[0]
    y, _ = network.forward(np.eye(20))
    np.testing.assert_allclose(y, weight / np.linalg.svd(weight)[1][0], rtol=1e-6)


def test_erf_is_scipys(arrays_on):
    from scipy.special import erf as exact

    from turinglearn.arrays import erf

    x = np.linspace(-4, 4, 41)
    y = erf(arrays_on.asarray(x))
    assert type(y) is type(arrays_on.asarray(x))
    np.testing.assert_allclose(arrays_on.to_numpy(y), exact(x), rtol=1e-12)


# ------------------------------------------------------------------------------------------------- training and evaluation
def test_dropout_keeps_the_mean_and_evaluation_drops_nothing():
    network = Network((1, 1), np.random.default_rng(0), dtype=np.float64, layers=(Affine(1, 1), Dropout(0.25)))
    network.parameters[...] = [1.0, 0.0]
    y, _ = network.forward(np.ones((40_000, 1)), True, np.random.default_rng(0))
    assert set(np.unique(y)) <= {0.0, 1 / 0.75}
    assert abs(np.mean(y == 0) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 40_000)
    np.testing.assert_array_equal(network.forward(np.ones((3, 1)))[0], 1.0)
    with pytest.raises(ValueError, match=r"Dropout draws at random.*rng=rng"):
        network.forward(np.ones((3, 1)), True)


def test_asking_changes_nothing(arrays_on):
    network = network_on(arrays_on, "many")
    before = arrays_on.to_numpy(network.statistics).copy()
    x = arrays_on.asarray(np.random.default_rng(0).standard_normal((5, 3)))
    once, again = network.forward(x)[0], network.forward(x)[0]
    np.testing.assert_array_equal(arrays_on.to_numpy(once), arrays_on.to_numpy(again))
    np.testing.assert_array_equal(arrays_on.to_numpy(network.statistics), before)
    network.forward(x, True, np.random.default_rng(0))
    assert not np.array_equal(arrays_on.to_numpy(network.statistics), before)


def test_minibatch_deviation_is_the_mean_standard_deviation():
    x = np.random.default_rng(0).standard_normal((50, 3))
    network = Network((3, 4), np.random.default_rng(0), dtype=np.float64, layers=(MinibatchStdDev(), Affine(4, 4)))
    network.matrices(network.parameters)[0][...] = np.eye(5)[:, :4]
    y, _ = network.forward(x)
    np.testing.assert_array_equal(y[:, :3], x)
    np.testing.assert_allclose(y[:, 3], x.std(axis=0).mean(), rtol=1e-6)


def test_copies_hold_statistics_of_their_own():
    rng = np.random.default_rng(0)
    layers = mlp((3, 4, 4, 1), NetworkOptions(activation=Tanh(), normalization=BatchNorm(), dropout=0.5))
    network = Network((3, 4, 4, 1), rng, layers=layers)
    network.forward(rng.standard_normal((6, 3)).astype(np.float32), True, rng)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert other.layers == network.layers
        np.testing.assert_array_equal(other.statistics, network.statistics)
        before = network.statistics.copy()
        other.forward(rng.standard_normal((6, 3)).astype(np.float32), True, rng)
        assert not np.array_equal(other.statistics, before)
        np.testing.assert_array_equal(network.statistics, before)


# ------------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeakyReLU(-0.1), r"LeakyReLU\(slope=-0.1\): expected a slope in \[0, 1\)"),
        (lambda: Maxout(1), r"Maxout\(pieces=1\): expected an integer, at least 2"),
        (lambda: Dropout(1.0), r"Dropout\(rate=1.0\): expected a probability"),
        (lambda: BatchNorm(0.0), r"BatchNorm\(momentum=0.0\): expected the weight of the latest batch"),
        (lambda: LayerNorm(0.0), r"LayerNorm\(epsilon=0.0\): expected a small positive number"),
        (lambda: MinibatchStdDev(-1.0), r"MinibatchStdDev\(epsilon=-1.0\): expected a small positive number"),
        (lambda: built(Affine(3, 4), Affine(5, 2)), r"Affine\(inputs=5, outputs=2\) follows .* 4 features; expected 5"),
        (lambda: built(Affine(3, 4), Maxout(3)), r"Maxout\(pieces=3\) follows .* 4 features; expected a multiple of 3"),
        (lambda: built(Affine(3, 4)), r"The last of the layers, Affine.* gives 4 features; expected 2"),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def built(*layers):
    return Network((3, 4, 2), np.random.default_rng(0), layers=layers)


def test_a_single_sample_has_no_batch():
    network = Network((3, 2), np.random.default_rng(0), dtype=np.float64, layers=(Affine(3, 2), BatchNorm()))
    network.forward(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"BatchNorm was given a batch of 1 in training.*at least 2. Choose a batch_size and"):
        network.forward(np.ones((1, 3)), True)


@pytest.mark.parametrize("training", [False, True])
def test_a_single_sample_does_not_vary(training):
    network = Network((3, 2), np.random.default_rng(0), dtype=np.float64, layers=(MinibatchStdDev(), Affine(4, 2)))
    with pytest.raises(ValueError, match=r"MinibatchStdDev was given a batch of 1.*at least 2. Choose a batch_size"):
        network.forward(np.ones((1, 3)), training)


def test_stale_tangent_tapes_are_refused():
    network = Network((3, 4, 2), np.random.default_rng(0), dtype=np.float64)
    _, tape = network.forward(np.ones((2, 3)))
    t, tangent_tape = network.tangent(tape, np.ones((2, 3)))
    network.on_parameters_changed()
    with pytest.raises(PlayerError, match="Propose or score again"):
        network.backward_tangent(tangent_tape, t)
    with pytest.raises(PlayerError, match="Propose or score again"):
        network.tangent(tape, np.ones((2, 3)))


def test_equal_pieces_of_a_maxout_unit_share_its_slope(arrays_on):
    """Their gradient is the mean of the pieces' own, which is a subgradient."""
    maxout, buffers = Maxout(3), LayerBuffers((), (), ())
    x = arrays_on.asarray([[2.0, 1.0, 2.0, 5.0, 0.0, 4.0]])  # units (2, 2, 0) and (1, 5, 4)
    y, saved = maxout.forward(x, buffers, True, None)
    np.testing.assert_array_equal(arrays_on.to_numpy(y), [[2, 5]])
    slopes = maxout.backward(saved, arrays_on.asarray([[6.0, 7.0]]), buffers)
    np.testing.assert_array_equal(arrays_on.to_numpy(slopes), [[3, 0, 3, 7, 0, 0]])
    moved = maxout.tangent(saved, arrays_on.asarray([[1.0, 2.0, 5.0, 4.0, 9.0, 9.0]]), buffers)
    np.testing.assert_array_equal(arrays_on.to_numpy(moved), [[3, 4]])
