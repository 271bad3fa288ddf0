"""The level of a classifier's log-odds: that of the densities, whatever the counts, weights and priors of the fit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.discriminators.classifiers.class_weights import log_class_prior_ratio
from turinglearn.protocols import Batch


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(n1, n0, generator):
    """p = N(1/2, 1), q = N(-1/2, 1): the log-odds are x."""
    return Batch(generator.normal(0.5, 1, (n1, 1))), Batch(generator.normal(-0.5, 1, (n0, 1)))


def fitted(estimator, n1=60, n0=60, **options):
    discriminator = ClassifierDiscriminator(estimator, **options)
    discriminator.update(*pair(n1, n0, rng()), rng(1))
    return discriminator


def plain(**options):
    return LogisticRegression(C=np.inf, **options)


def stack(inner, final):
    return StackingClassifier([("inner", inner)], final, cv=2, stack_method="decision_function")


LEVELS = {
    "counts": plain(),
    "balanced": plain(class_weight="balanced"),
    "weights": plain(class_weight={0: 1.0, 1: 7.0}),
    "one weight": plain(class_weight={1: 0.2}),
    "pipeline": make_pipeline(StandardScaler(), plain(class_weight="balanced")),
    "soft vote": VotingClassifier([("a", plain()), ("b", GaussianNB())], voting="soft"),
    "weights that only select": make_pipeline(SelectFromModel(plain(class_weight="balanced")), plain()),
    "bagging": BaggingClassifier(plain(class_weight={1: 3.0}), 5),
    "one against the rest": OneVsRestClassifier(plain(class_weight="balanced")),
    "search": GridSearchCV(plain(), {"class_weight": ["balanced"]}, cv=2),
    "inner weights, calibrated": CalibratedClassifierCV(plain(class_weight="balanced"), ensemble=False, cv=2),
    "inner weights, stacked": stack(plain(class_weight="balanced"), plain()),
    "stacked weights": stack(plain(), plain(class_weight={1: 4.0})),
    "naive Bayes": GaussianNB(),
    "priors": GaussianNB(priors=[0.9, 0.1]),
    "discriminant, priors": LinearDiscriminantAnalysis(priors=[0.5, 0.5]),
    "centroids, uniform priors": NearestCentroid(priors="uniform"),
    "linear SVM": LinearSVC(),
    "linear SVM, balanced": LinearSVC(class_weight="balanced"),
    "linear SVM, weights and probabilities": SVC(kernel="linear", probability=True, class_weight={1: 5.0}),
}


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")
@pytest.mark.parametrize("calibrate", ["auto", "platt"])
@pytest.mark.parametrize("name", LEVELS)
def test_the_level_is_that_of_the_densities_whatever_the_counts(name, calibrate):
    middle, errors = Batch(np.zeros((1, 1))), []
    for seed in range(15):
        discriminator = ClassifierDiscriminator(LEVELS[name], calibrate=calibrate)
        discriminator.update(*pair(100, 400, rng(seed)), rng(seed))
        errors.append(discriminator.score_samples(middle).values[0])
    assert discriminator.prior_ == 0 or calibrate == "auto"
    standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert standard_error < np.log(4) / 20  # a forgotten or a doubled correction would be twenty of these
    assert abs(np.mean(errors)) < 4 * standard_error


@pytest.mark.parametrize("calibrate", ["isotonic", "temperature"])
@pytest.mark.parametrize("name", ["counts", "balanced", "weights", "bagging", "priors"])
def test_the_other_calibrations_keep_the_level_too(name, calibrate):
    """On average over points on both sides of the middle: one step of an isotonic map is noisy."""
    grid, errors = Batch(np.linspace(-1, 1, 21)[:, None]), []
    for seed in range(15):
        discriminator = ClassifierDiscriminator(LEVELS[name], calibrate=calibrate)
        discriminator.update(*pair(100, 400, rng(seed)), rng(seed))
        errors.append(discriminator.score_samples(grid).values.mean())
    standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert standard_error < np.log(4) / 20
    assert abs(np.mean(errors)) < 4 * standard_error


@pytest.mark.parametrize("forest", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("weight", [None, "balanced", "balanced_subsample", {0: 1, 1: 4}])
def test_forests_of_unequal_counts_are_near_the_level(forest, weight):
    grid, levels = Batch(np.linspace(-1, 1, 21)[:, None]), []
    for seed in range(4):
        discriminator = ClassifierDiscriminator(forest(20, min_samples_leaf=20, bootstrap=True, class_weight=weight))
        discriminator.update(*pair(100, 400, rng(seed)), rng(seed))
        levels.append(discriminator.score_samples(grid).values.mean())
    assert abs(np.mean(levels)) < 0.5 < np.log(4)  # leaves of 20 smooth, which biases, but far less than the counts would


class Rebalanced(LogisticRegression):
    """A stand-in for libraries that rebalance by a parameter of their own."""

    def __init__(self, sampling_strategy=None, scale_pos_weight=None):
        super().__init__()
        self.sampling_strategy = sampling_strategy
        self.scale_pos_weight = scale_pos_weight

    def fit_resample(self, X, y):
        return X, y


def test_parameters_that_rebalance_need_calibration():
    for settings in ({"sampling_strategy": "auto"}, {"scale_pos_weight": 4.0}):
        with pytest.raises(ValueError, match=r"rebalances the classes in its own way.*calibrate='platt'"):
            fitted(Rebalanced(**settings), n0=120)
        fitted(Rebalanced(**settings), n0=120, calibrate="platt")
    for settings in ({}, {"scale_pos_weight": 1}):
        assert fitted(Rebalanced(**settings), n0=120).prior_ == pytest.approx(-np.log(2))


def test_parameters_that_equalise_the_classes_leave_equal_classes_unchanged():
    assert fitted(Rebalanced(sampling_strategy="auto")).prior_ == 0
    assert log_class_prior_ratio(Rebalanced(scale_pos_weight=True), (20, 20)) == 0
    with pytest.raises(ValueError, match=r"Rebalanced\(scale_pos_weight=4.0\) rebalances"):
        fitted(Rebalanced(scale_pos_weight=4.0))


def test_resampling_steps_of_a_pipeline_need_calibration():
    sampled = make_pipeline(StandardScaler(), LogisticRegression())
    sampled.steps.insert(1, ("sample", Rebalanced("auto")))
    with pytest.raises(ValueError, match="Rebalanced\\(sampling_strategy='auto'\\)"):
        log_class_prior_ratio(sampled, (10, 20))


def test_members_that_disagree_need_calibration():
    vote = VotingClassifier([("a", plain()), ("b", plain(class_weight="balanced"))], voting="soft")
    with pytest.raises(ValueError, match=r"weight the classes differently.*calibrate='platt'"):
        fitted(vote, 30, 60)
    fitted(vote, 30, 60, calibrate="platt")
    fitted(vote, 60, 60)  # they agree


def test_a_class_without_weight_is_refused():
    with pytest.raises(ValueError, match="positive class weights"):
        fitted(RandomForestClassifier(3, class_weight={1: 0.0}))


def test_known_priors_replace_the_counts():
    assert log_class_prior_ratio(GaussianNB(priors=[0.2, 0.8]), (10, 30)) == pytest.approx(np.log(4))
    assert log_class_prior_ratio(BernoulliNB(class_prior=[0.5, 0.5]), (10, 30)) == 0
    assert log_class_prior_ratio(BernoulliNB(fit_prior=False), (10, 30)) == 0
    assert log_class_prior_ratio(BernoulliNB(), (10, 30)) == pytest.approx(np.log(3))
    assert log_class_prior_ratio(ComplementNB(), (10, 30)) == 0
    assert log_class_prior_ratio(object(), (10, 30)) == pytest.approx(np.log(3))


def test_complement_naive_bayes_ignores_the_counts():
    """Rows repeated three times change its log-odds by no more than its smoothing does."""
    counts = rng().poisson([[5.0, 5.0]], (400, 2))
    y = np.arange(400) < 200
    counts[y, 0] += rng(1).poisson(3.0, 200)
    even = ComplementNB().fit(counts, y)
    uneven = ComplementNB().fit(np.concatenate((counts, *[counts[y]] * 2)), np.concatenate((y, *[y[y]] * 2)))
    np.testing.assert_allclose(even.predict_proba(counts), uneven.predict_proba(counts), atol=1e-3)
