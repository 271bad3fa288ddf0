"""Gradient penalties: their parameter gradients meet finite differences and double autograd; games with them are won."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.arrays import namespace
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import (
    GELU,
    R1,
    R2,
    BatchNorm,
    GradientPenalty,
    LayerNorm,
    LeakyReLU,
    Maxout,
    Network,
    ReLU,
    SpectralNorm,
    Tanh,
)
from turinglearn.nn.mlp import mlp
from turinglearn.nn.options import NetworkOptions
from turinglearn.nn.penalties import add_penalty
from turinglearn.protocols import Batch

PENALTIES = [R1(0.7), R2(3.0), GradientPenalty(), GradientPenalty(0.5)]
NETWORKS = {
    "relu": {},
    "leaky relu": {"activation": LeakyReLU()},
    "tanh": {"activation": Tanh()},
    "gelu": {"activation": GELU()},
    "maxout": {"activation": Maxout(2)},
    "layer norm": {"activation": GELU(), "normalization": LayerNorm()},
    "spectral norm": {"activation": Tanh(), "normalization": SpectralNorm()},
    "dropout": {"activation": LeakyReLU(), "dropout": 0.4},
}
WIDTHS, FEATURES = (3, 5, 4, 1), 2  # the third column is a condition


def network_on(xp, device, options, seed=0):
    rng = np.random.default_rng(seed)
    layers = mlp(WIDTHS, NetworkOptions(**options), discriminates=True)
    network = Network(WIDTHS, rng, xp, device, xp.float64, layers=layers)
    network.parameters += xp.asarray(0.1 * rng.standard_normal(network.parameters.shape), device=device)
    return network


def penalty_value(network, penalty, real, fake):
    """P by its definition, with the randomness that `add_penalty` has."""
    rng = np.random.default_rng(5)
    x = penalty.points(real, fake, FEATURES, rng)
    r, tape = network.forward(x, True, rng)
    return float(penalty.value(network.backward_inputs(tape, namespace(r).ones_like(r))[:, :FEATURES]))


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_the_gradient_of_a_penalty_meets_finite_differences(arrays_on, penalty, options):
    network, rng = network_on(arrays_on.xp, arrays_on.device, options), np.random.default_rng(1)
    real, fake = (arrays_on.asarray(rng.standard_normal((6, 3))) for _ in range(2))
    network.gradient[...] = 1.0  # it is added to what is there
    add_penalty(network, penalty, real, fake, FEATURES, np.random.default_rng(5))
    gradient = arrays_on.to_numpy(network.gradient) - 1
    for i in range(gradient.size):
        kept, ends = float(network.parameters[i]), []
        for sign in (1, -1):
            network.parameters[i] = kept + sign * 1e-6
            ends.append(penalty_value(network, penalty, real, fake))
        network.parameters[i] = kept
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize(
    ("activation", "theirs", "norm"),
    [(ReLU(), "relu", None), (GELU(), "gelu", LayerNorm()), (Tanh(), "tanh", None)],
    ids=["relu", "gelu and layer norm", "tanh"],
)
def test_the_gradient_is_that_of_double_autograd(penalty, activation, theirs, norm):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    network = network_on(np, None, {"activation": activation, "normalization": norm})
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((2, 6, 3))
    network.gradient[...] = 0.0
    add_penalty(network, penalty, real, fake, FEATURES, np.random.default_rng(5))
    parameters = torch.tensor(network.parameters, requires_grad=True)

    def forward(h):
        end = 0

        def take(*shape):
            nonlocal end
            end += int(np.prod(shape))
            return parameters[end - int(np.prod(shape)) : end].reshape(shape)

        for inputs, outputs in pairwise(WIDTHS):
            h = h @ take(inputs, outputs) + take(1, outputs)
            if outputs > 1:
                h = torch.nn.functional.layer_norm(h, (outputs,), take(outputs), take(outputs)) if norm else h
                h = getattr(torch.nn.functional, theirs)(h)
        return h

    x = torch.tensor(penalty.points(real, fake, FEATURES, np.random.default_rng(5)), requires_grad=True)
    (g,) = torch.autograd.grad(forward(x).sum(), x, create_graph=True)
    length = g[:, :FEATURES].norm(dim=1)
    value = (
        penalty.weight * ((length - 1) ** 2).mean()
        if isinstance(penalty, GradientPenalty)
        else penalty.weight / 2 * (length**2).mean()
    )
    assert float(value.detach()) == pytest.approx(penalty_value(network, penalty, real, fake), rel=1e-12)
    (expected,) = torch.autograd.grad(value, parameters)
    np.testing.assert_allclose(network.gradient, expected.numpy(), rtol=1e-9, atol=1e-12)


@given(st.sampled_from(PENALTIES), st.integers(1, 5), st.integers(1, 3), st.integers(0, 1000))
def test_slopes_are_those_of_the_value(penalty, n, features, seed):
    rng = np.random.default_rng(seed)
    g, t = rng.standard_normal((2, n, features))
    along = (penalty.value(g + 1e-6 * t) - penalty.value(g - 1e-6 * t)) / 2e-6
    assert np.vdot(penalty.slopes(g), t) == pytest.approx(along, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_a_flat_score_has_no_gradient(arrays_on, penalty):
    network = network_on(arrays_on.xp, arrays_on.device, {})
    network.parameters[...] = 0.0
    x = arrays_on.asarray(np.ones((4, 3)))
    add_penalty(network, penalty, x, 2 * x, FEATURES, np.random.default_rng(0))
    np.testing.assert_array_equal(arrays_on.to_numpy(network.gradient), 0.0)
    np.testing.assert_array_equal(penalty.slopes(np.zeros((3, 2))), 0.0)


def test_mixtures_lie_between_their_pairs_under_the_real_condition():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 50, 3))
    mixed = GradientPenalty().points(real, fake, FEATURES, rng)
    share = (mixed - fake)[:, :2] / (real - fake)[:, :2]
    np.testing.assert_allclose(share[:, 0], share[:, 1])
    assert 0 <= share.min() < 0.2 < 0.8 < share.max() <= 1
    np.testing.assert_array_equal(mixed[:, 2], real[:, 2])
    with pytest.raises(ValueError, match=r"GradientPenalty\(weight=10.0\) mixes pairs, but got 50 real and 49"):
        GradientPenalty().points(real, fake[1:], FEATURES, rng)


# ------------------------------------------------------------------------------------------------------------- in a
# discriminator
X = np.random.default_rng(0).normal([100, -0.01], [20, 0.001], (300, 2))
C = np.random.default_rng(1).standard_normal((300, 1))


@pytest.mark.parametrize(
    ("criterion", "penalties"),
    [
        (o.Relativistic(), (R1(0.3), R2(0.3))),
        (o.Wasserstein(clip=None), (GradientPenalty(),)),
        (o.Logistic(), (R1(1.0), R2(2.0), GradientPenalty(3.0))),
    ],
    ids=["relativistic", "wasserstein", "all"],
)
def test_the_discriminator_descends_its_criterion_and_penalties(arrays_on, criterion, penalties):
    """In standard units, under conditions; its gradient is the sum of those of the parts."""
    place = {"backend": arrays_on.library, "device": arrays_on.device if arrays_on.name != "numpy" else None}
    options = {"criterion": criterion, "activation": Tanh(), "dtype": "float64", "learning_rate": 0.0, **place}
    discriminator = NeuralDiscriminator((5, 4), penalties=penalties, **options)
    discriminator.start(Batch(arrays_on.asarray(X), arrays_on.asarray(C)), np.random.default_rng(1))
    condition = arrays_on.asarray(C[:9])
    real, fake = Batch(arrays_on.asarray(X[:9]), condition), Batch(arrays_on.asarray(X[9:18] + X.std(axis=0)), condition)
    discriminator.update(real, fake, np.random.default_rng(5))
    gradient, parameters = arrays_on.to_numpy(discriminator.network_.gradient).copy(), discriminator.network_.parameters

    def value():
        total = float(criterion.value(discriminator.score_samples(real).values, discriminator.score_samples(fake).values))
        rng, rows = np.random.default_rng(5), (discriminator._features(real), discriminator._features(fake))
        for penalty in penalties:
            r, tape = discriminator.network_.forward(penalty.points(*rows, 2, rng))
            total += float(penalty.value(discriminator.network_.backward_inputs(tape, 0 * r + 1)[:, :2]))
        return total

    for i in range(gradient.size):
        kept, ends = float(parameters[i]), []
        for sign in (1, -1):
            parameters[i] = kept + sign * 1e-6
            ends.append(value())
        parameters[i] = kept
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(
    "discriminator",
    [
        {"criterion": o.Relativistic(), "penalties": (R1(0.1), R2(0.1))},
        {"criterion": o.Wasserstein(clip=None), "penalties": (GradientPenalty(1.0),)},
        {"criterion": o.Wasserstein(clip=None), "normalization": SpectralNorm(), "activation": LeakyReLU()},
        {"criterion": o.Hinge(), "normalization": SpectralNorm()},
    ],
    ids=["relativistic with R1 and R2", "wasserstein with gradient penalty", "wasserstein, spectral", "hinge, spectral"],
)
def test_penalised_games_find_a_gaussian(discriminator):
    """A Gaussian three spreads away is found, at a rate that does not fall."""
    data = np.random.default_rng(3).normal(0, 1, (2000, 1))
    generator = NeuralGenerator(2, (16,), learning_rate=5e-3)
    game = Game(generator, NeuralDiscriminator((16,), learning_rate=5e-3, **discriminator), batch_size=64, random_state=0)
    rounds = game.rounds(data)
    next(rounds)
    assert game.discriminator.penalties or not game.discriminator.network_.plain  # so that rounds are not fused
    generator.location_ += 3
    for _ in islice(rounds, 500):
        pass
    assert abs(game.sample(1000).mean()) < 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"penalties": (R1(1.0),), "normalization": BatchNorm()},
            r"NeuralDiscriminator\(penalties=\(R1\(weight=1.0\),\)\): [^B]*with BatchNorm\([^B]*\) a score.*Leave the one or",
        ),
        (
            {"penalties": (GradientPenalty(),), "minibatch_stddev": True},
            r"with MinibatchStdDev.*SpectralNorm\(\) go with",
        ),
        ({"penalties": R1(1.0)}, r"penalties=R1\(weight=1.0\)\): expected a tuple of penalties, such as \(R1\(1.0\),\)"),
        ({"penalties": (R1,)}, r"expected a tuple of penalties"),
        ({"criterion": o.Wasserstein(clip=None)}, r"Wasserstein\(clip=None\)\): without a bound.*GradientPenalty"),
    ],
)
def test_penalties_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NeuralDiscriminator(**options).start(Batch(X), np.random.default_rng(0))


@pytest.mark.parametrize("penalty", [R1, R2, GradientPenalty])
@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_are_numbers_from_0_on(penalty, weight):
    with pytest.raises(ValueError, match=rf"{penalty.__name__}\(weight=.*expected a weight from 0 on"):
        penalty(weight)
