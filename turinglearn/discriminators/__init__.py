"""Players that tell genuine from counterfeit."""

from turinglearn.discriminators.adapt import as_discriminator
from turinglearn.discriminators.classifier import ClassifierDiscriminator
from turinglearn.discriminators.handwritten import HandwrittenDiscriminator
from turinglearn.discriminators.kernel_density import KernelDensityDiscriminator
from turinglearn.discriminators.kernel_svm import KernelSVMDiscriminator
from turinglearn.discriminators.kliep import KLIEPDiscriminator
from turinglearn.discriminators.neighbours import NeighboursDiscriminator
from turinglearn.discriminators.neural import NeuralDiscriminator
from turinglearn.discriminators.torch_module import TorchDiscriminator
from turinglearn.discriminators.ulsif import ULSIFDiscriminator

__all__ = [
    "ClassifierDiscriminator",
    "HandwrittenDiscriminator",
    "KLIEPDiscriminator",
    "KernelDensityDiscriminator",
    "KernelSVMDiscriminator",
    "NeighboursDiscriminator",
    "NeuralDiscriminator",
    "TorchDiscriminator",
    "ULSIFDiscriminator",
    "as_discriminator",
]
