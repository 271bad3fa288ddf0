"""A network that tells genuine from counterfeit, on the package's own core."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace
from turinglearn.nn import Tape
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.starting import scales, start_network, width_of
from turinglearn.objectives import DiscriminatorObjective, Logistic, meaning
from turinglearn.protocols import Array, Batch, Pullback, Rng, Scores

__all__ = ["NeuralDiscriminator"]


class NeuralDiscriminator(BaseEstimator):
    """r = net((x - location) / spread, given): a multilayer perceptron with ReLU, trained by Adam.

    Location and spread of each feature are those of the genuine example that the game starts with. It offers the exact
    gradient of its scores.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    criterion : DiscriminatorObjective
        What it descends, from `turinglearn.objectives`: Logistic(), LeastSquares(), Hinge(), Wasserstein(clip=...) or
        Relativistic(). It decides what the scores mean.
    learning_rate : float or callable
        Length of a step; a function of the number of steps made, such as `turinglearn.nn.LinearDecay`, makes a schedule.
    optimizer : Adam, RMSprop or SGD
        The rule of `turinglearn.nn` that makes steps of gradients.
    clip_norm : float or None
        The longest gradient, in the Euclidean norm; a longer one is shortened to it. None for no limit.
    backend, device, dtype, products
        As for `turinglearn.generators.NeuralGenerator`.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64, 64),
        *,
        criterion: DiscriminatorObjective = Logistic(),
        learning_rate: LearningRate = 1e-3,
        optimizer: Rule = Adam(),
        clip_norm: float | None = None,
        backend: str = "numpy",
        device: Any = None,
        dtype: str = "float32",
        products: str = "full",
    ) -> None:
        self.hidden = hidden
        self.criterion = criterion
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.products = products

    @property
    def says(self) -> type[Scores]:
        """What the criterion makes of the scores at its optimum."""
        return meaning(self)

    def start(self, example: Batch, rng: Rng) -> None:
        """Take shapes, location and spread from genuine samples, and draw the initial parameters."""
        self.network_, self.optimizer_ = start_network(self, sum(width_of(example)), 1, rng)
        location, spread = scales(self, example)
        scale = 1 / np.where(spread > 0, spread, 1)
        self.location_, self.scale_ = (like(v, self.network_.parameters) for v in (location, scale))

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """One step down the criterion."""
        xp, network = namespace(self.location_), self.network_
        scores, tape = network.forward(xp.concat((self._features(real), self._features(fake)), axis=0))
        slopes = self.criterion.slopes(scores[: real.n, 0], scores[real.n :, 0])
        network.backward(tape, xp.concat(slopes, axis=0)[:, None])
        self.descend()

    def descend(self) -> None:
        """One step down the gradient that lies in the network."""
        xp, network = namespace(self.location_), self.network_
        self.optimizer_.step(network.parameters, network.gradient, self.learning_rate)
        if self.criterion.clip is not None:
            network.parameters[...] = xp.clip(network.parameters, -self.criterion.clip, self.criterion.clip)
        network.changed()

    def examine(self, batch: Batch) -> Scores:
        """The score of each sample, (n,)."""
        return self._forward(batch)[0]

    def vjp(self, batch: Batch) -> tuple[Scores, Pullback]:
        """The scores and their exact pullback; the latter is good until the next update."""
        scores, tape = self._forward(batch)

        def pullback(slopes: Array) -> Array:
            dx = self.network_.backward_inputs(tape, slopes[:, None])[:, : self.scale_.shape[0]] * self.scale_
            return namespace(dx).reshape(dx, tuple(batch.x.shape))

        return scores, pullback

    def _forward(self, batch: Batch) -> tuple[Scores, Tape]:
        scores, tape = self.network_.forward(self._features(batch))
        return self.says(scores[:, 0]), tape

    def _features(self, batch: Batch) -> Array:
        """Standardised events, flattened, and the condition as further columns, (n, features)."""
        xp, n = namespace(self.location_), batch.n
        x = (xp.reshape(like(batch.x, self.location_), (n, -1)) - self.location_) * self.scale_
        if batch.given is None:
            return x
        return xp.concat((x, xp.reshape(like(batch.given, x), (n, -1))), axis=1)
