"""Multilayer perceptrons: the layers that options stand for, in order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from turinglearn.nn.affine import Affine
from turinglearn.nn.dropout import Dropout
from turinglearn.nn.layers import Layer
from turinglearn.nn.maxout import Maxout
from turinglearn.nn.minibatch_stddev import MinibatchStdDev
from turinglearn.nn.normalization import BatchNorm, LayerNorm
from turinglearn.nn.options import NetworkOptions
from turinglearn.nn.spectral import SpectralAffine, SpectralNorm

__all__ = ["mlp"]


def mlp(
    widths: tuple[int, ...], options: NetworkOptions = NetworkOptions(), *, discriminates: bool = False
) -> tuple[Layer[Any], ...]:
    """Return the layers of a multilayer perceptron.

    Each hidden layer is affine, normalization, activation and dropout; the last layer is affine.

    Parameters
    ----------
    widths : tuple of int
        Number of features of the input, of each hidden layer, and of the output.
    options : NetworkOptions
        Activation, normalization, dropout and minibatch_stddev. The minibatch deviation is seen by the last hidden layer, or by
        the only affine one.
    discriminates : bool
        Whether the network is a discriminator's, whose last layer takes part in spectral normalisation.

    Returns
    -------
    tuple of Layer
    """
    activation, normalization = options.activation, options.normalization
    spectral, pieces = isinstance(normalization, SpectralNorm), activation.pieces if isinstance(activation, Maxout) else 1
    layers: list[Layer[Any]] = []
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        sees_deviation = options.minibatch_stddev and number == max(0, len(widths) - 3)
        last = number == len(widths) - 2
        affine = SpectralAffine if spectral and (discriminates or not last) else Affine
        layers += [MinibatchStdDev()] if sees_deviation else []
        layers += [affine(inputs + sees_deviation, outputs if last else pieces * outputs)]
        if last:
            continue
        layers += [normalization] if isinstance(normalization, BatchNorm | LayerNorm) else []
        layers += [activation]
        layers += [Dropout(options.dropout)] if options.dropout else []
    return tuple(layers)
