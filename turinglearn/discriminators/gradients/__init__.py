"""Margins of classifiers in closed form, and their gradients in x."""

from turinglearn.discriminators.gradients.forms import closed_form
from turinglearn.discriminators.gradients.margins import ClosedForm, Margins

__all__ = ["ClosedForm", "Margins", "closed_form"]
