"""The neural core against the usual PyTorch loop and against its own matrix products.

    python benchmarks/speed.py        # writes benchmarks/results/speed.md

One process, one thread; the contestants take turns, and each figure is the median of the repetitions. A round is one step of
the judge and one of the generator: 2-H-H-2 against 2-H-H-1 with ReLU, logistic loss, Adam, float32, on 10,000 points. The
core's figure includes everything that `for r in game.rounds(X)` pays.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch
from provenance import provenance

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator

SIZES = ((32, 128, 200), (128, 256, 60), (512, 256, 8))  # hidden width, batch, rounds per repetition

PAGE = """# The neural core's speed

Written by `python benchmarks/speed.py --repetitions {repetitions}`: {provenance}.

Microseconds per round, one thread, median of {repetitions} alternating repetitions: 2-H-H-2 against 2-H-H-1, Adam, float32. The
usual PyTorch loop is autograd with fused Adam. The products are the 25 matrix products of a round, preallocated, on NumPy or
torch, whichever is faster. The core's figure is that of `for r in game.rounds(X)`, everything included.

| H | batch | usual PyTorch loop | this core, NumPy | products alone | times as fast as the loop | times the products |
|---|---|---|---|---|---|---|
{rows}
"""


def core(width: int, batch: int) -> Iterator[None]:
    """The package's own loop."""
    x = ring(sigma=0.1).sample(10_000, 0).astype(np.float32)
    game = Game(NeuralGenerator(2, (width, width)), NeuralDiscriminator((width, width)), batch_size=batch, random_state=0)
    for _ in game.rounds(x):
        yield


def usual(width: int, batch: int) -> Iterator[None]:
    """What a user writes in PyTorch."""
    nn = torch.nn
    x = torch.tensor(ring(sigma=0.1).sample(10_000, 0), dtype=torch.float32)

    def net(out: int) -> Any:
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))

    makes, judges = net(2), net(1)
    g = torch.optim.Adam(makes.parameters(), 1e-3, (0.5, 0.999), fused=True)
    d = torch.optim.Adam(judges.parameters(), 1e-3, (0.5, 0.999), fused=True)
    loss, one, zero = nn.functional.binary_cross_entropy_with_logits, torch.ones(batch, 1), torch.zeros(batch, 1)
    while True:
        real, fake = x[torch.randint(len(x), (batch,))], makes(torch.randn(batch, 2)).detach()
        d.zero_grad()
        (loss(judges(real), one) + loss(judges(fake), zero)).backward()
        d.step()
        g.zero_grad()
        loss(judges(makes(torch.randn(batch, 2))), one).backward()
        g.step()
        yield


def products(width: int, batch: int, library: str) -> Iterator[None]:
    """The 25 matrix products of a round: (rows, inner, columns) of each."""
    forward = [(2, width), (width, width)]
    shapes = []
    for n in (batch, batch):  # the generator forward, twice
        shapes += [(n, i, o) for i, o in (*forward, (width, 2))]
    for n in (2 * batch, batch):  # the judge forward: on both kinds, on counterfeits
        shapes += [(n, i, o) for i, o in (*forward, (width, 1))]
    shapes += [(i, 2 * batch, o) for i, o in (*forward, (width, 1))]  # the judge's parameters
    shapes += [(2 * batch, 1, width), (2 * batch, width, width)]
    shapes += [(batch, 1, width), (batch, width, width), (batch, width, 2)]  # back through the judge
    shapes += [(i, batch, o) for i, o in (*forward, (width, 2))]  # the generator's parameters
    shapes += [(batch, 2, width), (batch, width, width)]
    assert len(shapes) == 25
    rng = np.random.default_rng(0)
    pairs = [(rng.standard_normal((r, k)), rng.standard_normal((k, c))) for r, k, c in shapes]
    if library == "numpy":
        ready = [(a.astype("f4"), b.astype("f4"), np.empty((len(a), b.shape[1]), "f4")) for a, b in pairs]
        multiply: Callable[..., Any] = np.matmul
    else:
        ready = [(torch.tensor(a).float(), torch.tensor(b).float(), torch.empty(len(a), b.shape[1])) for a, b in pairs]
        multiply = torch.mm
    while True:
        for a, b, out in ready:
            multiply(a, b, out=out)
        yield


def measured(width: int, batch: int, rounds: int, repetitions: int) -> dict[str, float]:
    """Median microseconds per round of each contestant, taking turns."""
    contestants = {
        "usual": usual(width, batch),
        "core": core(width, batch),
        "numpy": products(width, batch, "numpy"),
        "torch": products(width, batch, "torch"),
    }
    for loop in contestants.values():
        list(islice(loop, max(3, rounds // 4)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repetitions):
        for name, loop in contestants.items():
            begun = time.perf_counter()
            for _ in islice(loop, rounds):
                pass
            times[name].append((time.perf_counter() - begun) / rounds * 1e6)
    return {name: float(np.median(values)) for name, values in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "speed.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1)
    rows = []
    for width, batch, rounds in SIZES:
        t = measured(width, batch, rounds, arguments.repetitions)
        floor = min(t["numpy"], t["torch"])
        rows.append(
            f"| {width} | {batch} | {t['usual']:.0f} | {t['core']:.0f} | {floor:.0f} "
            f"| {t['usual'] / t['core']:.1f} | {t['core'] / floor:.2f} |"
        )
        print(rows[-1], flush=True)
    text = PAGE.format(repetitions=arguments.repetitions, provenance=provenance(), rows="\n".join(rows))
    arguments.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
