"""What all tests share: one thread, Hypothesis profiles, and the (library, device) pairs."""

from __future__ import annotations

import os

for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # read by the libraries when they are loaded: before NumPy and torch

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from hypothesis import HealthCheck, settings

from turinglearn import arrays

settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What skipped tests lack, one line for each reason."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.getreports("skipped"))
    for reason, count in reasons.items():
        terminalreporter.line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """The linear algebra of NumPy and SciPy on one thread: tests run side by side, and sums in one order."""
    with threadpoolctl.threadpool_limits(limits=1):
        yield


@dataclass(frozen=True)
class ArraysOn:
    """One array library on one of its devices."""

    name: str
    library: str
    device: Any

    @property
    def xp(self) -> Any:
        """The library's array-API namespace."""
        return arrays.library(self.library)

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        """A NumPy array or nested list, copied to this library and device; dtype is one of `xp`."""
        return self.xp.asarray(np.array(x), dtype=dtype, device=self.device)

    def to_numpy(self, x: Any) -> np.ndarray:
        """x on the host."""
        return np.asarray(arrays.to_numpy(x))


def _numpy() -> ArraysOn:
    return ArraysOn("numpy", "numpy", "cpu")


def _torch() -> ArraysOn:
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    return ArraysOn("torch", "torch", torch.device("cpu"))


def _strict() -> ArraysOn:
    strict = pytest.importorskip("array_api_strict", reason="needs array-api-strict, which is not installed")
    return ArraysOn("strict-device1", "array_api_strict", strict.Device("device1"))


def _torch_on_cuda() -> ArraysOn:
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device: torch finds none")
    return ArraysOn("torch-cuda", "torch", torch.device("cuda:0"))


def _cupy() -> ArraysOn:
    cupy = pytest.importorskip("cupy", reason="needs CuPy, which is not installed")
    if not cupy.cuda.is_available():  # importing CuPy proves nothing: it imports without a GPU
        pytest.skip("needs a CUDA device: CuPy finds none")
    return ArraysOn("cupy", "cupy", cupy.cuda.Device(0))


@pytest.fixture(
    params=[_numpy, _torch, _strict, *(pytest.param(place, marks=pytest.mark.gpu) for place in (_torch_on_cuda, _cupy))],
    ids=["numpy", "torch", "strict-device1", "torch-cuda", "cupy"],
)
def arrays_on(request: pytest.FixtureRequest) -> ArraysOn:
    """Each (library, device) pair in turn: `.name`, `.xp`, `.device`, `.asarray(numpy_array)`, `.to_numpy(x)`."""
    return request.param()
