"""The neural core: chains of layers with hand-written passes, rules that train them, and schedules, on any array library.

Each player has its own rule and learning rate, so that the two can learn on two time scales (Heusel et al. 2017).
"""

from turinglearn.nn.activations import GELU, LeakyReLU, ReLU, Tanh
from turinglearn.nn.deviation import MinibatchDeviation
from turinglearn.nn.maxout import Maxout
from turinglearn.nn.network import Network, Tape
from turinglearn.nn.normalization import BatchNorm, LayerNorm
from turinglearn.nn.optimizers import SGD, Adam, Optimizer, RMSprop
from turinglearn.nn.penalties import R1, R2, GradientPenalty
from turinglearn.nn.schedules import CosineDecay, ExponentialDecay, LinearDecay, Warmup
from turinglearn.nn.spectral import SpectralNorm

__all__ = [
    "GELU",
    "R1",
    "R2",
    "SGD",
    "Adam",
    "BatchNorm",
    "CosineDecay",
    "ExponentialDecay",
    "GradientPenalty",
    "LayerNorm",
    "LeakyReLU",
    "LinearDecay",
    "Maxout",
    "MinibatchDeviation",
    "Network",
    "Optimizer",
    "RMSprop",
    "ReLU",
    "SpectralNorm",
    "Tanh",
    "Tape",
    "Warmup",
]
