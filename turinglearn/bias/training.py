"""Fit of a discriminator outside a game, to one training set."""

from __future__ import annotations

import copy

from turinglearn.contract import name_of, start
from turinglearn.discriminators import as_discriminator
from turinglearn.game.batches import ShuffledIndex
from turinglearn.game.step import update_discriminator
from turinglearn.metrics.inputs import whole
from turinglearn.protocols import Batch, Discriminator, LogOdds, Rng

__all__ = ["fit_discriminator"]


def fit_discriminator(
    discriminator: object, real: Batch, fake: Batch, rng: Rng, *, steps: int = 1_000, batch_size: int = 128
) -> Discriminator:
    """Fit a copy of a discriminator to real and fake rows.

    A discriminator that refits is fitted once, to all rows. Others, such as networks, take `steps` updates on batches, in
    shuffled passes. The discriminator itself is not changed.

    Parameters
    ----------
    discriminator : object
        A discriminator, or what `as_discriminator` adapts.
    real, fake : Batch
        Training rows.
    rng : numpy.random.Generator
        Random numbers of the fit.
    steps : int
        Number of updates.
    batch_size : int
        Rows of each kind in a batch.

    Returns
    -------
    Discriminator
        The fitted copy.

    Raises
    ------
    ValueError
        If its evidence is not log-odds: other evidence has no true value to compare with.
    """
    player = as_discriminator(copy.deepcopy(discriminator))
    if not issubclass(player.score_type, LogOdds):
        raise ValueError(
            f"The evidence of {name_of(player)} is {player.score_type.__name__}, which has no true value to compare with; "
            "expected LogOdds. Give it a criterion such as Logistic(), or calibrate it."
        )
    start(player, real, rng)
    if getattr(player, "refits", False):
        update_discriminator(player, real, fake, rng)
        return player
    size = min(whole(batch_size, "batch_size"), real.n, fake.n)
    real_index, fake_index = ShuffledIndex(), ShuffledIndex()
    for _ in range(whole(steps, "steps")):
        rows, fake_rows = real_index.sample(size, real.n, rng), fake_index.sample(size, fake.n, rng)
        update_discriminator(player, real.take(rows), fake.take(fake_rows), rng)
    return player
