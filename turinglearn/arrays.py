"""The only file that knows array libraries: namespaces, conversions, device moves."""

from __future__ import annotations

import importlib
import math
import sys
from typing import Any

import array_api_compat
import numpy as np
from scipy import special

from turinglearn.protocols import Array, Batch

__all__ = [
    "concat",
    "detached",
    "erf",
    "flat",
    "floating",
    "in_one_precision",
    "is_array",
    "is_cupy",
    "is_module",
    "is_torch",
    "library",
    "like",
    "location_and_spread",
    "namespace",
    "on_host",
    "own",
    "surely_finite",
    "table",
    "to_numpy",
]

_HOST = np.ndarray
_NAMESPACES: dict[type, Any] = {np.ndarray: np}  # by kind of array, on which alone they depend
_ON_HOST = (1, 3)  # DLPack's numbers for the host's memory: pageable, and pinned for CUDA


def namespace(x: Array) -> Any:
    """The array-API namespace of x, asked for anew each time and never stored with an array or a player."""
    kind = type(x)
    if kind not in _NAMESPACES:
        _NAMESPACES[kind] = array_api_compat.array_namespace(x)
    return _NAMESPACES[kind]


def library(name: str) -> Any:
    """The array-API namespace called name: "numpy", "torch", "cupy" or another library of the standard."""
    if name in ("torch", "cupy"):
        try:
            return importlib.import_module(f"array_api_compat.{name}")
        except ImportError as error:
            raise ImportError(
                f"backend={name!r} needs the array library {name}, which cannot be imported ({error}). "
                "Install it, or choose backend='numpy'."
            ) from error
    found = np if name == "numpy" else _imported(name)
    if not hasattr(found, "asarray"):
        raise ValueError(
            f"backend={name!r}: expected the name of an array library, 'numpy', 'torch' or 'cupy', or of another one of the "
            "array API standard that is installed."
        )
    return found


def _imported(name: Any) -> Any:
    """The module of this name; None where there is none."""
    try:
        return importlib.import_module(name) if isinstance(name, str) and name else None
    except ImportError:
        return None


def is_array(x: object) -> bool:
    """Whether x is an array of a known library."""
    return type(x) is _HOST or bool(array_api_compat.is_array_api_obj(x))


def is_cupy(x: object) -> bool:
    """Whether x is an array of CuPy; CuPy is not imported for asking."""
    return bool(array_api_compat.is_cupy_array(x))


def is_module(x: object) -> bool:
    """Whether x is a torch module; torch is not imported for asking."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.nn.Module)


def is_torch(x: object) -> bool:
    """Whether x is a torch tensor."""
    return array_api_compat.is_torch_array(x)


def detached(x: Array) -> Array:
    """x as numbers alone: a torch tensor without the graph that made it."""
    return x.detach() if is_torch(x) else x


def on_host(x: Array) -> bool:
    """Whether x lies in the host's memory."""
    return type(x) is _HOST or bool(x.__dlpack_device__()[0] in _ON_HOST)


def floating(x: Array) -> bool:
    """Whether x holds real floating-point numbers."""
    if type(x) is _HOST:
        return bool(x.dtype.kind == "f")
    return bool(namespace(x).isdtype(x.dtype, "real floating"))


def own(x: Any) -> Any:
    """x itself; a copy where x is a part of a larger torch tensor, all of which torch would copy or keep with it."""
    if not is_torch(x) or not hasattr(x, "untyped_storage"):
        return x
    return x.clone() if x.untyped_storage().nbytes() > x.nbytes else x


def surely_finite(x: Array) -> bool:
    """Whether the sum of squares is finite, which is cheap to ask and proves that all are; False where that is not known."""
    if type(x) is _HOST:
        if x.dtype.char not in "fd" or not x.flags.c_contiguous:
            return False
        flat = x.reshape(-1)
        return math.isfinite(np.vdot(flat, flat))
    if not is_torch(x) or not x.is_floating_point():
        return False
    flat = x.reshape(-1)
    return math.isfinite(flat.dot(flat).item())


def to_numpy(x: Array) -> Any:
    """x as a NumPy array on the host, without a copy where that is possible."""
    if type(x) is _HOST:
        return x
    if array_api_compat.is_torch_array(x):
        x = x.detach().cpu()
        return (x.float() if str(x.dtype) == "torch.bfloat16" else x).numpy()  # NumPy has no bfloat16
    if array_api_compat.is_cupy_array(x):
        return x.get()
    if hasattr(x, "to_device") and not isinstance(x, _HOST):  # libraries that refuse a silent trip to the host
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(x: Array, reference: Array) -> Array:
    """x as an array of the library, dtype and device of reference; free where it is one already.

    What lies on an accelerator goes to another library on it by DLPack, without a copy, and never by way of the host. It comes
    to the host only for a reference that lies there.
    """
    if type(x) is _HOST and type(reference) is _HOST:
        return x if x.dtype == reference.dtype else x.astype(reference.dtype)
    xp, device = namespace(reference), array_api_compat.device(reference)
    if isinstance(x, type(reference)) or isinstance(reference, type(x)):  # a torch Parameter is a tensor too
        if array_api_compat.device(x) != device:
            x = array_api_compat.to_device(x, device)
        return x if x.dtype == reference.dtype else xp.astype(x, reference.dtype)
    if type(reference) is _HOST:
        return to_numpy(x).astype(reference.dtype, copy=False)
    if x.__dlpack_device__()[0] in _ON_HOST:
        x = to_numpy(x)
        return xp.asarray(x if x.flags.writeable else x.copy(), dtype=reference.dtype, device=device)
    moved = array_api_compat.to_device(xp.from_dlpack(x), device)  # from one accelerator's library to another's
    return xp.astype(moved, reference.dtype, copy=False)


def erf(x: Array) -> Array:
    """The error function, by the library of x where it has one, and on the host otherwise."""
    if type(x) is _HOST:
        return special.erf(x)
    if array_api_compat.is_torch_array(x):
        return importlib.import_module("torch").special.erf(x)
    if array_api_compat.is_cupy_array(x):
        return importlib.import_module("cupyx.scipy.special").erf(x)
    return like(special.erf(to_numpy(x)), x)


def concat(*parts: Array) -> Array:
    """Arrays joined along their first axis, in the library of the first."""
    first, *rest = parts
    return namespace(first).concat((first, *(like(part, first) for part in rest)), axis=0)


def in_one_precision(x: Array, y: Array) -> tuple[Array, Array]:
    """x and y, the finer one rounded to the precision of the coarser one; each stays in its library."""
    if not (is_array(x) and is_array(y)) or (type(x) is type(y) and x.dtype == y.dtype):
        return x, y
    nx, ny = namespace(x), namespace(y)
    bits = min(nx.finfo(x.dtype).bits, ny.finfo(y.dtype).bits)
    return _rounded(nx, x, bits), _rounded(ny, y, bits)


def _rounded(xp: Any, x: Array, bits: int) -> Array:
    return xp.astype(x, xp.float32) if bits == 32 and xp.finfo(x.dtype).bits > bits else x


def location_and_spread(x: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of every feature of a NumPy array (n, *event), n > 0.

    Where only rounding varies the spread is exactly 0, and the location is the first value itself.
    """
    x = np.asarray(x, dtype=float)
    deviation = x.std(axis=0)
    varies = deviation > 1e-12 * np.abs(x).max(axis=0)
    return np.where(varies, x.mean(axis=0), x[0]), np.where(varies, deviation, 0.0)


def flat(x: Array) -> Any:
    """x (n, *event) as a float64 matrix (n, features) of NumPy on the host."""
    x = np.asarray(to_numpy(x), dtype=np.float64)
    return x.reshape(len(x), math.prod(x.shape[1:]))


def table(batch: Batch) -> Any:
    """The batch as a NumPy matrix (n, features) of its own: events flattened, the condition as further columns."""
    x = to_numpy(batch.x).reshape(batch.n, -1)
    if batch.given is None:
        return x.copy()
    return np.concatenate((x, to_numpy(batch.given).reshape(batch.n, -1)), axis=1)
