"""Time of the parts of a fused round on NumPy, each by itself, and of the whole round.

    python -m benchmarks.speed.parts           # writes benchmarks/results/speed_parts.md

One thread. A repeated part finds its arrays in the cache; in a round, other parts have evicted them. The difference between the
whole and the sum of the parts is this effect, and Python between the parts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks.provenance import provenance
from benchmarks.speed.core import game
from benchmarks.speed.problem import Size, data
from turinglearn.data.sources import as_source

SHOWN = (Size((32, 32), 128, 1), Size((128, 128), 256, 1), Size((512, 512), 256, 1), Size((32, 32), 128, 1, games=16))

PAGE = """# The parts of a fused round

Written by `python -m benchmarks.speed.parts`: {provenance}.

Microseconds per game on NumPy, one thread, the minimum of {repetitions} repetitions. Parts find their arrays in the cache,
which a round does not; the rest is this effect, and Python between the parts.

| part | {names} |
|---|{lines}|
{rows}
"""


def parts(size: Size, repetitions: int) -> dict[str, float]:
    """Return the microseconds of each part of a round, per game."""
    played, source = game(size, "numpy"), as_source(data(size))
    for _ in range(5):
        played.play(source)
    games, n = getattr(played, "games", (played,)), size.batch
    (fused,) = (played.plan if len(games) > 1 else played.strategy.plan).rounds
    rngs = [one.streams("generator") for one in games]
    generator, both, fake = (
        fused._workspace(*which)
        for which in (("generator", 2 * n, n), ("discriminator", 2 * n, 2 * n), ("discriminator", n, n))
    )
    noise, _ = fused._on_host("noise", 2 * n, size.latent)

    def draw() -> None:
        for row, rng in zip(noise, rngs, strict=True):
            rng.standard_normal(out=row, dtype=row.dtype)

    def sample() -> None:
        for one in games:
            one.draw_batches(source)

    def products(space: Any, outputs: int, *, forward: bool, parameters: bool, inputs: bool) -> Callable[[], None]:
        dy = np.ones((*space.output.shape[:-2], outputs, space._slopes[-1].shape[-1]), np.float32)
        layers = range(len(space._weights))

        def multiply() -> None:
            for i in layers if forward else ():
                space._product(space._transposed[i], space._inputs[i], (*space._outputs, space.output)[i])
            for i in layers:
                slopes = dy if i == layers[-1] else space._slopes[i + 1]
                if parameters:
                    space._product(space._ends[i][0], slopes.swapaxes(-1, -2), space._gradients[i])
                if slopes.shape[-2] > 1 and (i > 0 or inputs):
                    space._product(space._weights[i], slopes, space._slopes[i])

        return multiply

    def elementwise() -> None:
        for space in (generator, both, fake):
            for i, h in enumerate(space._outputs):
                np.maximum(h, space._zeros[i], out=h)
                space._gate(i + 1, space._slopes[i + 1], space._ends[i + 1][1])

    discriminator_pass = products(both, 1, forward=True, parameters=True, inputs=False)
    fake_pass = products(fake, 1, forward=True, parameters=False, inputs=True)
    generator_pass = products(generator, size.features, forward=True, parameters=True, inputs=False)
    timed: dict[str, Callable[[], Any]] = {
        "the whole round": lambda: played.play(source),
        "matrix products": lambda: (discriminator_pass(), fake_pass(), generator_pass()),
        "ReLU and its backward pass": elementwise,
        "Adam, both players": lambda: (fused.discriminator.descend(), fused.generator.descend()),
        "noise": draw,
        "batches of real rows": sample,
    }
    return {name: _minimum(part, repetitions) / len(games) for name, part in timed.items()}


def _minimum(part: Callable[[], Any], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        part()
        times.append(time.perf_counter() - begun)
    return 1e6 * min(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "speed_parts.md")
    arguments = parser.parse_args()
    with threadpoolctl.threadpool_limits(1):
        columns = [parts(size, arguments.repetitions) for size in SHOWN]
    for column in columns:
        whole, *others = column.values()
        column["rest"] = whole - sum(others)
    rows = [f"| {name} | {' | '.join(f'{column[name]:.0f}' for column in columns)} |" for name in columns[0]]
    text = PAGE.format(
        provenance=provenance(),
        repetitions=arguments.repetitions,
        names=" | ".join(size.name for size in SHOWN),
        lines="|".join("---" for _ in SHOWN),
        rows="\n".join(rows),
    )
    arguments.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
