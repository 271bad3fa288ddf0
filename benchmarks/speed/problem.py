"""Sizes of the games, their data, and chunks of rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from turinglearn.datasets import digits, ring

__all__ = ["SIZES", "Absent", "Chunk", "Size", "chunk", "data"]

Chunk = Callable[[], None]  # plays as many rounds as the size says


class Absent(Exception):
    """A contestant cannot run here; the message names what is missing."""


@dataclass(frozen=True)
class Size:
    """latent-*hidden-features against features-*hidden-1; one repetition plays `rounds` rounds."""

    hidden: tuple[int, ...]
    batch: int
    rounds: int
    games: int = 1
    features: int = 2
    latent: int = 2

    @property
    def generator_widths(self) -> tuple[int, ...]:
        """Widths of the generator."""
        return (self.latent, *self.hidden, self.features)

    @property
    def discriminator_widths(self) -> tuple[int, ...]:
        """Widths of the discriminator."""
        return (self.features, *self.hidden, 1)

    @property
    def name(self) -> str:
        """Name on the page and in pytest."""
        games = f", {self.games} games" if self.games > 1 else ""
        return f"{'-'.join(map(str, self.generator_widths))}, batch {self.batch}{games}"


def _plane(width: int, batch: int, rounds: int, games: int = 1) -> Size:
    return Size((width, width), batch, rounds, games)


SIZES = (
    _plane(32, 128, 120),
    _plane(32, 256, 100),
    _plane(128, 128, 50),
    _plane(128, 256, 30),
    _plane(512, 128, 5),
    _plane(512, 256, 3),
    Size((256, 256), 256, 8, features=64, latent=64),  # digits
    _plane(32, 128, 20, games=16),
    _plane(32, 128, 6, games=64),
    _plane(128, 256, 2, games=16),
    _plane(128, 256, 1, games=64),
)


def data(size: Size) -> Any:
    """Real samples (N, features) in float32: PacGAN's ring, or handwritten digits."""
    x = ring(sigma=0.1).sample(10_000, 0) if size.features == 2 else digits().train
    return np.asarray(x, dtype=np.float32)


def chunk(loop: Iterator[Any], rounds: int) -> Chunk:
    """Play so many rounds of an endless loop."""

    def play() -> None:
        for _ in islice(loop, rounds):
            pass

    return play
