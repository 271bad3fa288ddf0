"""A network that turns noise into samples, on the package's own core."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace
from turinglearn.nn.activations import ReLU
from turinglearn.nn.chains import Activation, Normalizer
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.options import expect, is_real, is_whole
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.starting import scales, start_network, width_of
from turinglearn.protocols import Array, Batch, Gradients, PlayerError, Rng, Samples

__all__ = ["NeuralGenerator"]


class NeuralGenerator(BaseEstimator):
    """x = location + spread * net(z, given), z ~ N(0, I): a multilayer perceptron.

    Location and spread of each feature are those of the genuine example that the game starts with, so that features of any
    unit are learned alike. The noise is drawn on the host, so that every array library follows the same trajectory. Proposals
    are made in training mode, by batch statistics and with dropout; samples by running averages and without.

    Parameters
    ----------
    latent_dim : int
        Dimension of the noise z.
    hidden : tuple of int
        Widths of the hidden layers.
    activation : ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout()
        From `turinglearn.nn`.
    normalization : None, BatchNorm(), LayerNorm() or SpectralNorm()
        What stands between the affine part of each hidden layer and its activation; `SpectralNorm` divides its weights instead.
    dropout : float
        The share of features that are dropped after each activation, in [0, 1).
    learning_rate : float or callable
        Length of a step; a function of the number of steps made, such as `turinglearn.nn.LinearDecay`, makes a schedule.
    optimizer : Adam, RMSprop or SGD
        The rule of `turinglearn.nn` that makes steps of gradients.
    clip_norm : float or None
        The longest gradient, in the Euclidean norm; a longer one is shortened to it. None for no limit.
    averaging : float
        Decay of the moving average of parameters that `sample` uses, in [0, 1); 0 deploys the present parameters. What layers
        remember, such as running means, is averaged alike, so that it belongs to the averaged parameters.
    backend : "numpy", "torch" or "cupy"
        The array library of the network.
    device : str or None
        Where the network lives, such as "cuda:0"; None for the library's default.
    dtype : "float32" or "float64"
    products : "full", "tf32" or "bfloat16"
        The precision of matrix products on CUDA devices; parameters, sums and Adam's moments stay in float32. With CuPy,
        "tf32" needs CUPY_TF32=1 in the environment. torch has "bfloat16" on the CPU too, for its numbers, not its speed.
    """

    learns_from = Gradients

    def __init__(
        self,
        latent_dim: int = 16,
        hidden: tuple[int, ...] = (64, 64),
        *,
        activation: Activation = ReLU(),
        normalization: Normalizer | None = None,
        dropout: float = 0.0,
        learning_rate: LearningRate = 1e-3,
        optimizer: Rule = Adam(),
        clip_norm: float | None = None,
        averaging: float = 0.0,
        backend: str = "numpy",
        device: Any = None,
        dtype: str = "float32",
        products: str = "full",
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.activation = activation
        self.normalization = normalization
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.averaging = averaging
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.products = products

    def start(self, example: Batch, rng: Rng) -> None:
        """Take shapes, location and spread from genuine samples, and draw the initial parameters."""
        expect(self, is_whole(self.latent_dim) and self.latent_dim >= 1, "latent_dim", "an integer, at least 1")
        expect(self, is_real(self.averaging) and 0 <= self.averaging < 1, "averaging", "a decay in [0, 1)")
        features, told = width_of(example)
        self.event_ = tuple(example.x.shape[1:])
        self.network_, self.optimizer_ = start_network(self, self.latent_dim + told, features, rng)
        parameters, statistics = self.network_.parameters, self.network_.statistics
        xp = namespace(parameters)
        self.average_ = xp.asarray(parameters, copy=True)
        self.average_statistics_ = xp.asarray(statistics, copy=True)
        self.location_, self.spread_ = (like(v, parameters) for v in scales(self, example))

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event) of the present network; their tape is good until the next update."""
        x, tape = self._forward(n, rng, given, training=True)
        return Samples(x, given, tape)

    def update(self, samples: Samples, feedback: Gradients) -> None:
        """One step down the mean loss of the samples."""
        if samples.context is None:
            raise PlayerError("NeuralGenerator.update: these samples carry no tape. Update with what `propose` returned.")
        xp, n = namespace(feedback.values), samples.n
        dy = xp.reshape(feedback.values, (n, -1)) * (self.spread_ / n)
        self.network_.backward(samples.context, dy)
        self.descend()

    def descend(self) -> None:
        """One step down the gradient that lies in the network."""
        self.optimizer_.step(self.network_.parameters, self.network_.gradient, self.learning_rate)
        self.network_.changed()
        if self.averaging:
            kept = min(self.averaging, (1 + self.optimizer_.steps) / (10 + self.optimizer_.steps))  # short memory at first
            for average, present in self._averages():
                average *= kept
                average += (1 - kept) * present

    def sample(self, n: int, rng: Rng, given: Array | None = None) -> Array:
        """n samples (n, *event) of the learned law: of the averaged network, where there is averaging."""
        if not self.averaging:
            return self._forward(n, rng, given)[0]
        averages = self._averages()
        kept = [namespace(present).asarray(present, copy=True) for _, present in averages]
        try:
            for average, present in averages:
                present[...] = average
            return self._forward(n, rng, given)[0]
        finally:
            for (_, present), before in zip(averages, kept, strict=True):
                present[...] = before

    def _averages(self) -> list[tuple[Array, Array]]:
        """Each moving average, and what it follows."""
        network = self.network_
        pairs = [(self.average_, network.parameters), (self.average_statistics_, network.statistics)]
        return pairs[: 1 + bool(network.statistics.shape[0])]

    def _forward(self, n: int, rng: Rng, given: Array | None, training: bool = False) -> tuple[Array, Any]:
        noise = rng.standard_normal((n, self.latent_dim), dtype=np.dtype(self.dtype))
        z = like(noise, self.location_)
        xp = namespace(z)
        if given is not None:
            z = xp.concat((z, xp.reshape(like(given, z), (n, -1))), axis=1)
        y, tape = self.network_.forward(z, training, rng)
        y *= self.spread_
        y += self.location_
        return xp.reshape(y, (n, *self.event_)), tape
