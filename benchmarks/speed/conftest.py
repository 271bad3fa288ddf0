"""Options of the run: threads, repetitions and page; they are read before any library is loaded."""

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
    group.addoption("--threads", choices=tuple(PAGES), default="1", help="threads for every library: 1, or all")
    group.addoption("--repetitions", type=int, default=9, help="measured turns of each contestant")
    group.addoption("--page", type=Path, help="path of the page; by default that in results, if every size was run")


def pytest_configure(config: pytest.Config) -> None:
    """Set variables that libraries read when they are loaded, and XLA when JAX is first used."""
    if config.getoption("repetitions") < 2:
        raise pytest.UsageError("--repetitions: expected at least 2, since the page has their scatter")
    if config.getoption("threads") == "1":
        os.environ.update(dict.fromkeys((*POOLS, "NPROC"), "1"))  # NPROC is XLA's own pool of threads
        os.environ["XLA_FLAGS"] = XLA
    else:
        for name in (*POOLS, "NPROC", "XLA_FLAGS"):
            os.environ.pop(name, None)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # no compiling processes beside the contestants
