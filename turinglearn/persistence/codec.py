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
from sklearn.base import BaseEstimator

from turinglearn.arrays import is_array, is_module, library, to_numpy

__all__ = ["Parcel", "Unsavable", "decode", "encode"]

_PLAIN = (str, bool, int, type(None))


class Unsavable(ValueError):
    """Something that cannot be saved without saving code; the message names it."""


@dataclass
class Parcel:
    """What JSON does not hold: arrays by key, and estimators of scikit-learn and its kin by key."""

    arrays: dict[str, Any] = field(default_factory=dict)
    estimators: dict[str, Any] = field(default_factory=dict)


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
    if isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        return {"kind": "rng", "state": encode(state, path, parcel)}
    if isinstance(value, type) and _is_own(value):
        return {"kind": "type", "name": _name(value)}
    if _is_own(type(value)):
        state = {name: encode(v, f"{path}.{name}", parcel) for name, v in _state(value).items()}
        return {"kind": "object", "class": _name(type(value)), "state": state}
    if isinstance(value, BaseEstimator):
        parcel.estimators[path] = value
        return {"kind": "estimator", "key": path}
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
        dtype = object if node["object"] else None
        return np.array(node["values"], dtype=dtype).reshape(node["shape"])
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
        return parcel.estimators[node["key"]]
    raise ValueError(f"{str(node)[:80]} is nothing that a model folder can hold")


# ---------------------------------------------------------------------------------------------------------------- arrays
def _encode_array(value: Any, path: str, parcel: Parcel) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        made_by, device, host = "numpy", None, np.asarray(value)
    else:
        made_by = array_api_compat.array_namespace(value).__name__.rpartition(".")[2]
        device, host = str(array_api_compat.device(value)), to_numpy(value)
    dtype = str(host.dtype)
    if host.dtype.kind in "UO" and all(isinstance(text, str) for text in host.ravel().tolist()):
        return {"kind": "strings", "shape": list(host.shape), "values": host.ravel().tolist(), "object": dtype == "object"}
    if host.dtype.kind in "mM":
        host = host.view(np.int64)
    if host.dtype.kind not in "biuf" or host.dtype.itemsize > 8:
        raise Unsavable(f"{path} is an array of {dtype}, which safetensors does not hold; expected plain numbers of 64 bits.")
    rotated = host.ndim > 1 and host.flags.f_contiguous and not host.flags.c_contiguous  # sums depend on it to the last bit
    parcel.arrays[path] = np.ascontiguousarray(host.T if rotated else host).reshape(host.T.shape if rotated else host.shape)
    node = {"kind": "array", "key": path, "library": made_by, "device": device, "dtype": dtype}
    return {**node, "rotated": rotated, "scalar": isinstance(value, np.generic)}


def _decode_array(node: dict[str, Any], parcel: Parcel) -> Any:
    host = parcel.arrays[node["key"]]
    host = host.T if node["rotated"] else host
    if node["library"] == "numpy":
        if node["dtype"].startswith(("datetime64", "timedelta64")):
            host = host.view(node["dtype"])
        return host[()] if node["scalar"] else host
    if node["library"] not in ("torch", "cupy"):
        raise ValueError(f"an array of the library {node['library']!r}, which no player is saved with")
    xp = library(node["library"])
    device = None if node["library"] == "cupy" else node["device"]
    x = xp.asarray(host.copy(), device=device)
    return x if str(x.dtype) == node["dtype"] else xp.astype(x, getattr(xp, node["dtype"].rpartition(".")[2]))


def _decode_rng(state: Any) -> np.random.Generator:
    name = state.get("bit_generator") if isinstance(state, dict) else None
    if name != "PCG64":
        raise ValueError(f"a random generator {name!r}; expected PCG64, with which every game plays")
    rng = np.random.default_rng(0)
    rng.bit_generator.state = state
    return rng


# --------------------------------------------------------------------------------------------------------------- objects
def _is_own(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "turinglearn" and "<locals>" not in kind.__qualname__


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _own(name: str) -> Any:
    """A class of this package by its name."""
    module, _, qualified = name.partition(":")
    parts = [*module.split("."), *qualified.split(".")]
    if not (module.startswith("turinglearn.") and all(part.isidentifier() for part in parts)):
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
