"""Selection of the stages of a generator that are kept: those whose samples are closest to held-out real rows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turinglearn.contract import draw_samples
from turinglearn.game import Game
from turinglearn.game.checkpoint import get_state
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Batch
from turinglearn.streams import Streams

__all__ = ["CheckpointSelector"]


class CheckpointSelector:
    """Keeps the best stage of a generator, or the latest stages that together are best.

    Parameters
    ----------
    how : "best", "average" or "last"
        What is kept; with "last" no stage is ever evaluated and `kept` stays empty.

    Attributes
    ----------
    kept : list of dict
        States of the generator.
    distance : float
        Squared energy distance of their samples to the held-out rows.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        self.kept: list[dict[str, Any]] = []
        self.distance = np.inf
        self._stages: list[dict[str, Any]] = []
        self._samples: list[NDArray[np.float64]] = []

    def evaluate(self, game: Game, validation: Batch, rows: Callable[[Batch], NDArray[np.float64]]) -> float:
        """Return the squared energy distance of the game's present generator to the validation rows.

        rows makes a matrix of samples and their conditions, in the units in which distances are measured.
        """
        real, rng = rows(validation), Streams(game.seed)(f"validation/{game.index}")
        fake = rows(Batch(draw_samples(game.generator, validation.n, rng, validation), validation.condition))
        distance = energy_distance(fake, real)
        if self.how == "average":
            self._stages.append(copy.deepcopy(get_state(game.generator)))
            self._samples.append(fake)
            self.kept, self.distance = self._latest(real)
        elif distance < self.distance or not self.kept:
            self.kept, self.distance = [copy.deepcopy(get_state(game.generator))], distance
        return distance

    def _latest(self, real: NDArray[np.float64]) -> tuple[list[dict[str, Any]], float]:
        """Return the latest m stages, m such that their samples in equal shares are closest to the real ones."""
        distances = []
        for m in range(1, len(self._stages) + 1):
            shares = zip(np.array_split(np.arange(len(real)), m), self._samples[-m:], strict=True)
            distances.append(energy_distance(np.concatenate([sample[rows] for rows, sample in shares]), real))
        best = int(np.argmin(distances))
        return self._stages[-best - 1 :], distances[best]
