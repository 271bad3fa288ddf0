"""Closed forms of what classifiers say, and of its gradient in x."""

from turinglearn.discriminators.gradients.forms import closed_form
from turinglearn.discriminators.gradients.margins import ClosedForm, Margins

__all__ = ["ClosedForm", "Margins", "closed_form"]
