"""Packing (Lin et al. 2018): the game is played on tuples of samples. Batches fold, feedback unfolds, no player knows."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import like, namespace
from turinglearn.protocols import Array, Batch, Gradients

__all__ = ["fold", "unfold"]


def fold(batch: Batch, m: int) -> Batch:
    """Tuples of m samples: x from (n, *event) to (n / m, m, *event), and the conditions likewise."""
    if m == 1:
        return batch

    def together(a: Array) -> Array:
        return namespace(a).reshape(a, (batch.n // m, m, *a.shape[1:]))

    return Batch(together(batch.x), None if batch.given is None else together(batch.given))


def unfold(feedback: Any, m: int, batch: Batch) -> Any:
    """What tuples earned, handed to their members: each answers for its whole tuple.

    Losses and weights repeat. The sum of losses then counts each tuple m times, and so do gradients.
    """
    xp = namespace(feedback.values)
    if isinstance(feedback, Gradients):
        together = feedback.values if m == 1 else m * xp.reshape(feedback.values, tuple(batch.x.shape))
        return Gradients(like(together, batch.x))
    return feedback if m == 1 else type(feedback)(xp.repeat(feedback.values, m))
