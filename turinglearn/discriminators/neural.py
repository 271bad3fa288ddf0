"""A network that tells genuine from counterfeit, on the package's own core."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace
from turinglearn.nn.activations import ReLU
from turinglearn.nn.chains import Activation, Normalizer
from turinglearn.nn.network import Tape
from turinglearn.nn.normalization import BatchNorm
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.penalties import Penalty, add_penalty, check_penalties
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.spectral import SpectralNorm
from turinglearn.nn.starting import scales, start_network, width_of
from turinglearn.objectives import DiscriminatorObjective, Logistic, Wasserstein, meaning
from turinglearn.protocols import Array, Batch, Pullback, Rng, Scores

__all__ = ["NeuralDiscriminator"]


class NeuralDiscriminator(BaseEstimator):
    """r = net((x - location) / spread, given): a multilayer perceptron.

    Location and spread of each feature are those of the genuine example that the game starts with. It offers the exact
    gradient of its scores. It learns in training mode, by batch statistics and with dropout, and says what it thinks by running
    averages and without: being asked changes nothing.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    activation, dropout
        As for `turinglearn.generators.NeuralGenerator`.
    normalization : None, BatchNorm(), LayerNorm() or SpectralNorm()
        As there, but the last layer takes part in `SpectralNorm`. With `BatchNorm` genuine and counterfeit samples are one
        batch in training, as they are in the running averages by which it judges.
    minibatch_deviation : bool
        Whether the last hidden layer also sees how various a batch is, by `turinglearn.nn.MinibatchDeviation`. A score then
        depends on the rest of its batch, and in training the two kinds pass apart. It does not go with `BatchNorm`.
    penalties : tuple
        What it descends besides: R1(weight), R2(weight) or GradientPenalty(), from `turinglearn.nn`. They do not go with
        `BatchNorm` and minibatch deviation.
    criterion : DiscriminatorObjective
        What it descends, from `turinglearn.objectives`: Logistic(), LeastSquares(), Hinge(), Wasserstein() or
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
        activation: Activation = ReLU(),
        normalization: Normalizer | None = None,
        dropout: float = 0.0,
        minibatch_deviation: bool = False,
        penalties: tuple[Penalty, ...] = (),
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
        self.activation = activation
        self.normalization = normalization
        self.dropout = dropout
        self.minibatch_deviation = minibatch_deviation
        self.penalties = penalties
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

    @property
    def batch_coupled(self) -> bool:
        """Whether a score depends on the rest of its batch."""
        return self.minibatch_deviation

    def start(self, example: Batch, rng: Rng) -> None:
        """Take shapes, location and spread from genuine samples, and draw the initial parameters."""
        self._check_deviation()
        self.network_, self.optimizer_ = start_network(self, sum(width_of(example)), 1, rng, judges=True)
        check_penalties(self)
        self._check_bound()
        location, spread = scales(self, example)
        scale = 1 / np.where(spread > 0, spread, 1)
        self.location_, self.scale_ = (like(v, self.network_.parameters) for v in (location, scale))

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """One step down the criterion and the penalties."""
        network, x, y = self.network_, self._features(real), self._features(fake)
        if self.minibatch_deviation:  # it judges batches of one kind
            genuine, of_genuine = network.forward(x, True, rng)
            counterfeit, of_counterfeit = network.forward(y, True, rng)
            slopes = self.criterion.slopes(genuine[:, 0], counterfeit[:, 0])
            network.backward(of_genuine, slopes[0][:, None])
            network.backward(of_counterfeit, slopes[1][:, None], add=True)
        else:
            xp = namespace(x)
            scores, tape = network.forward(xp.concat((x, y), axis=0), True, rng)
            slopes = self.criterion.slopes(scores[: real.n, 0], scores[real.n :, 0])
            network.backward(tape, xp.concat(slopes, axis=0)[:, None])
        for penalty in self.penalties:
            add_penalty(network, penalty, x, y, self.scale_.shape[0], rng)
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

    def _check_deviation(self) -> None:
        if not isinstance(self.minibatch_deviation, bool):
            raise ValueError(f"NeuralDiscriminator(minibatch_deviation={self.minibatch_deviation!r}): expected True or False.")
        if self.minibatch_deviation and isinstance(self.normalization, BatchNorm):
            raise ValueError(
                "NeuralDiscriminator(normalization=BatchNorm(), minibatch_deviation=True): the one is trained on batches of "
                "both kinds of samples, the other on batches of one kind. With the deviation choose LayerNorm() or "
                "SpectralNorm()."
            )

    def _check_bound(self) -> None:
        other = self.penalties or isinstance(self.normalization, SpectralNorm)
        if not isinstance(self.criterion, Wasserstein) or bool(self.criterion.clip) != bool(other):
            return
        if other:
            raise ValueError(
                f"NeuralDiscriminator(criterion={self.criterion!r}): a critic whose parameters are clipped cannot be as steep "
                f"as penalties={self.penalties!r} and normalization={self.normalization!r} let it be. "
                "Choose one of them: Wasserstein(clip=None) beside a penalty or SpectralNorm()."
            )
        raise ValueError(
            "NeuralDiscriminator(criterion=Wasserstein(clip=None)): without a bound the criterion has no minimum. Choose a "
            "penalty, penalties=(GradientPenalty(),), or normalization=SpectralNorm(), or a clip such as 0.01."
        )

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
