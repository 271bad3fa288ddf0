"""Initialization of networks: from checked options, with widths and scales taken from real data."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import flat, library, location_and_spread
from turinglearn.nn.mlp import mlp
from turinglearn.nn.network import Network
from turinglearn.nn.optimizers import Optimizer
from turinglearn.nn.options import NetworkOptions
from turinglearn.nn.precision import check_matmul_precision
from turinglearn.protocols import Batch, InputError, Rng

__all__ = ["scales", "start_network", "width_of"]

_LEVELS = 100  # number of values of its dtype within one spread that a feature needs


def start_network(
    options: NetworkOptions, inputs: int, outputs: int, rng: Rng, *, discriminates: bool = False
) -> tuple[Network, Optimizer]:
    """Make a player's network and its optimizer.

    Parameters
    ----------
    options : NetworkOptions
        Options of the player.
    inputs, outputs : int
        Number of features of the input and of the output.
    rng : numpy.random.Generator
        Source of the initial parameters.
    discriminates : bool
        Whether the player is a discriminator, as in `turinglearn.nn.mlp.mlp`.

    Returns
    -------
    network : Network
    optimizer : Optimizer
    """
    xp, widths = library(options.backend), (inputs, *options.hidden, outputs)
    layers = mlp(widths, options, discriminates=discriminates)
    try:
        xp.zeros(1, device=options.device)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise InputError(
            f"{options.owner}(backend={options.backend!r}, device={options.device!r}): no such device here ({error})."
        ) from error
    dtype = getattr(xp, options.dtype)
    network = Network(widths, rng, xp, options.device, dtype, layers=layers, matmul_precision=options.matmul_precision)
    check_matmul_precision(options, network.parameters)
    return network, Optimizer(options.optimizer, network.parameters, options.clip_norm)


def scales(options: NetworkOptions, example: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute location and spread of each feature, (features,); raise a ValueError where the dtype cannot resolve them."""
    location, spread = location_and_spread(flat(example.x))
    number = np.finfo(options.dtype)
    blurred = (spread > 0) & ((spread < _LEVELS * number.eps * np.abs(location)) | (spread**2 < number.tiny))
    if blurred.any():
        i = int(np.argmax(blurred))
        raise InputError(
            f"Feature {i} is spread by {spread[i]:.3g} around {location[i]:.3g}, which {options.dtype} hardly resolves. Scale "
            "the features first, for example with sklearn.preprocessing.StandardScaler, or use "
            f"{options.owner}(dtype='float64')."
        )
    return location, spread


def width_of(batch: Batch) -> tuple[int, int]:
    """Return the number of features of the flattened events, and that of the condition (0 without one)."""
    condition = 0 if batch.condition is None else math.prod(batch.condition.shape[1:])
    return math.prod(batch.x.shape[1:]), condition
