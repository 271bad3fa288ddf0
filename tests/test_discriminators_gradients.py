"""The exact gradients of classifiers: against finite differences of the evidence that is emitted."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from turinglearn.discriminators.classifier import ClassifierDiscriminator
from turinglearn.discriminators.gradients import closed_form
from turinglearn.protocols import Batch, LogOdds

STEP = 1e-5


def network(activation, hidden=(7, 5)):
    decay = 0.3 if activation == "logistic" else 3.0  # enough to stay within the clip, and not to be constant
    return MLPClassifier(hidden, activation=activation, solver="lbfgs", alpha=decay, max_iter=20_000)


LINEAR = {
    "logistic": LogisticRegression(),
    "logistic, no intercept": LogisticRegression(fit_intercept=False),
    "logistic, liblinear, weighted": LogisticRegression(solver="liblinear", class_weight={1: 3.0}),
    "logistic, cross-validated": LogisticRegressionCV(
        Cs=3, cv=3, l1_ratios=(0.0,), scoring="neg_log_loss", use_legacy_attributes=False
    ),
    "discriminant": LinearDiscriminantAnalysis(),
    "discriminant, shrunk": LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2),
    "linear SVM": LinearSVC(),
    "ridge": RidgeClassifier(),
    "ridge, no intercept": RidgeClassifier(fit_intercept=False),
    "ridge, cross-validated": RidgeClassifierCV(),
    "SGD, hinge": SGDClassifier(),
    "SGD, log-loss": SGDClassifier(loss="log_loss", alpha=0.1),
    "perceptron": Perceptron(),
}
NETWORKS = {
    **{f"network, {activation}": network(activation) for activation in ("identity", "logistic", "tanh", "relu")},
    "network, no hidden layer": network("tanh", ()),
    "network, one hidden layer": network("tanh", (6,)),
}
PIPELINES = {
    "scaled logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "scaled linear SVM": make_pipeline(StandardScaler(), LinearSVC()),
    "scaled network": make_pipeline(StandardScaler(), network("tanh")),
    "scaled twice": make_pipeline(StandardScaler(with_mean=False), StandardScaler(), LogisticRegression()),
    "centred only": make_pipeline(StandardScaler(with_std=False), LogisticRegression()),
    "nested": make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), RidgeClassifier())),
    "alone in a pipeline": make_pipeline(LinearDiscriminantAnalysis()),
}
CLOSED = LINEAR | NETWORKS | PIPELINES


def batches(rng, n=60, event=(2, 2), conditions=2):
    """Genuine and counterfeit samples of unequal counts and spreads, with conditions."""
    scale = np.geomspace(0.5, 3, int(np.prod(event))).reshape(event)
    given = [rng.normal(size=(m, conditions)) for m in (n, 2 * n)]
    real = Batch(scale * rng.normal(size=(n, *event)) + 0.4 + given[0].mean(axis=1).reshape(-1, 1, 1), given[0])
    return real, Batch(scale * rng.normal(size=(2 * n, *event)), given[1])


def fitted(estimator, calibrate="auto", seed=0):
    rng = np.random.default_rng(seed)
    judge = ClassifierDiscriminator(estimator, calibrate=calibrate)
    judge.update(*batches(rng), rng)
    return judge, batches(rng, 20)[1]


def central_differences(judge, batch):
    """dr_i/dx_i, shaped like x, one feature at a time."""
    gradient = np.empty(batch.x.shape)
    for feature in np.ndindex(batch.x.shape[1:]):
        step = np.zeros(batch.x.shape[1:])
        step[feature] = STEP
        up, down = (judge.examine(Batch(batch.x + sign * step, batch.given)).values for sign in (1, -1))
        gradient[:, *feature] = (up - down) / (2 * STEP)
    return gradient


def away_from_kinks(judge, batch):
    """The samples whose hidden units, and clip, stay on one side of their kinks over all steps."""
    nearest = np.abs(np.abs(margins(judge, batch)) - judge.limit_)
    mlp = judge.estimator_
    if isinstance(mlp, MLPClassifier) and mlp.activation == "relu":
        a = np.concatenate((batch.x.reshape(batch.n, -1), batch.given), axis=1)
        for W, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
            z = a @ W + b
            nearest, a = np.minimum(nearest, np.abs(z).min(axis=1)), np.maximum(z, 0)
    far = nearest > 1000 * STEP
    assert far.sum() > batch.n / 2
    return Batch(batch.x[far], batch.given[far])


def margins(judge, batch):
    X = np.concatenate((batch.x.reshape(batch.n, -1), batch.given), axis=1)
    return closed_form(judge.estimator_)(judge.estimator_, X)[0]


@pytest.mark.parametrize("calibrate", ["auto", "platt", "temperature"])
@pytest.mark.parametrize("name", CLOSED)
def test_the_gradient_is_that_of_the_emitted_evidence(name, calibrate):
    judge, batch = fitted(CLOSED[name], calibrate)
    batch = away_from_kinks(judge, batch)
    assert np.mean(np.abs(margins(judge, batch)) < judge.limit_) > 0.5
    scores, pullback = judge.vjp(batch)
    assert type(scores) is LogOdds
    np.testing.assert_array_equal(scores.values, judge.examine(batch).values)
    exact, expected = pullback(np.ones(batch.n)), central_differences(judge, batch)
    assert exact.shape == batch.x.shape
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(exact, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["scaled logistic", "network, tanh"])
def test_the_gradient_vanishes_where_the_evidence_is_clipped(name):
    judge, batch = fitted(CLOSED[name])
    direction = judge.vjp(batch)[1](np.ones(batch.n))
    far = batch.x + np.linspace(-40, 40, batch.n).reshape(-1, 1, 1) * np.sign(direction)
    batch = away_from_kinks(judge, Batch(far, batch.given))
    clipped = np.abs(margins(judge, batch)) > judge.limit_
    assert 0 < clipped.sum() < batch.n
    scores, pullback = judge.vjp(batch)
    gradient = pullback(np.ones(batch.n))
    np.testing.assert_allclose(np.abs(scores.values[clipped] + judge.prior_), np.log(181))
    assert np.all(gradient[clipped] == 0)
    assert np.all(np.abs(gradient[~clipped]).max(axis=(1, 2)) > 0)
    np.testing.assert_allclose(gradient, central_differences(judge, batch), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CLOSED)
def test_margins_are_what_the_classifier_says(name):
    judge, batch = fitted(CLOSED[name])
    X = np.concatenate((batch.x.reshape(batch.n, -1), batch.given), axis=1)
    if hasattr(judge.estimator_, "predict_proba"):
        assert judge.limit_ == np.log(181)
        np.testing.assert_allclose(expit(margins(judge, batch)), judge.estimator_.predict_proba(X)[:, 1], rtol=1e-12)
    else:
        assert judge.limit_ == np.inf
        np.testing.assert_allclose(margins(judge, batch), judge.estimator_.decision_function(X), rtol=1e-12)


def test_the_pullback_is_linear_in_the_slopes_of_the_loss():
    judge, batch = fitted(PIPELINES["scaled network"])
    slopes = np.random.default_rng(1).normal(size=batch.n)
    unit = judge.vjp(batch)[1](np.ones(batch.n))
    np.testing.assert_allclose(judge.vjp(batch)[1](slopes), slopes[:, None, None] * unit)


def test_the_gradient_is_zero_before_the_first_fit():
    batch = batches(np.random.default_rng(0))[1]
    judge = ClassifierDiscriminator(LogisticRegression())
    judge.start(batch, np.random.default_rng(0))
    scores, pullback = judge.vjp(batch)
    assert np.array_equal(scores.values, np.zeros(batch.n))
    assert np.array_equal(pullback(np.ones(batch.n)), np.zeros(batch.x.shape))


@pytest.mark.parametrize("name", ["scaled network", "logistic", "ridge", "network, relu"])
def test_batches_of_every_library_have_the_same_gradient(name, arrays_on):
    judge, batch = fitted(CLOSED[name])
    scores, pullback = judge.vjp(batch)
    slopes = np.linspace(-1, 1, batch.n)
    there, pull = judge.vjp(Batch(arrays_on.asarray(batch.x), arrays_on.asarray(batch.given)))
    np.testing.assert_allclose(there.values, scores.values)
    np.testing.assert_allclose(pull(arrays_on.asarray(slopes)), pullback(slopes))


def test_single_precision_batches_are_differentiated_in_double():
    judge, batch = fitted(PIPELINES["scaled network"])
    single = Batch(batch.x.astype(np.float32), batch.given.astype(np.float32))
    double = Batch(single.x.astype(float), single.given.astype(float))
    (scores, pullback), (expected, pull) = judge.vjp(single), judge.vjp(double)
    np.testing.assert_array_equal(scores.values, expected.values)
    np.testing.assert_array_equal(pullback(np.ones(batch.n)), pull(np.ones(batch.n)))


# --------------------------------------------------------------------------------------- a capability that never lies
class Loud(LogisticRegression):
    """A subclass that says something else than its parent."""

    def predict_proba(self, X):
        p = super().predict_proba(X) ** 2
        return p / p.sum(axis=1, keepdims=True)


class OtherNetwork(MLPClassifier):
    """A subclass of which nothing is known."""


OPEN = {
    "forest": RandomForestClassifier(10),
    "kernel SVM": SVC(),
    "subclass": Loud(),
    "subclass of a network": OtherNetwork((3,), solver="lbfgs", alpha=3.0, max_iter=20_000),
    "modified Huber": SGDClassifier(loss="modified_huber"),
    "other steps": make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
    "open last step": make_pipeline(StandardScaler(), RandomForestClassifier(10)),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}),
    "isotonic": CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_offer_vjp(name):
    judge = ClassifierDiscriminator(CLOSED[name])
    assert hasattr(judge, "vjp")
    assert hasattr(clone(judge), "vjp")


@pytest.mark.parametrize("name", OPEN)
def test_other_classifiers_offer_no_vjp(name):
    judge, batch = fitted(OPEN[name])
    assert not hasattr(judge, "vjp")
    assert not hasattr(ClassifierDiscriminator(OPEN[name]), "vjp")
    assert np.all(np.isfinite(judge.examine(batch).values))
    with pytest.raises(AttributeError, match="no closed-form gradient"):
        _ = judge.vjp


def test_a_subclass_is_heard_itself():
    loud, batch = fitted(Loud())
    plain, _ = fitted(LogisticRegression())
    expected = np.clip(2 * margins(plain, batch), -loud.limit_, loud.limit_)
    np.testing.assert_allclose(loud.examine(batch).values + loud.prior_, expected)


def test_every_activation_of_the_library_is_known():
    for activation in MLPClassifier._parameter_constraints["activation"][0].options:
        judge, batch = fitted(network(activation))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.all(np.isfinite(judge.vjp(batch)[1](np.ones(batch.n))))
