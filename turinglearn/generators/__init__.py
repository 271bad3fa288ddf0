"""Players that make fakes."""

from turinglearn.generators.adapt import as_generator
from turinglearn.generators.evolved import EvolvedGenerator
from turinglearn.generators.forest import ForestGenerator
from turinglearn.generators.forest.adversarial import AdversarialForest
from turinglearn.generators.mixture import MixtureGenerator
from turinglearn.generators.mixture.updates import ScoreFunction, WeightedEM
from turinglearn.generators.neural import NeuralGenerator
from turinglearn.generators.refitted import GradientMove, RefittedGenerator, Resample, Reweight
from turinglearn.generators.torch_module import TorchGenerator

__all__ = [
    "AdversarialForest",
    "EvolvedGenerator",
    "ForestGenerator",
    "GradientMove",
    "MixtureGenerator",
    "NeuralGenerator",
    "RefittedGenerator",
    "Resample",
    "Reweight",
    "ScoreFunction",
    "TorchGenerator",
    "WeightedEM",
    "as_generator",
]
