"""Signals turn the evidence of a discriminator into feedback for a generator."""

from turinglearn.signals.derivative import Derivative, Exact
from turinglearn.signals.gradients import GradientSignal
from turinglearn.signals.leaves import LeafSignal
from turinglearn.signals.losses import LossSignal
from turinglearn.signals.selection import make_signal
from turinglearn.signals.signal import Estimator, ScoredFeedback, Signal
from turinglearn.signals.smoothed import Smoothed
from turinglearn.signals.student import Student
from turinglearn.signals.weights import ImportanceWeights, WeightSignal, effective_sample_size

__all__ = [
    "Derivative",
    "Estimator",
    "Exact",
    "GradientSignal",
    "ImportanceWeights",
    "LeafSignal",
    "LossSignal",
    "ScoredFeedback",
    "Signal",
    "Smoothed",
    "Student",
    "WeightSignal",
    "effective_sample_size",
    "make_signal",
]
