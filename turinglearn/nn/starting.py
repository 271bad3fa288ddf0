"""How networks start: their options checked, their widths and scales taken from genuine data."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from turinglearn.arrays import library
from turinglearn.nn.network import Network
from turinglearn.nn.optimizers import Adam
from turinglearn.protocols import Batch, Rng

__all__ = ["start_module", "start_network", "width_of"]


def start_network(player: Any, inputs: int, outputs: int, rng: Rng) -> tuple[Network, Adam]:
    """A player's network and its optimizer, from the player's options; ValueError names one that cannot be."""
    name, rate = type(player).__name__, player.learning_rate
    checks = {
        "hidden": (
            isinstance(player.hidden, tuple | list) and all(isinstance(w, int | np.integer) and w > 0 for w in player.hidden),
            "a tuple of widths of layers, at least 1 each",
        ),
        "dtype": (player.dtype in ("float32", "float64"), "'float32' or 'float64'"),
        "learning_rate": (
            callable(rate) or (isinstance(rate, int | float) and 0 <= rate < math.inf),
            "a number from 0 on, or a function of the step",
        ),
        "betas": (len(player.betas) == 2 and all(0 <= beta < 1 for beta in player.betas), "two decay rates in [0, 1)"),
    }
    for option, (good, expected) in checks.items():
        if not good:
            raise ValueError(f"{name}({option}={getattr(player, option)!r}): expected {expected}.")
    xp = library(player.backend)
    widths = (inputs, *player.hidden, outputs)
    network = Network(widths, rng, xp, player.device, getattr(xp, player.dtype))
    return network, Adam(network.parameters, rate, player.betas)


def start_module(player: Any) -> tuple[Any, Any]:
    """A copy of a player's torch module on the player's device, and its optimizer; Adam where none is chosen."""
    import torch

    module = copy.deepcopy(player.module).to(player.device)
    parameters = list(module.parameters())
    if not parameters:
        raise ValueError(f"{type(player).__name__}: {type(player.module).__name__} has no parameters, so it cannot learn.")
    if player.optimizer is None:
        return module, torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999))
    return module, player.optimizer(parameters)


def width_of(batch: Batch) -> tuple[int, int]:
    """How many features the events have, flattened, and how many the condition has (0 without one)."""
    given = 0 if batch.given is None else math.prod(batch.given.shape[1:])
    return math.prod(batch.x.shape[1:]), given
