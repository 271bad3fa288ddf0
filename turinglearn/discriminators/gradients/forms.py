"""Which classifiers have margins with a closed-form gradient in x."""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC, NuSVC

from turinglearn.discriminators.gradients.calibrated import calibrated
from turinglearn.discriminators.gradients.linear import complement_bayes, linear, multinomial_bayes
from turinglearn.discriminators.gradients.machines import covariance, gaussian_process, support_vectors
from turinglearn.discriminators.gradients.margins import ClosedForm
from turinglearn.discriminators.gradients.multilayer import multilayer
from turinglearn.discriminators.gradients.quadratic import gaussian_bayes, quadratic_discriminant
from turinglearn.discriminators.gradients.steps import after, differentiable

__all__ = ["closed_form"]

_FORMS: dict[type, ClosedForm] = {
    ComplementNB: complement_bayes,
    GaussianNB: gaussian_bayes,
    GaussianProcessClassifier: gaussian_process,
    LinearDiscriminantAnalysis: linear,
    LinearSVC: linear,
    LogisticRegression: linear,
    LogisticRegressionCV: linear,
    MLPClassifier: multilayer,
    MultinomialNB: multinomial_bayes,
    NuSVC: support_vectors,
    Perceptron: linear,
    QuadraticDiscriminantAnalysis: quadratic_discriminant,
    RidgeClassifier: linear,
    RidgeClassifierCV: linear,
    SGDClassifier: linear,
    SVC: support_vectors,
}


def closed_form(estimator: Any) -> ClosedForm | None:
    """The function (fitted estimator, X) -> margins (n,) and a way to compute dmargin/dx (n, features), or None.

    A margin is the log-odds where the estimator has probabilities, which are then their sigmoid, and its decision
    function elsewhere. Of a Gaussian process it is the latent mean, whose sigmoid is the probability at the process's most
    likely value, not averaged over its uncertainty. The exact type decides, fitted or not: a subclass may have changed what
    it says.
    """
    kind = type(estimator)
    if kind is Pipeline:
        *before, (_, last) = estimator.steps
        inner = closed_form(last) if all(differentiable(step) for _, step in before) else None
        return None if inner is None else partial(after, inner)
    if kind is CalibratedClassifierCV:
        base = LinearSVC() if estimator.estimator is None else estimator.estimator
        inner = closed_form(base) if estimator.method == "sigmoid" and not _latent(base) else None
        return None if inner is None else partial(calibrated, inner)
    return _FORMS.get(kind) if _faithful(estimator) else None


def _faithful(estimator: Any) -> bool:
    """Whether the form is that of what such an estimator says with the options that it has."""
    kind = type(estimator)
    if kind is SGDClassifier:  # with this loss its probabilities are no sigmoid of its margin
        return bool(estimator.loss != "modified_huber")
    if kind in (SVC, NuSVC):  # its own probabilities come out of an iteration that stops at a hundredth
        known = estimator.kernel in ("linear", "poly", "rbf", "sigmoid")
        return known and getattr(estimator, "probability", False) in (False, "deprecated")
    if kind is GaussianProcessClassifier:
        return covariance(estimator.kernel) is not None
    return True


def _latent(estimator: Any) -> bool:
    """Whether its margin is no function of what it says to others."""
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return isinstance(last, GaussianProcessClassifier)
