"""Chains of layers: which layers the options of a player make, and in what order."""

from __future__ import annotations

from itertools import pairwise

from turinglearn.nn.activations import Elementwise, ReLU
from turinglearn.nn.affine import Affine
from turinglearn.nn.deviation import MinibatchDeviation
from turinglearn.nn.dropout import Dropout
from turinglearn.nn.layers import Layer
from turinglearn.nn.maxout import Maxout
from turinglearn.nn.normalization import BatchNorm, LayerNorm
from turinglearn.nn.spectral import SpectralAffine, SpectralNorm

__all__ = ["Activation", "Normalizer", "perceptron"]

Activation = Elementwise | Maxout
Normalizer = BatchNorm | LayerNorm | SpectralNorm


def perceptron(
    widths: tuple[int, ...],
    activation: Activation = ReLU(),
    normalization: Normalizer | None = None,
    dropout: float = 0.0,
    *,
    judges: bool = False,
    minibatch_deviation: bool = False,
) -> tuple[Layer, ...]:
    """The layers of a multilayer perceptron: affine, normalisation, activation, dropout for each hidden layer, then affine.

    widths: features of the input, of each hidden layer, of the output. judges: whether it is a judge's, whose last layer takes
    part in spectral normalisation. Minibatch deviation is seen by the last hidden layer, or by the only affine one.
    """
    spectral, pieces = isinstance(normalization, SpectralNorm), getattr(activation, "pieces", 1)
    layers: list[Layer] = []
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        further = minibatch_deviation and number == max(0, len(widths) - 3)
        last = number == len(widths) - 2
        affine = SpectralAffine if spectral and (judges or not last) else Affine
        layers += [MinibatchDeviation()] if further else []
        layers += [affine(inputs + further, outputs if last else pieces * outputs)]
        if last:
            continue
        layers += [normalization] if isinstance(normalization, BatchNorm | LayerNorm) else []
        layers += [activation]
        layers += [Dropout(dropout)] if dropout else []
    return tuple(layers)
