"""Packing (Lin et al. 2018): the discriminator sees tuples of samples. Neither player knows of it."""

from __future__ import annotations

from turinglearn.arrays import Array, in_one_precision, namespace
from turinglearn.protocols import Batch

__all__ = ["fold", "present"]


def fold(batch: Batch, m: int) -> Batch:
    """Return tuples of m samples: x from (n, *event) to (n / m, m, *event), and the conditions likewise."""
    if m == 1:
        return batch

    def tuples(a: Array) -> Array:
        folded: Array = namespace(a).reshape(a, (batch.n // m, m, *a.shape[1:]))
        return folded

    return batch.map(tuples)


def present(real: Batch, fake: Batch, m: int) -> tuple[Batch, Batch]:
    """Return what a discriminator sees: tuples of m samples, both batches in one precision, which would give fakes away."""
    x, y = in_one_precision(real.x, fake.x)
    return fold(Batch(x, real.condition), m), fold(Batch(y, fake.condition), m)
