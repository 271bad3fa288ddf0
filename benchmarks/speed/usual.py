"""Contestant: what a user writes in PyTorch, autograd with fused Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch

from benchmarks.speed.problem import Chunk, Size, chunk, data

__all__ = ["Players", "usual"]


class Players:
    """Both networks, their optimizers, and a round of theirs; wrap is put around both losses, such as torch.compile."""

    def __init__(self, size: Size, wrap: Callable[[Any], Any] = lambda f: f) -> None:
        self.makes, self.discriminators = _network(size.makes), _network(size.discriminators)
        self.makes_step, self.discriminators_step = (
            torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999), fused=True)
            for network in (self.makes, self.discriminators)
        )
        self.one, self.zero = torch.ones(size.batch, 1), torch.zeros(size.batch, 1)
        self.discriminators_loss, self.makes_loss = wrap(self._discriminators_loss), wrap(self._makes_loss)

    def play(self, real: Any, first: Any, second: Any) -> None:
        """One step of the discriminator and one of the generator: real samples, the noise of either step."""
        self.discriminators_step.zero_grad()
        self.discriminators_loss(real, first).backward()
        self.discriminators_step.step()
        self.makes_step.zero_grad()
        self.makes_loss(second).backward()
        self.makes_step.step()

    def _discriminators_loss(self, real: Any, noise: Any) -> Any:
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        fake = self.makes(noise).detach()
        return loss(self.discriminators(real), self.one) + loss(self.discriminators(fake), self.zero)

    def _makes_loss(self, noise: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy_with_logits(self.discriminators(self.makes(noise)), self.one)


def usual(size: Size, wrap: Callable[[Any], Any] = lambda f: f) -> Chunk:
    """A chunk of rounds of one game: several in turn cost the same each, so one plays the rounds of all."""
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
