"""The floor: the matrix products of a round and nothing else, into existing arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.speed.problem import Chunk, Size, chunk

__all__ = ["flops", "products", "shapes"]

Shape = tuple[int, int, int]  # rows, inner, columns: (rows, inner) times (inner, columns)


def shapes(size: Size, bias: int = 0) -> list[Shape]:
    """Return the shapes of all products of a round; bias=1 counts biases as one more row of the weights, as in the core."""
    n, generator, discriminator = size.batch, size.generator_widths, size.discriminator_widths
    return [
        *_forward(generator, n, bias),  # fakes for the discriminator's step
        *_forward(discriminator, 2 * n, bias),  # real and fake
        *_parameters(discriminator, 2 * n, bias),
        *_inputs(discriminator[1:], 2 * n),  # back to the discriminator's first layer
        *_forward(generator, n, bias),  # fresh ones for the generator's step
        *_forward(discriminator, n, bias),
        *_inputs(discriminator, n),  # back through the discriminator
        *_parameters(generator, n, bias),
        *_inputs(generator[1:], n),
    ]


def flops(products: list[Shape]) -> int:
    """Return the number of multiplications and additions."""
    return sum(2 * rows * inner * columns for rows, inner, columns in products)


def products(size: Size, library: str) -> Chunk:
    """Return a chunk of rounds of them, on NumPy or torch."""
    return chunk(_rounds(size, library), size.rounds)


def _forward(widths: tuple[int, ...], n: int, bias: int) -> list[Shape]:
    """Return the shapes of H W of each layer."""
    return [(n, i + bias, o) for i, o in pairwise(widths)]


def _parameters(widths: tuple[int, ...], n: int, bias: int) -> list[Shape]:
    """Return the shapes of dW = Hᵀ dO of each layer."""
    return [(i + bias, n, o) for i, o in pairwise(widths)]


def _inputs(widths: tuple[int, ...], n: int) -> list[Shape]:
    """Return the shapes of dH = dO Wᵀ of each layer."""
    return [(n, o, i) for i, o in pairwise(widths)]


def _rounds(size: Size, library: str) -> Iterator[None]:
    rng, lead = np.random.default_rng(0), (size.games,) if size.games > 1 else ()
    multiply: Callable[..., Any] = np.matmul
    as_array: Callable[..., Any] = np.asarray
    if library == "torch":
        import torch

        multiply, as_array = torch.bmm if lead else torch.mm, torch.tensor
    operands = [
        tuple(as_array(rng.standard_normal((*lead, *shape), dtype=np.float32)) for shape in ((r, k), (k, c), (r, c)))
        for r, k, c in shapes(size)
    ]
    while True:
        for a, b, out in operands:
            multiply(a, b, out=out)
        yield
