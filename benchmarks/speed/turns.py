"""The protocol: contestants of a size take turns, each timed by wall clock and by processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.speed.compiled import compiled
from benchmarks.speed.core import core
from benchmarks.speed.problem import Absent, Chunk, Size
from benchmarks.speed.products import products
from benchmarks.speed.scanned import scanned
from benchmarks.speed.usual import usual

__all__ = ["CONTESTANTS", "CORE", "Measured", "Turns"]

CONTESTANTS: dict[str, Callable[[Size], Chunk]] = {
    "core, NumPy": lambda size: core(size, "numpy"),
    "core, torch": lambda size: core(size, "torch"),
    "usual loop": usual,
    "torch.compile": compiled,
    "JAX": scanned,
    "products, NumPy": lambda size: products(size, "numpy"),
    "products, torch": lambda size: products(size, "torch"),
}
CORE = "core, NumPy"  # the one that pytest-benchmark times


@dataclass(frozen=True)
class Measured:
    """Microseconds per round and game in each repetition, processor time per wall time, and missing contestants."""

    size: Size
    microseconds: dict[str, list[float]]
    busy: dict[str, float]
    absent: dict[str, str] = field(default_factory=dict)

    def median(self, *names: str) -> float | None:
        """Return the median of the fastest of these contestants; None if none of them ran."""
        medians = [statistics.median(self.microseconds[name]) for name in names if name in self.microseconds]
        return min(medians, default=None)

    def scatter(self) -> float:
        """Return the interquartile range of a contestant's repetitions over their median, the largest of all."""
        return max(_middle_half(values) / statistics.median(values) for values in self.microseconds.values())


class Turns:
    """The contestants of one size, ready to play."""

    def __init__(self, size: Size) -> None:
        self.size, self.ready, self.absent = size, dict[str, Chunk](), dict[str, str]()
        for name, prepare in CONTESTANTS.items():
            try:
                self.ready[name] = prepare(size)
            except Absent as reason:
                self.absent[name] = str(reason)
        self.times: dict[str, list[tuple[float, float]]] = {name: [] for name in self.ready}

    def others(self) -> None:
        """Play one repetition of all but the core on NumPy."""
        for name in self.ready:
            if name != CORE:
                self.play(name)

    def play(self, name: str = CORE) -> None:
        """Play one repetition of a contestant."""
        wall, processor = time.perf_counter(), time.process_time()
        self.ready[name]()
        self.times[name].append((time.perf_counter() - wall, time.process_time() - processor))

    def measured(self, repetitions: int) -> Measured:
        """Return the last repetitions; those before were for warming up."""
        kept = {name: times[-repetitions:] for name, times in self.times.items()}
        per_game = 1e6 / (self.size.rounds * self.size.games)
        return Measured(
            self.size,
            {name: [wall * per_game for wall, _ in times] for name, times in kept.items()},
            {name: sum(p for _, p in times) / sum(wall for wall, _ in times) for name, times in kept.items()},
            self.absent,
        )


def _middle_half(values: list[float]) -> float:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low
