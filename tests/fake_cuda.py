"""A CUDA device that is none: tensors with shapes and places but no numbers, and a watch on every trip to the host."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.compiled import compiled

__all__ = ["EvidenceMonitor", "fake_cuda", "guard"]

# torch asks a device's guard which device is the present one. A build without CUDA has no guard for it, and PyTorch's own
# no-op guard is registered in its place, by the macro for devices outside its tree.
GUARD = """
#include <c10/core/impl/DeviceGuardImplInterface.h>
C10_REGISTER_GUARD_IMPL(CUDA, c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA>)
"""


def guard(folder: Path) -> None:
    """Let builds of torch without CUDA index and move fake CUDA tensors."""
    import torch

    if not torch.backends.cuda.is_built():
        home = Path(torch.__file__).parent
        compiled(GUARD, folder, f"-I{home / 'include'}", f"-L{home / 'lib'}", "-lc10")


class EvidenceMonitor:
    """What crossed between the device and the host, as (what, where): "scalar" and "down" to the host, "up" to the device.

    where is the function of the package that asked. A scalar that is asked for is answered with True or 1, an array with
    standard normal numbers.
    """

    def __init__(self) -> None:
        self.trips: list[tuple[str, str]] = []
        self.tf32: list[str] = []

    def saw(self, what: str) -> None:
        self.trips.append((what, _where()))

    def places(self) -> set[tuple[str, str]]:
        return set(self.trips)

    def counts(self) -> Counter[tuple[str, str]]:
        return Counter(self.trips)


def _where() -> str:
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("turinglearn.") and module != "turinglearn.arrays":
            return f"{module.removeprefix('turinglearn.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "test"


@contextmanager
def fake_cuda() -> Iterator[EvidenceMonitor]:
    """Within it torch.device("cuda") exists, and a watch is kept."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    watch, rng, aten = EvidenceMonitor(), np.random.default_rng(0), torch.ops.aten
    products = (aten.mm.default, aten.mm.out, aten.bmm.out, aten.addmm.default)

    class Operations(TorchDispatchMode):
        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if operation is torch.ops.aten._local_scalar_dense.default and args[0].is_cuda:
                watch.saw("scalar")
                return True if args[0].dtype == torch.bool else 1.0
            if operation is torch.ops.aten._to_copy.default and kwargs.get("device") is not None:
                before, after = args[0].device.type, torch.device(kwargs["device"]).type
                if before != after:
                    watch.saw("down" if after == "cpu" else "up")
            if operation is torch.ops.aten.copy_.default and args[0].device.type != args[1].device.type:
                watch.saw("down" if args[1].is_cuda else "up")
            if operation in products:
                watch.tf32.append(torch.backends.cuda.matmul.fp32_precision)
            return operation(*args, **kwargs)

    class Exits(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function is torch.Tensor.numpy:
                return rng.standard_normal(tuple(args[0].shape))
            return function(*args, **(kwargs or {}))

    with FakeTensorMode(), Operations(), Exits():
        yield watch
