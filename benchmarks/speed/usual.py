"""Contestant: a usual loop in PyTorch, autograd with fused Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch

from benchmarks.speed.problem import Chunk, Size, chunk, data

__all__ = ["Players", "usual"]


class Players:
    """Both networks and their optimizers; `wrap`, such as torch.compile, is applied to both losses."""

    def __init__(self, size: Size, wrap: Callable[[Any], Any] = lambda f: f) -> None:
        self.generator, self.discriminator = _network(size.generator_widths), _network(size.discriminator_widths)
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999), fused=True)
            for network in (self.generator, self.discriminator)
        )
        self.one, self.zero = torch.ones(size.batch, 1), torch.zeros(size.batch, 1)
        self.discriminator_loss, self.generator_loss = wrap(self._discriminator_loss), wrap(self._generator_loss)

    def play(self, real: Any, first: Any, second: Any) -> None:
        """Take one step of the discriminator and one of the generator, from real samples and the noise of each step."""
        self.discriminator_optimizer.zero_grad()
        self.discriminator_loss(real, first).backward()
        self.discriminator_optimizer.step()
        self.generator_optimizer.zero_grad()
        self.generator_loss(second).backward()
        self.generator_optimizer.step()

    def _discriminator_loss(self, real: Any, noise: Any) -> Any:
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        fake = self.generator(noise).detach()
        return loss(self.discriminator(real), self.one) + loss(self.discriminator(fake), self.zero)

    def _generator_loss(self, noise: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy_with_logits(self.discriminator(self.generator(noise)), self.one)


def usual(size: Size, wrap: Callable[[Any], Any] = lambda f: f) -> Chunk:
    """Return a chunk of rounds of one game; several in turn would cost the same each, so that one plays the rounds of all."""
    return chunk(_rounds(size, Players(size, wrap)), size.rounds * size.games)


def _rounds(size: Size, players: Players) -> Iterator[None]:
    x = torch.tensor(data(size))
    while True:
        real = x[torch.randint(len(x), (size.batch,))]
        players.play(real, torch.randn(size.batch, size.latent), torch.randn(size.batch, size.latent))
        yield


def _network(widths: tuple[int, ...]) -> Any:
    nn = torch.nn
    layers = [layer for i, o in pairwise(widths) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers[:-1])
