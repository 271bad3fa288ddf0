"""Packing (Lin et al. 2018): the game is played on tuples of samples. Batches fold, feedback unfolds, no player knows."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import like, namespace
from turinglearn.protocols import Array, Batch, Cells, Gradients

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

    Losses, weights and cells repeat. The sum of losses then counts each tuple m times, and so do gradients.
    """
    xp = namespace(feedback.values)
    if isinstance(feedback, Gradients):
        together = feedback.values if m == 1 else m * xp.reshape(feedback.values, tuple(batch.x.shape))
        return Gradients(like(together, batch.x))
    if m == 1:
        return feedback
    if isinstance(feedback, Cells):
        return Cells(xp.repeat(feedback.values, m, axis=0), _opened(feedback.real))
    return type(feedback)(xp.repeat(feedback.values, m))


def _opened(batch: Batch) -> Batch:
    """The members of tuples, one after another."""
    parts = (None if a is None else namespace(a).reshape(a, (-1, *a.shape[2:])) for a in (batch.x, batch.given))
    return Batch(*parts)
