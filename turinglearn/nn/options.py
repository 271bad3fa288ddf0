"""Options of a network and of its optimizer, as one value that is checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from turinglearn.nn.activations import Elementwise, ReLU
from turinglearn.nn.maxout import Maxout
from turinglearn.nn.normalization import BatchNorm, LayerNorm
from turinglearn.nn.optimizers import Adam, Rule
from turinglearn.nn.schedules import LearningRate
from turinglearn.nn.spectral import SpectralNorm
from turinglearn.nn.validation import is_integer, is_real
from turinglearn.protocols import InputError

__all__ = ["Activation", "NetworkOptions", "Normalizer"]

Activation = Elementwise[Any] | Maxout
Normalizer = BatchNorm | LayerNorm | SpectralNorm


@dataclass(frozen=True)
class NetworkOptions:
    """Options of a network and of its optimizer, which both neural players have.

    A player keeps them as parameters of its own, as scikit-learn expects, and builds this value when it starts. An option
    that makes no sense raises a ValueError that names the owner and the option.

    Parameters
    ----------
    owner : str
        Name of the player in errors.
    hidden : tuple of int
        Widths of the hidden layers.
    activation : ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout()
        Activation of the hidden layers.
    normalization : None, BatchNorm(), LayerNorm() or SpectralNorm()
        Normalization of the hidden layers.
    dropout : float
        Share of the features that are dropped after each activation, in [0, 1).
    minibatch_stddev : bool
        Whether the last hidden layer sees the standard deviation of the batch.
    learning_rate : float or callable
        Length of a step, or a function from the number of past steps to it.
    optimizer : Adam, RMSprop or SGD
        Update rule.
    clip_norm : float or None
        Largest Euclidean norm of the gradient; None for no limit.
    ema_decay : float
        Decay of the moving average of the parameters, in [0, 1); 0 for none.
    backend : str
        Array library: "numpy", "torch", "cupy" or another one of the array API standard.
    device : object
        Device in the library's own terms, such as "cuda:0"; None for the default.
    dtype : "float32" or "float64"
        Type of the parameters.
    matmul_precision : "full", "tf32" or "bfloat16"
        Precision of matrix products.
    """

    owner: str = "NetworkOptions"
    hidden: tuple[int, ...] = (64, 64)
    activation: Activation = field(default_factory=ReLU)
    normalization: Normalizer | None = None
    dropout: float = 0.0
    minibatch_stddev: bool = False
    learning_rate: LearningRate = 1e-3
    optimizer: Rule = field(default_factory=Adam)
    clip_norm: float | None = None
    ema_decay: float = 0.0
    backend: str = "numpy"
    device: object = None
    dtype: str = "float32"
    matmul_precision: str = "full"

    def __post_init__(self) -> None:
        for option, (good, expected) in {**self._layer_checks(), **self._training_checks()}.items():
            if not good:
                raise InputError(f"{self.owner}({option}={getattr(self, option)!r}): expected {expected}.")

    def _layer_checks(self) -> dict[str, tuple[bool, str]]:
        return {
            "hidden": (
                isinstance(self.hidden, tuple | list) and all(is_integer(width) and width > 0 for width in self.hidden),
                "a tuple of widths of layers, integers of at least 1 each",
            ),
            "activation": (
                isinstance(self.activation, Elementwise | Maxout),
                "an activation of turinglearn.nn: ReLU(), LeakyReLU(), Tanh(), GELU() or Maxout(). A network with others is a "
                "torch module: TorchGenerator, TorchDiscriminator",
            ),
            "normalization": (
                isinstance(self.normalization, Normalizer | None),
                "None, BatchNorm(), LayerNorm() or SpectralNorm()",
            ),
            "dropout": (is_real(self.dropout) and 0 <= self.dropout < 1, "the share of features to drop, in [0, 1)"),
            "minibatch_stddev": (isinstance(self.minibatch_stddev, bool), "True or False"),
        }

    def _training_checks(self) -> dict[str, tuple[bool, str]]:
        rate = self.learning_rate
        return {
            "dtype": (self.dtype in ("float32", "float64"), "'float32' or 'float64'"),
            "learning_rate": (
                _is_schedule(rate) if callable(rate) else is_real(rate) and rate >= 0,
                "a number from 0 on, or a function of the number of steps made, such as LinearDecay(1e-3, 1000)",
            ),
            "optimizer": (
                not isinstance(self.optimizer, type) and hasattr(self.optimizer, "descend"),
                "a rule of turinglearn.nn: Adam(), RMSprop() or SGD()",
            ),
            "clip_norm": (
                self.clip_norm is None or (is_real(self.clip_norm) and self.clip_norm > 0),
                "a positive norm of the gradient, or None",
            ),
            "ema_decay": (is_real(self.ema_decay) and 0 <= self.ema_decay < 1, "a decay in [0, 1)"),
        }


def _is_schedule(rate: object) -> bool:
    """Return whether rate(step) can be called; a class, or a function without arguments, cannot."""
    if isinstance(rate, type) or not callable(rate):
        return False
    try:
        rate(0)
    except TypeError:
        return False
    return True
