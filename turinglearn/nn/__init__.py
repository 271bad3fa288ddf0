"""The neural core: networks with hand-written passes, optimizers and schedules, on any array library.

Each player has its own optimizer and learning rate, so that the two can learn on two time scales (Heusel et al. 2017).
"""

from turinglearn.nn.activations import GELU, LeakyReLU, ReLU, Tanh
from turinglearn.nn.maxout import Maxout
from turinglearn.nn.minibatch_stddev import MinibatchStdDev
from turinglearn.nn.network import Network, Tape
from turinglearn.nn.normalization import BatchNorm, LayerNorm
from turinglearn.nn.optimizers import SGD, Adam, Optimizer, RMSprop, Rule
from turinglearn.nn.options import Activation, NetworkOptions, Normalizer
from turinglearn.nn.penalties import R1, R2, GradientPenalty, Penalty
from turinglearn.nn.schedules import CosineDecay, ExponentialDecay, LearningRate, LinearDecay, Warmup
from turinglearn.nn.spectral import SpectralNorm

__all__ = [
    "GELU",
    "R1",
    "R2",
    "SGD",
    "Activation",
    "Adam",
    "BatchNorm",
    "CosineDecay",
    "ExponentialDecay",
    "GradientPenalty",
    "LayerNorm",
    "LeakyReLU",
    "LearningRate",
    "LinearDecay",
    "Maxout",
    "MinibatchStdDev",
    "Network",
    "NetworkOptions",
    "Normalizer",
    "Optimizer",
    "Penalty",
    "RMSprop",
    "ReLU",
    "Rule",
    "SpectralNorm",
    "Tanh",
    "Tape",
    "Warmup",
]
