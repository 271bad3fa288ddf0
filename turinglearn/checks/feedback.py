"""Feedback for a generator that is checked: a signal of any type, from a discriminator of a target that is easy to reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from turinglearn.arrays import flat, like, location_and_spread
from turinglearn.checks.samples import on_host, seeded
from turinglearn.checks.suite import Case
from turinglearn.contract import start, update
from turinglearn.discriminators import KernelSVMDiscriminator, as_discriminator
from turinglearn.protocols import (
    Array,
    Batch,
    Discriminator,
    Generator,
    IncompatiblePlayers,
    LogOdds,
    Pullback,
    Rng,
    Samples,
    Scores,
)
from turinglearn.signals import Signal, make_signal

__all__ = [
    "TargetDiscriminator",
    "compatible_signal",
    "make_feedback",
    "opponents",
    "target_losses",
    "teachers",
]

_SHIFT = 1.5  # standard deviations from the mean of the real samples to the target


class TargetDiscriminator:
    """A discriminator whose scores fall with the distance from the mean of the real samples that it was fitted to:

        r(x) = -|z|² / 2d,    z = (x - mean) / spread

    It declares log-odds and has an exact gradient, so that most signals accept it.
    """

    score_type: type[Scores] = LogOdds

    def start(self, example: Batch, rng: Rng) -> None:
        """Fit to the example."""
        self.update(example, example, rng)

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit to the real samples."""
        self.mean_, self.spread_ = _mean_and_spread(real)

    def score_samples(self, batch: Batch) -> LogOdds:
        """Return the scores, (n,)."""
        return LogOdds(like(-(self._standardised(batch) ** 2).mean(axis=1) / 2, batch.x))

    def vjp(self, batch: Batch) -> tuple[LogOdds, Pullback]:
        """Return the scores and their exact pullback."""

        def pullback(slopes: Array) -> Array:
            gradient = -self._standardised(batch) / self.spread_ / len(self.spread_)
            return like((on_host(slopes)[:, None] * gradient).reshape(tuple(batch.x.shape)), batch.x)

        return self.score_samples(batch), pullback

    def _standardised(self, batch: Batch) -> NDArray[np.float64]:
        return (on_host(flat(batch.x)) - self.mean_) / self.spread_


def _forest() -> Discriminator:
    return as_discriminator(RandomForestClassifier(10, min_samples_leaf=3))


def teachers() -> tuple[Discriminator, ...]:
    """Return the discriminators that teach generators; the first that a signal accepts is used."""
    return TargetDiscriminator(), _forest()


def opponents() -> tuple[Discriminator, ...]:
    """Return the discriminators that generators play against; the first that a signal accepts is used."""
    return KernelSVMDiscriminator(), _forest()


def compatible_signal(generator: Generator, discriminators: Sequence[Discriminator]) -> Signal:
    """Return a signal from a copy of the first discriminator that there is one from; raise IncompatiblePlayers otherwise."""
    for discriminator in discriminators[:-1]:
        try:
            return make_signal(generator, clone(discriminator, safe=False))
        except IncompatiblePlayers:
            continue
    return make_signal(generator, clone(discriminators[-1], safe=False))


def make_feedback(case: Case[Generator], generator: Generator, samples: Samples, example: Batch) -> object:
    """Return feedback on samples that leads the generator to the target, in the type that it learns from.

    A discriminator is fitted to one half of the target samples, against the generator's; the other half is held out for signals
    that look at real samples.
    """
    signal = compatible_signal(generator, case.teachers)
    target = _target(example)
    fit, held_out = target.take(slice(0, None, 2)), target.take(slice(1, None, 2))
    start(signal.discriminator, fit, seeded(30))
    update(signal.discriminator, fit, Batch(samples.x, samples.condition), seeded(31))
    return signal(samples, held_out, seeded(32)).feedback


def target_losses(x: Array, example: Batch) -> NDArray[np.float64]:
    """Return half the mean square distance of samples from the target, in standard deviations, (n,)."""
    mean, spread = _mean_and_spread(_target(example))
    losses: NDArray[np.float64] = (((on_host(flat(x)) - mean) / spread) ** 2).mean(axis=1) / 2
    return losses


def _target(example: Batch) -> Batch:
    """Return the example, moved by one and a half standard deviations; constant features stay."""
    return Batch(example.x + (_SHIFT * np.std(on_host(example.x), axis=0)).astype(example.x.dtype), example.condition)


def _mean_and_spread(batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of each feature, (d,); 1 where it is 0."""
    rows = on_host(flat(batch.x))
    mean, spread = location_and_spread(rows)
    return mean, np.where(spread > 0, spread, 1.0)
