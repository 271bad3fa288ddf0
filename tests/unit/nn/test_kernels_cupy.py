"""CuPy's fused kernels. Without a GPU their arithmetic is compiled as C++ and met with the generic path."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.compiled import compiled
from turinglearn.arrays import library
from turinglearn.nn import Adam, Network, Optimizer, activations, optimizers
from turinglearn.nn import kernels_cupy as kernels
from turinglearn.nn.kernels_cupy import ADAM, RELU, RELU_BACKWARD

N = 1000
NUMBERS = {"float": np.float32, "double": np.float64}  # of C++ and of NumPy
TYPES = pytest.mark.parametrize("number", NUMBERS)


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
        extern "C" void apply(long n, {arguments}) {{ for (long i = 0; i < n; ++i) {{ {elements} {operation}; }} }}
    """
    operations, dtype = compiled(source, folder), NUMBERS[number]

    def apply(*values):
        held = [np.asarray(value, dtype=dtype) for value in values]  # a number is read again and again: its stride is 0
        assert all(value.flags.c_contiguous for value in held)
        condition = [(value.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(min(value.ndim, 1))) for value in held]
        operations.apply(ctypes.c_long(max(value.size for value in held)), *(part for pair in condition for part in pair))
        return values[-1]

    return apply


def numbers(number, *, size=N, seed=0):
    return np.random.default_rng(seed).standard_normal(size).astype(NUMBERS[number])


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Let torch's arrays on the host take the path of CuPy's, through kernels that are compiled for the host."""

    def use(module, number):
        operations = {kernel: on_the_host(tmp_path, number, kernel) for kernel in (RELU, RELU_BACKWARD, ADAM)}
        monkeypatch.setattr(kernels, "_kernel", lambda name, kernel: operations[kernel])
        monkeypatch.setattr(module, "is_cupy", lambda x: True)

    return use


@TYPES
def test_relu_and_its_backward(tmp_path, number):
    h, dh = numbers(number), numbers(number, seed=1)
    h[:3] = 0, -0.0, np.nan
    made, slopes = np.empty_like(h), np.empty_like(h)
    on_the_host(tmp_path, number, RELU)(h, made)
    np.testing.assert_array_equal(made, np.maximum(h, 0))  # NaN stays NaN, to be found
    on_the_host(tmp_path, number, RELU_BACKWARD)(h, dh, slopes)
    np.testing.assert_array_equal(slopes, dh * (h > 0))


@TYPES
def test_a_network_passes_through_the_kernels_as_through_the_generic_path(stand_in, number):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    x, slopes = (torch.tensor(numbers(number, size=(20, width), seed=width)) for width in (3, 2))
    ends = []
    for fused in (False, True):
        if fused:
            stand_in(activations, number)
        network = Network((3, 7, 5, 2), np.random.default_rng(0), library("torch"), None, x.dtype)
        y, tape = network.forward(x)
        network.backward(tape, slopes)
        ends.append((y, network.gradient, network.backward_inputs(tape, slopes)))
    for ours, generic in zip(*ends, strict=True):
        assert torch.equal(ours, generic)


@TYPES
def test_adam_steps_through_the_kernel_as_on_the_generic_path(stand_in, number):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    ends = []
    for fused in (False, True):
        if fused:
            stand_in(optimizers, number)
        parameters = torch.tensor(numbers(number))
        adam = Optimizer(Adam(), parameters)
        for step in range(10):
            adam.step(parameters, torch.tensor(numbers(number, seed=step + 2)), 1e-2)
        ends.append((parameters, *adam.buffers))
    tolerance = 2e-6 if number == "float" else 1e-13
    for ours, generic in zip(*ends, strict=True):
        torch.testing.assert_close(ours, generic, rtol=tolerance, atol=tolerance)


def test_kernels_are_made_without_a_gpu():
    pytest.importorskip("cupy", reason="needs CuPy, which is not installed")
    for name, kernel in (("relu", RELU), ("relu_backward", RELU_BACKWARD), ("adam", ADAM)):
        made = kernels._kernel(name, kernel)
        assert made.operation == kernel[2]
        assert made.nin + made.nout == len(kernel[0].split(", ")) + len(kernel[1].split(", "))
