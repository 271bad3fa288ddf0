"""A judge taught outside a game: on one labelled training set, once."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from turinglearn.contract import name_of, start, update
from turinglearn.dealing import Deck
from turinglearn.discriminators import as_discriminator
from turinglearn.metrics.inputs import whole
from turinglearn.protocols import Batch, Discriminator, LogOdds, Rng

__all__ = ["taught"]


def taught(judge: Any, real: Batch, fake: Batch, rng: Rng, *, steps: int = 1_000, batch_size: int = 128) -> Discriminator:
    """A copy of the judge, started and taught to tell real from fake; the judge itself stays as it was.

    One that refits is fitted once, to all rows. Others, such as networks, take `steps` updates on batches of batch_size
    rows of each kind, in shuffled passes. judge: a discriminator, or what `as_discriminator` adapts. ValueError for one
    that does not say log-odds: there is no truth to compare with.
    """
    player = as_discriminator(copy.deepcopy(judge))
    if not issubclass(player.says, LogOdds):
        raise ValueError(
            f"{name_of(player)} says {player.says.__name__}, which have no true value to compare with; expected a judge that "
            "says log-odds. Give it a criterion such as Logistic(), or calibrate it."
        )
    start(player, real, rng)
    if getattr(player, "refits", False):
        update(player, real, fake, rng)
        return player
    size = min(whole(batch_size, "batch_size"), real.n, fake.n)
    genuine, counterfeit = Deck(), Deck()
    for _ in range(whole(steps, "steps")):
        update(player, _hand(genuine, real, size, rng), _hand(counterfeit, fake, size, rng), rng)
    return player


def _hand(deck: Deck, batch: Batch, size: int, rng: Rng) -> Batch:
    index = deck.deal(size, batch.n, rng)
    return Batch(np.take(batch.x, index, axis=0), None if batch.given is None else np.take(batch.given, index, axis=0))
