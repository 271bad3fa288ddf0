"""How networks start: their options checked, their widths and scales taken from genuine data."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from turinglearn.arrays import flat, is_module, library, location_and_spread
from turinglearn.nn.chains import Activation, Normalizer, perceptron
from turinglearn.nn.layers import Layer
from turinglearn.nn.network import Network
from turinglearn.nn.optimizers import Optimizer
from turinglearn.nn.options import is_real, is_whole
from turinglearn.nn.products import check_products
from turinglearn.protocols import Array, Batch, PlayerError, Rng

_LEVELS = 100  # how many values of its dtype a feature takes within one spread, at least

__all__ = ["ask_module", "module_state", "restore_module", "start_module", "start_network", "torch_draws", "width_of"]


def start_network(player: Any, inputs: int, outputs: int, rng: Rng, *, judges: bool = False) -> tuple[Network, Optimizer]:
    """A player's network and its optimizer, from the player's options; ValueError names one that cannot be.

    judges: whether the player is a judge, whose layers stand a little otherwise: see `turinglearn.nn.chains.perceptron`.
    """
    name, rate = type(player).__name__, player.learning_rate
    checks = {
        "hidden": (
            isinstance(player.hidden, tuple | list) and all(is_whole(width) and width > 0 for width in player.hidden),
            "a tuple of widths of layers, integers of at least 1 each",
        ),
        "dtype": (player.dtype in ("float32", "float64"), "'float32' or 'float64'"),
        "learning_rate": (
            _gives_rates(rate) if callable(rate) else is_real(rate) and rate >= 0,
            "a number from 0 on, or a function of the number of steps made, such as LinearDecay(1e-3, 1000)",
        ),
        "optimizer": (
            not isinstance(player.optimizer, type) and hasattr(player.optimizer, "descend"),
            "a rule of turinglearn.nn: Adam(), RMSprop() or SGD()",
        ),
        "clip_norm": (
            player.clip_norm is None or (is_real(player.clip_norm) and player.clip_norm > 0),
            "a positive norm of the gradient, or None",
        ),
    }
    for option, (good, expected) in checks.items():
        if not good:
            raise ValueError(f"{name}({option}={getattr(player, option)!r}): expected {expected}.")
    xp = library(player.backend)
    widths = (inputs, *player.hidden, outputs)
    layers = _layers(player, widths, judges)
    try:
        xp.zeros(1, device=player.device)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise ValueError(
            f"{name}(backend={player.backend!r}, device={player.device!r}): no such device here ({error})."
        ) from error
    network = Network(widths, rng, xp, player.device, getattr(xp, player.dtype), layers=layers, products=player.products)
    check_products(player, network.parameters)
    return network, Optimizer(player.optimizer, network.parameters, player.clip_norm)


def _gives_rates(schedule: Any) -> bool:
    """Whether it can be asked for a rate; a class, or a function of nothing, cannot."""
    try:
        schedule(0)
    except TypeError:
        return False
    return not isinstance(schedule, type)


def _layers(player: Any, widths: tuple[int, ...], judges: bool) -> tuple[Layer, ...]:
    """The layers that a player's options ask for; ValueError names an option that cannot be."""
    name, rate = type(player).__name__, player.dropout
    checks = {
        "activation": (
            isinstance(player.activation, Activation),
            "an activation of turinglearn.nn: ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout(). A network with others is a "
            "torch module: TorchGenerator, TorchDiscriminator",
        ),
        "normalization": (
            isinstance(player.normalization, Normalizer | None),
            "None, BatchNorm(), LayerNorm() or SpectralNorm()",
        ),
        "dropout": (is_real(rate) and 0 <= rate < 1, "the share of features to drop, in [0, 1)"),
    }
    for option, (good, expected) in checks.items():
        if not good:
            raise ValueError(f"{name}({option}={getattr(player, option)!r}): expected {expected}.")
    options = (player.activation, player.normalization, rate)
    deviation = judges and player.minibatch_deviation
    return perceptron(widths, *options, judges=judges, minibatch_deviation=deviation)


def start_module(player: Any) -> None:
    """Give a player `module_`, a copy of its torch module on its device, and `optimizer_`; Adam where none is chosen."""
    import torch

    if not is_module(player.module):
        raise ValueError(f"{type(player).__name__}(module={player.module!r}): expected a torch.nn.Module, an instance.")
    module = copy.deepcopy(player.module).to(player.device)
    parameters = list(module.parameters())
    if not parameters:
        raise ValueError(f"{type(player).__name__}: {type(player.module).__name__} has no parameters, so it cannot learn.")
    usual = torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999)) if player.optimizer is None else None
    player.module_, player.optimizer_ = module, usual or player.optimizer(parameters)
    player.reference_ = parameters[0].detach()


@contextmanager
def torch_draws(rng: Rng, device: Any) -> Iterator[None]:
    """What torch draws by itself on the device, in dropout say, comes from rng here; its own generators stay as they were."""
    import torch

    seed, on_cuda = int(rng.integers(2**63)), device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):  # else it would wake every GPU of the machine
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def module_state(player: Any) -> dict[str, Any]:
    """What a torch player has learned, as torch's own state dictionaries."""
    return {"module": dict(player.module_.state_dict()), "optimizer": player.optimizer_.state_dict()}


def restore_module(player: Any, state: dict[str, Any]) -> None:
    """Start a torch player anew, and put back what `module_state` gave."""
    start_module(player)
    player.module_.load_state_dict(state["module"])
    player.optimizer_.load_state_dict(state["optimizer"])


def ask_module(player: Any, source: str, x: Array, *told: Array) -> Array:
    """What a player's module makes of x and the conditions; an error in it names the module and the shapes it was shown."""
    try:
        return player.module_(x, *told)
    except (RuntimeError, TypeError) as error:
        shown = " and conditions ".join(str(tuple(part.shape)) for part in (x, *told))
        raise PlayerError(
            f"{type(player).__name__}: {type(player.module).__name__} raised {type(error).__name__} on an input of shape "
            f"{shown}: {str(error).rstrip('.')}. Expected a module for that shape; its width comes from {source}."
        ) from error


def scales(player: Any, example: Batch) -> tuple[Any, Any]:
    """Location and spread of each feature, (features,), in float64; ValueError for those that the player's dtype blurs."""
    location, spread = location_and_spread(flat(example.x))
    number = np.finfo(player.dtype)
    blurred = (spread > 0) & ((spread < _LEVELS * number.eps * np.abs(location)) | (spread**2 < number.tiny))
    if blurred.any():
        i = int(np.argmax(blurred))
        raise ValueError(
            f"Feature {i} is spread by {spread[i]:.3g} around {location[i]:.3g}, which {player.dtype} hardly resolves. Scale "
            "the features first, for example with sklearn.preprocessing.StandardScaler, or use "
            f"{type(player).__name__}(dtype='float64')."
        )
    return location, spread


def width_of(batch: Batch) -> tuple[int, int]:
    """How many features the events have, flattened, and how many the condition has (0 without one)."""
    given = 0 if batch.given is None else math.prod(batch.given.shape[1:])
    return math.prod(batch.x.shape[1:]), given
