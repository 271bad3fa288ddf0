"""Schedules of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from turinglearn.nn.validation import expect, is_integer, is_real
from turinglearn.protocols import InputError

__all__ = ["CosineDecay", "ExponentialDecay", "LearningRate", "LinearDecay", "Warmup", "rate_at"]

LearningRate = float | Callable[[int], float]


def rate_at(learning_rate: LearningRate, step: int) -> float:
    """Return a learning rate, a number or a function of the number of past steps, at this step."""
    if not callable(learning_rate):
        return float(learning_rate)
    rate = learning_rate(step)
    if not is_real(rate) or rate < 0:
        raise InputError(f"learning_rate={learning_rate!r} gave {rate!r} at step {step}; expected a number from 0 on.")
    return float(rate)


@dataclass(frozen=True)
class _Decay:
    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _expect_steps(self)
        for end in ("initial", "final"):
            expect(self, is_real(getattr(self, end)) and getattr(self, end) >= 0, end, "a rate from 0 on")


@dataclass(frozen=True)
class LinearDecay(_Decay):
    """Linear decay of the learning rate, from `initial` at step 0 to `final` at step `steps` and later.

    Parameters
    ----------
    initial : float
        Rate at step 0.
    steps : int
        Number of steps of the decay.
    final : float
        Rate from step `steps` on.
    """

    def __call__(self, step: int) -> float:
        """Return the rate at this step."""
        return self.initial + (self.final - self.initial) * min(step / self.steps, 1.0)


@dataclass(frozen=True)
class CosineDecay(_Decay):
    """Decay of the learning rate along half a cosine, slow at both ends.

    Parameters
    ----------
    initial : float
        Rate at step 0.
    steps : int
        Number of steps of the decay.
    final : float
        Rate from step `steps` on.

    References
    ----------
    Loshchilov & Hutter (2017), "SGDR: stochastic gradient descent with warm restarts"; here without restarts.
    """

    def __call__(self, step: int) -> float:
        """Return the rate at this step."""
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2


@dataclass(frozen=True)
class ExponentialDecay:
    """Exponential decay of the learning rate: by the same factor at each step.

    Parameters
    ----------
    initial : float
        Rate at step 0, above 0.
    steps : int
        Number of steps of the decay.
    final : float
        Rate from step `steps` on, above 0.
    """

    initial: float
    steps: int
    final: float

    def __post_init__(self) -> None:
        _expect_steps(self)
        for end in ("initial", "final"):
            positive = is_real(getattr(self, end)) and getattr(self, end) > 0
            expect(self, positive, end, "a positive rate: no factor leads from or to 0")

    def __call__(self, step: int) -> float:
        """Return the rate at this step."""
        return float(self.initial * (self.final / self.initial) ** min(step / self.steps, 1.0))


@dataclass(frozen=True)
class Warmup:
    """Learning rate that rises linearly at first, and then follows another schedule.

    Parameters
    ----------
    steps : int
        Number of steps of the rise.
    then : float or callable
        Rate, or schedule, after the rise.
    """

    steps: int
    then: LearningRate

    def __post_init__(self) -> None:
        expect(self, is_integer(self.steps) and self.steps >= 1, "steps", "at least one step to rise in")
        expect(self, callable(self.then) or (is_real(self.then) and self.then >= 0), "then", "a rate from 0 on, or a schedule")

    def __call__(self, step: int) -> float:
        """Return the rate at this step."""
        if step < self.steps:
            return rate_at(self.then, 0) * (step + 1) / (self.steps + 1)
        return rate_at(self.then, step - self.steps)


def _expect_steps(schedule: _Decay | ExponentialDecay) -> None:
    expect(schedule, is_integer(schedule.steps) and schedule.steps >= 1, "steps", "at least one step to fall in")
