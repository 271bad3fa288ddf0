"""Ways to differentiate a discriminator's evidence in x: the base of all, and the exact one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import Array, like, location_and_spread, to_numpy
from turinglearn.contract import differentiate
from turinglearn.protocols import Batch, Discriminator, Gradients, Pullback, Rng, Scores
from turinglearn.signals.signal import Estimator

__all__ = ["Derivative", "Exact", "Floats", "as_batch", "checked_widths", "host", "inverse", "pointwise", "spread"]

Floats = NDArray[np.float64]


class Derivative(Estimator):
    """Base of the ways to have the gradient of a discriminator's evidence in x."""

    serves = Gradients

    @abstractmethod
    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """Return the evidence on the fakes, and the pullback from dL/dscores (n,) to dL/dx (n, *event)."""


@dataclass(frozen=True)
class Exact(Derivative):
    """The discriminator's own gradient, from its `vjp`."""

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """Return the evidence on the fakes, and its exact pullback."""
        return differentiate(discriminator, fake)


# ------------------------------------------------------------------------------------------------ shared by the estimates
def checked_widths(derivative: Derivative, name: str, least: float = float(np.finfo(float).tiny)) -> tuple[float, ...]:
    """Return an option's widths as a tuple of floats, or raise ValueError."""
    chosen = getattr(derivative, name)
    widths = np.atleast_1d(np.asarray(chosen, dtype=float))
    if widths.size == 0 or not np.all(np.isfinite(widths) & (widths >= least)):
        unit = "in units of each feature's spread" if name == "scales" else "as multiples of the median distance"
        kind = "positive widths" if least else "widths from 0 on"
        raise ValueError(f"{type(derivative).__name__}({name}={chosen}): expected {kind}, {unit}.")
    return tuple(float(width) for width in widths)


def inverse(scale: Floats) -> Floats:
    """Return 1 / scale, and 0 where a feature does not vary."""
    return np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)


def host(batch: Batch) -> Floats:
    """Return the samples in float64 on the host."""
    return np.asarray(to_numpy(batch.x), dtype=float)


def spread(derivative: Derivative, real: Batch) -> Floats:
    """Return the spread of each feature among the real samples, the unit of perturbations."""
    if real.n < 2:
        raise ValueError(
            f"{type(derivative).__name__} measures its perturbations by the spread of real samples, but has {real.n}. "
            "Choose a batch_size of at least 2 (times pack)."
        )
    return location_and_spread(to_numpy(real.x))[1]


def as_batch(x: Floats, condition: Floats | None, fake: Batch) -> Batch:
    """Return host arrays as a batch in the library and precision of the fakes."""
    return Batch(like(x, fake.x), None if condition is None or fake.condition is None else like(condition, fake.condition))


def pointwise(gradient: Floats) -> Pullback:
    """Return the pullback of scores that depend each on their own sample: dL/dx_i = dL/dr_i dr_i/dx_i."""

    def pullback(slopes: Array) -> Array:
        return np.asarray(to_numpy(slopes), dtype=float).reshape(-1, *(1 for _ in gradient.shape[1:])) * gradient

    return pullback
