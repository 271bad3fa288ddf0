"""Products of matrices, in the precision that a player asks for."""

from __future__ import annotations

import os
from typing import Any

from turinglearn.arrays import is_cupy, namespace
from turinglearn.protocols import Array

__all__ = ["PRODUCTS", "check_products", "matmul"]

PRODUCTS = ("full", "tf32", "bfloat16")

_AMPERE = (8, 0)  # the first compute capability whose tensor cores know tf32 and bfloat16


def matmul(a: Array, b: Array, products: str = "full") -> Array:
    """The product of matrices a (n, k) and b (k, m), in their dtype.

    "full" multiplies as the library is set. "tf32" and "bfloat16" round the factors, float32, to 10 and 7 bits of mantissa;
    sums are float32's, and so is the result.
    """
    if products == "bfloat16":
        return _bfloat16(a, b)
    if products == "tf32" and not is_cupy(a):  # CuPy is set as a whole
        return _tf32(a, b)
    return namespace(a).matmul(a, b)


def _tf32(a: Any, b: Any) -> Any:
    """torch's setting, changed for this product alone."""
    import torch

    settings = torch.backends.cuda.matmul
    before, settings.fp32_precision = settings.fp32_precision, "tf32"
    try:
        return torch.matmul(a, b)
    finally:
        settings.fp32_precision = before


def _bfloat16(a: Any, b: Any) -> Any:
    import torch

    a, b = a.to(torch.bfloat16), b.to(torch.bfloat16)
    if a.is_cuda:
        return torch.mm(a, b, out_dtype=torch.float32)
    return torch.mm(a.to(torch.float32), b.to(torch.float32))  # the same numbers, without tensor cores


def check_products(player: Any, parameters: Array) -> None:
    """ValueError where the library or the device of a player's parameters cannot multiply as its `products` says."""
    if player.products == "full":
        return
    wrong = _refusal(player, parameters)
    if wrong is not None:
        raise ValueError(
            f"{type(player).__name__}(products={player.products!r}, backend={player.backend!r}, device={player.device!r}, "
            f"dtype={player.dtype!r}): {wrong}, or leave it at products='full'."
        )


def _refusal(player: Any, parameters: Array) -> str | None:
    """Why not, and what to choose instead; None where nothing speaks against it."""
    if player.products not in PRODUCTS:
        return f"expected products to be one of {', '.join(map(repr, PRODUCTS))}. Choose one of them"
    if player.dtype != "float32":
        return "only products of float32 can be rounded, float64 asks for full ones. Choose dtype='float32'"
    if player.backend == "cupy":
        if player.products == "bfloat16":
            return "CuPy has no products in bfloat16. Choose backend='torch', or products='tf32'"
        if int(os.environ.get("CUPY_TF32", "0")) < 1:
            return "CuPy multiplies in tf32 for the whole process or not at all. Set CUPY_TF32=1 before Python starts"
        return None
    if player.backend != "torch":
        return f"{player.backend} multiplies in full precision only. Choose backend='torch' with device='cuda'"
    if player.products == "tf32" and parameters.device.type != "cuda":
        return f"tf32 is a format of CUDA devices, and the network lives on {parameters.device}. Choose device='cuda'"
    return _too_old(parameters.device) if parameters.device.type == "cuda" else None


def _too_old(device: Any) -> str | None:
    import torch

    if not torch.cuda.is_available() or torch.cuda.get_device_capability(device) >= _AMPERE:
        return None
    return (
        f"{torch.cuda.get_device_name(device)} has no tensor cores for it. Choose a device of compute capability 8.0 or later"
    )
