"""A network as discriminator, in a Game with a simulator of one or two parameters that learns from gradients."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import threadpoolctl
from richness_arms import Model, rough

from turinglearn import Game
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.nn import Tanh
from turinglearn.objectives import Minimax
from turinglearn.protocols import Gradients, Samples

__all__ = ["ROUNDS", "Simulator", "network"]

ROUNDS, STEPS, HIDDEN, RATE = 1_000, 3, (16,), 2e-2


class Simulator:
    """Simulator x = θ₁ + θ₂ u, or θ₁ + u; the estimate of θ is the mean over the second half of its steps."""

    feedback_type = Gradients

    def __init__(self, model: Model, place: Any, steps: int, rate: float = 0.3) -> None:
        self.model, self.place, self.steps, self.rate = model, place, steps, rate

    def start(self, example: Any, rng: Any) -> None:
        self.theta, self.path = np.array(self.place, dtype=float), []

    def propose(self, n: int, rng: Any, condition: Any = None) -> Samples:
        u = self.model.distribution.rvs(size=(n, 1), random_state=rng)
        return Samples(self.model.made(self.theta, u), condition, u)

    def update(self, samples: Samples, feedback: Gradients) -> None:
        along = np.asarray(feedback.values, dtype=float)  # of the loss, along each x
        slope = np.array([along.mean(), (along * samples.context).mean()])[: len(self.theta)]  # dx/dθ = (1, u)
        self.theta = self.theta - self.rate * slope
        self.path.append(self.theta)

    def sample(self, n: int, rng: Any, condition: Any = None) -> Any:
        return self.propose(n, rng).x

    @property
    def parameters_(self) -> Any:
        return np.mean(self.path[self.steps // 2 :], axis=0)


def network(model: Model, x: Any, seed: int, rounds: int | None = None) -> Any:
    """Return θ̂ of a game on the rows x, started where medians and quartiles agree; each update sees n fresh fakes."""
    rounds = rounds or ROUNDS
    simulator = Simulator(model, rough(model, x, model.distribution.ppf((np.arange(999) + 0.5) / 999)), rounds)
    discriminator = NeuralDiscriminator(HIDDEN, activation=Tanh(), learning_rate=RATE)
    options = {"batch_size": len(x), "samples_per_fit": len(x), "discriminator_steps": STEPS, "random_state": seed}
    with threadpoolctl.threadpool_limits(1):
        game = Game(simulator, discriminator, objective=Minimax(), **options)
        for _ in islice(game.rounds(x[:, None]), rounds):
            pass
    return simulator.parameters_
