"""Contestant: this package, by ``for r in game.rounds(X)``, everything included."""

from __future__ import annotations

from typing import Any

from benchmarks.speed.problem import Chunk, Size, chunk, data
from turinglearn import Game, Replicas
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator

__all__ = ["core", "game"]


def game(size: Size, backend: str) -> Game | Replicas:
    """The game of this size, not yet begun, or the replicas."""
    players = NeuralGenerator(size.latent, size.hidden, backend=backend), NeuralDiscriminator(size.hidden, backend=backend)
    options: dict[str, Any] = {"batch_size": size.batch, "random_state": 0}
    return Replicas(*players, size.games, **options) if size.games > 1 else Game(*players, **options)


def core(size: Size, backend: str) -> Chunk:
    """Return a chunk of rounds of the package's loop."""
    return chunk(game(size, backend).rounds(data(size)), size.rounds)
