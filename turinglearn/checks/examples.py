"""Small example players for names of the registry that need arguments from Python, so that these can be checked too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turinglearn.discriminators import TorchDiscriminator
from turinglearn.generators import EvolvedGenerator, TorchGenerator
from turinglearn.protocols import Array, Rng
from turinglearn.recipes import read
from turinglearn.registry import make, players

if TYPE_CHECKING:
    import torch

__all__ = ["evolved_generator", "make_example", "torch_discriminator", "torch_generator"]

_LATENT_DIM, _HIDDEN = 4, 16
_REACH = 10  # standard deviations from the mean to the bounds of a parameter


def make_example(role: str, text: str, real: NDArray[np.float64]) -> object:
    """Make the player that a text describes, or a small example if its name alone needs arguments that no text can hold.

    Parameters
    ----------
    role : {"generator", "discriminator"}
        Role of the player.
    text : str
        Name and options, as for `turinglearn.registry.make`.
    real : ndarray of shape (n, *event)
        Samples of the kind that an example is for.

    Returns
    -------
    object
        The player.
    """
    recipe = read(text)
    entry = next((each for each in players(role) if each.name == recipe.name and each.from_python), None)
    if entry is None or recipe.options:
        return make(role, recipe)
    module, _, name = entry.path.rpartition(".")
    example = _EXAMPLES.get(getattr(import_module(module), name))
    return make(role, recipe) if example is None else example(real)


def evolved_generator(real: NDArray[np.float64]) -> EvolvedGenerator:
    """Return a generator of normal samples with an unknown mean, which conditions move.

    Parameters
    ----------
    real : ndarray of shape (n, *event)
        Samples that have the shape, the scale and roughly the mean of those to generate.

    Returns
    -------
    EvolvedGenerator
        The generator.
    """
    mean, spread = real.mean(axis=0), real.std(axis=0) + (real.std(axis=0) == 0)

    def simulate(parameters: Array, n: int, rng: Rng, condition: Array | None = None) -> Array:
        noise = spread * rng.standard_normal((n, *mean.shape))
        moved = 0.0 if condition is None else np.mean(condition, axis=1).reshape(-1, *[1] * mean.ndim)
        return np.reshape(parameters, mean.shape) + noise + moved * spread

    low, high = mean - _REACH * spread, mean + _REACH * spread
    return EvolvedGenerator(simulate, np.stack((low.ravel(), high.ravel()), axis=1), explore=20)


def torch_generator(real: NDArray[np.float64]) -> TorchGenerator:
    """Return a generator of one hidden layer, which conditions move.

    Parameters
    ----------
    real : ndarray of shape (n, *event)
        Samples that have the shape, the scale and roughly the mean of those to generate.

    Returns
    -------
    TorchGenerator
        The generator.
    """
    import torch

    class Generator(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        mean: torch.Tensor
        spread: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.event = real.shape[1:]
            self.register_buffer("mean", torch.tensor(real.mean(axis=0), dtype=torch.float32))
            self.register_buffer("spread", torch.tensor(real.std(axis=0), dtype=torch.float32))
            self.hidden, self.out = torch.nn.Linear(_LATENT_DIM, _HIDDEN), torch.nn.Linear(_HIDDEN, math.prod(self.event))
            self.effect = torch.nn.Linear(1, _HIDDEN)

        def forward(self, z: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
            hidden = self.hidden(z) if condition is None else self.hidden(z) + self.effect(condition.mean(1, keepdim=True))
            out: torch.Tensor = self.out(torch.tanh(hidden)).reshape(len(z), *self.event)
            return self.mean + self.spread * out

    with _seeded():
        return TorchGenerator(Generator(), _LATENT_DIM)


def torch_discriminator(real: NDArray[np.float64]) -> TorchDiscriminator:
    """Return a discriminator of one hidden layer. Of a tuple of samples, the hidden values are averaged.

    Parameters
    ----------
    real : ndarray of shape (n, *event)
        Samples that have the shape, the scale and roughly the mean of those to score.

    Returns
    -------
    TorchDiscriminator
        The discriminator.
    """
    import torch

    class Discriminator(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        mean: torch.Tensor
        spread: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.features = math.prod(real.shape[1:])
            mean, spread = real.mean(axis=0).ravel(), real.std(axis=0).ravel()
            self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
            self.register_buffer("spread", torch.tensor(spread + (spread == 0), dtype=torch.float32))
            self.hidden, self.out = torch.nn.Linear(self.features, _HIDDEN), torch.nn.Linear(_HIDDEN, 1)
            self.effect = torch.nn.Linear(1, _HIDDEN)

        def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
            rows = (x.reshape(len(x), -1, self.features) - self.mean) / self.spread
            hidden = self.hidden(rows)
            if condition is not None:
                hidden = hidden + self.effect(condition.reshape(len(x), -1).mean(1)[:, None, None])
            scores: torch.Tensor = self.out(torch.tanh(hidden).mean(1))
            return scores

    with _seeded():
        return TorchDiscriminator(Discriminator())


@contextmanager
def _seeded() -> Iterator[None]:
    """Seed the initial parameters of modules, and restore the state of torch's random generator afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


_EXAMPLES: dict[type, Callable[[NDArray[np.float64]], object]] = {
    EvolvedGenerator: evolved_generator,
    TorchDiscriminator: torch_discriminator,
    TorchGenerator: torch_generator,
}
