"""Table of the classifiers whose margins have a closed-form gradient in x."""

from __future__ import annotations

from functools import partial

from sklearn.base import BaseEstimator
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
from turinglearn.discriminators.gradients.steps import after_steps, has_pullback

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


def closed_form(estimator: BaseEstimator) -> ClosedForm | None:
    """Return the function (fitted estimator, X) -> (margins (n,), a function that computes dm/dx (n, features)), or None.

    A margin is the log-odds for an estimator whose probabilities are a sigmoid of it, and the decision function elsewhere. For
    a Gaussian process it is the latent mean, whose sigmoid is the probability at the most likely latent value, without an
    average over its uncertainty. The exact type decides, fitted or not, as a subclass may predict differently.
    """
    if type(estimator) is Pipeline:
        *before, (_, last) = estimator.steps
        inner = closed_form(last) if all(has_pullback(step) for _, step in before) else None
        return None if inner is None else partial(after_steps, inner)
    if type(estimator) is CalibratedClassifierCV:
        base = LinearSVC() if estimator.estimator is None else estimator.estimator
        inner = closed_form(base) if estimator.method == "sigmoid" and not _has_latent_margin(base) else None
        return None if inner is None else partial(calibrated, inner)
    return _FORMS.get(type(estimator)) if _holds(estimator) else None


def _holds(estimator: BaseEstimator) -> bool:
    """Return whether the form holds for an estimator with these parameters."""
    if type(estimator) is SGDClassifier:  # with this loss its probabilities are not a sigmoid of its margin
        return bool(estimator.loss != "modified_huber")
    if type(estimator) in (SVC, NuSVC):  # its own probabilities come from an iteration that stops at a tolerance of 0.01
        known = estimator.kernel in ("linear", "poly", "rbf", "sigmoid")
        return known and getattr(estimator, "probability", False) in (False, "deprecated")
    if type(estimator) is GaussianProcessClassifier:
        return covariance(estimator.kernel) is not None
    return True


def _has_latent_margin(estimator: BaseEstimator) -> bool:
    """Return whether the margin is not a function of the estimator's probabilities."""
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return isinstance(last, GaussianProcessClassifier)
