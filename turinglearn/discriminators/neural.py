"""A neural discriminator on the package's own core."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace
from turinglearn.nn.activations import ReLU
from turinglearn.nn.initialization import scales, start_network, width_of
from turinglearn.nn.network import Tape
from turinglearn.nn.normalization import BatchNorm
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.options import Activation, NetworkOptions, Normalizer
from turinglearn.nn.penalties import Penalty, add_penalty, check_penalties
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.spectral import SpectralNorm
from turinglearn.objectives import DiscriminatorObjective, Logistic, Wasserstein, score_type_of
from turinglearn.protocols import Array, Batch, InputError, Pullback, Rng, Scores

__all__ = ["NeuralDiscriminator"]


class NeuralDiscriminator(BaseEstimator):
    """Multilayer perceptron from samples to scores.

    With a condition c the score of a sample x is ::

        r = net((x - location) / spread, c)

    Location and spread of each feature are those of the real example that the game starts with. It is trained with batch
    statistics and dropout, and scores samples with running averages and without dropout, so that scoring changes nothing.
    The gradient of the scores is exact.

    Parameters
    ----------
    hidden : tuple of int, default=(64, 64)
        Widths of the hidden layers.
    activation : ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout(), default=ReLU()
        Activation of the hidden layers, from `turinglearn.nn`.
    normalization : None, BatchNorm(), LayerNorm() or SpectralNorm(), default=None
        Layer between the affine part of each hidden layer and its activation; `SpectralNorm` divides the weights instead, those
        of the last layer too. With `BatchNorm` real and fake samples are one batch in training.
    dropout : float, default=0.0
        Share of the features that are dropped after each activation, in [0, 1).
    minibatch_stddev : bool, default=False
        Whether the last hidden layer also has the spread of its batch as a feature, by `turinglearn.nn.MinibatchStdDev` [1]_. A
        score then depends on the rest of its batch, and real and fake samples are separate batches in training. It cannot be
        combined with `BatchNorm`.
    penalties : tuple, default=()
        Penalties that are added to the criterion: R1(weight) or R2(weight) [2]_, or GradientPenalty() [3]_, from
        `turinglearn.nn`. They cannot be combined with `BatchNorm` or `minibatch_stddev`.
    criterion : DiscriminatorObjective, default=Logistic()
        Loss of the discriminator, from `turinglearn.objectives`: Logistic(), LeastSquares(), Hinge(), Wasserstein() or
        Relativistic(). It determines the type of the scores.
    learning_rate : float or callable, default=1e-3
        Length of a step, or a schedule: a function of the number of past steps, such as `turinglearn.nn.LinearDecay`.
    optimizer : Adam, RMSprop or SGD, default=Adam()
        Update rule, from `turinglearn.nn`.
    clip_norm : float or None, default=None
        Largest Euclidean norm of the gradient; a longer one is scaled down to it. None for no limit.
    backend : {"numpy", "torch", "cupy"}, default="numpy"
        Array library of the network.
    device : str or None, default=None
        Device of the network, such as "cuda:0"; None for the library's default.
    dtype : {"float32", "float64"}, default="float32"
        Type of the parameters.
    matmul_precision : {"full", "tf32", "bfloat16"}, default="full"
        Precision of matrix products, as for `turinglearn.generators.NeuralGenerator`.

    Attributes
    ----------
    network_ : Network
        The network, with its parameters.
    optimizer_ : Optimizer
        The update rule at work, with its state.
    location_, scale_ : Array of shape (features,)
        Mean of each feature of the example, and 1 / its standard deviation (1 for constant features).

    References
    ----------
    .. [1] Karras et al., Progressive growing of GANs for improved quality, stability, and variation, ICLR 2018.
    .. [2] Mescheder, Geiger & Nowozin, Which training methods for GANs do actually converge?, ICML 2018.
    .. [3] Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64, 64),
        *,
        activation: Activation = ReLU(),
        normalization: Normalizer | None = None,
        dropout: float = 0.0,
        minibatch_stddev: bool = False,
        penalties: tuple[Penalty, ...] = (),
        criterion: DiscriminatorObjective = Logistic(),
        learning_rate: LearningRate = 1e-3,
        optimizer: Rule = Adam(),
        clip_norm: float | None = None,
        backend: str = "numpy",
        device: object = None,
        dtype: str = "float32",
        matmul_precision: str = "full",
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.normalization = normalization
        self.dropout = dropout
        self.minibatch_stddev = minibatch_stddev
        self.penalties = penalties
        self.criterion = criterion
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.backend = backend
        self.device = device
        self.dtype = dtype
        self.matmul_precision = matmul_precision

    @property
    def score_type(self) -> type[Scores]:
        """Type of the scores, which the criterion determines."""
        return score_type_of(self)

    @property
    def batch_coupled(self) -> bool:
        """Return whether a score depends on the rest of its batch."""
        return self.minibatch_stddev

    def start(self, example: Batch, rng: Rng) -> None:
        """Take shapes, location and spread from real samples, and draw the initial parameters."""
        self._check_minibatch_stddev()
        options = self._options()
        self.network_, self.optimizer_ = start_network(options, sum(width_of(example)), 1, rng, discriminates=True)
        check_penalties(options.owner, self.penalties, self.network_)
        self._check_bound()
        location, spread = scales(options, example)
        scale = 1 / np.where(spread > 0, spread, 1)
        self.location_, self.scale_ = (like(v, self.network_.parameters) for v in (location, scale))

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Take one gradient step down the criterion and the penalties."""
        network, x, y = self.network_, self._features(real), self._features(fake)
        if self.minibatch_stddev:  # each class is a batch of its own
            real_scores, real_tape = network.forward(x, True, rng)
            fake_scores, fake_tape = network.forward(y, True, rng)
            slopes = self.criterion.slopes(real_scores[:, 0], fake_scores[:, 0])
            network.backward(real_tape, slopes[0][:, None])
            network.backward(fake_tape, slopes[1][:, None], add=True)
        else:
            xp = namespace(x)
            scores, tape = network.forward(xp.concat((x, y), axis=0), True, rng)
            slopes = self.criterion.slopes(scores[: real.n, 0], scores[real.n :, 0])
            network.backward(tape, xp.concat(slopes, axis=0)[:, None])
        for penalty in self.penalties:
            add_penalty(network, penalty, x, y, self.scale_.shape[0], rng)
        self.descend()

    def descend(self) -> None:
        """Take one step down the gradient that is stored in the network."""
        xp, network = namespace(self.location_), self.network_
        self.optimizer_.step(network.parameters, network.gradient, self.learning_rate)
        if self.criterion.clip is not None:
            network.parameters[...] = xp.clip(network.parameters, -self.criterion.clip, self.criterion.clip)
        network.on_parameters_changed()

    def score_samples(self, batch: Batch) -> Scores:
        """Return the score of each sample, (n,)."""
        return self._forward(batch)[0]

    def vjp(self, batch: Batch) -> tuple[Scores, Pullback]:
        """Return the scores (n,) and their exact pullback, which is valid until the next update."""
        scores, tape = self._forward(batch)

        def pullback(slopes: Array) -> Array:
            dx = self.network_.backward_inputs(tape, slopes[:, None])[:, : self.scale_.shape[0]] * self.scale_
            return namespace(dx).reshape(dx, tuple(batch.x.shape))

        return scores, pullback

    def _options(self) -> NetworkOptions:
        return NetworkOptions(
            owner=type(self).__name__,
            hidden=self.hidden,
            activation=self.activation,
            normalization=self.normalization,
            dropout=self.dropout,
            minibatch_stddev=self.minibatch_stddev,
            learning_rate=self.learning_rate,
            optimizer=self.optimizer,
            clip_norm=self.clip_norm,
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            matmul_precision=self.matmul_precision,
        )

    def _check_minibatch_stddev(self) -> None:
        if not isinstance(self.minibatch_stddev, bool):
            raise InputError(f"NeuralDiscriminator(minibatch_stddev={self.minibatch_stddev!r}): expected True or False.")
        if self.minibatch_stddev and isinstance(self.normalization, BatchNorm):
            raise InputError(
                "NeuralDiscriminator(normalization=BatchNorm(), minibatch_stddev=True): the one needs batches of real "
                "and fake samples in training, the other separate batches. With minibatch_stddev choose LayerNorm() or "
                "SpectralNorm()."
            )

    def _check_bound(self) -> None:
        other = self.penalties or isinstance(self.normalization, SpectralNorm)
        if not isinstance(self.criterion, Wasserstein) or bool(self.criterion.clip) != bool(other):
            return
        if other:
            raise InputError(
                f"NeuralDiscriminator(criterion={self.criterion!r}): a critic whose parameters are clipped cannot be as steep "
                f"as penalties={self.penalties!r} and normalization={self.normalization!r} allow. "
                "Choose one of them: Wasserstein(clip=None) beside a penalty or SpectralNorm()."
            )
        raise InputError(
            "NeuralDiscriminator(criterion=Wasserstein(clip=None)): without a bound the criterion has no minimum. Choose a "
            "penalty, penalties=(GradientPenalty(),), or normalization=SpectralNorm(), or a clip such as 0.01."
        )

    def _forward(self, batch: Batch) -> tuple[Scores, Tape]:
        scores, tape = self.network_.forward(self._features(batch))
        return self.score_type(scores[:, 0]), tape

    def _features(self, batch: Batch) -> Array:
        """Return the standardised events, flattened, with the condition as further columns, (n, features)."""
        xp, n = namespace(self.location_), batch.n
        x = (xp.reshape(like(batch.x, self.location_), (n, -1)) - self.location_) * self.scale_
        if batch.condition is None:
            return x
        return xp.concat((x, xp.reshape(like(batch.condition, x), (n, -1))), axis=1)
