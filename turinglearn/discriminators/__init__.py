"""Players that tell genuine from counterfeit."""

from turinglearn.discriminators.adapt import as_discriminator
from turinglearn.discriminators.classifier import ClassifierDiscriminator
from turinglearn.discriminators.handwritten import HandwrittenDiscriminator
from turinglearn.discriminators.kernel_svm import KernelSVMDiscriminator
from turinglearn.discriminators.neural import NeuralDiscriminator
from turinglearn.discriminators.torch_module import TorchDiscriminator

__all__ = [
    "ClassifierDiscriminator",
    "HandwrittenDiscriminator",
    "KernelSVMDiscriminator",
    "NeuralDiscriminator",
    "TorchDiscriminator",
    "as_discriminator",
]
