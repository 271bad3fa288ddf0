"""On a GPU: the same trajectory as on the CPU, games between libraries on one device, no trip to the host, and the time.

`make test-gpu` runs these tests, and all others that are marked gpu, and writes what was measured to a page.
"""

from __future__ import annotations

import copy
import os
import statistics
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from turinglearn import Game, Replicas, arrays
from turinglearn.datasets import ring
from turinglearn.discriminators import NeuralDiscriminator, TorchDiscriminator
from turinglearn.generators import NeuralGenerator, TorchGenerator
from turinglearn.nn.matmul import matmul

pytestmark = pytest.mark.gpu

X = np.random.default_rng(0).normal([1, -1], [1, 2], (400, 2))
SIZES = ((128, 256), (512, 1024), (2048, 4096))  # hidden width, batch

PAGE = """# On a GPU

Written by `make test-gpu`: {provenance}.

Milliseconds per round, median of {repetitions} repetitions that take turns: 2-H-H-2 against 2-H-H-1, Adam, float32, with
products in lower precision where it is named, on 10,000 points that lie where the players live. NumPy runs on one thread.

| H | batch | players | ms per round | times as fast as NumPy |
|---|---|---|---|---|
{rows}
"""


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device: torch finds none")
    return torch


@pytest.fixture(scope="module")
def cupy():
    cupy = pytest.importorskip("cupy", reason="needs CuPy, which is not installed")
    if not cupy.cuda.is_available():  # importing CuPy proves nothing: it imports without a GPU
        pytest.skip("needs a CUDA device: CuPy finds none")
    return cupy


def on(library):
    """The options that place a core player; CuPy's device is the present one."""
    return {"backend": library, "device": "cuda:0" if library == "torch" else None}


def network_game(makes, discriminators=None, **options):
    makes, discriminators = {**makes, **options}, {**(discriminators or makes), **options}
    return Game(NeuralGenerator(3, (16,), **makes), NeuralDiscriminator((16,), **discriminators), batch_size=50, random_state=0)


def trajectory(game, data, rounds=10):
    for _ in islice(game.rounds(data), rounds):
        pass
    return parameters(game)


def parameters(game):
    return arrays.to_numpy(game.generator.network_.parameters), arrays.to_numpy(game.discriminator.network_.parameters)


# ------------------------------------------------------------------------------------------------- the same numbers
@pytest.mark.parametrize("library", ["torch", "cupy"])
def test_the_trajectory_is_numpys(request, library):
    """In float64 and over ten rounds."""
    request.getfixturevalue(library)
    expected = trajectory(network_game({}, dtype="float64"), X)
    found = trajectory(network_game(on(library), dtype="float64"), X)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("library", ["torch", "cupy"])
def test_a_replica_is_the_game_of_its_seed(request, library):
    """On torch the games share a leading axis, on CuPy they take turns."""
    request.getfixturevalue(library)
    options = {**on(library), "dtype": "float64"}
    players = NeuralGenerator(3, (16,), **options), NeuralDiscriminator((16,), **options)
    many = Replicas(*copy.deepcopy(players), 3, batch_size=50, random_state=5)
    for _ in islice(many.rounds(X), 10):
        pass
    assert library == "cupy" or len(many._fusion.rounds) == 1
    for replica in many.games:
        alone = Game(*copy.deepcopy(players), batch_size=50, random_state=replica.seed)
        for theirs, ours in zip(trajectory(alone, X), parameters(replica), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("makes", "discriminators"), [("torch", "cupy"), ("cupy", "torch")])
def test_libraries_meet_on_one_device(torch, cupy, monkeypatch, makes, discriminators):
    """The game is NumPy's, and no sample goes by way of the host."""
    expected = trajectory(network_game({}, dtype="float64"), X)
    data = torch.asarray(X, device="cuda:0")
    game = network_game(on(makes), on(discriminators), dtype="float64")
    rounds = game.rounds(data)
    next(rounds)
    with monkeypatch.context() as patched:
        patched.setattr(arrays, "to_numpy", _refuse)
        for _ in islice(rounds, 9):
            pass
    for player, theirs in zip((game.generator, game.discriminator), expected, strict=True):
        np.testing.assert_allclose(arrays.to_numpy(player.network_.parameters), theirs, rtol=1e-6, atol=1e-9)


def _refuse(x):
    if type(x) is np.ndarray:  # noise, on its way up
        return x
    raise AssertionError(f"an array of shape {tuple(x.shape)} was brought to the host")


def test_samples_are_shared_and_not_copied(torch, cupy):
    x = torch.ones((5, 2), device="cuda:0")
    theirs = arrays.like(x, cupy.zeros(1, dtype=cupy.float32))
    assert theirs.data.ptr == x.data_ptr()
    back = arrays.like(theirs, x)
    assert back.data_ptr() == x.data_ptr()


def test_a_round_copies_no_array_to_the_host(torch):
    """The profiler sees copies from the device of a few bytes only, the answers to "is it finite?"."""
    game = network_game(on("torch"))
    rounds = game.rounds(torch.asarray(X, dtype=torch.float32, device="cuda:0"))
    for _ in islice(rounds, 3):
        pass
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        next(rounds)
        torch.cuda.synchronize()
    down = [event for event in profile.events() if "DtoH" in event.name]
    answers = [event for event in profile.events() if event.name == "aten::_local_scalar_dense"]
    assert 0 < len(answers) <= 6
    assert len(down) <= len(answers)


def test_a_player_asks_the_device_for_nothing(torch):
    """Beside the host's noise, which is copied up, an update synchronises with nothing."""
    game = network_game(on("torch"))
    next(game.rounds(torch.asarray(X, dtype=torch.float32, device="cuda:0")))
    discriminator, rng = game.discriminator, np.random.default_rng(0)
    real, fake = game.generator.propose(50, rng), game.generator.propose(50, rng)
    torch.cuda.set_sync_debug_mode("error")
    try:
        discriminator.update(real, fake, rng)
        scores, pullback = discriminator.vjp(fake)
        pullback(scores.values)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_modules_draw_from_the_games_stream(torch):
    nn, samples = torch.nn, []
    for _ in range(2):
        torch.manual_seed(0)
        makes = nn.Sequential(nn.Linear(3, 16), nn.Dropout(), nn.ReLU(), nn.Linear(16, 2))
        discriminators = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
        torch.cuda.manual_seed(len(samples))  # what torch would draw by itself differs
        players = TorchGenerator(makes, 3, device="cuda:0"), TorchDiscriminator(discriminators, device="cuda:0")
        game = Game(*players, batch_size=50, random_state=0)
        for _ in islice(game.rounds(X), 3):
            pass
        samples.append(game.sample(20))
    np.testing.assert_allclose(*samples, rtol=1e-4, atol=1e-6)


# ----------------------------------------------------------------------------------------------------- kernels, products
def test_fused_kernels_are_the_generic_path(cupy, monkeypatch):
    from turinglearn.nn import network, optimizers

    fused = trajectory(network_game(on("cupy"), dtype="float64"), cupy.asarray(X))
    for module in (network, optimizers):
        monkeypatch.setattr(module, "is_cupy", lambda x: False)
    generic = trajectory(network_game(on("cupy"), dtype="float64"), cupy.asarray(X))
    for ours, theirs in zip(fused, generic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("precision", "unit"), [("tf32", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_products_stray_by_their_rounding(torch, precision, unit):
    if torch.cuda.get_device_capability() < (8, 0):
        pytest.skip("needs a CUDA device of compute capability 8.0 or later")
    a, b = (torch.randn(512, 512, generator=torch.Generator().manual_seed(seed)).cuda() for seed in (0, 1))
    exact, size = a.double() @ b.double(), a.double().abs() @ b.double().abs()
    strayed = (matmul(a, b, precision).double() - exact).abs()
    assert bool((strayed <= 4 * unit * size).all())  # tf32 may be cut off instead of rounded: twice the unit for each factor
    assert float(strayed.max()) > 10 * float((matmul(a, b).double() - exact).abs().max())
    assert matmul(a, b, precision).dtype == torch.float32


# ------------------------------------------------------------------------------------------------------------- the time
@pytest.fixture(scope="module")
def page():
    """Rows of the page, which is written where `make test-gpu` says, and only if something ran."""
    rows = []
    yield rows
    where = os.environ.get("TURINGLEARN_GPU_PAGE")
    if rows and where:
        Path(where).write_text(_page(rows), encoding="utf-8")


REPETITIONS = 7


def _page(rows):
    from benchmarks.provenance import provenance

    return PAGE.format(provenance=f"{_device()}, {provenance()}", repetitions=REPETITIONS, rows="\n".join(rows))


def _device():
    import torch

    found = f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"
    if _has_cupy():
        import cupy

        found += f", CuPy {cupy.__version__}"
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("width", "batch"), SIZES)
def test_the_time_of_a_round(torch, page, width, batch):
    """Nothing is asserted of it but that it can be measured: the page is the result."""
    contestants = {"NumPy": ({}, None), "torch": (on("torch"), "torch")}
    if torch.cuda.get_device_capability() >= (8, 0):
        for products in ("tf32", "bfloat16"):
            contestants[f"torch, {products}"] = ({**on("torch"), "matmul_precision": products}, "torch")
    if _has_cupy():
        contestants["CuPy"] = (on("cupy"), "cupy")
    loops = {name: _loop(width, batch, place, library) for name, (place, library) in contestants.items()}
    for loop in loops.values():
        for _ in islice(loop, 3):
            pass
    times = {name: [] for name in loops}
    for _ in range(REPETITIONS):
        for name, loop in loops.items():
            torch.cuda.synchronize()
            begun = time.perf_counter()
            for _ in islice(loop, 3):
                pass
            torch.cuda.synchronize()  # the whole device, CuPy's streams included
            times[name].append((time.perf_counter() - begun) / 3 * 1e3)
    medians = {name: statistics.median(values) for name, values in times.items()}
    assert all(0 < median < float("inf") for median in medians.values())
    for name, median in medians.items():
        page.append(f"| {width} | {batch} | {name} | {median:.2f} | {medians['NumPy'] / median:.1f} |")


def _loop(width, batch, place, library):
    data = ring(sigma=0.1).sample(10_000, 0).astype(np.float32)
    if library is not None:
        xp = arrays.library(library)
        data = xp.asarray(data, device="cuda:0") if library == "torch" else xp.asarray(data)
    hidden = (width, width)
    players = NeuralGenerator(2, hidden, **place), NeuralDiscriminator(hidden, **place)
    return Game(*players, batch_size=batch, random_state=0).rounds(data)


def _has_cupy():
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())
