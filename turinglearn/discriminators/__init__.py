"""Players that tell genuine from counterfeit."""

from turinglearn.discriminators.adapt import as_discriminator
from turinglearn.discriminators.neural import NeuralDiscriminator
from turinglearn.discriminators.torch_module import TorchDiscriminator

__all__ = ["NeuralDiscriminator", "TorchDiscriminator", "as_discriminator"]
