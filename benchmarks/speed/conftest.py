"""How many threads, how many repetitions, which page: the options of the run, read before any library is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RESULTS = Path(__file__).parent.parent / "results"
PAGES = {"1": RESULTS / "speed.md", "all": RESULTS / "speed_all_threads.md"}
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
XLA = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("speed")
    group.addoption("--threads", choices=tuple(PAGES), default="1", help="threads for every library: 1, or all that there are")
    group.addoption("--repetitions", type=int, default=9, help="turns of each contestant that count")
    group.addoption("--page", type=Path, help="where the page goes; by default that of the results, where every size was run")


def pytest_configure(config: pytest.Config) -> None:
    """The libraries read these when they are loaded, XLA when JAX is first asked."""
    if config.getoption("repetitions") < 2:
        raise pytest.UsageError("--repetitions: expected at least 2, since the page says how far they scatter")
    if config.getoption("threads") == "1":
        os.environ.update(dict.fromkeys((*POOLS, "NPROC"), "1"))  # NPROC is XLA's own pool of threads
        os.environ["XLA_FLAGS"] = XLA
    else:
        for name in (*POOLS, "NPROC", "XLA_FLAGS"):
            os.environ.pop(name, None)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no compiling processes beside the contestants
