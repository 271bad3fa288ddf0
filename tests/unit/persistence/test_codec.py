"""Values as JSON and arrays and back: equal in type and every bit."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from sklearn.tree import DecisionTreeClassifier

from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.nn import LinearDecay
from turinglearn.persistence.codec import Attachments, NotSerializableError, decode, encode
from turinglearn.protocols import Batch

tensors = pytest.importorskip("safetensors.numpy", reason="needs safetensors, which is not installed")


def through(value):
    """The value after encoding and decoding."""
    attachments = Attachments()
    node = json.loads(json.dumps(encode(value, "here", attachments)))
    return decode(node, Attachments(tensors.load(tensors.save(attachments.arrays)), attachments.estimators))


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype.kind == "U" or one.dtype == other.dtype  # texts may get a wider or narrower one
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other)
        if one.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(one), np.signbit(other))
        if one.ndim == 2:
            assert (one.flags.c_contiguous, one.flags.f_contiguous) == (other.flags.c_contiguous, other.flags.f_contiguous)
    elif isinstance(one, dict):
        assert list(map(repr, one)) == list(map(repr, other))
        for a, b in zip(one.values(), other.values(), strict=True):
            assert_equal(a, b)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert repr(one) == repr(other)  # of floats exact, and nan equals nan


texts = st.text(st.characters(exclude_characters="\0"), max_size=5)  # NumPy drops trailing zeros of texts itself
numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
dtypes = st.one_of(
    hn.boolean_dtypes(),
    hn.integer_dtypes(),
    hn.unsigned_integer_dtypes(),
    hn.floating_dtypes(sizes=(16, 32, 64)),
    hn.integer_dtypes(endianness=">"),
    hn.floating_dtypes(endianness=">", sizes=(32, 64)),
    hn.datetime64_dtypes(max_period="m", min_period="ns"),
    hn.timedelta64_dtypes(max_period="m", min_period="ns"),
)
shapes = hn.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=4)
arrays = dtypes.flatmap(lambda dtype: hn.arrays(dtype, shapes))
of_texts = hn.arrays(object, shapes, elements=texts)
leaves = numbers | arrays | arrays.map(np.asfortranarray) | of_texts | of_texts.map(lambda x: x.astype(str))
scalars = hn.arrays(np.float32, (1,)).map(lambda x: x[0]) | hn.arrays("M8[ns]", (1,)).map(lambda x: x[0]) | texts.map(np.str_)
keys = numbers | st.tuples(st.integers(), texts)
values = st.recursive(
    leaves | scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_values_come_back(value):
    assert_equal(through(value), value)


def test_the_order_of_memory_comes_back():
    """Sums over rows and over columns differ in their last bits."""
    x = np.arange(6.0).reshape(2, 3)
    for value in (x, x.T, np.asfortranarray(x), np.ones((2, 3, 4)).T):
        assert_equal(through(value), value)
        assert through(value).strides == value.strides


def test_equal_paths_keep_their_arrays():
    """The keys 1 and "1", and a dot in a key, must not put two arrays in one place."""
    value = {1: np.ones(1), "1": np.zeros(2), "a": {"b": np.ones(3)}, "a.b": np.zeros(4), "1#1": np.ones(5)}
    assert_equal(through(value), value)
    trees = {1: DecisionTreeClassifier(max_depth=1), "1": DecisionTreeClassifier(max_depth=2)}
    assert {key: tree.max_depth for key, tree in through(trees).items()} == {1: 1, "1": 2}


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_random_generators_continue(kind):
    rng = np.random.Generator(getattr(np.random, kind)(3))
    rng.integers(0, 9, 7, dtype=np.int32)  # leaves half a number behind
    again = through(rng)
    np.testing.assert_array_equal(again.integers(0, 9, 5, dtype=np.int32), rng.integers(0, 9, 5, dtype=np.int32))
    assert again.normal() == rng.normal()


def test_objects_of_the_package():
    made = through({"batch": Batch(np.ones((2, 1)), None), "decay": LinearDecay(0.1, 5), "kind": NeuralDiscriminator})
    assert made["decay"] == LinearDecay(0.1, 5)
    assert made["kind"] is NeuralDiscriminator
    np.testing.assert_array_equal(made["batch"].x, np.ones((2, 1)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float16", "bfloat16", "float32", "float64"])
def test_tensors(dtype):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    again = through([tensor, tensor.T, tensor[0, 0]])
    for one, other in zip(again, [tensor, tensor.T, tensor[0, 0]], strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


class Own:
    """A user's class."""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [0, len]}, r"here\.a\.1 is a function, 'len': it would have to be saved as code"),
        (Own(), r"here is a .*Own"),
        (Own, r"here is a builtins\.type"),
        ({1, 2}, r"here is a builtins\.set"),
        (b"bytes", r"here is a builtins\.bytes"),
        (1j, r"here is a builtins\.complex"),
        (np.ones(2, dtype=complex), "here is an array of complex128, which safetensors does not hold"),
        (np.array([1, None, "a"], dtype=object), "here is an array of object"),
        (np.zeros(2, dtype=[("a", int)]), "here is an array of"),
        (np.ma.masked_array([1, 2], [True, False]), r"here is a numpy\.ma\.MaskedArray"),
        (np.random.RandomState(0), "here is a numpy.*RandomState"),
    ],
)
def test_values_that_cannot_be_saved_are_named(value, message):
    with pytest.raises(NotSerializableError, match=message):
        through(value)


def test_arrays_of_other_libraries_are_refused_when_saved_not_when_loaded():
    strict = pytest.importorskip("array_api_strict", reason="needs array-api-strict, which is not installed")
    with pytest.raises(NotSerializableError, match="here is a array_api_strict"):
        through(strict.asarray([1.0]))


def test_modules_that_would_run_are_not_imported(monkeypatch):
    kind = type("Main", (), {"__module__": "turinglearn.__main__"})
    monkeypatch.setitem(sys.modules, "turinglearn.__main__", SimpleNamespace(Main=kind))
    with pytest.raises(ValueError, match="expected one of turinglearn's own"):
        decode({"kind": "type", "name": "turinglearn.__main__:Main"}, Attachments())


ARRAY = {"kind": "array", "key": "a", "library": "numpy", "device": None, "dtype": "f8", "transposed": False, "scalar": False}


@pytest.mark.parametrize(
    "node",
    [
        [],
        {},
        {"kind": "float", "value": "1e5"},
        {"kind": "float", "value": "__import__('os')"},
        {"kind": "code", "value": "1"},
        {"kind": ["array"]},
        {"kind": "type", "name": "os:system"},
        {"kind": "type", "name": "turinglearn.persistence.codec:importlib"},
        {"kind": "type", "name": "turinglearn.persistence.codec:importlib.import_module"},
        {"kind": "type", "name": "turinglearn.persistence.codec:encode"},
        {"kind": "type", "name": "turinglearn.__main__:main"},
        {"kind": "type", "name": "turinglearn.nn:LinearDecay.__class__"},
        {"kind": "type", "name": "turinglearn.nn:NoSuch"},
        {"kind": "type", "name": "turinglearn.nosuch:LinearDecay"},
        {"kind": "object", "class": "turinglearn.nn:LinearDecay", "state": {}},
        {"kind": "object", "class": "turinglearn.game.replay:Replay", "state": {"__class__": 1}},
        {"kind": "object", "class": "builtins:dict", "state": {}},
        {"kind": "rng", "state": {"kind": "dict", "pairs": [["bit_generator", "seed"]]}},
        {"kind": "rng", "state": 5},
        {"kind": "strings", "values": [1], "shape": [1], "object": True, "scalar": False},
        {**ARRAY, "library": "os"},
        {**ARRAY, "dtype": "O"},
        {**ARRAY, "library": "torch", "device": "cuda:9", "dtype": "x"},
        {"kind": "estimator", "key": "no estimator"},
    ],
)
def test_crafted_json_is_refused(node):
    with pytest.raises(ValueError, match=r".") as raised:
        decode(node, Attachments({"a": np.ones(2)}, {"no estimator": 5}))
    assert type(raised.value) is ValueError
    assert "turinglearn.__main__" not in sys.modules
