"""The neural core: networks with hand-written passes, and their optimizer, on any array library."""

from turinglearn.nn.network import Network, Tape
from turinglearn.nn.optimizers import Adam, LinearDecay

__all__ = ["Adam", "LinearDecay", "Network", "Tape"]
