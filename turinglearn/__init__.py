"""turinglearn: any generator against any discriminator, in one loop."""

from turinglearn import datasets, metrics, objectives, signals
from turinglearn.discriminators import as_discriminator
from turinglearn.estimator import TuringLearner
from turinglearn.game import Game, Replay, Replicas, Schedule
from turinglearn.generators import as_generator
from turinglearn.persistence import load, save
from turinglearn.protocols import IncompatiblePlayers, PlayerError

__version__ = "0.1.0.dev0"
__all__ = [
    "Game",
    "IncompatiblePlayers",
    "PlayerError",
    "Replay",
    "Replicas",
    "Schedule",
    "TuringLearner",
    "as_discriminator",
    "as_generator",
    "datasets",
    "load",
    "metrics",
    "objectives",
    "save",
    "signals",
]
