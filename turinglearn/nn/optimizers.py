"""How a flat buffer of parameters follows its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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
        self._scratch: tuple[Any, Any] | None = None

    def step(self, parameters: Array, gradient: Array, learning_rate: LearningRate) -> None:
        """One step down the gradient, at a rate that is a number, or a function of the number of steps made so far."""
        rate = learning_rate(self.steps) if callable(learning_rate) else learning_rate
        xp, (b1, b2) = namespace(parameters), self.betas
        self.steps += 1
        if xp is np:
            self._step_in_place(parameters, gradient, rate)
            return
        self.first *= b1
        self.first += (1 - b1) * gradient  # m_t = b1 m_{t-1} + (1 - b1) g
        self.second *= b2
        self.second += (1 - b2) * gradient * gradient  # v_t = b2 v_{t-1} + (1 - b2) g^2
        correction = (1 - b2**self.steps) ** 0.5 / (1 - b1**self.steps)
        root = xp.sqrt(self.second)
        root += self.epsilon * (1 - b2**self.steps) ** 0.5
        parameters -= (rate * correction) * self.first / root

    def _step_in_place(self, parameters: Any, g: Any, rate: float) -> None:
        """The same step on NumPy without new arrays, operation by operation."""
        (b1, b2), m, v = self.betas, self.first, self.second
        if self._scratch is None:
            self._scratch = np.empty_like(m), np.empty_like(m)
        s, root = self._scratch
        m *= b1
        m += np.multiply(g, 1 - b1, out=s)
        v *= b2
        v += np.multiply(np.multiply(g, 1 - b2, out=s), g, out=s)
        unbiased = (1 - b2**self.steps) ** 0.5
        root = np.sqrt(v, out=root)
        root += self.epsilon * unbiased
        parameters -= np.divide(np.multiply(m, rate * unbiased / (1 - b1**self.steps), out=s), root, out=s)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_scratch": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
