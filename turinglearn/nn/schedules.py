"""How a learning rate changes with the steps made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from turinglearn.nn.options import expect, is_real, is_whole

__all__ = ["CosineDecay", "ExponentialDecay", "LearningRate", "LinearDecay", "Warmup", "rate_at"]

LearningRate = float | Callable[[int], float]


def rate_at(learning_rate: LearningRate, step: int) -> float:
    """A learning rate, a number or a function of the steps made so far, at this step."""
    if not callable(learning_rate):
        return float(learning_rate)
    rate = learning_rate(step)
    if not is_real(rate) or rate < 0:
        raise ValueError(f"learning_rate={learning_rate!r} gave {rate!r} at step {step}; expected a number from 0 on.")
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
    """A learning rate that falls from `initial` at step 0 to `final` at step `steps`, and stays there."""

    def __call__(self, step: int) -> float:
        """The rate at this step."""
        return self.initial + (self.final - self.initial) * min(step / self.steps, 1.0)


@dataclass(frozen=True)
class CosineDecay(_Decay):
    """A learning rate that falls along half a cosine from `initial` at step 0 to `final` at step `steps`, and stays there.

    Slow at both ends (Loshchilov & Hutter 2017, without restarts).
    """

    def __call__(self, step: int) -> float:
        """The rate at this step."""
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2


@dataclass(frozen=True)
class ExponentialDecay:
    """A learning rate that falls by the same factor each step, from `initial` at step 0 to `final` at step `steps`."""

    initial: float
    steps: int
    final: float

    def __post_init__(self) -> None:
        _expect_steps(self)
        for end in ("initial", "final"):
            positive = is_real(getattr(self, end)) and getattr(self, end) > 0
            expect(self, positive, end, "a positive rate: no factor leads from or to 0")

    def __call__(self, step: int) -> float:
        """The rate at this step; the final one ever after."""
        return float(self.initial * (self.final / self.initial) ** min(step / self.steps, 1.0))


@dataclass(frozen=True)
class Warmup:
    """A learning rate that rises in equal parts over the first `steps` steps to where `then`, a number or schedule, begins."""

    steps: int
    then: LearningRate

    def __post_init__(self) -> None:
        expect(self, is_whole(self.steps) and self.steps >= 1, "steps", "at least one step to rise in")
        expect(self, callable(self.then) or (is_real(self.then) and self.then >= 0), "then", "a rate from 0 on, or a schedule")

    def __call__(self, step: int) -> float:
        """The rate at this step."""
        if step < self.steps:
            return rate_at(self.then, 0) * (step + 1) / (self.steps + 1)
        return rate_at(self.then, step - self.steps)


def _expect_steps(schedule: _Decay | ExponentialDecay) -> None:
    expect(schedule, is_whole(schedule.steps) and schedule.steps >= 1, "steps", "at least one step to fall in")
