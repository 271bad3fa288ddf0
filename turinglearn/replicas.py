"""Fused rounds for one game, or for several of the same players with other seeds: on a leading axis where that pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from turinglearn import objectives
from turinglearn.arrays import on_host
from turinglearn.duel import Duel, can_duel
from turinglearn.protocols import Batch
from turinglearn.signals import Lesson

__all__ = ["Table"]

_CACHE = 4 * 2**20  # bytes of activations on a leading axis, at most: what leaves the cache costs more than batching saves


class Table:
    """Games side by side, and the duels in which their rounds are fused."""

    def __init__(self, games: Sequence[Any]) -> None:
        self.games = tuple(games)
        self.duels: list[tuple[Duel, slice]] = []
        self._kind: Any = None
        self._options: list[Any] = []

    def play(self, hands: Sequence[Sequence[Batch]]) -> list[Lesson] | None:
        """The lesson of a round of each game, dealt these genuine samples; None where the rounds cannot be fused."""
        if not (self._is_laid(hands[0]) or self._lay(hands[0])):
            return None
        lessons: list[Lesson] = []
        for duel, places in self.duels:
            games = self.games[places]
            rngs = [game.streams("generator") for game in games]
            lessons += duel.play(hands[places], games[0].generator_steps, rngs)
        return lessons

    def _is_laid(self, hand: Sequence[Batch]) -> bool:
        """Whether the duels are still those of the games' players, and of batches of this kind."""
        if not self.duels or _kind(hand) != self._kind:
            return False
        if len(self.games) > 1 and [_options(game) for game in self.games] != self._options:
            return False
        played = ((duel, self.games[places]) for duel, places in self.duels)
        return all(duel.is_of([g.generator for g in games], [g.discriminator for g in games]) for duel, games in played)

    def _lay(self, hand: Sequence[Batch]) -> bool:
        """Seat the games in duels, as many in each as the cache holds; False where they cannot be fused."""
        self.duels = []
        for game in self.games:
            plain = game.replay is None and game.pack == 1 and not game.simultaneous
            if not plain or not can_duel(game.signal, game.generator, hand[-1]):
                return False
        size, first, options = len(self.games), self.games[0], [_options(game) for game in self.games]
        if any(each != options[0] for each in options) or len({game.index for game in self.games}) > 1:
            return False  # their schedules have parted
        if not _by_rows(first):
            size = 1
        elif on_host(first.generator.network_.parameters):
            size = int(np.clip(_CACHE // _bytes(first, [batch.n for batch in hand]), 1, size))
        for start in range(0, len(self.games), size):
            places = slice(start, start + size)
            games = self.games[places]
            self.duels.append((Duel([game.signal for game in games], [game.generator for game in games]), places))
        self._kind, self._options = _kind(hand), options
        return True

    def __getstate__(self) -> dict[str, Any]:
        return {"games": self.games, "duels": [], "_kind": None, "_options": []}  # buffers are views, and a copied view is none


def _kind(hand: Sequence[Batch]) -> tuple[Any, ...]:
    return type(hand[-1].x), getattr(hand[-1].x, "dtype", None), [batch.n for batch in hand]


def _options(game: Any) -> tuple[Any, ...]:
    """What a game's rounds read of its options, beside what its networks and optimizers are made of."""
    makes, judges = game.generator, game.discriminator
    return game.generator_steps, makes.learning_rate, makes.averaging, judges.learning_rate, judges.criterion


def _by_rows(game: Any) -> bool:
    """Whether criterion and loss take the scores of several games, (R, n), row by row; others than ours are promised (n,)."""
    parts = (game.signal.objective, game.discriminator.criterion)
    return all(type(part).__module__ == objectives.__name__ for part in parts)


def _bytes(game: Any, sizes: Sequence[int]) -> int:
    """How much the activations of a game's round take."""
    makes, judges = game.generator.network_, game.discriminator.network_
    shown = 2 * max(sizes[:-1]) + sizes[-1]
    entries: int = sum(sizes) * sum(makes.widths) + shown * sum(judges.widths)
    return entries * int(np.dtype(game.generator.dtype).itemsize)
