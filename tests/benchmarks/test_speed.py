"""Contestants of benchmarks/speed on a tiny size: they run, they play the same round, and the floor has the right products."""

from __future__ import annotations

import importlib.util
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402 - after torch is known to be there

from benchmarks.speed.compiled import compiled  # noqa: E402
from benchmarks.speed.core import core, game  # noqa: E402
from benchmarks.speed.page import BARS, page  # noqa: E402
from benchmarks.speed.problem import SIZES, Absent, Size, data  # noqa: E402
from benchmarks.speed.products import flops, products, shapes  # noqa: E402
from benchmarks.speed.turns import CONTESTANTS, CORE, Measured, Turns  # noqa: E402
from benchmarks.speed.usual import Players, usual  # noqa: E402
from tests.documents import REPOSITORY, run  # noqa: E402
from turinglearn import Game, Replicas  # noqa: E402
from turinglearn.arrays import to_numpy  # noqa: E402
from turinglearn.discriminators import NeuralDiscriminator  # noqa: E402
from turinglearn.generators import NeuralGenerator  # noqa: E402
from turinglearn.nn.workspace_numpy import NumpyWorkspace  # noqa: E402
from turinglearn.protocols import Batch  # noqa: E402
from turinglearn.streams import Streams  # noqa: E402

TINY = Size((8, 8), 16, rounds=2)
MANY = Size((8, 8), 16, rounds=2, games=3)
DIGITS = next(size for size in SIZES if size.features == 64)
has_jax = importlib.util.find_spec("jax") is not None
needs_jax = pytest.mark.skipif(not has_jax, reason="needs JAX, which is not installed")


def counted(monkeypatch, owner, name):
    """The calls of a function from now on."""
    calls, function = [], getattr(owner, name)

    def call(*arguments, **options):
        calls.append(name)
        return function(*arguments, **options)

    monkeypatch.setattr(owner, name, call)
    return calls


def twice(chunk):
    chunk()
    chunk()


# ------------------------------------------------------------------------------------------------------------- they run
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("size", [TINY, MANY], ids=["one game", "three games"])
def test_the_core_plays(size, backend, monkeypatch):
    calls = counted(monkeypatch, Game if size.games == 1 else Replicas, "play")
    twice(core(size, backend))
    assert len(calls) == 2 * size.rounds


@pytest.mark.parametrize("size", [TINY, MANY], ids=["one game", "three games"])
def test_the_usual_loop_and_the_products_play(size, monkeypatch):
    plays, multiplied, batched = (
        counted(monkeypatch, *each) for each in ((Players, "play"), (np, "matmul"), (torch, "bmm" if size.games > 1 else "mm"))
    )
    twice(usual(size))
    assert len(plays) == 2 * size.rounds * size.games
    twice(products(size, "numpy"))
    assert len(multiplied) == 2 * size.rounds * 25
    before = len(batched)
    twice(products(size, "torch"))
    assert len(batched) - before == 2 * size.rounds * 25


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of the compiler's own code
def test_the_compiled_loop_plays():
    try:
        twice(compiled(TINY))
    except Absent as reason:
        pytest.skip(str(reason))


def test_without_a_compiler_the_compiled_loop_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Absent, match=r"a C\+\+ compiler"):
        compiled(TINY)


# In processes of their own: JAX reads its flags when it starts, and warns of every later fork.
JAX = """
import json, sys
import jax, numpy as np, torch
from benchmarks.speed.problem import Size
from benchmarks.speed.scanned import one_round, scanned, start
from benchmarks.speed.usual import Players

size = Size((8, 8), 16, rounds=2)
for games in (1, 3):
    play = scanned(Size((8, 8), 16, rounds=2, games=games))
    play(), play()
state, players, rng = start(size, 0), Players(size), np.random.default_rng(0)
for network, layers in zip((players.generator, players.discriminator), state[0]):
    for layer, (weight, bias) in zip([part for part in network if hasattr(part, "weight")], layers):
        layer.weight.data, layer.bias.data = torch.tensor(np.array(weight).T), torch.tensor(np.array(bias))
for _ in range(2):
    drawn = [rng.standard_normal((16, 2), dtype=np.float32) for _ in range(3)]
    players.play(*map(torch.tensor, drawn))
    state = jax.jit(one_round)(state, *drawn)
apart = []
for network, layers in zip((players.generator, players.discriminator), state[0]):
    for layer, (weight, bias) in zip([part for part in network if hasattr(part, "weight")], layers):
        apart += [np.abs(layer.weight.detach().numpy().T - weight).max(), np.abs(layer.bias.detach().numpy() - bias).max()]
print(json.dumps([float(a) for a in apart]))
"""


@needs_jax
@pytest.mark.slow
def test_jax_plays_and_its_round_is_that_of_the_usual_loop(tmp_path):
    done = run(["-c", JAX], tmp_path)
    assert done.returncode == 0, done.stderr
    assert max(json.loads(done.stdout)) < 1e-5  # two steps of Adam move a parameter by 2e-3


def test_without_jax_its_loop_says_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Absent, match="needs JAX"):
        CONTESTANTS["JAX"](TINY)


# --------------------------------------------------------------------------------------------------- the same arithmetic
class Standard:
    """Real samples in standard units, the same each time."""

    def __init__(self):
        x = data(TINY).astype(np.float64)
        self.x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)

    def draw(self, n, rng):
        return Batch(self.x[:n])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_round_of_the_core_is_that_of_the_usual_loop(backend):
    def matrices(rate):
        """[W; b] of each layer of both players after one round."""
        options = {"learning_rate": rate, "backend": backend}
        players = NeuralGenerator(2, TINY.hidden, **options), NeuralDiscriminator(TINY.hidden, **options)
        next(Game(*players, batch_size=TINY.batch, random_state=0).rounds(source))
        found = [a for p in players for a in p.network_.matrices(p.network_.parameters)]
        return [torch.tensor(to_numpy(a)) for a in found]

    source, usual_players = Standard(), Players(TINY)
    networks = (*usual_players.generator, *usual_players.discriminator)
    layers = [part for part in networks if isinstance(part, torch.nn.Linear)]
    for layer, a in zip(layers, matrices(0.0), strict=True):
        layer.weight.data, layer.bias.data = a[:-1].T.contiguous(), a[-1].clone()
    noise = Streams(0)("generator")
    first, second = (torch.tensor(noise.standard_normal((TINY.batch, 2), dtype=np.float32)) for _ in range(2))
    usual_players.play(torch.tensor(source.x[: TINY.batch]), first, second)
    for layer, a in zip(layers, matrices(1e-3), strict=True):
        np.testing.assert_allclose(layer.weight.detach(), a[:-1].T, atol=1e-5, rtol=0)  # a step is 1e-3 long
        np.testing.assert_allclose(layer.bias.detach(), a[-1], atol=1e-5, rtol=0)


def test_the_floor_is_the_products_of_the_core(monkeypatch):
    """The core makes both batches of fakes in one product each, and outer products by gating: 20 of the 25 are left."""
    found, multiply = [], NumpyWorkspace._product

    def counted(space, a, b, out):
        found.append((a.shape[0], a.shape[1], b.shape[1]))
        return multiply(space, a, b, out)

    size = Size((8, 6), 16, rounds=1, features=2, latent=3)
    rounds = game(size, "numpy").rounds(data(size))
    next(rounds)
    monkeypatch.setattr(NumpyWorkspace, "_product", counted)
    next(rounds)
    floor = [shape for shape in shapes(size, bias=1) if shape[1] > 1]
    assert len(found) == len(floor) - 3 == 20
    assert flops(found) == flops(floor)
    n, twice = size.batch, 2 * size.batch
    for inner, outer in pairwise(size.generator_widths):
        floor.remove((n, inner + 1, outer))
        floor[floor.index((n, inner + 1, outer))] = (twice, inner + 1, outer)
    assert sorted(map(sorted, found)) == sorted(map(sorted, floor))  # up to their transposition


@pytest.mark.parametrize("size", [TINY, DIGITS], ids=["plane", "digits"])
def test_the_usual_loop_multiplies_the_floor_and_three_products_that_nobody_reads(size):
    players = Players(size)
    drawn = [torch.zeros(size.batch, width) for width in (size.features, size.latent, size.latent)]
    with FlopCounterMode(display=False) as counter:
        players.play(*drawn)
    unread = [(i, size.batch, o) for i, o in zip(size.discriminator_widths, size.discriminator_widths[1:], strict=False)]
    assert len(shapes(size)) == 25
    assert counter.get_total_flops() == flops(shapes(size)) + flops(unread)


# -------------------------------------------------------------------------------------------------------------- the page
def test_turns_time_everyone_as_often(monkeypatch):
    kept = {name: make for name, make in CONTESTANTS.items() if name not in ("JAX", "torch.compile")}
    monkeypatch.setattr("benchmarks.speed.turns.CONTESTANTS", {**kept, "JAX": absent})
    turns = Turns(TINY)
    for _ in range(5):
        turns.others()
        turns.play()
    measured = turns.measured(3)
    assert {name: len(values) for name, values in measured.microseconds.items()} == dict.fromkeys(kept, 3)
    assert measured.absent == {"JAX": "not today"}
    assert measured.median(CORE) > 0
    assert measured.median("JAX") is None


def absent(size):
    raise Absent("not today")


def fabricated(size, core_takes):
    others = {"usual loop": 100.0, "JAX": 10.0, "products, NumPy": 8.0, "products, torch": 9.0}
    times = {"core, NumPy": core_takes, "core, torch": 1000.0, **others}
    microseconds = {name: [t] * 3 for name, t in times.items()}
    return Measured(size, microseconds, dict.fromkeys(times, 1.0), {"torch.compile": "no compiler"})


@pytest.mark.parametrize(
    ("core_takes", "usual_loop", "floor"),
    [
        (5.0, "goal reached", "goal reached"),  # 16 games: 20 and .6
        (9.0, "reached", "goal reached"),  # 11.1 and 1.1
        (12.0, "**missed**", "reached"),  # 8.3 and 1.5
        (13.0, "**missed**", "**missed**"),
    ],
)
def test_the_page_says_which_bars_were_reached(core_takes, usual_loop, floor):
    text = page([fabricated(size, core_takes) for size in SIZES], 1, 9, "a command", "versions")
    many = next(size.name for size in SIZES if (size.hidden, size.games) == ((32, 32), 16))
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith(f"| {many} | ")]
    verdicts = {cells[1]: cells[-1] for cells in rows[2:]}
    assert verdicts["usual loop / core"] == usual_loop
    assert verdicts["core / products"] == floor
    assert "Not run: torch.compile: no compiler." in text
    assert text.count("≤") == 2 * sum(bar.against == "products" for bar in BARS)


def test_the_bars_are_for_one_thread():
    assert "Beside the bars" not in page([fabricated(TINY, 5.0)], None, 9, "a command", "versions")


@pytest.mark.slow
def test_memory_is_measured_in_a_process_of_its_own():
    done = run(["-m", "benchmarks.speed.memory", "--case", "traced", "--rounds", "200"], REPOSITORY)
    assert done.returncode == 0, done.stderr
    early, late = json.loads(done.stdout)
    assert early > 0
    assert late - early < 0.1
