"""CuPy's fused kernels. Without a GPU their arithmetic is compiled as C++ and met with the generic path."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.compiled import compiled
from turinglearn.nn import kernels_cupy as kernels
from turinglearn.nn.kernels_cupy import ADAM, RELU, RELU_BACKWARD

N = 1000
TYPES = pytest.mark.parametrize("number", ["float", "double"])


def on_the_host(folder, number, kernel):
    """A function of arrays and numbers that applies the kernel's operation to each element, as CuPy does on a device."""
    inputs, outputs, operation = kernel
    names = [(part.split()[1], "const T*") for part in inputs.split(", ")]
    names += [(part.split()[1], "T*") for part in outputs.split(", ")]
    arguments = ", ".join(f"{kind} {name}_, long {name}_stride" for name, kind in names)
    elements = " ".join(f"{kind[:-1]}& {name} = {name}_[i * {name}_stride];" for name, kind in names)
    source = f"""
        #include <cmath>
        using std::sqrt;
        typedef {number} T;
        extern "C" void apply({arguments}) {{ for (long i = 0; i < {N}; ++i) {{ {elements} {operation}; }} }}
    """
    library, dtype = compiled(source, folder), np.float32 if number == "float" else np.float64

    def apply(*values):
        held = [np.asarray(value, dtype=dtype) for value in values]  # numbers are read again and again: their stride is 0
        given = [part for value in held for part in (value.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(int(value.ndim)))]
        library.apply(*given)

    return apply


def numbers(number, *, size=N, seed=0):
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32 if number == "float" else np.float64)


@TYPES
def test_relu_and_its_backward(tmp_path, number):
    h, dh = numbers(number), numbers(number, seed=1)
    h[:3] = 0, -0.0, np.nan
    made, slopes = h.copy(), dh.copy()
    on_the_host(tmp_path, number, RELU)(made, made)
    np.testing.assert_array_equal(made, np.maximum(h, 0))  # NaN stays NaN, to be found
    on_the_host(tmp_path, number, RELU_BACKWARD)(h, slopes)
    np.testing.assert_array_equal(slopes, dh * (h > 0))


@TYPES
def test_adam_steps_as_the_generic_path_does(tmp_path, number, monkeypatch):
    """Ten steps through `kernels_cupy.adam_step`, its kernel replaced by the same operation on the host."""
    from turinglearn.nn import Adam, optimizers

    apply = on_the_host(tmp_path, number, ADAM)
    monkeypatch.setattr(kernels, "_kernel", lambda name, kernel: apply)
    ends = []
    for fused in (False, True):
        monkeypatch.setattr(optimizers, "is_cupy", lambda x, fused=fused: fused)
        strict = pytest.importorskip("array_api_strict", reason="needs array-api-strict, which is not installed")
        parameters = numbers(number) if fused else strict.asarray(numbers(number))
        adam = Adam(parameters, (0.5, 0.999))
        if fused:  # NumPy's arrays take the path of CuPy's
            monkeypatch.setattr(optimizers, "namespace", lambda x: None)
        for step in range(10):
            gradient = numbers(number, seed=step + 2)
            adam.step(parameters, gradient if fused else strict.asarray(gradient), 1e-2)
        ends.append([np.asarray(part) for part in (parameters, adam.first, adam.second)])
    tolerance = 2e-6 if number == "float" else 1e-13
    for ours, generic in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, generic, rtol=tolerance, atol=tolerance)


def test_kernels_are_made_without_a_gpu():
    pytest.importorskip("cupy", reason="needs CuPy, which is not installed")
    for name, kernel in (("relu", RELU), ("relu_backward", RELU_BACKWARD), ("adam", ADAM)):
        made = kernels._kernel(name, kernel)
        assert made.operation == kernel[2]
        assert made.nin + made.nout == len(kernel[0].split(", ")) + len(kernel[1].split(", "))
