"""The floor: the matrix products of a round and nothing else, into arrays that are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.speed.problem import Chunk, Size, chunk

__all__ = ["flops", "products", "shapes"]

Shape = tuple[int, int, int]  # rows, inner, columns: (rows, inner) times (inner, columns)


def shapes(size: Size, bias: int = 0) -> list[Shape]:
    """Every product of a round; bias=1 counts the biases as one more row of the weights, as the core multiplies them."""
    n, makes, discriminators = size.batch, size.makes, size.discriminators
    return [
        *_forward(makes, n, bias),  # fakes for the discriminator's step
        *_forward(discriminators, 2 * n, bias),  # real and fake
        *_parameters(discriminators, 2 * n, bias),
        *_inputs(discriminators[1:], 2 * n),  # back to the discriminator's first layer
        *_forward(makes, n, bias),  # fresh ones for the generator's step
        *_forward(discriminators, n, bias),
        *_inputs(discriminators, n),  # back through the discriminator
        *_parameters(makes, n, bias),
        *_inputs(makes[1:], n),
    ]


def flops(products: list[Shape]) -> int:
    """Multiplications and additions."""
    return sum(2 * rows * inner * columns for rows, inner, columns in products)


def products(size: Size, library: str) -> Chunk:
    """A chunk of rounds of them, on NumPy or torch."""
    return chunk(_rounds(size, library), size.rounds)


def _forward(widths: tuple[int, ...], n: int, bias: int) -> list[Shape]:
    """H W of each layer."""
    return [(n, i + bias, o) for i, o in pairwise(widths)]


def _parameters(widths: tuple[int, ...], n: int, bias: int) -> list[Shape]:
    """dW = H^T dO of each layer."""
    return [(i + bias, n, o) for i, o in pairwise(widths)]


def _inputs(widths: tuple[int, ...], n: int) -> list[Shape]:
    """dH = dO W^T of each layer."""
    return [(n, o, i) for i, o in pairwise(widths)]


def _rounds(size: Size, library: str) -> Iterator[None]:
    rng, lead = np.random.default_rng(0), (size.games,) if size.games > 1 else ()
    multiply: Callable[..., Any] = np.matmul
    made: Callable[..., Any] = np.asarray
    if library == "torch":
        import torch

        multiply, made = torch.bmm if lead else torch.mm, torch.tensor
    ready = [
        tuple(made(rng.standard_normal((*lead, *shape), dtype=np.float32)) for shape in ((r, k), (k, c), (r, c)))
        for r, k, c in shapes(size)
    ]
    while True:
        for a, b, out in ready:
            multiply(a, b, out=out)
        yield
