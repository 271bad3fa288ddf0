"""Where numbers live: on a fake CUDA device, with shapes and places but no numbers, nothing strays to the host unnoticed."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from tests.fake_cuda import fake_cuda, guard
from turinglearn import Game, Replicas, arrays
from turinglearn import objectives as o
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.packing import fold
from turinglearn.game.replay import Replay
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import Network
from turinglearn.protocols import Batch, Gradients, Losses, Samples

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")

PLACE = {"backend": "torch", "device": "cuda:0"}
CUDA = torch.device("cuda:0")
CRITERIA = [o.Logistic(), o.LeastSquares(), o.Hinge(), o.Wasserstein(clip=0.1), o.Relativistic()]
by_name = {"ids": lambda c: type(c).__name__}


@pytest.fixture(scope="module", autouse=True)
def guarded(tmp_path_factory):
    guard(tmp_path_factory.mktemp("guard"))


@pytest.fixture
def watch():
    with fake_cuda() as watch:
        yield watch


def rng():
    return np.random.default_rng(0)


def real(n=300, condition=False):
    return Batch(torch.zeros((n, 2), device=CUDA), torch.zeros((n, 1), device=CUDA) if condition else None)


def game(criterion=o.Logistic(), replicas=None, **options):
    players = NeuralGenerator(3, (8,), ema_decay=0.9, **PLACE), NeuralDiscriminator((8,), criterion=criterion, **PLACE)
    options = {"batch_size": 20, "random_state": 0, **options}
    return Game(*players, **options) if replicas is None else Replicas(*players, replicas, **options)


def devices(thing):
    """The devices of all tensors that a thing holds, however deep."""
    if isinstance(thing, torch.Tensor):
        return {thing.device}
    if isinstance(thing, dict):
        parts = thing.values()
    elif isinstance(thing, list | tuple):
        parts = thing
    elif type(thing).__module__.startswith("turinglearn."):
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        parts = [*(getattr(thing, name) for name in slots), *getattr(thing, "__dict__", {}).values()]
    else:
        parts = ()
    return set().union(*map(devices, parts))


# --------------------------------------------------------------------------------------------------- a whole game
@pytest.mark.parametrize("criterion", CRITERIA, **by_name)
@pytest.mark.parametrize("condition", [False, True], ids=["plain", "conditional"])
@pytest.mark.parametrize("pack", [1, 2])
def test_a_game_lives_on_its_device(watch, criterion, condition, pack):
    played, data = game(criterion, pack=pack), real(condition=condition)
    for record in islice(played.rounds(data.x, data.condition), 2):
        assert devices(record.feedback) == {CUDA}
    for player in (played.generator, played.discriminator):
        assert devices(vars(player)) == {CUDA}
    conditions = None if data.condition is None else data.condition[:5]
    assert played.sample(5, condition=conditions).device == CUDA


@pytest.mark.parametrize("many", [{}, {"replicas": 3}])
def test_what_crosses_in_a_fused_round(watch, many):
    """Noise, in one block, and row numbers, which are drawn on the host, go up; two answers to "is it finite?" come down."""
    rounds = game(**many).rounds(real().x)
    next(rounds)
    watch.trips.clear()
    next(rounds)
    assert watch.counts() == {
        ("up", "game.fused._proposed"): 1,
        ("up", "protocols.take"): many.get("replicas", 1),
        ("scalar", "game.fused._proposed"): 1,
        ("scalar", "game.fused._update_generator"): 1,
    }


def test_what_crosses_in_a_plain_round(watch):
    """The same, but noise for each proposal, and an answer for whatever passes between the players."""
    rounds = game(fuse=False).rounds(real().x)
    next(rounds)
    watch.trips.clear()
    next(rounds)
    assert watch.counts() == {
        ("up", "generators.neural._forward"): 2,  # noise, for each of two proposals
        ("up", "protocols.take"): 1,  # row numbers
        ("scalar", "contract.check_values"): 6,  # two proposals, scores, slopes, the gradient with its pullback
    }


def test_what_crosses_at_the_start(watch):
    """The initial parameters go up. Location and spread are taken on the host, of at most 10,000 rows."""
    next(game(fuse=False).rounds(real().x))
    in_any_round = {("up", "generators.neural._forward"), ("up", "protocols.take"), ("scalar", "contract.check_values")}
    assert watch.places() - in_any_round == {
        ("scalar", "data.sources.check_rows"),  # is it finite, and within what single precision can square?
        ("down", "nn.initialization.scales"),
        ("up", "nn.network.__init__"),
        ("up", "generators.neural.<genexpr>"),  # location and spread
        ("up", "discriminators.neural.<genexpr>"),
    }


def test_what_crosses_with_replay(watch):
    """Numbers of rows that are drawn again, or found to stay, go up."""
    rounds = game(replay=Replay(capacity=30)).rounds(real().x)
    list(islice(rounds, 2))
    watch.trips.clear()
    record = next(rounds)
    known = {("up", "generators.neural._forward"), ("up", "protocols.take"), ("scalar", "contract.check_values")}
    assert watch.places() <= known
    assert devices(record.feedback) == {CUDA}


def test_figures_come_to_the_host_when_they_are_read_and_not_before(watch):
    record = next(game().rounds(real().x))
    watch.trips.clear()
    record.figures()
    read = {("scalar", "game.records._mean"), ("scalar", "game.records.discriminator_loss")}
    known = {("scalar", "contract.check_values"), *read}
    assert watch.places() == known


@pytest.mark.parametrize("fused", [True, False])
def test_data_on_the_host_are_carried_batch_by_batch(watch, fused):
    """A discriminator on the device meets NumPy's rows: they go up, and nothing comes down but answers."""
    rounds = game(fuse=fused).rounds(np.random.default_rng(0).standard_normal((300, 2)))
    next(rounds)
    watch.trips.clear()
    next(rounds)
    assert ("up", "game.fused._read" if fused else "discriminators.neural._features") in watch.places()
    assert not [trip for trip in watch.trips if trip[0] == "down"]


# ------------------------------------------------------------------------------------------------------- its parts
def test_the_parts_of_the_core(watch):
    network = Network((3, 5, 2), rng(), arrays.library("torch"), CUDA, torch.float32)
    y, tape = network.forward(torch.zeros((7, 3), device=CUDA))
    network.backward(tape, y)
    assert network.backward_inputs(tape, y).shape == (7, 3)
    assert devices(network) == devices(tape) == {CUDA}
    generator, discriminator, batch = NeuralGenerator(3, (8,), **PLACE), NeuralDiscriminator((8,), **PLACE), real(20)
    generator.start(batch, rng())
    discriminator.start(batch, rng())
    samples = generator.propose(20, rng())
    discriminator.update(batch, samples, rng())
    scores, pullback = discriminator.vjp(samples)
    generator.update(samples, Gradients(pullback(scores.values)))
    assert devices([samples, scores, discriminator.score_samples(batch), generator.sample(4, rng())]) == {CUDA}
    watch.trips.clear()
    discriminator.update(batch, generator.propose(20, rng()), rng())
    assert watch.counts() == {("up", "generators.neural._forward"): 1}  # by itself a player asks for no scalar


@pytest.mark.parametrize("criterion", CRITERIA, **by_name)
def test_objectives_stay_where_the_scores_are(watch, criterion):
    r, reference = torch.zeros(6, device=CUDA), torch.zeros(6, device=CUDA)
    results = [criterion.value(r, reference), *criterion.slopes(r, reference)]
    for loss in (criterion.default_generator_loss, o.Minimax(), o.ReverseKL(), o.ForwardKL()):
        results += [loss.losses(r, reference), loss.slopes(r, reference)]
    assert devices(results) == {CUDA}
    assert watch.trips == []


def test_folding_and_unpacking_stay(watch):
    batch = real(12, condition=True)
    folded = fold(batch, 3)
    assert devices([folded, Losses(torch.zeros(4, device=CUDA)).unpack(3, batch)]) == {CUDA}
    assert devices(Gradients(folded.x).unpack(3, batch)) == {CUDA}
    assert watch.trips == []


def test_conversions_move_only_where_they_must(watch):
    there, here = torch.zeros(4, device=CUDA), torch.zeros(4, dtype=torch.float64)
    assert arrays.like(there, there) is there
    assert devices(list(arrays.in_one_precision(there, torch.zeros(4, dtype=torch.float64, device=CUDA)))) == {CUDA}
    assert watch.trips == []
    moved = arrays.concat(there, here)
    assert (moved.device, moved.dtype) == (CUDA, torch.float32)
    assert arrays.like(there, here).device.type == "cpu"
    assert [what for what, _ in watch.trips] == ["up", "down"]


@pytest.mark.parametrize(("precision", "setting"), [("full", "ieee"), ("tf32", "tf32"), ("bfloat16", None)])
def test_products_stay_and_leave_the_setting_alone(watch, precision, setting):
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    try:
        place = {**PLACE, "matmul_precision": precision}
        players = NeuralGenerator(3, (8,), **place), NeuralDiscriminator((8,), **place)
        played = Game(
            *players, batch_size=20, pack=2, random_state=0
        )  # packed: not the fused round, which knows full ones only
        next(played.rounds(real().x))
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
    assert devices([vars(played.generator), vars(played.discriminator)]) == {CUDA}
    assert played.generator.network_.parameters.dtype == played.discriminator.optimizer_.buffers[0].dtype == torch.float32
    multiplied = set(watch.tf32)
    assert multiplied == ({"ieee", setting} if setting else {"ieee"})  # sums down the columns are full ones


# ----------------------------------------------------------------------------------------- what these tests would catch
def test_a_mix_of_devices_is_caught(watch):
    network = Network((3, 5, 2), rng(), arrays.library("torch"), CUDA, torch.float32)
    with pytest.raises(RuntimeError, match=r"same device.*(cuda:0.*cpu|cpu.*cuda:0)"):
        network.forward(torch.zeros((7, 3)))
    with pytest.raises(RuntimeError, match=r"same device"):
        o.Relativistic().slopes(torch.zeros(4, device=CUDA), torch.zeros(4))


class ByWayOfTheHost(NeuralDiscriminator):
    """A discriminator that examines on the host and carries its answer back."""

    def vjp(self, batch):
        scores, pullback = super().vjp(Batch(batch.x.cpu(), batch.condition))
        return scores, lambda slopes: pullback(slopes.cpu().to(slopes.device))


def test_a_hidden_trip_is_seen(watch):
    played = Game(NeuralGenerator(3, (8,), **PLACE), ByWayOfTheHost((8,), **PLACE), batch_size=20, random_state=0)
    rounds = played.rounds(real().x)
    next(rounds)
    watch.trips.clear()
    next(rounds)
    assert [what for what, _ in watch.trips].count("down") == 2


def test_a_value_that_is_asked_for_is_seen(watch):
    assert float(torch.zeros((), device=CUDA)) == 1
    assert watch.trips == [("scalar", "test")]


def test_without_the_watch_a_fake_has_no_value(guarded):
    from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        bool(torch.zeros((), device=CUDA))


# ---------------------------------------------------------------------------------- between libraries: DLPack alone
class Elsewhere:
    """An array of a library on an accelerator: it can be handed over by DLPack, and every other way out raises."""

    def __init__(self, tensor):
        self.tensor, self.handed = tensor, 0
        self.shape, self.dtype, self.ndim = tensor.shape, tensor.dtype, tensor.ndim

    def __dlpack_device__(self):
        return (2, 0)  # DLPack's number for CUDA

    def __dlpack__(self, **how):
        self.handed += 1
        return self.tensor.__dlpack__()

    def leave(self, *args, **kwargs):
        raise AssertionError("an array on an accelerator was brought to the host")

    __array__ = __array_interface__ = __float__ = __iter__ = tolist = cpu = get = numpy = to_device = leave


@pytest.fixture
def handing(monkeypatch):
    """torch's from_dlpack, which asks a device for its stream, without a device: it takes what the capsule holds."""
    received = []

    def from_dlpack(x):
        received.append(x)
        return torch.utils.dlpack.from_dlpack(x.__dlpack__())

    monkeypatch.setattr(arrays.library("torch"), "from_dlpack", from_dlpack)
    return received


def test_another_accelerators_array_is_handed_over_by_dlpack(handing):
    theirs = Elsewhere(torch.arange(6.0).reshape(3, 2))
    ours = arrays.like(theirs, torch.zeros(1))
    assert handing == [theirs]
    assert theirs.handed == 1
    assert ours.data_ptr() == theirs.tensor.data_ptr()  # no copy
    assert arrays.like(theirs, torch.zeros(1, dtype=torch.float64)).dtype == torch.float64
    assert arrays.concat(torch.zeros((1, 2)), theirs).shape == (4, 2)


def test_a_discriminator_is_shown_another_librarys_samples_by_dlpack(handing):
    discriminator = NeuralDiscriminator((8,), backend="torch")
    discriminator.start(Batch(np.random.default_rng(0).standard_normal((50, 2))), rng())
    x = torch.randn(20, 2)
    theirs = Elsewhere(x)
    assert torch.equal(discriminator.score_samples(Batch(theirs)).values, discriminator.score_samples(Batch(x)).values)
    discriminator.update(Batch(theirs), Batch(theirs), rng())
    assert theirs.handed == 3


def test_the_spy_can_fail():
    with pytest.raises(AssertionError, match="brought to the host"):
        np.asarray(Elsewhere(torch.zeros(3)).get())


def test_one_library_keeps_its_arrays_whatever_their_class():
    parameter, tensor = torch.nn.Parameter(torch.zeros(3)), torch.zeros(3)
    assert arrays.like(parameter, tensor) is parameter
    assert arrays.like(tensor, parameter) is tensor


def test_pinned_memory_is_the_hosts(handing):
    class Pinned(np.ndarray):
        def __dlpack_device__(self):
            return (3, 0)  # DLPack's number for memory of the host that CUDA can reach

    taken = arrays.like(np.arange(3.0).view(Pinned), torch.zeros(1))
    assert torch.equal(taken, torch.arange(3.0))
    assert handing == []


def test_samples_carry_their_condition_to_another_library():
    """torch on the one side, array-api-strict's second device on the other."""
    strict = pytest.importorskip("array_api_strict", reason="needs array-api-strict, which is not installed")
    device = strict.Device("device1")
    x, condition = torch.randn(6, 2), torch.randn(6, 1)
    discriminator = NeuralDiscriminator((8,), backend="array_api_strict", device=device)
    discriminator.start(Batch(x, condition), rng())
    scores = discriminator.score_samples(Samples(x, condition)).values
    assert scores.device == device
