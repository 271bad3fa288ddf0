"""Networks as players: gradients, libraries, scales and options."""

from __future__ import annotations

import copy
import pickle
import sys
from itertools import islice

import numpy as np
import pytest
from sklearn.base import clone

from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.checkpoint import get_state, set_state
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import GELU, BatchNorm, LayerNorm, LeakyReLU, LinearDecay, Maxout, ReLU, SpectralNorm, Tanh
from turinglearn.protocols import Batch, Gradients, IncompatiblePlayers, PlayerError, Samples
from turinglearn.signals import Smoothed, Student

RNG = np.random.default_rng(0)
X = RNG.normal([100, -0.01], [20, 0.001], (300, 2))
C = RNG.standard_normal((300, 1))
CRITERIA = [o.Logistic(), o.LeastSquares(), o.Hinge(), o.Wasserstein(clip=1.0), o.Relativistic()]


def on(arrays_on):
    return {"backend": arrays_on.library, "device": arrays_on.device if arrays_on.name != "numpy" else None}


def example(arrays_on, condition):
    return Batch(arrays_on.asarray(X), arrays_on.asarray(C) if condition else None)


@pytest.mark.parametrize("condition", [False, True], ids=["plain", "conditional"])
def test_the_discriminators_gradient_meets_finite_differences(arrays_on, condition):
    discriminator = NeuralDiscriminator((7, 5), dtype="float64", **on(arrays_on))
    discriminator.start(example(arrays_on, condition), np.random.default_rng(1))
    x, conditions = X[:6].copy(), arrays_on.asarray(C[:6]) if condition else None
    s = np.arange(1.0, 7)
    _, pullback = discriminator.vjp(Batch(arrays_on.asarray(x), conditions))
    gradient = arrays_on.to_numpy(pullback(arrays_on.asarray(s)))
    assert gradient.shape == x.shape
    for index in np.ndindex(x.shape):
        step = 1e-6 * X.std(axis=0)[index[1]]
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            ends.append(s @ arrays_on.to_numpy(discriminator.score_samples(Batch(arrays_on.asarray(moved), conditions)).values))
        assert gradient[index] * step / 1e-6 == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: type(c).__name__)
def test_the_discriminator_descends_its_criterion(arrays_on, criterion):
    """Its parameter gradient is that of the criterion's value, by finite differences."""
    discriminator = NeuralDiscriminator((5,), criterion=criterion, dtype="float64", learning_rate=0.0, **on(arrays_on))
    discriminator.start(example(arrays_on, False), np.random.default_rng(1))
    real, fake = Batch(arrays_on.asarray(X[:9])), Batch(arrays_on.asarray(X[9:18] + X.std(axis=0)))
    discriminator.update(real, fake, RNG)
    gradient, parameters = arrays_on.to_numpy(discriminator.network_.gradient).copy(), discriminator.network_.parameters

    def value():
        return float(criterion.value(discriminator.score_samples(real).values, discriminator.score_samples(fake).values))

    for i in range(gradient.size):
        kept, ends = float(parameters[i]), []
        for sign in (1, -1):
            parameters[i] = kept + sign * 1e-6
            ends.append(value())
        parameters[i] = kept
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("condition", [False, True], ids=["plain", "conditional"])
def test_the_generator_descends_the_mean_loss(arrays_on, condition):
    """Its parameter gradient is that of mean l(x), l = |x|^2 / 2 in data units, by finite differences."""
    generator = NeuralGenerator(3, (5,), dtype="float64", learning_rate=0.0, **on(arrays_on))
    generator.start(example(arrays_on, condition), np.random.default_rng(1))
    conditions = arrays_on.asarray(C[:8]) if condition else None

    def samples():
        return generator.propose(8, np.random.default_rng(2), conditions)

    proposal = samples()
    generator.update(proposal, Gradients(proposal.x))
    gradient, parameters = arrays_on.to_numpy(generator.network_.gradient).copy(), generator.network_.parameters
    for i in range(gradient.size):
        kept, ends = float(parameters[i]), []
        for sign in (1, -1):
            parameters[i] = kept + sign * 1e-6
            ends.append(np.sum(arrays_on.to_numpy(samples().x) ** 2) / 16)
        parameters[i] = kept
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-4)


def test_libraries_play_the_same_game(arrays_on):
    """Fifteen rounds in float64 equal NumPy's, with conditions, packing and replicated draws."""
    samples = []
    for place in ({}, on(arrays_on)):
        options = {"dtype": "float64", "learning_rate": 1e-2, **place}
        game = Game(
            NeuralGenerator(3, (8,), **options),
            NeuralDiscriminator((8,), **options),
            batch_size=20,
            pack=2,
            random_state=0,
        )
        data = (X, C) if not place else (arrays_on.asarray(X), arrays_on.asarray(C))
        for _ in islice(game.rounds(*data), 15):
            pass
        samples.append(np.asarray(arrays_on.to_numpy(game.sample(10, condition=data[1][:10, ...]))))
    np.testing.assert_allclose(samples[1], samples[0], rtol=1e-6)


def test_players_of_different_libraries_meet(arrays_on):
    game = Game(NeuralGenerator(3, (8,)), NeuralDiscriminator((8,), **on(arrays_on)), batch_size=20, random_state=0)
    records = list(islice(game.rounds(X), 3))
    assert np.isfinite(records[-1].figures()["accuracy"])


def test_features_of_any_unit_are_learned_alike():
    units = np.array([1e6, 1e-6])
    samples = []
    for data in (X, X * units):
        game = Game(
            NeuralGenerator(3, (8,), dtype="float64"),
            NeuralDiscriminator((8,), dtype="float64"),
            batch_size=30,
            random_state=0,
        )
        for _ in islice(game.rounds(data), 10):
            pass
        samples.append(game.sample(20))
    np.testing.assert_allclose(samples[1], samples[0] * units, rtol=1e-6)


def test_a_constant_feature_stays_constant():
    data = np.column_stack([X[:, 0], np.full(300, 7.0)])
    game = Game(NeuralGenerator(3, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=0)
    for _ in islice(game.rounds(data), 5):
        pass
    assert set(game.sample(20)[:, 1]) == {7.0}


def test_averaging_deploys_the_mean_of_the_parameters():
    def game(ema_decay):
        return Game(NeuralGenerator(3, (8,), ema_decay=ema_decay), NeuralDiscriminator((8,)), batch_size=30, random_state=0)

    plain, averaged = game(0), game(0.5)
    trace = []
    for _, _ in islice(zip(plain.rounds(X), averaged.rounds(X), strict=True), 8):
        trace.append(plain.generator.network_.parameters.copy())
    np.testing.assert_array_equal(plain.generator.network_.parameters, averaged.generator.network_.parameters)
    expected = Game(NeuralGenerator(3, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=0)
    next(expected.rounds(X))
    mean = None
    start = NeuralGenerator(3, (8,))
    start.start(Batch(X), expected.streams.__class__(0)("generator/start"))
    mean = start.network_.parameters.copy()
    for step, parameters in enumerate(trace, start=1):
        kept = min(0.5, (1 + step) / (10 + step))
        mean = kept * mean + (1 - kept) * parameters
    np.testing.assert_allclose(averaged.generator.average_, mean, rtol=1e-5, atol=1e-7)
    before = averaged.generator.network_.parameters.copy()
    assert not np.array_equal(averaged.sample(4), plain.sample(4))
    np.testing.assert_array_equal(averaged.generator.network_.parameters, before)


def test_wasserstein_clips_every_parameter():
    game = Game(NeuralGenerator(3, (8,)), NeuralDiscriminator((8,), criterion=o.Wasserstein(clip=0.03)), batch_size=30)
    for _ in islice(game.rounds(X), 3):
        pass
    assert np.abs(game.discriminator.network_.parameters).max() <= np.float32(0.03)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: type(c).__name__)
def test_every_criterion_teaches(criterion):
    """A Gaussian three spreads away is found."""
    data = np.random.default_rng(3).normal(0, 1, (2000, 1))
    rate = LinearDecay(5e-3, 400)  # critics without a penalty circle around the equilibrium: a falling rate settles
    generator = NeuralGenerator(2, (16,), learning_rate=rate)
    game = Game(generator, NeuralDiscriminator((16,), criterion=criterion, learning_rate=rate), batch_size=64, random_state=0)
    rounds = game.rounds(data)
    next(rounds)
    generator.location_ += 3
    for _ in islice(rounds, 400):
        pass
    assert abs(game.sample(1000).mean()) < 0.5


def test_stale_and_foreign_samples_are_refused():
    generator = NeuralGenerator(3, (8,))
    generator.start(Batch(X), RNG)
    samples = generator.propose(5, RNG)
    generator.update(samples, Gradients(samples.x))
    with pytest.raises(PlayerError, match="Propose or score again after each update"):
        generator.update(samples, Gradients(samples.x))
    with pytest.raises(PlayerError, match="samples without a tape"):
        generator.update(Samples(samples.x), Gradients(samples.x))


def test_a_learning_rate_that_blows_up_is_named():
    game = Game(NeuralGenerator(3, (8,), learning_rate=1e30), NeuralDiscriminator((8,)), batch_size=30, random_state=0)
    with np.errstate(all="ignore"), pytest.raises(PlayerError, match=r"NeuralGenerator.*lower its learning rate"):
        for _ in islice(game.rounds(X), 10):
            pass


def test_schedules_reach_the_optimizer():
    game = Game(NeuralGenerator(3, (8,), learning_rate=LinearDecay(1e-2, 2)), NeuralDiscriminator((8,)), batch_size=30)
    rounds = game.rounds(X)
    for _ in islice(rounds, 2):
        pass
    frozen = game.generator.network_.parameters.copy()
    next(rounds)
    np.testing.assert_array_equal(game.generator.network_.parameters, frozen)


@pytest.mark.parametrize(
    ("player", "message"),
    [
        (NeuralGenerator(0), r"NeuralGenerator\(latent_dim=0\): expected an integer, at least 1"),
        (NeuralGenerator(2.0), r"NeuralGenerator\(latent_dim=2.0\): expected an integer, at least 1"),
        (NeuralGenerator(hidden=(8.0,)), r"hidden=\(8.0,\)\): expected a tuple of widths of layers, integers"),
        (NeuralGenerator(ema_decay=1.0), r"NeuralGenerator\(ema_decay=1.0\): expected a decay"),
        (NeuralGenerator(hidden=(8, 0)), r"hidden=\(8, 0\).*expected"),
        (NeuralGenerator(dtype="float16"), r"dtype='float16'.*expected"),
        (NeuralGenerator(learning_rate=-1), r"learning_rate=-1.*expected"),
        (NeuralGenerator(optimizer="adam"), r"optimizer='adam'.*expected a rule.*Adam\(\)"),
        (NeuralGenerator(activation=ReLU), r"NeuralGenerator\(activation=.*expected an activation of turinglearn.nn: ReLU\(\)"),
        (NeuralGenerator(activation="relu"), r"activation='relu'.*expected an activation"),
        (NeuralGenerator(normalization="batch"), r"normalization='batch'.*expected None, BatchNorm\(\)"),
        (NeuralGenerator(normalization=ReLU()), r"normalization=ReLU\(\).*expected None, BatchNorm\(\)"),
        (NeuralGenerator(dropout=1.0), r"dropout=1.0.*expected the share of features"),
        (NeuralDiscriminator(minibatch_stddev=4), r"minibatch_stddev=4\): expected True or False"),
        (
            NeuralDiscriminator(normalization=BatchNorm(), minibatch_stddev=True),
            r"BatchNorm\(\), minibatch_stddev=True\).*choose LayerNorm\(\) or SpectralNorm\(\)",
        ),
    ],
)
def test_bad_options(player, message):
    with pytest.raises(ValueError, match=message):
        player.start(Batch(X), RNG)


def test_a_library_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", None)
    with pytest.raises(ImportError, match=r"backend='cupy' needs the array library cupy.*choose backend='numpy'"):
        NeuralGenerator(backend="cupy").start(Batch(X), RNG)


@pytest.mark.parametrize("backend", ["nolib", "json", "", np, None])
def test_what_is_no_library(backend):
    with pytest.raises(ValueError, match=r"backend=.*: expected the name of an array library, 'numpy', 'torch' or 'cupy'"):
        next(Game(NeuralGenerator(backend=backend), NeuralDiscriminator()).rounds(X))


def test_players_can_be_cloned():
    assert repr(clone(NeuralGenerator(3, (8,)))) == repr(NeuralGenerator(3, (8,)))
    assert repr(clone(NeuralDiscriminator((8,), criterion=o.Hinge()))) == "NeuralDiscriminator(criterion=Hinge(), hidden=(8,))"


@pytest.mark.parametrize("x", [1.7e9 + 100 * X, 1e-40 * X], ids=["seconds since 1970", "tiny"])
@pytest.mark.parametrize("player", [NeuralGenerator, NeuralDiscriminator])
def test_features_that_single_precision_blurs_are_refused(player, x):
    with pytest.raises(ValueError, match=r"Feature 0 is spread by .*float32 hardly resolves.*StandardScaler.*dtype='float64'"):
        player().start(Batch(x), np.random.default_rng(0))
    if x.max() > 1:
        player(dtype="float64").start(Batch(x), np.random.default_rng(0))


def test_a_criterion_must_be_one():
    for criterion in ("hinge", o.Hinge, o.NonSaturating()):
        with pytest.raises(
            TypeError, match=r"NeuralDiscriminator\(criterion=.*expected a discriminator's criterion.*such as Logistic"
        ):
            Game(NeuralGenerator(), NeuralDiscriminator(criterion=criterion))


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"NeuralGenerator\(backend='numpy', device='cuda'\): no such device here"):
        NeuralGenerator(device="cuda").start(Batch(X), np.random.default_rng(0))


def test_copies_go_on_by_themselves():
    """Layers are views of one buffer; a copy's must be views of the copy's."""
    game = Game(NeuralGenerator(2, (8,)), NeuralDiscriminator((8,)), batch_size=20, random_state=0)
    next(game.rounds(X))
    for copied in (copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        here, there = ([r.figures() for r in islice(g.rounds(X), 3)] for g in (copy.deepcopy(game), copied))
        assert repr(here) == repr(there)
        network = copied.generator.network_
        np.testing.assert_array_equal(network.parameters[:8], network._parts[0][1].parameters[0].ravel()[:8])


# --------------------------------------------------------------------------------------------------------------- layers
LAYERS = {
    "leaky": ({"activation": LeakyReLU()}, {"activation": LeakyReLU(), "dropout": 0.3}),
    "batch norm": ({"normalization": BatchNorm()}, {"normalization": BatchNorm()}),
    "layer norm": ({"normalization": LayerNorm(), "activation": GELU()}, {"normalization": LayerNorm(), "activation": Tanh()}),
    "spectral norm": ({"normalization": SpectralNorm(), "dropout": 0.2}, {"normalization": SpectralNorm()}),
    "maxout": ({"activation": Maxout(2)}, {"activation": Maxout(3), "minibatch_stddev": True}),
    "averaged": ({"normalization": BatchNorm(), "ema_decay": 0.9}, {}),
}


def layered(layers, place=None, hidden=(8, 8), **options):
    of_generator, of_discriminator = LAYERS[layers]
    common = {"dtype": "float64", "learning_rate": 1e-2, **(place or {})}
    players = NeuralGenerator(3, hidden, **common, **of_generator), NeuralDiscriminator(hidden, **common, **of_discriminator)
    return Game(*players, **{"batch_size": 20, "random_state": 0, **options})


@pytest.mark.parametrize("layers", LAYERS)
def test_libraries_play_the_same_game_with_every_layer(arrays_on, layers):
    samples, statistics = [], []
    for place in ({}, on(arrays_on)):
        game = layered(layers, place)
        data = (X, C) if not place else (arrays_on.asarray(X), arrays_on.asarray(C))
        for _ in islice(game.rounds(*data), 8):
            pass
        samples.append(np.asarray(arrays_on.to_numpy(game.sample(10, condition=data[1][:10, ...]))))
        statistics.append(np.asarray(arrays_on.to_numpy(game.generator.network_.statistics)))
    np.testing.assert_allclose(samples[1], samples[0], rtol=1e-6)
    np.testing.assert_allclose(statistics[1], statistics[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("layers", LAYERS)
def test_players_with_layers_are_copied_and_recalled(layers):
    game = layered(layers)
    for _ in islice(game.rounds(X), 3):
        pass
    restored, recalled = layered(layers), copy.deepcopy(game)
    restored.restore(game.state())
    players, rng = (recalled.generator, recalled.discriminator), np.random.default_rng(0)
    kept = [copy.deepcopy(get_state(player)) for player in players]
    for _ in range(3):
        proposal = players[0].propose(20, rng)
        players[0].update(proposal, Gradients(proposal.x))
        players[1].update(Batch(X[:20]), proposal, rng)
    for player, state in zip(players, kept, strict=True):
        set_state(player, state)
    expected = [repr(r.figures()) for r in islice(copy.deepcopy(game).rounds(X), 3)]
    for other in (copy.deepcopy(game), pickle.loads(pickle.dumps(game)), restored, recalled):
        assert [repr(r.figures()) for r in islice(other.rounds(X), 3)] == expected


@pytest.mark.parametrize("layers", LAYERS)
def test_asking_players_changes_nothing(layers):
    game = layered(layers)
    next(game.rounds(X))
    generator, discriminator = game.generator, game.discriminator
    before = [network.statistics.copy() for network in (generator.network_, discriminator.network_)]
    rng, batch = np.random.default_rng(0), Batch(X[:9])
    np.testing.assert_array_equal(discriminator.score_samples(batch).values, discriminator.vjp(batch)[0].values)
    first, second = (generator.sample(5, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    for network, statistics in zip((generator.network_, discriminator.network_), before, strict=True):
        np.testing.assert_array_equal(network.statistics, statistics)
    generator.propose(9, rng)
    assert np.array_equal(generator.network_.statistics, before[0]) != (generator.normalization == BatchNorm())


def test_running_averages_make_samples_that_do_not_depend_on_their_batch():
    game = layered("batch norm")
    for _ in islice(game.rounds(X), 20):
        pass
    generator = game.generator
    many, few = generator.sample(100, np.random.default_rng(0)), generator.sample(3, np.random.default_rng(0))
    np.testing.assert_allclose(many[:3], few, rtol=1e-12)
    proposals = generator.propose(100, np.random.default_rng(0)).x
    assert not np.allclose(proposals[:3], generator.propose(3, np.random.default_rng(0)).x)
    assert np.all(np.abs(proposals.mean(axis=0) - many.mean(axis=0)) < X.std(axis=0))


def test_averaging_deploys_the_mean_of_the_running_statistics_too():
    averaged, plain = layered("averaged"), layered("averaged")
    plain.generator.ema_decay = 0.0
    mean, mean_statistics = None, None
    for step, _ in enumerate(islice(zip(averaged.rounds(X), plain.rounds(X), strict=True), 8), start=1):
        network = plain.generator.network_
        if mean is None:
            start = NeuralGenerator(3, (8, 8), dtype="float64", normalization=BatchNorm())
            start.start(Batch(X), averaged.streams.__class__(0)("generator/start"))
            mean, mean_statistics = start.network_.parameters.copy(), start.network_.statistics.copy()
        kept = min(0.9, (1 + step) / (10 + step))
        mean = kept * mean + (1 - kept) * network.parameters
        mean_statistics = kept * mean_statistics + (1 - kept) * network.statistics
    generator = averaged.generator
    np.testing.assert_allclose(generator.average_, mean, rtol=1e-10)
    np.testing.assert_allclose(generator.average_statistics_, mean_statistics, rtol=1e-10)
    before = generator.network_.parameters.copy(), generator.network_.statistics.copy()
    deployed = generator.sample(6, np.random.default_rng(0))
    np.testing.assert_array_equal(generator.network_.parameters, before[0])
    np.testing.assert_array_equal(generator.network_.statistics, before[1])
    plain.generator.network_.parameters[...], plain.generator.network_.statistics[...] = mean, mean_statistics
    np.testing.assert_allclose(deployed, plain.generator.sample(6, np.random.default_rng(0)), rtol=1e-9)


@pytest.mark.parametrize("apart", [False, True], ids=["batch norm", "minibatch deviation"])
def test_a_discriminator_learns_from_batches_as_it_discriminators_them(arrays_on, apart):
    """Its gradient is that of the criterion on scores of one batch of both kinds, or of one batch of each."""
    layers = {"minibatch_stddev": True} if apart else {"normalization": BatchNorm()}
    discriminator = NeuralDiscriminator(
        (5, 4), activation=Tanh(), dtype="float64", learning_rate=0.0, **layers, **on(arrays_on)
    )
    discriminator.start(example(arrays_on, False), np.random.default_rng(1))
    real, fake = Batch(arrays_on.asarray(X[:9])), Batch(arrays_on.asarray(X[9:16] + X.std(axis=0)))
    discriminator.update(real, fake, RNG)
    network, rows = discriminator.network_, [discriminator._features(batch) for batch in (real, fake)]
    gradient = arrays_on.to_numpy(network.gradient).copy()

    def value():
        if apart:
            return float(discriminator.criterion.value(*(network.forward(x, True)[0][:, 0] for x in rows)))
        r, _ = network.forward(arrays_on.xp.concat(rows, axis=0), True)
        return float(discriminator.criterion.value(r[:9, 0], r[9:, 0]))

    for i in range(gradient.size):
        kept, ends = float(network.parameters[i]), []
        for sign in (1, -1):
            network.parameters[i] = kept + sign * 1e-6
            ends.append(value())
        network.parameters[i] = kept
        assert gradient[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_a_discriminator_of_whole_batches_is_exact_and_is_not_probed():
    discriminator = NeuralDiscriminator((7, 5), minibatch_stddev=True, dtype="float64")
    assert discriminator.batch_coupled
    assert not NeuralDiscriminator(normalization=BatchNorm()).batch_coupled
    discriminator.start(Batch(X), np.random.default_rng(1))
    x, s = X[:6].copy(), np.arange(1.0, 7)
    gradient = discriminator.vjp(Batch(x))[1](s)
    for index in np.ndindex(x.shape):
        step, ends = 1e-6 * X.std(axis=0)[index[1]], []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            ends.append(s @ discriminator.score_samples(Batch(moved)).values)
        assert gradient[index] * step / 1e-6 == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)
    for derivative in (Smoothed(), Student()):
        with pytest.raises(IncompatiblePlayers, match="a score of NeuralDiscriminator depends on its whole batch"):
            Game(NeuralGenerator(), discriminator, signal=derivative)


def test_minibatch_deviation_tells_a_collapsed_batch():
    """Fakes are one of the real samples each time, all alike: only together do they differ from real ones."""
    rng = np.random.default_rng(0)
    accuracy = []
    for deviation in (False, True):
        discriminator = NeuralDiscriminator((16, 16), minibatch_stddev=deviation, learning_rate=1e-2)
        discriminator.start(Batch(X), np.random.default_rng(1))
        for _ in range(150):
            real, twin = X[rng.choice(len(X), 32)], X[rng.choice(len(X), 1).repeat(32)]
            discriminator.update(Batch(real), Batch(twin), rng)
        found = [discriminator.score_samples(Batch(X[rng.choice(len(X), 1).repeat(32)])).values.mean() < 0 for _ in range(50)]
        accuracy.append(np.mean([*found, discriminator.score_samples(Batch(X[:32])).values.mean() > 0]))
    assert accuracy[1] == 1.0
    assert accuracy[0] < 0.9


@pytest.mark.parametrize("layers", LAYERS)
def test_players_with_every_layer_learn(layers):
    """A Gaussian three spreads away is found."""
    data = np.random.default_rng(3).normal(0, 1, (2000, 1))
    game = layered(layers, {"learning_rate": LinearDecay(5e-3, 400)}, (16,), batch_size=64)
    rounds = game.rounds(data)
    next(rounds)
    assert not (game.generator.network_.plain and game.discriminator.network_.plain)  # so that rounds are not fused
    game.generator.location_ += 3
    for _ in islice(rounds, 400):
        pass
    assert abs(game.sample(1000).mean()) < 0.5
