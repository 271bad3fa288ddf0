"""How a flat buffer of parameters follows its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from turinglearn.arrays import namespace
from turinglearn.protocols import Array

__all__ = ["Adam", "LearningRate", "LinearDecay"]

LearningRate = float | Callable[[int], float]


@dataclass(frozen=True)
class LinearDecay:
    """A learning rate that falls from `initial` at step 0 to `final` at step `steps`, and stays there."""

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"LinearDecay(steps={self.steps}): expected at least one step to fall in.")

    def __call__(self, step: int) -> float:
        """The rate at this step."""
        return self.initial + (self.final - self.initial) * min(step / self.steps, 1.0)


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) on one flat buffer, in place: the moments of its gradient."""

    def __init__(self, parameters: Array, betas: tuple[float, float] = (0.5, 0.999), epsilon: float = 1e-8) -> None:
        xp = namespace(parameters)
        self.betas, self.epsilon, self.steps = betas, epsilon, 0
        self.first, self.second = xp.zeros_like(parameters), xp.zeros_like(parameters)

    def step(self, parameters: Array, gradient: Array, learning_rate: LearningRate) -> None:
        """One step down the gradient, at a rate that is a number, or a function of the number of steps made so far."""
        rate = learning_rate(self.steps) if callable(learning_rate) else learning_rate
        xp, (b1, b2) = namespace(parameters), self.betas
        self.steps += 1
        self.first *= b1
        self.first += (1 - b1) * gradient  # m_t = b1 m_{t-1} + (1 - b1) g
        self.second *= b2
        self.second += (1 - b2) * gradient * gradient  # v_t = b2 v_{t-1} + (1 - b2) g^2
        correction = (1 - b2**self.steps) ** 0.5 / (1 - b1**self.steps)
        root = xp.sqrt(self.second)
        root += self.epsilon * (1 - b2**self.steps) ** 0.5
        parameters -= (rate * correction) * self.first / root
