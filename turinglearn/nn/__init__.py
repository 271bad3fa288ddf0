"""The neural core: networks with hand-written passes, rules that train them, and schedules, on any array library.

Each player has its own rule and learning rate, so that the two can learn on two time scales (Heusel et al. 2017).
"""

from turinglearn.nn.network import Network, Tape
from turinglearn.nn.optimizers import SGD, Adam, Optimizer, RMSprop
from turinglearn.nn.schedules import CosineDecay, ExponentialDecay, LinearDecay, Warmup

__all__ = [
    "SGD",
    "Adam",
    "CosineDecay",
    "ExponentialDecay",
    "LinearDecay",
    "Network",
    "Optimizer",
    "RMSprop",
    "Tape",
    "Warmup",
]
