"""Any classifier as a discriminator: finite evidence, rows held out, copies and seeds, and every kind of classifier."""

from __future__ import annotations

import pickle
import warnings
from inspect import signature

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.discriminators.classifiers.calibration import folds
from turinglearn.protocols import Batch, LogOdds, PlayerError, Scores


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(n1, n0, generator, d=1, shift=1.0):
    """p = N(shift/2, I), q = N(-shift/2, I) in the first feature: the log-odds are shift * x_0."""
    p, q = generator.normal(size=(n1, d)), generator.normal(size=(n0, d))
    p[:, 0] += shift / 2
    q[:, 0] -= shift / 2
    return Batch(p), Batch(q)


def fitted(estimator, n1=60, n0=60, seed=0, d=2, **options):
    discriminator = ClassifierDiscriminator(estimator, **options)
    discriminator.update(*pair(n1, n0, rng(seed), d), rng(seed + 1))
    return discriminator


def fresh(n=200, d=2, seed=99):
    return Batch(np.concatenate([batch.x for batch in pair(n // 2, n // 2, rng(seed), d)]))


class Custom:
    """A user's classifier, independent of scikit-learn; it is right about the first feature."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = expit(X[:, 0])
        return np.stack((1 - p, p), axis=1)


# ---------------------------------------------------------------------------------------------- finite, and informative
def test_columns_and_signs_follow_classes():
    class Swapped(Custom):
        def fit(self, X, y):
            self.classes_ = [1, 0]
            return self

        def predict_proba(self, X):
            return super().predict_proba(X)[:, ::-1]

    class SwappedDecision(Swapped):
        predict_proba = property()

        def decision_function(self, X):
            return -X[:, 0]

    x = fresh().x
    np.testing.assert_allclose(
        fitted(Swapped()).score_samples(Batch(x)).values, fitted(Custom()).score_samples(Batch(x)).values
    )
    np.testing.assert_array_equal(fitted(SwappedDecision(), calibrate="none").score_samples(Batch(x)).values, x[:, 0])
    for calibrate in ("platt", "isotonic", "temperature"):
        assert np.corrcoef(fitted(SwappedDecision(), calibrate=calibrate).score_samples(Batch(x)).values, x[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("calibrate", ["none", "platt", "isotonic", "temperature"])
@pytest.mark.parametrize("name", ["tree", "1-NN", "extra trees"])
def test_probabilities_of_0_and_1_become_finite_log_odds(name, calibrate):
    estimator = {
        "tree": DecisionTreeClassifier(),
        "1-NN": KNeighborsClassifier(1),
        "extra trees": ExtraTreesClassifier(3),
    }[name]
    discriminator = fitted(estimator, 50, 100, calibrate=calibrate)
    n = 150
    assert discriminator.limit_ == np.log(n + 1)
    for batch in (fresh(), Batch(np.full((3, 2), 1e6)), pair(50, 100, rng(), 2)[0]):
        r = discriminator.score_samples(batch).values
        assert r.shape == (batch.n,)
        assert np.all(np.isfinite(r))
    r = discriminator.score_samples(fresh(2000)).values
    assert np.corrcoef(r, fresh(2000).x[:, 0])[0, 1] > 0.2
    if calibrate == "none":
        assert expit(r.max() + discriminator.prior_) == pytest.approx((n + 1) / (n + 2))


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(50),
        ExtraTreesClassifier(50),
        HistGradientBoostingClassifier(max_iter=30),
        GradientBoostingClassifier(n_estimators=30),
        KNeighborsClassifier(1),
        SVC(),
        OutputCodeClassifier(LogisticRegression(), code_size=3),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_evidence_on_fresh_samples_points_the_right_way(estimator):
    discriminator = fitted(estimator, 300, 300)
    batch = fresh(2000)
    assert np.corrcoef(discriminator.score_samples(batch).values, batch.x[:, 0])[0, 1] > 0.15


def test_calibration_moderates_a_classifier_that_interpolates():
    batch = fresh(4000)
    truth = batch.x[:, 0]
    raw, calibrated = (
        fitted(ExtraTreesClassifier(20), 300, 300, calibrate=calibrate).score_samples(batch).values
        for calibrate in ("none", "platt")
    )
    assert np.mean((calibrated - truth) ** 2) < np.mean((raw - truth) ** 2)


class Spy(BaseEstimator, ClassifierMixin):
    """A classifier that records the rows that it was fitted to and that it scored."""

    seen: list = []  # noqa: RUF012 - of the class, since fits happen on copies

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Spy.seen.append(("fit", X, y))
        return self

    def decision_function(self, X):
        Spy.seen.append(("scored", X, None))
        return X[:, 0]


class ProbabilisticSpy(Spy):
    """The same, with probabilities."""

    def predict_proba(self, X):
        p = expit(self.decision_function(X))
        return np.stack((1 - p, p), axis=1)


@pytest.mark.parametrize("calibrate", ["platt", "isotonic", "temperature"])
@pytest.mark.parametrize("spy", [Spy, ProbabilisticSpy])
def test_every_margin_comes_from_a_fit_without_its_row(spy, calibrate):
    Spy.seen.clear()
    real, fake = pair(60, 30, rng(), d=3)
    ClassifierDiscriminator(spy(), calibrate=calibrate).update(real, fake, rng(1))
    rows = {tuple(row): is_real for batch, is_real in ((real, 1), (fake, 0)) for row in batch.x}
    *crossed, (kind, X, _) = Spy.seen
    assert kind == "fit"  # the one that gives evidence, on all rows
    assert {tuple(row) for row in X} == set(rows)
    asked = []
    for (fit, kept, labels), (ask, out, _) in zip(crossed[::2], crossed[1::2], strict=True):
        assert (fit, ask) == ("fit", "scored")
        assert [rows[tuple(row)] for row in kept] == list(labels)
        assert np.any(np.diff(labels) > 0)  # shuffled: real first would fall only
        assert {tuple(row) for row in kept} | {tuple(row) for row in out} == set(rows)
        assert len(kept) + len(out) == 90
        assert sum(rows[tuple(row)] for row in out) == 20
        asked += [tuple(row) for row in out]
    assert len(asked) == len(set(asked)) == 90


def test_without_calibration_there_is_one_fit_to_all_rows():
    Spy.seen.clear()
    ClassifierDiscriminator(ProbabilisticSpy()).update(*pair(60, 30, rng(), d=3), rng(1))
    ((kind, X, y),) = Spy.seen
    assert (kind, len(X), y.sum()) == ("fit", 90, 60)
    assert np.any(np.diff(y) > 0)


def test_the_map_is_that_of_scikit_learns_cross_fitting():
    """`CalibratedClassifierCV(ensemble=False)` on the same folds: Platt's regression on the margins that are out of fold."""
    stream, (real, fake) = np.random.default_rng(3), pair(150, 150, rng(), d=2)
    discriminator = ClassifierDiscriminator(LinearSVC(), calibrate="platt")
    discriminator.update(real, fake, stream)
    stream = np.random.default_rng(3)
    order = stream.permutation(300)
    X, y = np.concatenate((real.x, fake.x))[order], (np.arange(300) < 150)[order]
    splits = [(np.flatnonzero(~out), np.flatnonzero(out)) for out in folds(y, stream)]
    for random_state in (0, 1):
        sure = CalibratedClassifierCV(LinearSVC(random_state=random_state), cv=splits, ensemble=False).fit(X, y)
        p = sure.predict_proba(fresh().x)[:, 1]
        np.testing.assert_allclose(discriminator.score_samples(fresh()).values, logit(p), atol=2e-3)


# --------------------------------------------------------------------------------------- copies, seeds and the start
def test_the_estimator_that_was_passed_in_is_never_modified():
    forest = RandomForestClassifier(3, random_state=5)
    pipeline = make_pipeline(StandardScaler(), BaggingClassifier(DecisionTreeClassifier(random_state=1), 3))
    for estimator in (forest, pipeline, Custom()):
        before = pickle.dumps(estimator)
        discriminator = fitted(estimator)
        discriminator.score_samples(fresh())
        assert pickle.dumps(estimator) == before
        assert discriminator.estimator is estimator
        assert discriminator.estimator_ is not estimator


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(), BaggingClassifier(DecisionTreeClassifier(max_features=1, random_state=0), 3)),
        Perceptron(),
    ],
    ids=["forest", "nested", "perceptron"],
)
def test_the_fit_depends_on_the_stream_only(estimator):
    real, fake = pair(50, 70, rng(), d=3)
    batch, outputs = fresh(d=3), []
    for seed in (1, 1, 2):
        np.random.seed(seed + len(outputs))  # noqa: NPY002 - the global state must not matter
        discriminator = ClassifierDiscriminator(estimator)
        discriminator.update(real, fake, rng(seed))
        outputs.append(discriminator.score_samples(batch).values)
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2])


def test_every_random_state_is_drawn_again_for_each_fit():
    bagging = BaggingClassifier(DecisionTreeClassifier(random_state=1), 3, random_state=1)
    discriminator = ClassifierDiscriminator(make_pipeline(StandardScaler(), bagging))
    stream, drawn = rng(), []
    for _ in range(2):
        discriminator.update(*pair(20, 20, rng()), stream)
        params = discriminator.estimator_.get_params()
        drawn += [params["baggingclassifier__random_state"], params["baggingclassifier__estimator__random_state"]]
    assert len(set(drawn)) == 4


def test_a_classifier_without_parameters_gets_its_random_state_too():
    class Seeded(Custom):
        random_state = None

    states = [fitted(Seeded(), seed=seed).estimator_.random_state for seed in (3, 3, 4)]
    assert states[0] == states[1] != states[2]


def test_before_the_first_fit_the_evidence_is_zero():
    for estimator in (RandomForestClassifier(), LinearSVC(), OutputCodeClassifier(LogisticRegression())):
        discriminator = ClassifierDiscriminator(estimator)
        with pytest.raises(PlayerError, match=r"before start and before its first update.*call start"):
            discriminator.score_samples(fresh())
        discriminator.start(Batch(np.empty((0, 2))), rng())
        scores = discriminator.score_samples(fresh())
        assert type(scores) is discriminator.score_type
        assert np.array_equal(scores.values, np.zeros(200))
        discriminator.update(*pair(40, 40, rng(), 2), rng())
        assert np.any(discriminator.score_samples(fresh()).values != 0)
        discriminator.start(fresh(), rng())
        assert not np.any(discriminator.score_samples(fresh()).values)


def test_clones_and_parameters_follow_scikit_learn():
    discriminator = ClassifierDiscriminator(RandomForestClassifier(3), calibrate="isotonic")
    copy = clone(discriminator).set_params(estimator__n_estimators=7)
    assert copy.calibrate == "isotonic"
    assert copy.estimator.n_estimators == 7
    assert discriminator.estimator.n_estimators == 3
    assert "RandomForestClassifier(n_estimators=3)" in repr(discriminator)
    assert discriminator.refits


@pytest.mark.parametrize(
    ("estimator", "calibrate", "score_type"),
    [
        (RandomForestClassifier(), "auto", LogOdds),
        (LinearSVC(), "auto", LogOdds),
        (LinearSVC(), "none", Scores),
        (make_pipeline(StandardScaler(), LinearSVC()), "auto", LogOdds),
        (GridSearchCV(Perceptron(), {"penalty": [None]}), "auto", LogOdds),
        (SVC(), "auto", LogOdds),
        (SVC(), "isotonic", LogOdds),
        (OutputCodeClassifier(LogisticRegression()), "auto", Scores),
        (OutputCodeClassifier(LogisticRegression()), "none", Scores),
        (OutputCodeClassifier(LogisticRegression()), "platt", LogOdds),
        (VotingClassifier([("a", GaussianNB())]), "auto", Scores),
        (VotingClassifier([("a", GaussianNB())], voting="soft"), "auto", LogOdds),
        (Custom(), "auto", LogOdds),
        (Custom(), "none", LogOdds),
    ],
)
def test_the_score_type_depends_on_the_methods_of_the_classifier(estimator, calibrate, score_type):
    discriminator = ClassifierDiscriminator(estimator, calibrate=calibrate)
    assert discriminator.score_type is score_type
    discriminator.update(*pair(40, 50, rng(), 2), rng())
    scores = discriminator.score_samples(fresh())
    assert type(scores) is discriminator.score_type is score_type
    if score_type is Scores:
        votes = not hasattr(estimator, "decision_function")
        expected = (
            np.where(discriminator.estimator_.predict(fresh().x) == 1, 1, -1)
            if votes
            else discriminator.estimator_.decision_function(fresh().x)
        )
        np.testing.assert_allclose(scores.values, expected)


def test_conditions_are_columns_and_events_are_flattened():
    real, fake = (Batch(rng(i).normal(size=(40, 2, 2)) + i, rng(i).normal(size=(40, 3))) for i in range(2))
    discriminator = ClassifierDiscriminator(RandomForestClassifier(3))
    discriminator.update(real, fake, rng())
    assert discriminator.estimator_.n_features_in_ == 7
    assert discriminator.score_samples(real).values.shape == (40,)


def test_batches_of_every_library_get_the_same_evidence(arrays_on):
    real, fake = (Batch(rng(i).normal(size=(40, 2)) + i, rng(i).normal(size=(40, 1))) for i in range(2))
    there = [Batch(arrays_on.asarray(b.x), arrays_on.asarray(b.condition)) for b in (real, fake)]
    here, discriminator = (ClassifierDiscriminator(RandomForestClassifier(5)) for _ in range(2))
    here.update(real, fake, rng())
    discriminator.update(*there, rng())
    np.testing.assert_array_equal(discriminator.score_samples(there[0]).values, here.score_samples(real).values)


CLASSIFIERS = dict(all_estimators(type_filter="classifier"))
SEVERAL_OUTPUTS = {"ClassifierChain", "MultiOutputClassifier"}


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - SEVERAL_OUTPUTS))
def test_every_classifier_of_scikit_learn_plays(name):
    kind, inner = CLASSIFIERS[name], GaussianNB()
    real, fake = (Batch(np.abs(batch.x)) for batch in pair(40, 60, rng(), 3, shift=2.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence, deprecation
        if name in ("StackingClassifier", "VotingClassifier"):
            estimator = kind([("a", inner)])
        else:
            estimator = kind(inner) if "estimator" in signature(kind).parameters else kind()
        discriminator = ClassifierDiscriminator(estimator)
        discriminator.update(real, fake, rng())
        scores = discriminator.score_samples(fake)
    assert type(scores) is discriminator.score_type
    assert scores.values.shape == (60,)
    assert np.all(np.isfinite(scores.values))
