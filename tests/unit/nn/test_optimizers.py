"""Rules against PyTorch's own, on every library, and the optimizer's memory."""

from __future__ import annotations

import copy
import pickle
from itertools import islice

import numpy as np
import pytest
from sklearn.base import clone

from turinglearn import Game, TuringLearner
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import (
    SGD,
    Adam,
    CosineDecay,
    ExponentialDecay,
    LinearDecay,
    Network,
    Optimizer,
    RMSprop,
    Warmup,
    optimizers,
)
from turinglearn.persistence import load, save
from turinglearn.persistence.codec import Attachments, decode, encode
from turinglearn.protocols import Batch

RULES = [
    Adam(),
    Adam((0.9, 0.99), 1e-3),
    RMSprop(),
    RMSprop(decay=0.9, epsilon=1e-6, momentum=0.8),
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.7, nesterov=True),
]
each_rule = pytest.mark.parametrize("rule", RULES, ids=repr)
RATE = 1e-2
RNG = np.random.default_rng(0)
X = np.random.default_rng(1).standard_normal((200, 2))


def pytorchs(torch, rule, parameters, **options):
    """PyTorch's optimizer of the same rule."""
    if isinstance(rule, Adam):
        return torch.optim.Adam([parameters], lr=RATE, betas=rule.betas, eps=rule.epsilon, **options)
    if isinstance(rule, RMSprop):
        return torch.optim.RMSprop([parameters], lr=RATE, alpha=rule.decay, eps=rule.epsilon, momentum=rule.momentum)
    return torch.optim.SGD([parameters], lr=RATE, momentum=rule.momentum, nesterov=rule.nesterov)


def descend(rule, start, gradients, place=None, clip_norm=None, rate=RATE):
    """Where the rule leads along these gradients, on NumPy."""
    copied = place.asarray if place else np.array
    parameters = copied(start)
    optimizer = Optimizer(rule, parameters, clip_norm)
    for gradient in gradients:
        optimizer.step(parameters, copied(gradient), rate)
    return place.to_numpy(parameters) if place else parameters


@each_rule
@pytest.mark.parametrize("on", ["numpy", "torch", "torch, not fused"])
def test_rules_are_pytorchs(rule, on, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    start, gradients = RNG.standard_normal(10), RNG.standard_normal((30, 10))
    gradients[:5, :3] = 0  # untouched for a while
    if on == "torch, not fused":
        monkeypatch.setattr(optimizers, "_torch_fuses", lambda p: False)
    copied = np.array if on == "numpy" else torch.tensor
    ours, theirs = copied(start), torch.nn.Parameter(torch.tensor(start))
    optimizer, reference = Optimizer(rule, ours), pytorchs(torch, rule, theirs)
    for gradient in gradients:
        optimizer.step(ours, copied(gradient), RATE)
        theirs.grad = torch.tensor(gradient)
        reference.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_a_fused_step_is_the_step_in_single_precision(monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    start, gradients = RNG.standard_normal((3, 10)), RNG.standard_normal((30, 3, 10))
    ended = {}
    for fused in (True, False):
        if not fused:
            monkeypatch.setattr(optimizers, "_torch_fuses", lambda p: False)
        parameters = torch.tensor(start, dtype=torch.float32)
        optimizer = Optimizer(Adam(), parameters)
        for gradient in gradients:
            optimizer.step(parameters, torch.tensor(gradient, dtype=torch.float32), RATE)
        ended[fused] = parameters.numpy()
    np.testing.assert_allclose(ended[True], ended[False], rtol=1e-5, atol=1e-6)
    assert not np.array_equal(ended[True], ended[False])  # two ways indeed


@each_rule
@pytest.mark.parametrize("clip_norm", [None, 1.5])
def test_libraries_follow_one_trajectory(arrays_on, rule, clip_norm):
    start, gradients = RNG.standard_normal((2, 7)), RNG.standard_normal((20, 2, 7))
    rate = LinearDecay(1e-2, 15)
    expected = descend(rule, start, gradients, clip_norm=clip_norm, rate=rate)
    made = descend(rule, start, gradients, arrays_on, clip_norm, rate)
    np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-12)
    assert np.abs(expected - start).max() > 0.01


def test_a_network_is_trained_alike_on_every_library(arrays_on):
    trajectories = []
    for place in (arrays_on, None):
        rng = np.random.default_rng(5)
        xp, device = (place.xp, place.device) if place else (np, None)
        network = Network((3, 5, 4, 2), rng, xp, device, xp.float64)
        optimizer, rate = Optimizer(Adam(), network.parameters), LinearDecay(1e-2, 15)
        for _ in range(20):
            x = rng.standard_normal((8, 3))
            y, tape = network.forward(place.asarray(x) if place else x)
            network.backward(tape, y - 1)
            optimizer.step(network.parameters, network.gradient, rate)
            network.on_parameters_changed()
        trajectories.append(place.to_numpy(network.parameters) if place else network.parameters)
    np.testing.assert_allclose(*trajectories, rtol=1e-9, atol=1e-12)


@each_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip_norm", [None, 8.0])
def test_stacked_buffers_are_separate_ones_to_the_last_bit(rule, dtype, clip_norm):
    start, gradients = RNG.standard_normal((3, 77)).astype(dtype), RNG.standard_normal((30, 3, 77)).astype(dtype)
    stacked = descend(rule, start, gradients, clip_norm=clip_norm)
    apart = [descend(rule, start[r], gradients[:, r], clip_norm=clip_norm) for r in range(3)]
    np.testing.assert_array_equal(stacked, apart)
    assert stacked.dtype == dtype


def test_clipping_is_pytorchs():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    gradients = RNG.standard_normal((4, 50)) * np.array([[0.01], [0.1], [1.0], [100.0]])
    ours = gradients.copy()
    Optimizer(SGD(), np.zeros((4, 50)), clip_norm=2.0).step(np.zeros((4, 50)), ours, 0.1)
    for gradient, shortened in zip(gradients, ours, strict=True):
        theirs = torch.nn.Parameter(torch.zeros(50, dtype=torch.float64))
        theirs.grad = torch.tensor(gradient)
        torch.nn.utils.clip_grad_norm_([theirs], 2.0)
        np.testing.assert_allclose(shortened, theirs.grad.numpy(), rtol=1e-6)  # PyTorch adds 1e-6 to the norm
    np.testing.assert_array_equal(ours[:2], gradients[:2])  # short enough: to the last bit
    np.testing.assert_allclose(np.linalg.norm(ours[2:], axis=1), 2.0, rtol=1e-12)


def test_no_gradient_is_not_shortened():
    parameters, gradient = np.ones(3), np.zeros(3)
    Optimizer(SGD(), parameters, clip_norm=1.0).step(parameters, gradient, 0.1)
    np.testing.assert_array_equal(parameters, 1.0)


@each_rule
def test_steps_on_numpy_make_no_arrays(rule):
    """A million parameters are 4 MB; what is made after the first step is smaller than one such array."""
    import tracemalloc

    parameters = np.ones(1_000_000, np.float32)
    gradient = np.ones_like(parameters)
    optimizer = Optimizer(rule, parameters, clip_norm=1.0)
    optimizer.step(parameters, gradient, RATE)
    tracemalloc.start()
    optimizer.step(parameters, gradient, CosineDecay(RATE, 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
    assert parameters.dtype == np.float32


# ---------------------------------------------------------------------------------------------------------------- memory
def through_codec(value):
    attachments = Attachments()
    return decode(
        encode(value, "value", attachments), copy.deepcopy(attachments)
    )  # the attachments holds the arrays themselves


@each_rule
@pytest.mark.parametrize("through", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v)), through_codec])
def test_an_optimizer_goes_on_to_the_last_bit(rule, through):
    gradients = RNG.standard_normal((20, 2, 9))
    parameters = RNG.standard_normal((2, 9))
    optimizer = Optimizer(rule, parameters, clip_norm=2.5)
    for gradient in gradients[:10]:
        optimizer.step(parameters, gradient.copy(), LinearDecay(RATE, 20))
    other, twin = parameters.copy(), through(optimizer)
    assert (twin.rule, twin.steps, twin.clip_norm) == (rule, 10, 2.5)
    assert not any(np.shares_memory(a, b) for a, b in zip(twin.buffers, optimizer.buffers, strict=True))
    for gradient in gradients[10:]:
        optimizer.step(parameters, gradient.copy(), LinearDecay(RATE, 20))
        twin.step(other, gradient.copy(), LinearDecay(RATE, 20))
    np.testing.assert_array_equal(parameters, other)


def test_scratch_is_not_kept():
    parameters = np.ones(3)
    optimizer = Optimizer(Adam(), parameters)
    optimizer.step(parameters, np.ones(3), RATE)
    assert set(optimizer.__getstate__()) == {"rule", "clip_norm", "steps", "buffers"}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("rule", [RMSprop(momentum=0.5), SGD(momentum=0.9, nesterov=True)], ids=repr)
def test_a_saved_game_goes_on_to_the_last_bit(rule, backend, tmp_path):
    for library in ("safetensors", "skops", backend):
        pytest.importorskip(library, reason=f"needs {library}, which is not installed")
    options = {"optimizer": rule, "clip_norm": 1.0, "learning_rate": CosineDecay(1e-2, 50), "backend": backend}
    generator, discriminator = NeuralGenerator(3, (8,), **options), NeuralDiscriminator((8,), **options)
    whole = TuringLearner(generator, discriminator, rounds=8, random_state=7)
    rounds = whole.play(X)
    list(islice(rounds, 4))
    save(whole, tmp_path / "model")
    resumed = load(tmp_path / "model")
    list(rounds)
    list(resumed.play(X, resume=True))
    for role in ("generator", "discriminator"):
        one, other = getattr(whole.game_, role), getattr(resumed.game_, role)
        np.testing.assert_array_equal(one.network_.parameters, other.network_.parameters)
        assert (other.optimizer_.rule, other.optimizer_.steps) == (rule, one.optimizer_.steps)


# --------------------------------------------------------------------------------------------------------------- options
@each_rule
def test_rules_are_options(rule):
    player = NeuralGenerator(optimizer=rule, clip_norm=1.0)
    assert clone(player).optimizer == rule
    assert eval(repr(rule)) == rule
    assert hash(rule) == hash(copy.copy(rule))
    assert repr(rule) in repr(player) or rule == Adam()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@each_rule
def test_players_learn_by_any_rule(rule, backend):
    """The options reach the steps: each player makes them by its own rule, at its own rate."""
    pytest.importorskip(backend, reason=f"needs {backend}, which is not installed")
    generator = NeuralGenerator(3, (8,), optimizer=rule, backend=backend)
    discriminator = NeuralDiscriminator((8,), learning_rate=Warmup(2, 1e-2), clip_norm=1e-3, backend=backend)
    game = Game(generator, discriminator, batch_size=30, random_state=0)
    for _ in islice(game.rounds(X), 3):
        pass
    assert (generator.optimizer_.rule, discriminator.optimizer_.rule) == (rule, Adam())
    assert (generator.optimizer_.steps, discriminator.optimizer_.steps) == (3, 3)
    assert len(generator.optimizer_.buffers) == rule.moments
    assert float((discriminator.network_.gradient**2).sum()) ** 0.5 == pytest.approx(1e-3, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam((0.5, 1.0)), r"Adam\(betas=\(0.5, 1.0\)\): expected two decay rates"),
        (lambda: Adam(0.5), r"Adam\(betas=0.5\): expected two decay rates"),
        (lambda: Adam(epsilon=0), r"Adam\(epsilon=0\): expected a small positive number"),
        (lambda: RMSprop(decay=1.0), r"RMSprop\(decay=1.0\): expected a decay"),
        (lambda: RMSprop(momentum=-0.1), r"RMSprop\(momentum=-0.1\): expected a decay"),
        (lambda: RMSprop(epsilon=-1), r"RMSprop\(epsilon=-1\): expected a small positive"),
        (lambda: SGD(momentum=1.0), r"SGD\(momentum=1.0\): expected a decay"),
        (lambda: SGD(nesterov=True), r"SGD\(nesterov=True\): expected momentum above 0"),
        (lambda: LinearDecay(1e-3, 0), r"LinearDecay\(steps=0\): expected at least one step"),
        (lambda: CosineDecay(1e-3, 0), r"CosineDecay\(steps=0\): expected at least one step"),
        (lambda: ExponentialDecay(1e-3, 0, 1e-4), r"ExponentialDecay\(steps=0\): expected at least one step"),
        (lambda: ExponentialDecay(1e-3, 5, 0.0), r"ExponentialDecay\(final=0.0\): expected a positive rate"),
        (lambda: Warmup(0, 1e-3), r"Warmup\(steps=0\): expected at least one step"),
    ],
)
def test_rules_and_schedules_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("kind", [NeuralGenerator, NeuralDiscriminator])
@pytest.mark.parametrize(
    "options", [{"optimizer": Adam}, {"optimizer": "adam"}, {"optimizer": None}, {"clip_norm": 0}, {"clip_norm": np.inf}]
)
def test_players_name_options_that_cannot_be(kind, options):
    expected = r"a rule of turinglearn.nn: Adam\(\)" if "optimizer" in options else "a positive norm.*or None"
    with pytest.raises(ValueError, match=rf"{kind.__name__}\({next(iter(options))}=.*expected {expected}"):
        kind(**options).start(Batch(X), RNG)


# ------------------------------------------------------------------------------------------------------------- schedules
def test_linear_decay_ends_where_it_should():
    rate = LinearDecay(1e-3, 100, final=1e-4)
    assert [rate(0), rate(50), rate(100), rate(1000)] == pytest.approx([1e-3, 5.5e-4, 1e-4, 1e-4])


def test_warmup_rises_to_where_the_rest_begins():
    assert [Warmup(4, 0.1)(step) for step in range(6)] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1])
    rate = Warmup(4, LinearDecay(0.1, 10))
    assert [rate(3), rate(4), rate(9), rate(14), rate(99)] == pytest.approx([0.08, 0.1, 0.05, 0.0, 0.0])


def test_schedules_are_pytorchs():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    module = torch.nn.Parameter(torch.zeros(1))
    schedulers = torch.optim.lr_scheduler
    for ours, theirs in (
        (CosineDecay(0.1, 20, 0.01), lambda o: schedulers.CosineAnnealingLR(o, 20, 0.01)),
        (ExponentialDecay(0.1, 20, 0.01), lambda o: schedulers.ExponentialLR(o, 0.1 ** (1 / 20))),
        (LinearDecay(0.1, 20, 0.01), lambda o: schedulers.LinearLR(o, 1.0, 0.1, 20)),
    ):
        optimizer = torch.optim.SGD([module], lr=0.1)
        scheduler = theirs(optimizer)
        for step in range(21):
            assert ours(step) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9), ours
            optimizer.step()
            scheduler.step()
        assert ours(1000) == ours(20) == pytest.approx(0.01)


@pytest.mark.parametrize(
    "schedule", [CosineDecay(0.1, 5), ExponentialDecay(0.1, 5, 0.01), Warmup(5, LinearDecay(0.1, 5))], ids=repr
)
def test_schedules_are_options(schedule):
    assert clone(NeuralGenerator(learning_rate=schedule)).learning_rate == schedule
    assert through_codec(schedule) == schedule
