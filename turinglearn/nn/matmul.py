"""Matrix products in a chosen precision."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import is_cupy, namespace
from turinglearn.protocols import Array

__all__ = ["PRECISIONS", "matmul"]

PRECISIONS = ("full", "tf32", "bfloat16")


def matmul(a: Array, b: Array, matmul_precision: str = "full") -> Array:
    """Multiply matrices a (n, k) and b (k, m), in their dtype.

    "full" multiplies with the library's own settings. "tf32" and "bfloat16" round the factors, which are float32, to 10 and 7
    bits of mantissa; sums and result stay in float32.
    """
    if matmul_precision == "bfloat16":
        return _bfloat16(a, b)
    if matmul_precision == "tf32" and not is_cupy(a):  # CuPy is set for the whole process
        return _tf32(a, b)
    product: Array = namespace(a).matmul(a, b)
    return product


def _tf32(a: Any, b: Any) -> Array:
    """Multiply with torch's setting changed for this product alone."""
    import torch

    settings = torch.backends.cuda.matmul
    before, settings.fp32_precision = settings.fp32_precision, "tf32"
    try:
        return torch.matmul(a, b)
    finally:
        settings.fp32_precision = before


def _bfloat16(a: Any, b: Any) -> Array:
    import torch

    a, b = a.to(torch.bfloat16), b.to(torch.bfloat16)
    if a.is_cuda:
        return torch.mm(a, b, out_dtype=torch.float32)
    return torch.mm(a.to(torch.float32), b.to(torch.float32))  # the same numbers, without tensor cores
