"""The check that a library and its device multiply in the precision that is asked for."""

from __future__ import annotations

import os

from turinglearn.nn.matmul import PRECISIONS
from turinglearn.nn.options import NetworkOptions
from turinglearn.protocols import Array, InputError

__all__ = ["check_matmul_precision"]

_AMPERE = (8, 0)  # the first compute capability with tensor cores for tf32 and bfloat16


def check_matmul_precision(options: NetworkOptions, parameters: Array) -> None:
    """Raise a ValueError where the library, or the device of the parameters, lacks the precision of the options."""
    if options.matmul_precision == "full":
        return
    problem = _problem(options, parameters)
    if problem is not None:
        raise InputError(
            f"{options.owner}(matmul_precision={options.matmul_precision!r}, backend={options.backend!r}, "
            f"device={options.device!r}, dtype={options.dtype!r}): {problem}, or leave it at matmul_precision='full'."
        )


def _problem(options: NetworkOptions, parameters: Array) -> str | None:
    """Return what is wrong and what to choose instead; None if nothing is."""
    if options.matmul_precision not in PRECISIONS:
        return f"expected matmul_precision to be one of {', '.join(map(repr, PRECISIONS))}. Choose one of them"
    if options.dtype != "float32":
        return "only products of float32 can be rounded, float64 asks for full ones. Choose dtype='float32'"
    if options.backend == "cupy":
        if options.matmul_precision == "bfloat16":
            return "CuPy has no products in bfloat16. Choose backend='torch', or matmul_precision='tf32'"
        if int(os.environ.get("CUPY_TF32", "0")) < 1:
            return "CuPy multiplies in tf32 for the whole process or not at all. Set CUPY_TF32=1 before Python starts"
        return None
    if options.backend != "torch":
        return f"{options.backend} multiplies in full precision only. Choose backend='torch' with device='cuda'"
    if options.matmul_precision == "tf32" and parameters.device.type != "cuda":
        return f"tf32 is a format of CUDA devices, and the network lives on {parameters.device}. Choose device='cuda'"
    return _age_problem(parameters) if parameters.device.type == "cuda" else None


def _age_problem(parameters: Array) -> str | None:
    import torch

    device = parameters.device
    if not torch.cuda.is_available() or torch.cuda.get_device_capability(device) >= _AMPERE:
        return None
    return (
        f"{torch.cuda.get_device_name(device)} has no tensor cores for it. Choose a device of compute capability 8.0 or later"
    )
