"""The only file that knows array libraries: namespaces, conversions, device moves."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from typing import Any, Protocol, TypeGuard

import array_api_compat
import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = [
    "Array",
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
    "take_rows",
    "to_numpy",
]


class Array(Protocol):
    """An array of NumPy, torch, CuPy or another library of the array API standard: what they have in common.

    Everything else is asked of the array's namespace, `turinglearn.arrays.namespace`, or of its own library.
    """

    @property
    def dtype(self) -> Any: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def device(self) -> Any: ...
    @property
    def T(self) -> Any: ...
    @property
    def mT(self) -> Any: ...
    def __array__(self) -> NDArray[Any]: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def __float__(self) -> float: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __neg__(self) -> Any: ...
    def __invert__(self) -> Any: ...
    def __abs__(self) -> Any: ...
    def __eq__(self, other: object, /) -> Any: ...
    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...
    def __matmul__(self, other: Any, /) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def reshape(self, shape: Any, /) -> Any: ...
    def max(self) -> Any: ...
    def sum(self) -> Any: ...


_HOST = np.ndarray
_NAMESPACES: dict[type, Any] = {np.ndarray: np}  # by kind of array, on which alone they depend
_ON_HOST = (1, 3)  # DLPack's numbers for the host's memory: pageable, and pinned for CUDA


def namespace(x: Array) -> Any:
    """Return the array-API namespace of x; ask for it each time, never store it with an array or a player."""
    kind = type(x)
    if kind not in _NAMESPACES:
        _NAMESPACES[kind] = array_api_compat.array_namespace(x)
    return _NAMESPACES[kind]


def library(name: str) -> Any:
    """Return the array-API namespace called name: "numpy", "torch", "cupy" or another library of the standard."""
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
    """Return the module of this name, or None."""
    try:
        return importlib.import_module(name) if isinstance(name, str) and name else None
    except ImportError:
        return None


def is_array(x: object) -> TypeGuard[Array]:
    """Return whether x is an array of a known library."""
    return type(x) is _HOST or bool(array_api_compat.is_array_api_obj(x))


def is_cupy(x: object) -> TypeGuard[Any]:
    """Return whether x is an array of CuPy, without importing CuPy."""
    return bool(array_api_compat.is_cupy_array(x))


def is_module(x: object) -> TypeGuard[Any]:
    """Return whether x is a torch module, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.nn.Module)


def is_torch(x: object) -> TypeGuard[Any]:
    """Return whether x is a torch tensor, without importing torch."""
    return array_api_compat.is_torch_array(x)


def detached(x: Array) -> Array:
    """Return x without the autograd graph that made it."""
    return x.detach() if is_torch(x) else x


def on_host(x: Array) -> bool:
    """Return whether x lies in the host's memory."""
    return type(x) is _HOST or bool(x.__dlpack_device__()[0] in _ON_HOST)


def floating(x: Array) -> bool:
    """Return whether x holds real floating-point numbers."""
    if type(x) is _HOST:
        return bool(x.dtype.kind == "f")
    return bool(namespace(x).isdtype(x.dtype, "real floating"))


def own(x: Any) -> Any:
    """Return x, or a copy where x is part of a larger torch tensor, which torch would copy or keep as a whole."""
    if not is_torch(x) or not hasattr(x, "untyped_storage"):
        return x
    return x.clone() if x.untyped_storage().nbytes() > x.nbytes else x


def surely_finite(x: Array) -> bool:
    """Return whether the sum of squares is finite, a cheap proof that every entry is; False where that is not known."""
    if type(x) is _HOST:
        if x.dtype.char not in "fd" or not x.flags.c_contiguous:
            return False
        flat = x.reshape(-1)
        return math.isfinite(np.vdot(flat, flat))
    if not is_torch(x) or not x.is_floating_point():
        return False
    flat = x.reshape(-1)
    return math.isfinite(flat.dot(flat).item())


def to_numpy(x: Array) -> NDArray[Any]:
    """Return x as a NumPy array on the host, without a copy where that is possible."""
    if isinstance(x, _HOST):
        return x
    if is_torch(x):
        tensor = x.detach().cpu()
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()  # NumPy has no bfloat16
    if is_cupy(x):
        return x.get()
    if hasattr(x, "to_device"):  # libraries that refuse a silent trip to the host
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(x: Array, reference: Array) -> Array:
    """Return x in the library and dtype and on the device of reference; free where it is there already.

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
        host = to_numpy(x)
        return xp.asarray(host if host.flags.writeable else host.copy(), dtype=reference.dtype, device=device)
    moved = array_api_compat.to_device(xp.from_dlpack(x), device)  # from one accelerator's library to another's
    return xp.astype(moved, reference.dtype, copy=False)


def erf(x: Array) -> Array:
    """Compute the error function, in the library of x where it has one, and on the host otherwise."""
    if type(x) is _HOST:
        return special.erf(x)
    if array_api_compat.is_torch_array(x):
        return importlib.import_module("torch").special.erf(x)
    if array_api_compat.is_cupy_array(x):
        return importlib.import_module("cupyx.scipy.special").erf(x)
    return like(special.erf(to_numpy(x)), x)


def concat(*parts: Array) -> Array:
    """Join arrays along their first axis, in the library of the first."""
    first, *rest = parts
    return namespace(first).concat((first, *(like(part, first) for part in rest)), axis=0)


def in_one_precision(x: Array, y: Array) -> tuple[Array, Array]:
    """Return x and y, the finer one rounded to the precision of the coarser one; each stays in its library."""
    if not (is_array(x) and is_array(y)) or (type(x) is type(y) and x.dtype == y.dtype):
        return x, y
    nx, ny = namespace(x), namespace(y)
    bits = min(nx.finfo(x.dtype).bits, ny.finfo(y.dtype).bits)
    return _rounded(nx, x, bits), _rounded(ny, y, bits)


def _rounded(xp: Any, x: Array, bits: int) -> Array:
    return xp.astype(x, xp.float32) if bits == 32 and xp.finfo(x.dtype).bits > bits else x


def location_and_spread(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute mean and standard deviation of every feature of a NumPy array (n, *event), n > 0.

    Where only rounding varies the spread is exactly 0, and the location is the first value itself.
    """
    x = np.asarray(x, dtype=float)
    deviation = x.std(axis=0)
    varies = deviation > 1e-12 * np.abs(x).max(axis=0)
    return np.where(varies, x.mean(axis=0), x[0]), np.where(varies, deviation, 0.0)


def flat(x: Array) -> NDArray[np.float64]:
    """Return x (n, *event) as a float64 NumPy matrix (n, features)."""
    host = np.asarray(to_numpy(x), dtype=np.float64)
    return host.reshape(len(host), math.prod(host.shape[1:]))


def take_rows(x: Array, rows: Any) -> Array:
    """The rows of x that an integer array of NumPy names, in the library and on the device of x."""
    if type(x) is _HOST:
        return x.take(rows, axis=0)
    xp = namespace(x)
    return xp.take(x, xp.asarray(rows, device=x.device), axis=0)
