"""Fused rounds for one game, or for several of the same players with other seeds: on a leading axis where that pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from turinglearn.arrays import on_host
from turinglearn.game.batches import RoundBatches
from turinglearn.game.fused import FusedRound, can_fuse
from turinglearn.game.records import Played
from turinglearn.game.step import Players
from turinglearn.objectives import takes_rows

__all__ = ["CACHE", "FusedGame", "FusionPlan", "bytes_of_activations"]

CACHE = 4 * 2**20  # bytes of activations on a leading axis, at most: what leaves the cache costs more than batching saves


class FusionPlan:
    """Games side by side, and the groups in which their rounds are fused.

    Attributes
    ----------
    rounds : list of FusedRound
        One for each group of games on a leading axis.
    """

    def __init__(self, games: Sequence[Players], batches: RoundBatches, size: int) -> None:
        self.games, self.size = tuple(games), size
        self.rounds = [FusedRound(self.games[start : start + size]) for start in range(0, len(games), size)]
        self._kind, self._options = _kind(batches), [_options(players) for players in self.games]

    @classmethod
    def build(cls, games: Sequence[Players], batches: RoundBatches) -> FusionPlan | None:
        """Group the games, as many on an axis as the cache holds; None where their rounds cannot be fused."""
        if not all(can_fuse(players, batches.to_score) for players in games):
            return None
        first, size = games[0], len(games)
        if any(_progress(players) != _progress(first) for players in games):
            return None  # a replica that has played alone goes on alone
        if not (takes_rows(first.signal.objective) and takes_rows(_networks(first)[1].criterion)):
            size = 1
        elif on_host(_networks(first)[0].network_.parameters):
            size = int(np.clip(CACHE // bytes_of_activations(first, batches), 1, size))
        return cls(games, batches, size)

    def matches(self, batches: RoundBatches) -> bool:
        """Return whether the buffers are still those of the games' players, and of batches of this kind."""
        if _kind(batches) != self._kind:
            return False
        if len(self.games) > 1 and [_options(players) for players in self.games] != self._options:
            return False
        return all(fused.matches() for fused in self.rounds)

    def play(self, batches: Sequence[RoundBatches]) -> list[Played]:
        """Play a round of each game."""
        steps = self.games[0].schedule.generator_steps or 1
        played: list[Played] = []
        for fused in self.rounds:
            played += fused.play(batches[len(played) : len(played) + self.size], steps)
        return played


class FusedGame:
    """The fused rounds of a single game."""

    fused = True

    def __init__(self, plan: FusionPlan) -> None:
        self.plan = plan

    def matches(self, batches: RoundBatches) -> bool:
        """Return whether the buffers are still those of the players, and of batches of this kind."""
        return self.plan.matches(batches)

    def play(self, batches: RoundBatches) -> Played:
        """Play a round."""
        return self.plan.play([batches])[0]


def bytes_of_activations(players: Players, batches: RoundBatches) -> int:
    """Return how many bytes the activations of a game's round take."""
    generator, discriminator = _networks(players)
    fits, scored = [batch.n for batch in batches.to_fit], batches.to_score.n
    shown = 2 * max(fits) + scored
    entries: int = (sum(fits) + scored) * sum(generator.network_.widths) + shown * sum(discriminator.network_.widths)
    return entries * int(np.dtype(generator.dtype).itemsize)


def _networks(players: Players) -> tuple[Any, Any]:
    return players.generator, players.signal.discriminator


def _kind(batches: RoundBatches) -> tuple[object, ...]:
    x = batches.to_score.x
    return type(x), getattr(x, "dtype", None), [batch.n for batch in batches.to_fit], batches.to_score.n


def _options(players: Players) -> tuple[object, ...]:
    """Return what a round reads of its options, beside what networks and optimizers are made of."""
    g, d = _networks(players)
    return players.schedule.generator_steps, g.learning_rate, g.ema_decay, d.learning_rate, d.criterion


def _progress(players: Players) -> tuple[object, ...]:
    g, d = _networks(players)
    return *_options(players), g.optimizer_.steps, d.optimizer_.steps
