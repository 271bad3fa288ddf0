"""The neural core against the usual loops and its own matrix products, in turns: ``make bench-speed``.

No time fails the run; the page shows which bars were reached.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import threadpoolctl
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.provenance import provenance
from benchmarks.speed.conftest import PAGES
from benchmarks.speed.page import page, ratios
from benchmarks.speed.problem import SIZES, Size
from benchmarks.speed.turns import Measured, Turns

pytestmark = pytest.mark.filterwarnings("default")  # other libraries' warnings do not belong to this measurement

WARMUP = 2  # repetitions that are not measured: they compile, and fill the caches


@pytest.fixture(scope="module")
def results(pytestconfig: pytest.Config) -> Iterator[list[Measured]]:
    """Collect the measurements, and write the page at the end."""
    measured: list[Measured] = []
    yield measured
    threads, path = pytestconfig.getoption("threads"), pytestconfig.getoption("page")
    if path is None and len(measured) == len(SIZES):
        path = PAGES[threads]
    if path is not None and measured:
        command = f"pytest benchmarks/speed/test_speed.py --threads {threads}"
        text = page(
            measured,
            1 if threads == "1" else None,
            pytestconfig.getoption("repetitions"),
            command,
            provenance("jax", "jaxlib", "pytest-benchmark"),
        )
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_rounds(size: Size, benchmark: BenchmarkFixture, results: list[Measured], pytestconfig: pytest.Config) -> None:
    repetitions = pytestconfig.getoption("repetitions")
    turns = Turns(size)
    if pytestconfig.getoption("threads") == "1":
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} == {1}
    benchmark.pedantic(turns.play, setup=turns.others, rounds=repetitions, warmup_rounds=WARMUP)
    measured = turns.measured(repetitions)
    results.append(measured)
    benchmark.extra_info["rounds"], benchmark.extra_info["games"] = size.rounds, size.games
    benchmark.extra_info["microseconds per round and game"] = {name: measured.median(name) for name in turns.ready}
    benchmark.extra_info["not run"] = turns.absent
    benchmark.extra_info["ratios"] = ratios(measured)
