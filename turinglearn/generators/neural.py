"""A network that turns noise into samples, on the package's own core."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace
from turinglearn.nn.activations import ReLU
from turinglearn.nn.initialization import scales, start_network, width_of
from turinglearn.nn.network import Tape
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.options import Activation, NetworkOptions, Normalizer
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.validation import expect, is_integer
from turinglearn.protocols import Array, Batch, Gradients, PlayerError, Rng, Samples

__all__ = ["NeuralGenerator"]


class NeuralGenerator(BaseEstimator):
    """Multilayer perceptron from noise to samples.

    With noise z ~ N(0, I) and a condition c a sample is::

        x = location + spread * net(z, c)

    Location and spread of each feature are those of the real example that the game starts with, so that features of any
    unit are learned alike. The noise is drawn on the host, so that every array library follows the same trajectory. Proposals
    are made in training mode, with batch statistics and dropout; samples with running averages and without dropout.

    Parameters
    ----------
    latent_dim : int
        Dimension of the noise z.
    hidden : tuple of int
        Widths of the hidden layers.
    activation : ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout()
        Activation of the hidden layers, from `turinglearn.nn`.
    normalization : None, BatchNorm(), LayerNorm() or SpectralNorm()
        Layer between the affine part of each hidden layer and its activation; `SpectralNorm` divides its weights instead.
    dropout : float
        Share of the features that are dropped after each activation, in [0, 1).
    learning_rate : float or callable
        Length of a step, or a schedule: a function of the number of past steps, such as `turinglearn.nn.LinearDecay`.
    optimizer : Adam, RMSprop or SGD
        Update rule, from `turinglearn.nn`.
    clip_norm : float or None
        Largest Euclidean norm of the gradient; a longer one is scaled down to it. None for no limit.
    ema_decay : float
        Decay of the moving average of parameters that `sample` uses, in [0, 1); 0 to use the present parameters. Statistics of
        layers, such as running means, are averaged with the same decay, so that they belong to the averaged parameters.
    backend : "numpy", "torch" or "cupy"
        Array library of the network.
    device : str or None
        Device of the network, such as "cuda:0"; None for the library's default.
    dtype : "float32" or "float64"
        Type of the parameters.
    matmul_precision : "full", "tf32" or "bfloat16"
        Precision of matrix products on CUDA devices; parameters, sums and Adam's moments stay in float32. With CuPy,
        "tf32" needs CUPY_TF32=1 in the environment. torch has "bfloat16" on the CPU too, for its numbers, not its speed.

    Attributes
    ----------
    network_ : Network
        The network, with its parameters.
    optimizer_ : Optimizer
        The update rule at work, with its state.
    average_, average_statistics_ : Array
        Moving averages of the network's parameters and statistics.
    location_, spread_ : Array of shape (features,)
        Mean and standard deviation of each feature of the example.

    Examples
    --------
    >>> import numpy as np
    >>> from turinglearn.generators import NeuralGenerator
    >>> from turinglearn.protocols import Batch
    >>> X = np.random.default_rng(0).normal([1, -1], [1, 2], (400, 2))
    >>> generator = NeuralGenerator(latent_dim=2, hidden=(8,))
    >>> generator.start(Batch(X), np.random.default_rng(0))
    >>> generator.propose(5, np.random.default_rng(1)).x.shape
    (5, 2)
    """

    feedback_type = Gradients

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
        ema_decay: float = 0.0,
        backend: str = "numpy",
        device: object = None,
        dtype: str = "float32",
        matmul_precision: str = "full",
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.activation = activation
        self.normalization = normalization
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.ema_decay = ema_decay
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.matmul_precision = matmul_precision

    def start(self, example: Batch, rng: Rng) -> None:
        """Take shapes, location and spread from real samples, and draw the initial parameters."""
        expect(self, is_integer(self.latent_dim) and self.latent_dim >= 1, "latent_dim", "an integer, at least 1")
        options = self._options()
        features, condition = width_of(example)
        self.event_ = tuple(example.x.shape[1:])
        self.network_, self.optimizer_ = start_network(options, self.latent_dim + condition, features, rng)
        parameters, statistics = self.network_.parameters, self.network_.statistics
        xp = namespace(parameters)
        self.average_ = xp.asarray(parameters, copy=True)
        self.average_statistics_ = xp.asarray(statistics, copy=True)
        self.location_, self.spread_ = (like(v, parameters) for v in scales(options, example))

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event) of the present network; their tape is valid until the next update."""
        x, tape = self._forward(n, rng, condition, training=True)
        return Samples(x, condition, tape)

    def update(self, samples: Samples, feedback: Gradients) -> None:
        """Take one step down the mean loss of the samples."""
        if samples.context is None:
            raise PlayerError(
                "NeuralGenerator.update was given samples without a tape; expected a proposal. "
                "Update with what `propose` returned."
            )
        xp, n = namespace(feedback.values), samples.n
        dy = xp.reshape(feedback.values, (n, -1)) * (self.spread_ / n)
        self.network_.backward(samples.context, dy)
        self.descend()

    def descend(self) -> None:
        """Take one step down the gradient that lies in the network."""
        self.optimizer_.step(self.network_.parameters, self.network_.gradient, self.learning_rate)
        self.network_.on_parameters_changed()
        if self.ema_decay:
            decay = min(self.ema_decay, (1 + self.optimizer_.steps) / (10 + self.optimizer_.steps))  # short memory at first
            for average, present in self._averages():
                average *= decay
                average += (1 - decay) * present

    def sample(self, n: int, rng: Rng, condition: Array | None = None) -> Array:
        """Draw n samples (n, *event) of the learned distribution: of the averaged network, if `ema_decay` is not 0."""
        if not self.ema_decay:
            return self._forward(n, rng, condition)[0]
        averages = self._averages()
        saved = [namespace(present).asarray(present, copy=True) for _, present in averages]
        try:
            for average, present in averages:
                present[...] = average
            return self._forward(n, rng, condition)[0]
        finally:
            for (_, present), before in zip(averages, saved, strict=True):
                present[...] = before

    def _options(self) -> NetworkOptions:
        return NetworkOptions(
            owner=type(self).__name__,
            hidden=self.hidden,
            activation=self.activation,
            normalization=self.normalization,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            optimizer=self.optimizer,
            clip_norm=self.clip_norm,
            ema_decay=self.ema_decay,
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            matmul_precision=self.matmul_precision,
        )

    def _averages(self) -> list[tuple[Array, Array]]:
        """Return each moving average, and the array that it follows."""
        network = self.network_
        pairs = [(self.average_, network.parameters), (self.average_statistics_, network.statistics)]
        return pairs[: 1 + bool(network.statistics.shape[0])]

    def _forward(self, n: int, rng: Rng, condition: Array | None, training: bool = False) -> tuple[Array, Tape]:
        noise = rng.standard_normal((n, self.latent_dim), dtype=np.dtype(self.dtype))
        z = like(noise, self.location_)
        xp = namespace(z)
        if condition is not None:
            z = xp.concat((z, xp.reshape(like(condition, z), (n, -1))), axis=1)
        y, tape = self.network_.forward(z, training, rng)
        y *= self.spread_
        y += self.location_
        return xp.reshape(y, (n, *self.event_)), tape
