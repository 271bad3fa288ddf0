"""The only file that knows array libraries: namespaces, conversions, device moves."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import array_api_compat
import numpy as np

from turinglearn.protocols import Array, Batch

__all__ = ["concat", "floating", "is_array", "is_module", "library", "like", "namespace", "table", "to_numpy"]

_HOST = np.ndarray
_ON_HOST = 1  # DLPack's number for the host's memory


def namespace(x: Array) -> Any:
    """The array-API namespace of x, asked for anew each time and never stored."""
    return np if type(x) is _HOST else array_api_compat.array_namespace(x)


def library(name: str) -> Any:
    """The array-API namespace called name: "numpy", "torch", "cupy" or another library of the standard."""
    if name == "numpy":
        return np
    module = f"array_api_compat.{name}" if name in ("torch", "cupy") else name
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"backend={name!r} needs the array library {name}, which cannot be imported ({error}). "
            f"Install it (pip install 'turinglearn[{name}]'), or choose backend='numpy'."
        ) from error


def is_array(x: object) -> bool:
    """Whether x is an array of a known library."""
    return type(x) is _HOST or bool(array_api_compat.is_array_api_obj(x))


def is_module(x: object) -> bool:
    """Whether x is a torch module; torch is not imported for asking."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.nn.Module)


def floating(x: Array) -> bool:
    """Whether x holds real floating-point numbers."""
    return bool(namespace(x).isdtype(x.dtype, "real floating"))


def to_numpy(x: Array) -> Any:
    """x as a NumPy array on the host, without a copy where that is possible."""
    if type(x) is _HOST:
        return x
    if array_api_compat.is_torch_array(x):
        return x.detach().cpu().numpy()
    if array_api_compat.is_cupy_array(x):
        return x.get()
    if hasattr(x, "to_device") and not isinstance(x, _HOST):  # libraries that refuse a silent trip to the host
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(x: Array, reference: Array) -> Array:
    """x as an array of the library, dtype and device of reference; free where it is one already."""
    if type(x) is _HOST and type(reference) is _HOST:
        return x if x.dtype == reference.dtype else x.astype(reference.dtype)
    xp, device = namespace(reference), array_api_compat.device(reference)
    if type(x) is type(reference):
        if array_api_compat.device(x) != device:
            x = array_api_compat.to_device(x, device)
        return x if x.dtype == reference.dtype else xp.astype(x, reference.dtype)
    if type(reference) is _HOST:
        return to_numpy(x).astype(reference.dtype, copy=False)
    if x.__dlpack_device__()[0] == _ON_HOST:
        x = to_numpy(x)
        return xp.asarray(x if x.flags.writeable else x.copy(), dtype=reference.dtype, device=device)
    moved = array_api_compat.to_device(xp.from_dlpack(x), device)  # from one accelerator's library to another's
    return xp.astype(moved, reference.dtype, copy=False)


def concat(*parts: Array) -> Array:
    """Arrays joined along their first axis, in the library of the first."""
    first, *rest = parts
    return namespace(first).concat((first, *(like(part, first) for part in rest)), axis=0)


def table(batch: Batch) -> Any:
    """The batch as a NumPy matrix (n, features): events flattened, the condition as further columns."""
    x = to_numpy(batch.x).reshape(batch.n, -1)
    if batch.given is None:
        return x
    return np.concatenate((x, to_numpy(batch.given).reshape(batch.n, -1)), axis=1)
