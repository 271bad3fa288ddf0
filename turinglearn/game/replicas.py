"""Replicas: independent games of the same players side by side."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from turinglearn.arrays import Array, namespace
from turinglearn.data.sources import as_source
from turinglearn.game.batches import RoundBatches
from turinglearn.game.checkpoint import rollback_on_error
from turinglearn.game.fusion import FusionPlan
from turinglearn.game.game import Game
from turinglearn.game.records import Rounds
from turinglearn.game.schedule import Schedule, positive_integer
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Source
from turinglearn.signals import Estimator
from turinglearn.streams import as_seed

__all__ = ["Replicas"]


class Replicas:
    """Independent games of the same players, with the face of one game: `rounds`, `sample`, `state` and `restore`.

    Game i has the seed random_state + i, and rows of its own where there is a subsample: it is the game that its seed makes
    alone. Two plain networks of the core play on a leading axis, as many games at a time as pays; all others play in turn.

    Parameters
    ----------
    generator, discriminator
        Players, as for `Game`. The first game has these; the others have copies.
    n_replicas : int
        Number of games.
    objective, signal, schedule, fuse, **options
        As for `Game`.
    random_state : int, numpy generator or None
        The seed of the first game.

    Attributes
    ----------
    games : tuple of Game
        The games; ``replicas[i]`` is one of them.
    index : int
        Number of rounds that they have played together.

    Examples
    --------
    >>> from itertools import islice
    >>> import numpy as np
    >>> from turinglearn import Replicas
    >>> from turinglearn.discriminators import NeuralDiscriminator
    >>> from turinglearn.generators import NeuralGenerator
    >>> X = np.random.default_rng(0).normal([3, -1], [1, 2], (1000, 2))
    >>> replicas = Replicas(NeuralGenerator(), NeuralDiscriminator(), 3, batch_size=128, random_state=0)
    >>> for r in islice(replicas.rounds(X), 20):
    ...     pass
    >>> r.generator_loss.shape, replicas.sample(5).shape
    ((3,), (3, 5, 2))
    """

    def __init__(
        self,
        generator: object,
        discriminator: object,
        n_replicas: int,
        *,
        objective: GeneratorObjective | None = None,
        signal: Estimator | None = None,
        schedule: Schedule | None = None,
        fuse: bool | None = None,
        random_state: object = None,
        **options: object,
    ) -> None:
        self.seed, self.index, self.fuse = as_seed(random_state), 0, fuse
        count = positive_integer("n_replicas", n_replicas)
        pairs = [(generator, discriminator), *(copy.deepcopy((generator, discriminator)) for _ in range(count - 1))]
        common: dict[str, Any] = {"objective": objective, "signal": signal, "schedule": schedule, "fuse": fuse, **options}
        self.games = tuple(Game(*pair, **common, random_state=self.seed + i) for i, pair in enumerate(pairs))
        for game in self.games:
            game.monitor.warned = self.games[0].monitor.warned  # one warning is enough for all
        self.plan: FusionPlan | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "plan": None}  # buffers are views, and a copied view is not one

    def __repr__(self) -> str:
        return f"Replicas({len(self)} of {self.games[0]!r}, index={self.index})"

    def __len__(self) -> int:
        return len(self.games)

    def __getitem__(self, i: int) -> Game:
        return self.games[i]

    @property
    def fused(self) -> bool:
        """True if the latest round was computed in one piece."""
        return self.plan is not None

    def rounds(self, data: object, condition: object = None) -> Iterator[Rounds]:
        """Play for as long as the caller asks, as `Game.rounds`; yields `Rounds`."""
        real = as_source(data, condition)
        for game in self.games:
            game.check(real)
        return self._rounds(real)

    def _rounds(self, real: Source) -> Iterator[Rounds]:
        while True:
            yield self.play(real)

    def play(self, real: Source) -> Rounds:
        """Play one round of every game with a source, as `turinglearn.data.sources.as_source` makes it of arrays."""
        drawn = [game.draw_batches(real) for game in self.games]
        if self._fuses(drawn[0]):
            assert self.plan is not None
            records = [
                game.record(played, batches)
                for game, played, batches in zip(self.games, self.plan.play(drawn), drawn, strict=True)
            ]
        else:
            records = [game.play_batches(batches) for game, batches in zip(self.games, drawn, strict=True)]
        self.index += 1
        return Rounds(tuple(records), self.index)

    def _fuses(self, batches: RoundBatches) -> bool:
        """Return whether the rounds are played on a leading axis; the plan is made again where a player's parts changed."""
        if self.plan is None or not self.plan.matches(batches):
            games = [game.players for game in self.games]
            self.plan = FusionPlan.build(games, batches) if self.fuse is not False else None
        return self.plan is not None

    def sample(self, n_samples: int, condition: object = None) -> Array:
        """Draw samples of every game, (R, n_samples, *event), as `Game.sample`."""
        parts = [game.sample(n_samples, condition) for game in self.games]
        stacked: Array = namespace(parts[0]).stack(parts)
        return stacked

    def state(self) -> dict[str, Any]:
        """Return all that the games have learned: themselves, not copies."""
        return {"index": self.index, "seed": self.seed, "replicas": [game.state() for game in self.games]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of as many games, as `Game.restore`: all of them, or none."""
        if not (isinstance(state, dict) and {"index", "seed", "replicas"} <= state.keys()):
            raise ValueError("This is not a state of replicas. Give what `state` returned of replicas that had been played.")
        if len(state["replicas"]) != len(self):
            raise ValueError(
                f"The state has {len(state['replicas'])} replicas, but there are {len(self)} here. Restore it in as many."
            )
        with rollback_on_error(self, *(thing for game in self.games for thing in game.checkpointed())):
            for game, part in zip(self.games, state["replicas"], strict=True):
                game.restore(part)
            self.index, self.seed, self.plan = state["index"], state["seed"], None
