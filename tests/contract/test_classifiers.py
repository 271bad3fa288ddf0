"""Every classifier as a discriminator.

All of scikit-learn's play or are refused with a remedy, and whoever else keeps the contract.
"""

from __future__ import annotations

import warnings
from itertools import islice

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelPropagation, SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from turinglearn import Game
from turinglearn.discriminators import ClassifierDiscriminator, as_discriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.protocols import Batch, LogOdds, PlayerError, Scores

SEVERAL_OUTPUTS = {"ClassifierChain", "MultiOutputClassifier"}
MADE_OF = {
    "FixedThresholdClassifier": lambda kind: kind(GaussianNB()),
    "OneVsOneClassifier": lambda kind: kind(LinearSVC()),
    "OneVsRestClassifier": lambda kind: kind(LogisticRegression()),
    "OutputCodeClassifier": lambda kind: kind(GaussianNB()),
    "SelfTrainingClassifier": lambda kind: kind(GaussianNB()),
    "StackingClassifier": lambda kind: kind([("a", GaussianNB()), ("b", BernoulliNB())], cv=2),
    "TunedThresholdClassifierCV": lambda kind: kind(GaussianNB(), cv=2),
    "VotingClassifier": lambda kind: kind([("a", GaussianNB()), ("b", BernoulliNB())]),
}
SMALLER = {"n_estimators": 5, "max_iter": 20}  # where there are such options
X = np.random.default_rng(0).normal([3, -1], [1, 2], (120, 2))


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(n=60, shift=2.0, d=2):
    """Real samples to the right of fakes, both with numbers of either sign."""
    p, q = rng(1).normal(size=(n, d)), rng(2).normal(size=(n, d))
    p[:, 0] += shift / 2
    q[:, 0] -= shift / 2
    return Batch(p), Batch(q)


def played(discriminator, rounds=2):
    """A game's last figures, and its discriminator."""
    game = Game(NeuralGenerator(2, (8,)), discriminator, batch_size=40, samples_per_fit=40, random_state=0)
    return [r.figures() for r in islice(game.rounds(X), rounds)][-1], game


def made(name, kind):
    if name in MADE_OF:
        return MADE_OF[name](kind)
    estimator = kind()
    known = estimator.get_params()
    return estimator.set_params(**{k: v for k, v in SMALLER.items() if k in known and name != "SVC" and name != "NuSVC"})


CLASSIFIERS = dict(all_estimators(type_filter="classifier"))


@pytest.mark.filterwarnings("ignore")  # of the classifiers themselves: convergence, deprecation
@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - SEVERAL_OUTPUTS))
def test_every_classifier_of_scikit_learn_plays(name):
    estimator = made(name, CLASSIFIERS[name])
    figures, game = played(estimator)
    discriminator = game.discriminator
    assert np.isfinite(figures["generator_loss"])
    assert discriminator.score_type is (Scores if name in ("OutputCodeClassifier", "VotingClassifier") else LogOdds)
    for far in (1e3, -1e3):
        assert np.all(np.isfinite(discriminator.score_samples(Batch(np.full((3, 2), far))).values))


@pytest.mark.parametrize("kind", [ClassifierChain, MultiOutputClassifier])
def test_classifiers_of_several_outputs_are_refused(kind):
    with pytest.raises(TypeError, match=rf"{kind.__name__} predicts several outputs.*Give .* made of: GaussianNB\(\)"):
        as_discriminator(kind(GaussianNB()))


def test_a_meta_estimator_without_its_classifier_is_refused():
    with pytest.raises(TypeError, match=r"made of other classifiers.*Write SelfTrainingClassifier\(LogisticRegression\(\)\)"):
        as_discriminator(SelfTrainingClassifier())


@pytest.mark.parametrize("estimator", [SVC(kernel="precomputed"), KNeighborsClassifier(metric="precomputed")])
def test_kernels_and_distances_between_samples_are_refused(estimator):
    with pytest.raises(
        TypeError, match=r"precomputed\), but a discriminator is shown samples\. Choose a kernel or metric by name"
    ):
        as_discriminator(estimator)


# ------------------------------------------------------------------------------------------------- requirements on the input
@pytest.mark.parametrize("estimator", [CategoricalNB(), ComplementNB(), MultinomialNB()])
def test_classifiers_of_counts_and_categories_get_visible_bins(estimator):
    discriminator = as_discriminator(estimator)
    assert "KBinsDiscretizer(" in repr(discriminator)
    assert type(estimator).__name__ in repr(discriminator)
    real, fake = pair(300)
    discriminator.update(real, fake, rng())
    r = discriminator.score_samples(Batch(np.array([[1.5, 0.0], [-1.5, 0.0], [1e6, 0.0], [-1e6, 0.0]]))).values
    assert np.all(np.isfinite(r))
    assert r[0] > 1
    assert r[1] < -1
    assert r[2] > 0 > r[3]  # beyond the range it is as at its end


def test_other_classifiers_without_negative_numbers_get_a_scaler():
    class Positive(GaussianNB):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.positive_only = True
            return tags

        def fit(self, X, y):
            assert X.min() >= 0
            assert X.max() <= 1
            return super().fit(X, y)

    discriminator = as_discriminator(Positive())
    assert isinstance(discriminator.estimator, Pipeline)
    assert "MinMaxScaler(clip=True)" in repr(discriminator)
    discriminator.update(*pair(), rng())


def test_explicit_discriminators_get_their_numbers_unchanged():
    discriminator = ClassifierDiscriminator(MultinomialNB())
    counts = [Batch(rng(i).poisson(4 + i, (40, 3)).astype(float)) for i in range(2)]
    discriminator.update(*counts, rng())
    assert isinstance(discriminator.estimator_, MultinomialNB)


@pytest.mark.parametrize(
    "estimator", [MultinomialNB(), GridSearchCV(MultinomialNB(), {"alpha": [1.0]}, cv=2, error_score="raise")]
)
def test_negative_numbers_are_named_with_the_remedy(estimator):
    with pytest.raises(PlayerError, match=r"MultinomialNB takes no negative numbers: .*MinMaxScaler\(clip=True\)"):
        ClassifierDiscriminator(estimator).update(*pair(), rng())


def test_samples_without_neighbours_are_visibly_labelled_fake():
    classifier = RadiusNeighborsClassifier(0.7)
    discriminator = as_discriminator(classifier)
    assert "outlier_label=0" in repr(discriminator)
    assert classifier.outlier_label is None
    discriminator.update(*pair(), rng())
    r = discriminator.score_samples(Batch(np.array([[1.0, 0.0], [99.0, 0.0]]))).values
    assert r[0] > 0
    assert r[1] == pytest.approx(-np.log(121))
    assert as_discriminator(RadiusNeighborsClassifier(outlier_label=1)).estimator.outlier_label == 1


def test_where_no_label_spreads_to_the_evidence_is_zero():
    discriminator = as_discriminator(LabelPropagation())
    discriminator.update(*pair(300), rng())
    r = discriminator.score_samples(Batch(np.array([[1.5, 0.0], [-1.5, 0.0], [99.0, 0.0]]))).values
    assert r[0] > 0 > r[1]
    assert r[2] == 0


def test_a_radius_without_neighbours_is_named_with_the_remedy():
    discriminator = ClassifierDiscriminator(make_pipeline(StandardScaler(), RadiusNeighborsClassifier(0.1)))
    discriminator.update(*pair(), rng())
    with pytest.raises(
        PlayerError, match=r"RadiusNeighborsClassifier has no answer .*RadiusNeighborsClassifier\(outlier_label=0\)"
    ):
        discriminator.score_samples(Batch(np.full((3, 2), 99.0)))


def test_nan_is_named_with_the_remedy_where_the_classifier_takes_none():
    real, fake = pair()
    real.x[3, 1] = np.nan
    with pytest.raises(PlayerError, match=r"1 of its numbers were NaN\. Choose a classifier that takes them.*SimpleImputer"):
        ClassifierDiscriminator(LogisticRegression()).update(real, fake, rng())
    discriminator = ClassifierDiscriminator(make_pipeline(SimpleImputer(), LogisticRegression()))
    discriminator.update(real, fake, rng())
    assert np.all(np.isfinite(discriminator.score_samples(real).values))


def test_a_member_that_sees_one_class_is_named():
    with pytest.raises(PlayerError, match=r"CalibratedClassifierCV raised ValueError when asked to fit 8 rows of 2 features"):
        ClassifierDiscriminator(CalibratedClassifierCV(cv=5)).update(*pair(4), rng())
    discriminator = ClassifierDiscriminator(
        BaggingClassifier(DecisionTreeClassifier(), 20, max_samples=2)
    )  # some of its members see one class
    discriminator.update(*pair(4), rng())
    assert np.all(np.isfinite(discriminator.score_samples(pair(4)[0]).values))


# ----------------------------------------------------------------------------------------------- a user's class
class Own:
    """A user's classifier, which uses the first feature."""

    classes = [0, 1]  # noqa: RUF012

    def __init__(self, shape):
        self.shape = shape

    def fit(self, X, y):
        self.classes_ = self.classes
        return self


class OwnProbabilities(Own):
    def predict_proba(self, X):
        p = expit(X[:, 0])
        return self.shape(np.stack((1 - p, p), axis=1))


class OwnDecisions(Own):
    def decision_function(self, X):
        return self.shape(X[:, 0])


class OwnVotes(Own):
    def predict(self, X):
        return self.shape(X[:, 0] > 0)


def frame(values):
    pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    return pd.DataFrame(values) if np.ndim(values) == 2 else pd.Series(values)


@pytest.mark.parametrize(
    "shape", [np.ndarray.tolist, lambda v: tuple(map(tuple, v.tolist())), frame], ids=["list", "tuple", "frame"]
)
def test_probabilities_may_come_as_lists_and_tables(shape):
    x = pair()[0]
    discriminator = ClassifierDiscriminator(OwnProbabilities(shape))
    discriminator.update(*pair(), rng())
    np.testing.assert_allclose(discriminator.score_samples(x).values, x.x[:, 0])


@pytest.mark.parametrize("shape", [np.ndarray.tolist, frame, np.round, lambda v: np.round(9 * v).astype(int)])
def test_decisions_may_come_as_lists_and_integers(shape):
    discriminator = ClassifierDiscriminator(OwnDecisions(shape))
    discriminator.update(*pair(300), rng())
    assert np.corrcoef(discriminator.score_samples(pair()[0]).values, pair()[0].x[:, 0])[0, 1] > 0.9


VOTES = {
    "list": lambda v: [int(i) for i in v],
    "true and false": lambda v: v,
    "floats": lambda v: v.astype(float),
    "text": lambda v: np.where(v, "1", "0"),
    "list of text": lambda v: ["1" if i else "0" for i in v],
    "text of floats": lambda v: v.astype(float).astype(str),
    "objects": lambda v: np.array(["True" if i else 0 for i in v], dtype=object),
}


@pytest.mark.parametrize("name", VOTES)
def test_votes_may_come_as_text(name):
    discriminator = ClassifierDiscriminator(OwnVotes(VOTES[name]))
    discriminator.update(*pair(), rng())
    x = pair()[1]
    np.testing.assert_array_equal(discriminator.score_samples(x).values, np.where(x.x[:, 0] > 0, 1.0, -1.0))


@pytest.mark.parametrize("classes", [["0", "1"], [1.0, 0.0], np.array(["1.0", "0.0"]), (True, False)], ids=str)
def test_classes_may_be_text_in_either_order(classes):
    class Labelled(OwnProbabilities):
        def predict_proba(self, X):
            answer = super().predict_proba(X)
            return answer if str(classes[1]) in ("1", "1.0", "True") else answer[:, ::-1]

    Labelled.classes = classes
    discriminator = ClassifierDiscriminator(Labelled(np.asarray))
    discriminator.update(*pair(), rng())
    np.testing.assert_allclose(discriminator.score_samples(pair()[0]).values, pair()[0].x[:, 0])


@pytest.mark.parametrize("classes", [["0", "1"], [1.0, 0.0], ["1", "0"]], ids=str)
def test_decision_values_follow_classes_of_any_type(classes):
    class Labelled(OwnDecisions):
        def decision_function(self, X):
            return X[:, 0] if str(classes[-1]) == "1" else -X[:, 0]

    Labelled.classes = classes
    discriminator = ClassifierDiscriminator(Labelled(np.asarray), calibrate="none")
    discriminator.update(*pair(), rng())
    np.testing.assert_array_equal(discriminator.score_samples(pair()[0]).values, pair()[0].x[:, 0])


def test_certain_probabilities_as_integers_are_finite():
    discriminator = ClassifierDiscriminator(OwnProbabilities(lambda p: np.round(p).astype(int)))
    discriminator.update(*pair(), rng())
    assert set(np.abs(discriminator.score_samples(pair()[0]).values).round(9)) == {np.log(121).round(9)}


# ------------------------------------------------------------------------------------------------------ other libraries
def xgboost():
    return pytest.importorskip("xgboost", reason="needs xgboost, which is not installed")


def lightgbm():
    return pytest.importorskip("lightgbm", reason="needs lightgbm, which is not installed")


def imblearn(part):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("imblearn", reason="needs imbalanced-learn, which is not installed")
        return pytest.importorskip(f"imblearn.{part}")


def catboost():
    library = pytest.importorskip("catboost", reason="needs catboost, which is not installed")
    return library.CatBoostClassifier(iterations=10, verbose=False, allow_writing_files=False, thread_count=1)


def explainable():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = pytest.importorskip("interpret.glassbox", reason="needs interpret-core, which is not installed")
    return library.ExplainableBoostingClassifier(outer_bags=1, max_rounds=20, interactions=0, n_jobs=1)


def net(**options):
    skorch = pytest.importorskip("skorch", reason="needs skorch, which is not installed")
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(8, 2))
    options = {"max_epochs": 3, "verbose": 0, "train_split": None, **options}
    return skorch.NeuralNetClassifier(module, criterion=torch.nn.CrossEntropyLoss, **options)


def sampled(sampler, *steps):
    return imblearn("pipeline").make_pipeline(*steps, sampler, GaussianNB())


OTHERS = {
    "XGBoost": lambda: xgboost().XGBClassifier(n_estimators=10, n_jobs=1),
    "XGBoost's forest": lambda: xgboost().XGBRFClassifier(n_estimators=10, n_jobs=1),
    "LightGBM": lambda: lightgbm().LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1),
    "LightGBM in a pipeline": lambda: make_pipeline(StandardScaler(), lightgbm().LGBMClassifier(n_jobs=1, verbose=-1)),
    "CatBoost": catboost,
    "imbalanced-learn, forest": lambda: imblearn("ensemble").BalancedRandomForestClassifier(10),
    "imbalanced-learn, bagging": lambda: imblearn("ensemble").BalancedBaggingClassifier(GaussianNB(), n_estimators=5),
    "imbalanced-learn, boosting": lambda: imblearn("ensemble").RUSBoostClassifier(n_estimators=5),
    "imbalanced-learn, ensemble": lambda: imblearn("ensemble").EasyEnsembleClassifier(1, estimator=GaussianNB()),
    "imbalanced-learn, SMOTE": lambda: sampled(imblearn("over_sampling").SMOTE(), StandardScaler()),
    "imbalanced-learn, fewer": lambda: sampled(imblearn("under_sampling").RandomUnderSampler()),
    "explainable boosting": explainable,
    "skorch": net,
    "skorch in a pipeline": lambda: make_pipeline(StandardScaler(), net()),
    "calibrated": lambda: CalibratedClassifierCV(xgboost().XGBClassifier(n_estimators=3, n_jobs=1), cv=2),
    "search": lambda: GridSearchCV(lightgbm().LGBMClassifier(n_jobs=1, verbose=-1), {"n_estimators": [2, 4]}, cv=2),
}


@pytest.mark.parametrize("name", OTHERS)
def test_classifiers_of_other_libraries_play_without_output(name, capfd):
    discriminator = OTHERS[name]()
    capfd.readouterr()
    figures, game = played(discriminator)
    assert figures["accuracy"] >= 0
    assert played(OTHERS[name]())[0] == figures  # the stream decides, and nothing else
    assert capfd.readouterr() == ("", "")
    assert game.discriminator.score_type is LogOdds


@pytest.mark.parametrize("name", OTHERS)
def test_evidence_points_the_right_way_in_either_precision(name):
    real, fake = pair(200, 3.0)
    for dtype in (np.float32, np.float64):
        discriminator = ClassifierDiscriminator(OTHERS[name]())
        discriminator.update(Batch(real.x.astype(dtype)), Batch(fake.x.astype(dtype)), rng())
        r = discriminator.score_samples(Batch(np.array([[1.5, 0.0], [-1.5, 0.0], [1e4, 0.0]]))).values
        assert np.all(np.isfinite(r))
        assert r[0] > r[1]


@pytest.mark.parametrize("name", ["XGBoost", "LightGBM", "CatBoost"])
def test_boosters_have_the_level_of_the_densities_whatever_the_counts(name):
    p, q = rng(1).normal(0.5, 1, (500, 1)), rng(2).normal(-0.5, 1, (2000, 1))
    discriminator = ClassifierDiscriminator(OTHERS[name]())
    discriminator.update(Batch(p), Batch(q), rng())
    r = discriminator.score_samples(Batch(np.linspace(-1, 1, 41)[:, None])).values
    assert discriminator.prior_ == pytest.approx(-np.log(4))
    assert abs(r.mean()) < 0.5 < np.log(4)


@pytest.mark.parametrize(
    "rebalanced",
    [
        lambda: xgboost().XGBClassifier(scale_pos_weight=4.0),
        lambda: lightgbm().LGBMClassifier(is_unbalance=True),
        lambda: catboost().set_params(auto_class_weights="Balanced"),
        lambda: imblearn("ensemble").BalancedRandomForestClassifier(),
        lambda: sampled(imblearn("over_sampling").SMOTE()),
        lambda: sampled(imblearn("under_sampling").TomekLinks()),
    ],
    ids=["XGBoost", "LightGBM", "CatBoost", "forest", "SMOTE", "Tomek links"],
)
def test_rebalancing_classifiers_need_calibration_if_counts_differ(rebalanced):
    real, fake = pair(40)
    with pytest.raises(ValueError, match=r"rebalances the classes in its own way.*calibrate='platt'"):
        ClassifierDiscriminator(rebalanced()).update(Batch(real.x[:25]), fake, rng())


def test_samplers_that_clean_borders_always_need_calibration():
    discriminator = sampled(imblearn("under_sampling").TomekLinks())
    with pytest.raises(ValueError, match=r"TomekLinks\(sampling_strategy='auto'\) rebalances"):
        played(discriminator)
    played(ClassifierDiscriminator(discriminator, calibrate="platt"))
