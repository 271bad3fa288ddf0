"""Players that make counterfeits."""

from turinglearn.generators.adapt import as_generator
from turinglearn.generators.adversarial_forest import AdversarialForest
from turinglearn.generators.evolved import EvolvedGenerator
from turinglearn.generators.forest import ForestGenerator
from turinglearn.generators.mixture import MixtureGenerator
from turinglearn.generators.mixture_updates import ScoreFunction, WeightedEM
from turinglearn.generators.neural import NeuralGenerator
from turinglearn.generators.refitted import Moved, RefittedGenerator, Resampled, Reweighted
from turinglearn.generators.torch_module import TorchGenerator

__all__ = [
    "AdversarialForest",
    "EvolvedGenerator",
    "ForestGenerator",
    "MixtureGenerator",
    "Moved",
    "NeuralGenerator",
    "RefittedGenerator",
    "Resampled",
    "Reweighted",
    "ScoreFunction",
    "TorchGenerator",
    "WeightedEM",
    "as_generator",
]
