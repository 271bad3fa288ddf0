"""Torch modules of players: copied, trained, called and saved in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from turinglearn.arrays import is_module
from turinglearn.protocols import Array, InputError, PlayerError, Rng

if TYPE_CHECKING:
    import torch

__all__ = [
    "OptimizerFactory",
    "call_module",
    "load_state",
    "module_state",
    "start_module",
    "torch_draws",
]


OptimizerFactory = Callable[[list["torch.nn.Parameter"]], "torch.optim.Optimizer"]


def start_module(
    owner: str, module: object, optimizer: OptimizerFactory | None, device: object
) -> tuple[torch.nn.Module, torch.optim.Optimizer, torch.Tensor]:
    """Copy a player's module to its device, and make its optimizer.

    Parameters
    ----------
    owner : str
        Name of the player in errors.
    module : torch.nn.Module
        Module of the user, which is not changed.
    optimizer : callable or None
        From the list of parameters to a torch optimizer; None for Adam with rate 1e-3 and betas (0.5, 0.999).
    device : object
        Where the copy is moved; None to leave it where the module is.

    Returns
    -------
    module : torch.nn.Module
        The copy.
    optimizer : torch.optim.Optimizer
    reference : torch.Tensor
        A parameter, whose dtype and device the inputs must have.
    """
    import torch

    if not is_module(module):
        advice = f" Write {module.__name__}(...)." if isinstance(module, type) else ""
        raise InputError(f"{owner}(module={module!r}): expected a torch.nn.Module, an instance.{advice}")
    name = type(module).__name__
    if optimizer is not None and not callable(optimizer):
        raise InputError(
            f"{owner}(optimizer={type(optimizer).__name__}(...)): expected a function from parameters to a torch optimizer, "
            "since the module is copied and this optimizer would train the original. Write optimizer=lambda parameters: "
            f"torch.optim.{type(optimizer).__name__}(parameters, lr=1e-3)."
        )
    original: Any = module
    try:
        copied: torch.nn.Module = copy.deepcopy(original).to(device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise InputError(f"{owner}(device={device!r}): {name} cannot be moved there ({reason}).") from error
    parameters = list(copied.parameters())
    if not any(parameter.requires_grad for parameter in parameters):
        trainable = "trainable parameters" if parameters else "parameters"
        raise InputError(f"{owner}: {name} has no {trainable}, so it cannot learn.")
    used: torch.optim.Optimizer = (
        torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999)) if optimizer is None else optimizer(parameters)
    )
    return copied, used, parameters[0].detach()


@contextmanager
def torch_draws(rng: Rng, device: torch.device) -> Iterator[None]:
    """Seed torch's own draws on the device, such as dropout, by rng here; its generators are restored afterwards."""
    import torch

    seed, on_cuda = int(rng.integers(2**63)), device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):  # else it would wake every GPU of the machine
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def module_state(module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the learned state of a player as torch's own state dictionaries."""
    return {"module": dict(module.state_dict()), "optimizer": optimizer.state_dict()}


def load_state(module: torch.nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Load what `module_state` returned."""
    module.load_state_dict(state["module"])
    optimizer.load_state_dict(state["optimizer"])


def call_module(owner: str, module: torch.nn.Module, width_from: str, x: Array, *condition: Array) -> Any:
    """Call a player's module on x and the conditions; an error in it names the module and the shapes of its inputs."""
    try:
        return module(x, *condition)
    except (RuntimeError, TypeError) as error:
        shapes = " and conditions ".join(str(tuple(part.shape)) for part in (x, *condition))
        raise PlayerError(
            f"{owner}: {type(module).__name__} raised {type(error).__name__} on an input of shape {shapes}: "
            f"{str(error).rstrip('.')}. Expected a module for that shape; its width comes from {width_from}."
        ) from error
