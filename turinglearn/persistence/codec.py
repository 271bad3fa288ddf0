"""Values as JSON, arrays and estimators, and back: nothing in a model folder is code, and reading one runs none.

`encode` makes JSON of a value; arrays and estimators of other libraries are set aside under a key. `decode` builds values from
numbers, texts, arrays and classes of this package alone; an estimator is read by skops, which knows which types it may build.
"""

from __future__ import annotations

import importlib
import inspect
import math
import types
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import array_api_compat
import numpy as np
from numpy.random import MT19937, PCG64, PCG64DXSM, SFC64, Philox
from sklearn.base import BaseEstimator

from turinglearn.arrays import is_array, is_module, library, to_numpy

__all__ = ["Parcel", "Unsavable", "decode", "encode"]

_PLAIN = (str, bool, int, type(None))
_BIT_GENERATORS = {kind.__name__: kind for kind in (PCG64, PCG64DXSM, MT19937, Philox, SFC64)}
_LIBRARIES = ("torch", "cupy")  # of which arrays are saved, beside NumPy's


class Unsavable(ValueError):
    """Something that cannot be saved without saving code; the message names it."""


@dataclass
class Parcel:
    """What JSON does not hold: arrays by key, and estimators of scikit-learn and its kin by key."""

    arrays: dict[str, Any] = field(default_factory=dict)
    estimators: dict[str, Any] = field(default_factory=dict)

    def set_aside(self, path: str, value: Any, kind: dict[str, Any]) -> str:
        """Put the value among the arrays or estimators, under a key of its own, which is the path where that is free."""
        key, twins = path, 1
        while key in kind:
            key, twins = f"{path}#{twins}", twins + 1
        kind[key] = value
        return key


def encode(value: Any, path: str, parcel: Parcel) -> Any:
    """The value as JSON. path says where it is, for keys and for errors. Raises `Unsavable`, which names the value."""
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"kind": "float", "value": repr(value)}
    if isinstance(value, np.ndarray | np.generic) or is_array(value):
        return _encode_array(value, path, parcel)
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        return {"kind": type(value).__name__, "items": _encode_items(value, path, parcel)}
    if isinstance(value, dict):
        pairs = [[encode(k, f"{path}.key", parcel), encode(v, f"{path}.{k}", parcel)] for k, v in value.items()]
        return {"kind": "dict", "pairs": pairs}
    if isinstance(value, np.random.Generator) and type(value.bit_generator) in _BIT_GENERATORS.values():
        return {"kind": "rng", "state": encode(value.bit_generator.state, path, parcel)}
    if isinstance(value, type) and _is_own(value):
        return {"kind": "type", "name": _name(value)}
    if _is_own(type(value)):
        state = {name: encode(v, f"{path}.{name}", parcel) for name, v in _state(value).items()}
        return {"kind": "object", "class": _name(type(value)), "state": state}
    if isinstance(value, BaseEstimator):
        return {"kind": "estimator", "key": parcel.set_aside(path, value, parcel.estimators)}
    raise Unsavable(_why(value, path))


def decode(node: Any, parcel: Parcel) -> Any:
    """The value that `encode` made this JSON of. Raises ValueError for JSON that it cannot have made."""
    if isinstance(node, (*_PLAIN, float)):
        return node
    kind = node.get("kind") if isinstance(node, dict) else None
    if kind == "float" and node.get("value") in ("nan", "inf", "-inf"):
        return float(node["value"])
    if kind == "array":
        return _decode_array(node, parcel)
    if kind == "strings":
        return _decode_strings(node)
    if kind in ("tuple", "list"):
        items = [decode(item, parcel) for item in node["items"]]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {decode(k, parcel): decode(v, parcel) for k, v in node["pairs"]}
    if kind == "rng":
        return _decode_rng(decode(node["state"], parcel))
    if kind == "type":
        return _own(node["name"])
    if kind == "object":
        return _decode_object(_own(node["class"]), {name: decode(v, parcel) for name, v in node["state"].items()})
    if kind == "estimator":
        estimator = parcel.estimators[node["key"]]
        if not isinstance(estimator, BaseEstimator):
            raise ValueError(f"{node['key']} is a {type(estimator).__name__}, not an estimator")
        return estimator
    raise ValueError(f"{str(node)[:80]} is nothing that a model folder can hold")


# ---------------------------------------------------------------------------------------------------------------- arrays
def _encode_array(value: Any, path: str, parcel: Parcel) -> Any:
    made_by, device = "numpy", None
    if not isinstance(value, np.ndarray | np.generic):
        made_by = array_api_compat.array_namespace(value).__name__.rpartition(".")[2]
        device = str(array_api_compat.device(value))
    if isinstance(value, np.ma.MaskedArray) or made_by not in ("numpy", *_LIBRARIES):
        raise Unsavable(_why(value, path))
    host = np.asarray(value if made_by == "numpy" else to_numpy(value))
    dtype, scalar = str(value.dtype), isinstance(value, np.generic)
    if host.dtype.kind in "UO" and all(type(text) in (str, np.str_) for text in host.ravel().tolist()):
        texts = host.ravel().tolist()
        return {"kind": "strings", "shape": list(host.shape), "values": texts, "object": dtype == "object", "scalar": scalar}
    plain = host.astype(host.dtype.newbyteorder("="), copy=False)
    plain = plain.view(np.int64) if plain.dtype.kind in "mM" else plain
    if plain.dtype.kind not in "biuf" or plain.dtype.itemsize > 8:
        raise Unsavable(f"{path} is an array of {dtype}, which safetensors does not hold; expected plain numbers of 64 bits.")
    rotated = plain.ndim > 1 and plain.flags.f_contiguous and not plain.flags.c_contiguous  # sums depend on it to the last bit
    stored = plain.T if rotated else plain
    key = parcel.set_aside(path, np.ascontiguousarray(stored).reshape(stored.shape), parcel.arrays)
    node = {"kind": "array", "key": key, "library": made_by, "device": device, "dtype": dtype}
    return {**node, "rotated": rotated, "scalar": scalar}


def _decode_array(node: dict[str, Any], parcel: Parcel) -> Any:
    host = parcel.arrays[node["key"]]
    host = host.T if node["rotated"] else host
    if node["library"] == "numpy":
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in "biufmM":
            raise ValueError(f"an array of {dtype}, which no model is saved with")
        host = host.view(dtype.newbyteorder("=")) if dtype.kind in "mM" else host
        host = host.astype(dtype, copy=False)
        return host[()] if node["scalar"] else host
    if node["library"] not in _LIBRARIES:
        raise ValueError(f"an array of the library {node['library']!r}, which no player is saved with")
    xp = library(node["library"])
    device = None if node["library"] == "cupy" else node["device"]
    try:
        x = xp.asarray(host.copy(), device=device)
    except Exception as error:  # each library says in its own way that it has no such device
        raise ValueError(f"an array on the device {device!r}, which is not here ({error})") from error
    return x if str(x.dtype) == node["dtype"] else xp.astype(x, getattr(xp, node["dtype"].rpartition(".")[2]))


def _decode_strings(node: dict[str, Any]) -> Any:
    values = node["values"]
    if not all(type(text) is str for text in values):
        raise ValueError("texts that are no texts")
    texts = np.array(values, dtype=object if node["object"] else np.str_).reshape(node["shape"])
    return texts[()] if node["scalar"] else texts


def _decode_rng(state: Any) -> np.random.Generator:
    name = state.get("bit_generator") if isinstance(state, dict) else None
    if name not in _BIT_GENERATORS:
        raise ValueError(f"a random generator {name!r}; expected one of {', '.join(_BIT_GENERATORS)}")
    bits = _BIT_GENERATORS[name](0)
    bits.state = state
    return np.random.Generator(bits)


# --------------------------------------------------------------------------------------------------------------- objects
def _is_own(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "turinglearn" and "<locals>" not in kind.__qualname__


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _own(name: str) -> Any:
    """A class of this package by its name."""
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
        raise ValueError(f"{name!r}, which is no class of turinglearn")
    return found


def _state(value: Any) -> dict[str, Any]:
    if "__setstate__" in vars(type(value)) and not is_dataclass(value):
        state: dict[str, Any] = value.__getstate__()
        return state
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return dict(vars(value))


def _decode_object(kind: type, state: dict[str, Any]) -> Any:
    if is_dataclass(kind) and state.keys() != {f.name for f in fields(kind)}:
        raise ValueError(f"a {kind.__name__} with {', '.join(state)}, which this version of turinglearn does not have")
    if any(name.startswith("__") for name in state):
        raise ValueError(f"a {kind.__name__} with attributes that belong to Python")
    made: Any = object.__new__(kind)
    if "__setstate__" in vars(kind) and not is_dataclass(kind):
        made.__setstate__(state)
        return made
    for name, value in state.items():
        object.__setattr__(made, name, value)  # frozen ones too
    return made


def _encode_items(items: Any, path: str, parcel: Parcel) -> list[Any]:
    return [encode(item, f"{path}.{i}", parcel) for i, item in enumerate(items)]


def _why(value: Any, path: str) -> str:
    if is_module(value):
        what = f"a torch module, {type(value).__name__}"
    elif inspect.isroutine(value) or isinstance(value, types.MethodType):
        what = f"a function, {getattr(value, '__qualname__', value)!r}"
    else:
        what = f"a {type(value).__module__}.{type(value).__qualname__}"
    return f"{path} is {what}: it would have to be saved as code, and a model folder holds none."
