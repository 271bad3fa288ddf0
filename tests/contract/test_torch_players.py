"""torch modules as players: the same mathematics as the core, through autograd."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator, TorchDiscriminator
from turinglearn.generators import NeuralGenerator, TorchGenerator
from turinglearn.protocols import Batch, Gradients, PlayerError

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
nn = torch.nn

X = np.random.default_rng(0).normal([1, -1], [1, 2], (400, 2))


def generator(condition=0):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3 + condition, 16), nn.ReLU(), nn.Linear(16, 2))


def discriminator(condition=0):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2 + condition, 16), nn.ReLU(), nn.Linear(16, 1))


class Conditional(nn.Module):
    """A module that takes its condition as a second argument."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, condition):
        return self.net(torch.cat((x, condition), dim=1))


PAIRS = {
    "torch, torch": lambda: (TorchGenerator(generator(), 3), TorchDiscriminator(discriminator())),
    "torch, core": lambda: (TorchGenerator(generator(), 3), NeuralDiscriminator((8,))),
    "core, torch": lambda: (NeuralGenerator(3, (8,)), discriminator()),
    "torch, core on torch": lambda: (TorchGenerator(generator(), 3), NeuralDiscriminator((8,), backend="torch")),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_pairs_play_and_repeat(pair):
    samples = []
    for _ in range(2):
        game = Game(*pair(), batch_size=50, random_state=0)
        records = [r.figures() for r in islice(game.rounds(X), 4)]
        assert np.isfinite(records[-1]["discriminator_loss"])
        samples.append(game.sample(5))
    assert isinstance(samples[0], np.ndarray)
    np.testing.assert_array_equal(*samples)


@pytest.mark.parametrize(
    "criterion",
    [o.Logistic(), o.LeastSquares(), o.Hinge(), o.Wasserstein(clip=0.05), o.Relativistic()],
    ids=lambda c: type(c).__name__,
)
def test_a_module_learns_as_the_core_does(criterion):
    """The same network, once by autograd and once by hand, after five updates."""
    core = NeuralDiscriminator((16,), criterion=criterion, dtype="float64")
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    core.start(Batch(standard), np.random.default_rng(0))
    module = discriminator().double()
    layers = [p for a in core.network_.matrices(core.network_.parameters) for p in (a[:-1], a[-1:])]
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), layers, strict=True):
            parameter.copy_(torch.tensor(value).T.reshape(parameter.shape))
    theirs = TorchDiscriminator(module, criterion=criterion)
    theirs.start(Batch(standard), np.random.default_rng(0))
    rng = np.random.default_rng(0)
    for step in range(5):
        real, fake = Batch(standard[step * 20 : step * 20 + 20]), Batch(rng.standard_normal((20, 2)) + 1)
        core.update(real, fake, rng)
        theirs.update(real, fake, rng)
    probe = Batch(standard[:30])
    np.testing.assert_allclose(theirs.score_samples(probe).values.numpy(), core.score_samples(probe).values, atol=1e-9)
    slopes = np.linspace(-1, 1, 30)
    mine = core.vjp(probe)[1](slopes)
    np.testing.assert_allclose(theirs.vjp(probe)[1](torch.tensor(slopes)).numpy(), mine, atol=1e-9)


def test_the_generator_descends_the_mean_loss():
    player = TorchGenerator(generator().double(), 3, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    player.start(Batch(X), np.random.default_rng(0))
    before = [p.detach().clone() for p in player.module_.parameters()]
    rng = np.random.default_rng(1)
    samples = player.propose(8, rng)
    player.update(samples, Gradients(samples.x))
    reference = generator().double()
    z = torch.tensor(np.random.default_rng(1).standard_normal((8, 3), dtype=np.float32)).double()
    (reference(z) ** 2).sum(dim=1).mean().div(2).backward()
    for old, new, ref in zip(before, player.module_.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old - 0.1 * ref.grad)


def test_conditions_are_a_second_argument():
    game = Game(
        TorchGenerator(Conditional(generator(1)), 3),
        TorchDiscriminator(Conditional(discriminator(1))),
        batch_size=50,
        random_state=0,
    )
    c = np.ones((400, 1))
    next(game.rounds(X, c))
    assert game.sample(6, condition=c[:6]).shape == (6, 2)


def test_the_module_that_was_given_is_not_trained():
    module = discriminator()
    before = [p.detach().clone() for p in module.parameters()]
    next(Game(NeuralGenerator(3, (8,)), module, batch_size=50).rounds(X))
    for old, new in zip(before, module.parameters(), strict=True):
        torch.testing.assert_close(old, new)


def test_stale_samples_are_refused():
    player = TorchGenerator(generator(), 3)
    player.start(Batch(X), np.random.default_rng(0))
    samples = player.propose(5, np.random.default_rng(0))
    player.update(samples, Gradients(samples.x))
    with pytest.raises(PlayerError, match=r"not of the present module.*latest `propose`"):
        player.update(samples, Gradients(samples.x))


def test_reading_a_record_changes_nothing():
    """Evidence is that of the evaluation mode: no dropout, no running statistics, no word of the rest of the batch."""
    samples = []
    for read in (True, False):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        game = Game(NeuralGenerator(3, (8,)), net, batch_size=50, random_state=0)
        for r in islice(game.rounds(X), 5):
            if read:
                r.figures()
        samples.append(game.sample(5))
    np.testing.assert_array_equal(*samples)
    one, all_of_them = (game.discriminator.score_samples(Batch(X[:n])).values for n in (1, 50))
    torch.testing.assert_close(one[0], all_of_them[0])


def test_scores_of_the_wrong_shape_are_named():
    with pytest.raises(PlayerError, match=r"Linear returned scores of shape \(\d+, 2\).*expected one per sample"):
        next(Game(NeuralGenerator(3, (8,)), nn.Linear(2, 2), batch_size=50).rounds(X))


def test_a_module_without_parameters_cannot_learn():
    with pytest.raises(ValueError, match="Identity has no parameters"):
        next(Game(NeuralGenerator(3, (8,)), nn.Identity(), batch_size=50).rounds(X))


class Returns(nn.Module):
    """A module with a parameter that returns something else than it should."""

    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Linear(3, 2), function

    def forward(self, z):
        return self.function(self.layer(z))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            nn.Linear(3, 4),
            r"Linear returned samples of shape \(50, 4\).*tensor of shape \(50, 2\).*End it with torch.nn.Linear",
        ),
        (Returns(lambda x: x[:, 0]), r"samples of shape \(50,\) for 50 rows of noise; expected a tensor of shape \(50, 2\)"),
        (Returns(lambda x: x[:7]), r"samples of shape \(7, 2\) for 50 rows"),
        (Returns(lambda x: (x, x)), r"Returns returned a tuple for 50 rows.*Return the samples alone"),
        (Returns(lambda x: x.detach().numpy()), r"returned a ndarray for 50 rows.*Return the samples alone"),
        (Returns(lambda x: x.detach()), r"samples of Returns do not depend on its parameters.*Keep detach\(\)"),
    ],
)
def test_a_generator_module_that_returns_something_else_is_named(module, message):
    with pytest.raises(PlayerError, match=f"TorchGenerator: .*{message}"):
        next(Game(TorchGenerator(module, 3), NeuralDiscriminator((8,)), batch_size=50, random_state=0).rounds(X))


def test_images_of_a_generator_module_have_the_shape_of_the_real_ones():
    images = np.random.default_rng(0).standard_normal((80, 1, 4, 4)).astype(np.float32)
    flat = TorchGenerator(nn.Linear(3, 16), 3)
    with pytest.raises(PlayerError, match=r"expected a tensor of shape \(20, 1, 4, 4\).*Unflatten\(1, \(1, 4, 4\)\)"):
        next(Game(flat, NeuralDiscriminator((8,)), batch_size=20, random_state=0).rounds(images))
    shaped = TorchGenerator(nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (1, 4, 4))), 3)
    game = Game(shaped, NeuralDiscriminator((8,)), batch_size=20, random_state=0)
    next(game.rounds(images))
    assert game.sample(5).shape == (5, 1, 4, 4)


def frozen():
    module = nn.Linear(3, 2)
    return module.requires_grad_(False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: TorchGenerator(nn.Linear, 3),
            r"TorchGenerator\(module=.*expected a torch.nn.Module, an instance. Write Linear",
        ),
        (lambda: TorchGenerator(np.tanh, 3), r"TorchGenerator\(module=.*expected a torch.nn.Module, an instance\."),
        (lambda: TorchGenerator(frozen(), 3), r"TorchGenerator: Linear has no trainable parameters"),
        (lambda: TorchGenerator(nn.Linear(3, 2), 3, device="gpu"), r"device='gpu'\): Linear cannot be moved there"),
        (
            lambda: TorchGenerator(nn.Linear(3, 2), 3, optimizer=torch.optim.Adam(nn.Linear(3, 2).parameters())),
            r"optimizer=Adam\(...\)\): expected a function from parameters.*lambda parameters: torch.optim.Adam\(parameters",
        ),
    ],
)
def test_common_mistakes_with_modules_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make().start(Batch(X), np.random.default_rng(0))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
def test_a_missing_device_is_named():
    with pytest.raises(ValueError, match=r"TorchGenerator\(device='cuda'\): Linear cannot be moved there"):
        TorchGenerator(nn.Linear(3, 2), 3, device="cuda").start(Batch(X), np.random.default_rng(0))


def test_the_dimension_of_noise_must_be_named():
    with pytest.raises(TypeError, match="latent_dim"):
        TorchGenerator(nn.Linear(3, 2))
    with pytest.raises(TypeError, match=r"Linear is a torch module, .*TorchGenerator\(module, latent_dim=...\)"):
        Game(nn.Linear(3, 2), NeuralDiscriminator())


def test_an_optimizer_class_is_a_factory():
    player = TorchGenerator(nn.Linear(3, 2), 3, optimizer=torch.optim.Adam)
    player.start(Batch(X), np.random.default_rng(0))
    assert isinstance(player.optimizer_, torch.optim.Adam)


def test_the_dimension_of_noise_is_an_integer():
    with pytest.raises(ValueError, match=r"TorchGenerator\(latent_dim=2.0\): expected an integer, at least 1"):
        TorchGenerator(nn.Linear(2, 2), 2.0).start(Batch(X), np.random.default_rng(0))


def test_images_and_packs_reach_the_module():
    images = np.random.default_rng(0).standard_normal((80, 1, 6, 6)).astype(np.float32)
    conv = nn.Sequential(nn.Flatten(1, 2), nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(64, 1))
    game = Game(NeuralGenerator(3, (8,)), conv, batch_size=20, pack=2, random_state=0)
    next(game.rounds(images))
    assert game.sample(3).shape == (3, 1, 6, 6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_data_of_half_precision(dtype):
    game = Game(NeuralGenerator(3, (8,)), NeuralDiscriminator((8,)), batch_size=50, random_state=0)
    for r in islice(game.rounds(torch.tensor(X, dtype=getattr(torch, dtype))), 3):
        assert np.isfinite(r.discriminator_loss)
    assert game.sample(2).dtype == getattr(torch, dtype)


def test_dropout_follows_the_seed_of_the_game():
    """And leaves torch's own generator alone."""

    def play(seed):
        discriminator = nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 1))
        torch.manual_seed(7)
        for p in discriminator.parameters():
            nn.init.normal_(p)
        before = torch.random.get_rng_state()
        game = Game(TorchGenerator(generator(), 3), discriminator, batch_size=50, random_state=seed)
        torch.random.set_rng_state(before)
        losses = [r.discriminator_loss for r in islice(game.rounds(X), 5)]
        assert torch.equal(torch.random.get_rng_state(), before)
        return losses

    assert play(0) == play(0) != play(1)


@pytest.mark.parametrize(
    ("players", "message"),
    [
        (
            lambda: (TorchGenerator(nn.Linear(4, 2), 3), discriminator()),
            r"TorchGenerator: Linear raised .*\(50, 3\).*from latent_dim",
        ),
        (lambda: (NeuralGenerator(), nn.Linear(5, 1)), r"TorchDiscriminator: Linear raised .*\(100, 2\).*comes from the data"),
    ],
)
def test_a_module_of_the_wrong_width_is_named(players, message):
    with pytest.raises(PlayerError, match=message):
        next(Game(*players(), batch_size=50, random_state=0).rounds(X))
