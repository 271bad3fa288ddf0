"""The exact gradients of classifiers: against finite differences of the evidence that is emitted."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process import kernels as gp
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.discriminators.gradients import closed_form
from turinglearn.discriminators.kernels import functions as kernels
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
MACHINES = {
    "RBF": SVC(),
    "RBF, narrow, weighted": SVC(gamma=0.8, C=3.0, class_weight="balanced"),
    "RBF, gamma auto": SVC(gamma="auto"),
    "linear kernel": SVC(kernel="linear", C=0.1),
    "polynomial": SVC(kernel="poly", C=0.1),
    "polynomial, degree 2": SVC(kernel="poly", degree=2, coef0=0.7, C=0.1),
    "polynomial, degree 1": SVC(kernel="poly", degree=1, coef0=0.7, C=0.1),
    "sigmoid kernel": SVC(kernel="sigmoid", coef0=0.3, gamma=0.05, C=0.5),
    "nu, RBF": NuSVC(nu=0.4),
    "nu, polynomial": NuSVC(nu=0.4, kernel="poly", coef0=0.5),
    "scaled RBF": make_pipeline(StandardScaler(), SVC()),
}
BAYES = {
    "Gaussian Bayes": GaussianNB(),
    "Gaussian Bayes, smoothed, priors": GaussianNB(priors=[0.8, 0.2], var_smoothing=0.05),
    "quadratic": QuadraticDiscriminantAnalysis(),
    "quadratic, regular, priors": QuadraticDiscriminantAnalysis(reg_param=0.3, priors=[0.2, 0.8]),
    "quadratic, shrunk": QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.4),
    "scaled Gaussian Bayes": make_pipeline(StandardScaler(), GaussianNB()),
    "multinomial Bayes": make_pipeline(MinMaxScaler(), MultinomialNB()),
    "multinomial Bayes, uniform": make_pipeline(MinMaxScaler(clip=True), MultinomialNB(fit_prior=False)),
    "complement Bayes": make_pipeline(MinMaxScaler(), ComplementNB()),
    "complement Bayes, normed": make_pipeline(MinMaxScaler(), ComplementNB(norm=True)),
}
STEPS = {
    "to a range": make_pipeline(MinMaxScaler((-2, 3)), SVC()),
    "to a range, clipped": make_pipeline(MinMaxScaler(clip=True), LogisticRegression(C=100)),
    "robust": make_pipeline(RobustScaler(unit_variance=True), network("tanh")),
    "robust, not scaled": make_pipeline(RobustScaler(with_scaling=False), LinearSVC()),
    "to the unit": make_pipeline(MaxAbsScaler(), SVC()),
    "to the unit, clipped": make_pipeline(MaxAbsScaler(clip=True), LogisticRegression(C=100)),
    "principal components": make_pipeline(StandardScaler(), PCA(3), SVC()),
    "whitened": make_pipeline(PCA(4, whiten=True), QuadraticDiscriminantAnalysis()),
    "with a step left out": Pipeline([("nothing", "passthrough"), ("scale", StandardScaler()), ("last", SVC())]),
}
CALIBRATED = {
    "sigmoid": CalibratedClassifierCV(LinearSVC(), ensemble=False, cv=3),
    "sigmoid of a kernel machine": CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC()), ensemble=False, cv=3),
    "sigmoid of probabilities": CalibratedClassifierCV(GaussianNB(), ensemble=False, cv=3),
    "sigmoids of folds": CalibratedClassifierCV(LogisticRegression(), cv=3),
    "sigmoids of folds, probabilities": CalibratedClassifierCV(network("tanh", (4,)), cv=3),
    "sigmoids, usual": CalibratedClassifierCV(),
}
PROCESSES = {
    "process": GaussianProcessClassifier(),
    "process, fitted": GaussianProcessClassifier(gp.ConstantKernel(2.0) * gp.RBF(2.0)),
    "process, a width each": GaussianProcessClassifier(gp.RBF(np.linspace(1, 4, 6)), optimizer=None),
    "process, noise": GaussianProcessClassifier(gp.RBF(2.0) + gp.WhiteKernel(0.5), optimizer=None),
    "process, Matern 1/2": GaussianProcessClassifier(gp.Matern(3.0, nu=0.5), optimizer=None),
    "process, Matern 3/2": GaussianProcessClassifier(gp.Matern(3.0, nu=1.5), optimizer=None),
    "process, Matern 5/2": GaussianProcessClassifier(gp.Matern(np.linspace(1, 4, 6), nu=2.5), optimizer=None),
    "process, Matern inf": GaussianProcessClassifier(gp.Matern(3.0, nu=np.inf), optimizer=None),
    "process, rational": GaussianProcessClassifier(gp.RationalQuadratic(2.0, 0.7), optimizer=None),
    "process, periodic": GaussianProcessClassifier(gp.ExpSineSquared(3.0, 20.0), optimizer=None),
    "process, linear": GaussianProcessClassifier(0.1 * gp.DotProduct(2.0), optimizer=None),
    "process, powers": GaussianProcessClassifier(0.01 * gp.DotProduct(2.0) ** 2 + gp.RBF(2.0) * gp.Matern(2.0), optimizer=None),
    "scaled process": make_pipeline(StandardScaler(), GaussianProcessClassifier()),
}
SAYING = LINEAR | NETWORKS | PIPELINES | MACHINES | BAYES | STEPS | CALIBRATED
CLOSED = SAYING | PROCESSES


def batches(rng, n=60, event=(2, 2), conditions=2):
    """Real and fake samples of unequal counts and spreads, with conditions."""
    scale = np.geomspace(0.5, 3, int(np.prod(event))).reshape(event)
    condition = [rng.normal(size=(m, conditions)) for m in (n, 2 * n)]
    real = Batch(scale * rng.normal(size=(n, *event)) + 0.4 + condition[0].mean(axis=1).reshape(-1, 1, 1), condition[0])
    return real, Batch(scale * rng.normal(size=(2 * n, *event)), condition[1])


def fitted(estimator, calibrate="auto", seed=0):
    rng = np.random.default_rng(seed)
    discriminator = ClassifierDiscriminator(estimator, calibrate=calibrate)
    discriminator.update(*batches(rng), rng)
    return discriminator, batches(rng, 20)[1]


def central_differences(discriminator, batch):
    """dr_i/dx_i, shaped like x, one feature at a time."""
    gradient = np.empty(batch.x.shape)
    for feature in np.ndindex(batch.x.shape[1:]):
        step = np.zeros(batch.x.shape[1:])
        step[feature] = STEP
        up, down = (discriminator.score_samples(Batch(batch.x + sign * step, batch.condition)).values for sign in (1, -1))
        gradient[:, *feature] = (up - down) / (2 * STEP)
    return gradient


def away_from_kinks(discriminator, batch):
    """The samples whose hidden units, and clip, stay on one side of their kinks over all steps."""
    nearest = np.abs(np.abs(margins(discriminator, batch)) - discriminator.limit_)
    mlp = discriminator.estimator_
    if isinstance(mlp, MLPClassifier) and mlp.activation == "relu":
        a = np.concatenate((batch.x.reshape(batch.n, -1), batch.condition), axis=1)
        for W, b in zip(mlp.coefs_[:-1], mlp.intercepts_[:-1], strict=True):
            z = a @ W + b
            nearest, a = np.minimum(nearest, np.abs(z).min(axis=1)), np.maximum(z, 0)
    far = nearest > 1000 * STEP
    assert far.sum() > batch.n / 2
    return Batch(batch.x[far], batch.condition[far])


def margins(discriminator, batch):
    X = np.concatenate((batch.x.reshape(batch.n, -1), batch.condition), axis=1)
    return closed_form(discriminator.estimator_)(discriminator.estimator_, X)[0]


@pytest.mark.parametrize("calibrate", ["auto", "platt", "temperature"])
@pytest.mark.parametrize("name", CLOSED)
def test_the_gradient_agrees_with_finite_differences(name, calibrate):
    discriminator, batch = fitted(CLOSED[name], calibrate)
    batch = away_from_kinks(discriminator, batch)
    assert np.mean(np.abs(margins(discriminator, batch)) < discriminator.limit_) > 0.5
    scores, pullback = discriminator.vjp(batch)
    assert type(scores) is LogOdds
    np.testing.assert_array_equal(scores.values, discriminator.score_samples(batch).values)
    exact, expected = pullback(np.ones(batch.n)), central_differences(discriminator, batch)
    assert exact.shape == batch.x.shape
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(exact, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["scaled logistic", "network, tanh"])
def test_the_gradient_vanishes_where_the_evidence_is_clipped(name):
    discriminator, batch = fitted(CLOSED[name])
    direction = discriminator.vjp(batch)[1](np.ones(batch.n))
    far = batch.x + np.linspace(-40, 40, batch.n).reshape(-1, 1, 1) * np.sign(direction)
    batch = away_from_kinks(discriminator, Batch(far, batch.condition))
    clipped = np.abs(margins(discriminator, batch)) > discriminator.limit_
    assert 0 < clipped.sum() < batch.n
    scores, pullback = discriminator.vjp(batch)
    gradient = pullback(np.ones(batch.n))
    np.testing.assert_allclose(np.abs(scores.values[clipped] + discriminator.prior_), np.log(181))
    assert np.all(gradient[clipped] == 0)
    assert np.all(np.abs(gradient[~clipped]).max(axis=(1, 2)) > 0)
    np.testing.assert_allclose(gradient, central_differences(discriminator, batch), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", SAYING)
def test_margins_are_what_the_classifier_says(name):
    discriminator, batch = fitted(CLOSED[name])
    X = np.concatenate((batch.x.reshape(batch.n, -1), batch.condition), axis=1)
    if hasattr(discriminator.estimator_, "predict_proba"):
        assert discriminator.limit_ == np.log(181)
        np.testing.assert_allclose(
            expit(margins(discriminator, batch)), discriminator.estimator_.predict_proba(X)[:, 1], rtol=1e-12
        )
    else:
        assert discriminator.limit_ == np.inf
        np.testing.assert_allclose(margins(discriminator, batch), discriminator.estimator_.decision_function(X), rtol=1e-12)


def last_of(pipeline, X):
    """The last step of a pipeline, or the estimator itself, and what reaches it."""
    return (pipeline[-1], pipeline[:-1].transform(X)) if isinstance(pipeline, Pipeline) else (pipeline, X)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_margin_of_a_process_is_its_latent_mean(name):
    discriminator, batch = fitted(CLOSED[name])
    process, X = last_of(discriminator.estimator_, np.concatenate((batch.x.reshape(batch.n, -1), batch.condition), axis=1))
    mean, variance = process.latent_mean_and_variance(X)
    np.testing.assert_allclose(margins(discriminator, batch), mean, rtol=1e-8, atol=1e-10)
    p = process.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(np.sign(mean), np.sign(p - 0.5))
    assert np.all(np.abs(mean) >= np.abs(np.log(p / (1 - p))) - 1e-4)  # it is as if the variance were 0
    assert np.all(variance > 0)


@pytest.mark.parametrize("name", ["to a range, clipped", "to the unit, clipped"])
def test_clipped_features_have_no_slope(name):
    discriminator, batch = fitted(CLOSED[name])
    low = discriminator.estimator_[0].data_min_[0] if "range" in name else -discriminator.estimator_[0].max_abs_[0]
    batch.x[:, 0, 0] = low - np.arange(1, 1 + batch.n)
    gradient = discriminator.vjp(batch)[1](np.ones(batch.n))
    assert np.all(gradient[:, 0, 0] == 0)
    assert np.any(gradient != 0)
    np.testing.assert_allclose(gradient, central_differences(discriminator, batch), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["RBF", "polynomial", "process, powers"])
def test_blocks_change_nothing(name, monkeypatch):
    discriminator, batch = fitted(CLOSED[name])
    scores, pullback = discriminator.vjp(batch)
    gradient = pullback(np.ones(batch.n))
    for entries in (1, 1000):
        monkeypatch.setattr(kernels, "_BLOCK", entries)
        again, pull = discriminator.vjp(batch)
        np.testing.assert_allclose(again.values, scores.values, rtol=1e-10)
        np.testing.assert_allclose(pull(np.ones(batch.n)), gradient, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("features", [2, 30])
def test_distances_far_from_the_origin_keep_their_digits(features):
    rng = np.random.default_rng(0)
    X, Z = 1e6 + rng.normal(size=(7, features)), 1e6 + rng.normal(size=(5, features))
    expected = [[math.fsum((x - z) ** 2) for z in Z] for x in X]
    np.testing.assert_allclose(kernels.squared_distances(X, Z), expected, rtol=1e-12)
    assert np.all(kernels.squared_distances(X, X) >= 0)


def test_the_pullback_is_linear_in_the_slopes_of_the_loss():
    discriminator, batch = fitted(PIPELINES["scaled network"])
    slopes = np.random.default_rng(1).normal(size=batch.n)
    unit = discriminator.vjp(batch)[1](np.ones(batch.n))
    np.testing.assert_allclose(discriminator.vjp(batch)[1](slopes), slopes[:, None, None] * unit)


def test_the_gradient_is_zero_before_the_first_fit():
    batch = batches(np.random.default_rng(0))[1]
    discriminator = ClassifierDiscriminator(LogisticRegression())
    discriminator.start(batch, np.random.default_rng(0))
    scores, pullback = discriminator.vjp(batch)
    assert np.array_equal(scores.values, np.zeros(batch.n))
    assert np.array_equal(pullback(np.ones(batch.n)), np.zeros(batch.x.shape))


@pytest.mark.parametrize("name", ["scaled network", "logistic", "ridge", "network, relu"])
def test_batches_of_every_library_have_the_same_gradient(name, arrays_on):
    discriminator, batch = fitted(CLOSED[name])
    scores, pullback = discriminator.vjp(batch)
    slopes = np.linspace(-1, 1, batch.n)
    there, pull = discriminator.vjp(Batch(arrays_on.asarray(batch.x), arrays_on.asarray(batch.condition)))
    np.testing.assert_allclose(there.values, scores.values)
    np.testing.assert_allclose(pull(arrays_on.asarray(slopes)), pullback(slopes))


def test_single_precision_batches_are_differentiated_in_double():
    discriminator, batch = fitted(PIPELINES["scaled network"])
    single = Batch(batch.x.astype(np.float32), batch.condition.astype(np.float32))
    double = Batch(single.x.astype(float), single.condition.astype(float))
    (scores, pullback), (expected, pull) = discriminator.vjp(single), discriminator.vjp(double)
    np.testing.assert_array_equal(scores.values, expected.values)
    np.testing.assert_array_equal(pullback(np.ones(batch.n)), pull(np.ones(batch.n)))


# --------------------------------------------------------------------------------------- a capability that is honest
class Loud(LogisticRegression):
    """A subclass with other outputs than its parent."""

    def predict_proba(self, X):
        p = super().predict_proba(X) ** 2
        return p / p.sum(axis=1, keepdims=True)


class OtherNetwork(MLPClassifier):
    """A subclass without changes."""


OPEN = {
    "forest": RandomForestClassifier(10),
    "kernel SVM of one's own": SVC(kernel=lambda X, Z: X @ Z.T),
    "subclass": Loud(),
    "subclass of a network": OtherNetwork((3,), solver="lbfgs", alpha=3.0, max_iter=20_000),
    "modified Huber": SGDClassifier(loss="modified_huber"),
    "binary Bayes": BernoulliNB(),
    "other steps": make_pipeline(QuantileTransformer(n_quantiles=10), LogisticRegression()),
    "process, Matern 1": GaussianProcessClassifier(gp.Matern(nu=1.0), optimizer=None),
    "process, pairs": GaussianProcessClassifier(1.0 * gp.PairwiseKernel(0.1, metric="rbf") + gp.RBF(), optimizer=None),
    "calibrated process": CalibratedClassifierCV(make_pipeline(StandardScaler(), GaussianProcessClassifier()), cv=2),
    "open last step": make_pipeline(StandardScaler(), RandomForestClassifier(10)),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}),
    "isotonic": CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_offer_vjp(name):
    discriminator = ClassifierDiscriminator(CLOSED[name])
    assert hasattr(discriminator, "vjp")
    assert hasattr(clone(discriminator), "vjp")


@pytest.mark.parametrize("name", OPEN)
def test_other_classifiers_offer_no_vjp(name):
    discriminator, batch = fitted(OPEN[name])
    assert not hasattr(discriminator, "vjp")
    assert not hasattr(ClassifierDiscriminator(OPEN[name]), "vjp")
    assert np.all(np.isfinite(discriminator.score_samples(batch).values))
    with pytest.raises(AttributeError, match="no closed-form gradient"):
        _ = discriminator.vjp


def test_the_iterated_probabilities_of_a_machine_have_no_closed_form():
    assert not hasattr(ClassifierDiscriminator(SVC(probability=True)), "vjp")
    assert hasattr(ClassifierDiscriminator(SVC(probability=False)), "vjp")


def test_subclasses_keep_their_own_outputs():
    loud, batch = fitted(Loud())
    plain, _ = fitted(LogisticRegression())
    expected = np.clip(2 * margins(plain, batch), -loud.limit_, loud.limit_)
    np.testing.assert_allclose(loud.score_samples(batch).values + loud.prior_, expected)


def test_every_activation_of_the_library_is_known():
    for activation in MLPClassifier._parameter_constraints["activation"][0].options:
        discriminator, batch = fitted(network(activation))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.all(np.isfinite(discriminator.vjp(batch)[1](np.ones(batch.n))))
