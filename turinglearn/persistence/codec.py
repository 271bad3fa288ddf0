"""Conversion of values to JSON and back: nothing in a model folder is code, and reading one runs none.

`encode` converts a value to JSON; arrays, and estimators of other libraries, are attached to it under keys. `decode` builds
values from numbers, strings, arrays and classes of this package only; skops reads the estimators, and builds only safe types.
"""

from __future__ import annotations

import importlib
import inspect
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

import array_api_compat
import numpy as np
from numpy.random import MT19937, PCG64, PCG64DXSM, SFC64, Philox
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from turinglearn.arrays import is_array, is_module, library, to_numpy
from turinglearn.protocols import Array

__all__ = ["JSON", "Attachments", "NotSerializableError", "decode", "encode"]

JSON = dict[str, Any] | list[Any] | str | int | float | bool | None

_PLAIN = (str, bool, int, type(None))
_BIT_GENERATORS = {kind.__name__: kind for kind in (PCG64, PCG64DXSM, MT19937, Philox, SFC64)}
_LIBRARIES = ("torch", "cupy")  # whose arrays are saved, besides NumPy's


class NotSerializableError(ValueError):
    """Error for a value that cannot be saved without saving code; the message names it."""


@dataclass
class Attachments:
    """Values that JSON cannot hold: arrays by key, and estimators of scikit-learn and compatible libraries by key."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    estimators: dict[str, object] = field(default_factory=dict)

    def add_array(self, path: str, value: NDArray[Any]) -> str:
        """Attach an array, and return its key."""
        key = _free_key(path, self.arrays)
        self.arrays[key] = value
        return key

    def add_estimator(self, path: str, value: object) -> str:
        """Attach an estimator, and return its key."""
        key = _free_key(path, self.estimators)
        self.estimators[key] = value
        return key


def _free_key(path: str, taken: dict[str, Any]) -> str:
    """Return the path, with a number where it is taken."""
    key, number = path, 1
    while key in taken:
        key, number = f"{path}#{number}", number + 1
    return key


def encode(value: object, path: str, attachments: Attachments) -> JSON:
    """Return the value as JSON.

    Parameters
    ----------
    value : object
        The value.
    path : str
        Its place in the model, for keys and error messages.
    attachments : Attachments
        Receives the arrays and estimators in the value.

    Raises
    ------
    NotSerializableError
        If the value, or a part of it, cannot be saved; the message names that part.
    """
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    if isinstance(value, float) and type(value) is float:
        return value if math.isfinite(value) else {"kind": "float", "value": repr(value)}
    if isinstance(value, np.ndarray | np.generic) or is_array(value):
        return _encode_array(cast("Array", value), path, attachments)
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        return {"kind": type(value).__name__, "items": _encode_items(value, path, attachments)}
    if isinstance(value, dict):
        pairs = [[encode(k, f"{path}.key", attachments), encode(v, f"{path}.{k}", attachments)] for k, v in value.items()]
        return {"kind": "dict", "pairs": pairs}
    if isinstance(value, np.random.Generator) and type(value.bit_generator) in _BIT_GENERATORS.values():
        return {"kind": "rng", "state": encode(value.bit_generator.state, path, attachments)}
    if isinstance(value, type) and _is_own(value):
        return {"kind": "type", "name": _name(value)}
    if _is_own(type(value)):
        state = {name: encode(v, f"{path}.{name}", attachments) for name, v in _state(value).items()}
        return {"kind": "object", "class": _name(type(value)), "state": state}
    if isinstance(value, BaseEstimator):
        return {"kind": "estimator", "key": attachments.add_estimator(path, value)}
    raise NotSerializableError(_reason(value, path))


def decode(node: JSON, attachments: Attachments) -> Any:
    """Return the value that `encode` converted to this JSON; raise ValueError for JSON that it cannot have written."""
    if isinstance(node, (*_PLAIN, float)):
        return node
    kind = node.get("kind") if isinstance(node, dict) else None
    decoder = _DECODERS.get(kind) if isinstance(kind, str) else None
    if not isinstance(node, dict) or decoder is None:
        raise ValueError(f"{str(node)[:80]} cannot be part of a model folder")
    return decoder(node, attachments)


# ---------------------------------------------------------------------------------------------------------------- arrays
def _encode_array(value: Array, path: str, attachments: Attachments) -> JSON:
    made_by, device = "numpy", None
    if not isinstance(value, np.ndarray | np.generic):
        made_by = array_api_compat.array_namespace(value).__name__.rpartition(".")[2]
        device = str(array_api_compat.device(value))
    if isinstance(value, np.ma.MaskedArray) or made_by not in ("numpy", *_LIBRARIES):
        raise NotSerializableError(_reason(value, path))
    host = np.asarray(value if made_by == "numpy" else to_numpy(value))
    dtype, scalar = str(value.dtype), isinstance(value, np.generic)
    if host.dtype.kind in "UO" and all(type(text) in (str, np.str_) for text in host.ravel().tolist()):
        texts = host.ravel().tolist()
        return {"kind": "strings", "shape": list(host.shape), "values": texts, "object": dtype == "object", "scalar": scalar}
    plain = host.astype(host.dtype.newbyteorder("="), copy=False)
    plain = plain.view(np.int64) if plain.dtype.kind in "mM" else plain
    if plain.dtype.kind not in "biuf" or plain.dtype.itemsize > 8:
        raise NotSerializableError(
            f"{path} is an array of {dtype}, which safetensors does not hold; expected plain numbers of 64 bits."
        )
    transposed = (
        plain.ndim > 1 and plain.flags.f_contiguous and not plain.flags.c_contiguous
    )  # sums depend on it to the last bit
    stored = plain.T if transposed else plain
    key = attachments.add_array(path, np.ascontiguousarray(stored).reshape(stored.shape))
    node: dict[str, Any] = {"kind": "array", "key": key, "library": made_by, "device": device, "dtype": dtype}
    return {**node, "transposed": transposed, "scalar": scalar}


def _decode_array(node: dict[str, Any], attachments: Attachments) -> Array:
    host = attachments.arrays[node["key"]]
    host = host.T if node["transposed"] else host
    if node["library"] == "numpy":
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in "biufmM":
            raise ValueError(f"an array of {dtype}, which cannot be part of a model")
        host = host.view(dtype.newbyteorder("=")) if dtype.kind in "mM" else host
        host = host.astype(dtype, copy=False)
        return host[()] if node["scalar"] else host
    if node["library"] not in _LIBRARIES:
        raise ValueError(f"an array of the library {node['library']!r}, which cannot be part of a model")
    xp = library(node["library"])
    device = None if node["library"] == "cupy" else node["device"]
    try:
        x = xp.asarray(host.copy(), device=device)
    except Exception as error:  # the type depends on the library
        raise ValueError(f"an array on the device {device!r}, which is not available ({error})") from error
    return x if str(x.dtype) == node["dtype"] else xp.astype(x, getattr(xp, node["dtype"].rpartition(".")[2]))


def _decode_strings(node: dict[str, Any], _: Attachments) -> NDArray[Any] | np.str_:
    values = node["values"]
    if not all(type(text) is str for text in values):
        raise ValueError("strings that are not strings")
    texts = np.array(values, dtype=object if node["object"] else np.str_).reshape(node["shape"])
    found: NDArray[Any] | np.str_ = texts[()] if node["scalar"] else texts
    return found


def _decode_rng(node: dict[str, Any], attachments: Attachments) -> np.random.Generator:
    state = decode(node["state"], attachments)
    name = state.get("bit_generator") if isinstance(state, dict) else None
    if name not in _BIT_GENERATORS:
        raise ValueError(f"a random generator {name!r}; expected one of {', '.join(_BIT_GENERATORS)}")
    bits = _BIT_GENERATORS[name](0)
    bits.state = state
    return np.random.Generator(bits)


# ---------------------------------------------------------------------------------------------------- numbers, containers
def _encode_items(items: Sequence[object], path: str, attachments: Attachments) -> list[JSON]:
    return [encode(item, f"{path}.{i}", attachments) for i, item in enumerate(items)]


def _decode_float(node: dict[str, Any], _: Attachments) -> float:
    if node.get("value") not in ("nan", "inf", "-inf"):
        raise ValueError(f"{str(node)[:80]} cannot be part of a model folder")
    return float(node["value"])


def _decode_list(node: dict[str, Any], attachments: Attachments) -> list[Any]:
    return [decode(item, attachments) for item in node["items"]]


def _decode_tuple(node: dict[str, Any], attachments: Attachments) -> tuple[Any, ...]:
    return tuple(_decode_list(node, attachments))


def _decode_dict(node: dict[str, Any], attachments: Attachments) -> dict[Any, Any]:
    return {decode(k, attachments): decode(v, attachments) for k, v in node["pairs"]}


# --------------------------------------------------------------------------------------------------------------- objects
def _decode_estimator(node: dict[str, Any], attachments: Attachments) -> BaseEstimator:
    estimator = attachments.estimators[node["key"]]
    if not isinstance(estimator, BaseEstimator):
        raise ValueError(f"{node['key']} is a {type(estimator).__name__}, not an estimator")
    return estimator


def _decode_type(node: dict[str, Any], _: Attachments) -> type:
    return _own_class(node["name"])


def _decode_object(node: dict[str, Any], attachments: Attachments) -> object:
    kind = _own_class(node["class"])
    state = {name: decode(v, attachments) for name, v in node["state"].items()}
    if is_dataclass(kind) and state.keys() != {f.name for f in fields(kind)}:
        raise ValueError(f"a {kind.__name__} with {', '.join(state)}, which this version of turinglearn does not have")
    if any(name.startswith("__") for name in state):
        raise ValueError(f"a {kind.__name__} with attributes that belong to Python")
    made: Any = object.__new__(kind)
    if "__setstate__" in vars(kind) and not is_dataclass(kind):
        made.__setstate__(state)
        return made
    for name, value in state.items():
        object.__setattr__(made, name, value)  # also of frozen dataclasses
    return made


def _state(value: object) -> dict[str, Any]:
    """Return the attributes of an object of this package."""
    if "__setstate__" in vars(type(value)) and not is_dataclass(value):
        state: dict[str, Any] = value.__getstate__()  # type: ignore[assignment]
        return state
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return dict(vars(value))


def _is_own(kind: type) -> bool:
    """Return whether the class belongs to this package: only such classes are built by name."""
    return kind.__module__.split(".")[0] == "turinglearn" and "<locals>" not in kind.__qualname__


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _own_class(name: str) -> type:
    """Return a class of this package by its name."""
    module, _, qualified = name.partition(":")
    parts = [*module.split("."), *qualified.split(".")]
    if not (module.startswith("turinglearn.") and all(part.isidentifier() and part[:2] != "__" for part in parts)):
        raise ValueError(f"a class {name!r}; expected one of turinglearn's own")
    try:
        found: Any = importlib.import_module(module)
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"a class {name!r}, which this version of turinglearn does not have") from error
    if not (isinstance(found, type) and _is_own(found)):
        raise ValueError(f"{name!r}, which is not a class of turinglearn")
    return found


_DECODERS: dict[str, Callable[[dict[str, Any], Attachments], Any]] = {
    "array": _decode_array,
    "dict": _decode_dict,
    "estimator": _decode_estimator,
    "float": _decode_float,
    "list": _decode_list,
    "object": _decode_object,
    "rng": _decode_rng,
    "strings": _decode_strings,
    "tuple": _decode_tuple,
    "type": _decode_type,
}


def _reason(value: object, path: str) -> str:
    """Return the message for a value that cannot be saved."""
    if is_module(value):
        what = f"a torch module, {type(value).__name__}"
    elif inspect.isroutine(value) or isinstance(value, types.MethodType):
        what = f"a function, {getattr(value, '__qualname__', value)!r}"
    else:
        what = f"a {type(value).__module__}.{type(value).__qualname__}"
    return f"{path} is {what}: it would have to be saved as code, and a model folder holds none."
