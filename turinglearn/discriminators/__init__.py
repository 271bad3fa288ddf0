"""Players that tell real from fake."""

from turinglearn.discriminators.adapt import as_discriminator
from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.discriminators.handwritten import HandwrittenDiscriminator
from turinglearn.discriminators.kernels.density import KernelDensityDiscriminator
from turinglearn.discriminators.kernels.kliep import KLIEPDiscriminator
from turinglearn.discriminators.kernels.neighbours import NeighboursDiscriminator
from turinglearn.discriminators.kernels.svm import KernelSVMDiscriminator
from turinglearn.discriminators.kernels.ulsif import ULSIFDiscriminator
from turinglearn.discriminators.neural import NeuralDiscriminator
from turinglearn.discriminators.torch_module import TorchDiscriminator

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
