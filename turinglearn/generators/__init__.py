"""Players that make counterfeits."""

from turinglearn.generators.adapt import as_generator
from turinglearn.generators.neural import NeuralGenerator
from turinglearn.generators.torch_module import TorchGenerator

__all__ = ["NeuralGenerator", "TorchGenerator", "as_generator"]
