"""Which stages of a generator are kept: those whose samples are closest to genuine rows that no player has seen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from turinglearn.contract import deploy
from turinglearn.game import Game
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Array, Batch
from turinglearn.state import remember
from turinglearn.streams import Streams

__all__ = ["Keeper"]


class Keeper:
    """Stages of a generator, and which of them are `kept`: the best one, or the latest ones that together are best.

    how: "best", "average" or "last"; with the last, nothing is ever considered and `kept` is empty.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        self.kept: list[dict[str, Any]] = []
        self.distance = np.inf
        self._stages: list[dict[str, Any]] = []
        self._samples: list[Any] = []

    def consider(self, game: Game, validation: Batch, rows: Callable[[Array, Array | None], Any]) -> float:
        """The squared energy distance of the game's present generator to the validation rows.

        rows makes a matrix of samples and their conditions, in the units in which distances are measured.
        """
        genuine = rows(validation.x, validation.given)
        rng = Streams(game.seed)(f"validation/{game.index}")
        fake = rows(deploy(game.generator, validation.n, rng, validation), validation.given)
        distance = energy_distance(fake, genuine)
        if self.how == "average":
            self._stages.append(copy.deepcopy(remember(game.generator)))
            self._samples.append(fake)
            self.kept, self.distance = self._latest(genuine)
        elif distance < self.distance or not self.kept:
            self.kept, self.distance = [copy.deepcopy(remember(game.generator))], distance
        return distance

    def _latest(self, genuine: Any) -> tuple[list[dict[str, Any]], float]:
        """The latest m stages, m such that their samples in equal shares are closest to the genuine ones."""
        distances = []
        for m in range(1, len(self._stages) + 1):
            shares = zip(np.array_split(np.arange(len(genuine)), m), self._samples[-m:], strict=True)
            distances.append(energy_distance(np.concatenate([sample[rows] for rows, sample in shares]), genuine))
        best = int(np.argmin(distances))
        return self._stages[-best - 1 :], distances[best]
