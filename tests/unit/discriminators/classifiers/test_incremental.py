"""Incremental classifiers: each update trains them further; classifiers that cannot do so are refused by name."""

from __future__ import annotations

import copy
from itertools import islice

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from turinglearn import Game, TuringLearner
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.game.checkpoint import get_state, set_state
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.protocols import Batch, IncompatiblePlayers, LogOdds

X = np.random.default_rng(0).normal([3, -1], [1, 2], (120, 2))


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(seed, centre=0.0, n=50, shift=2.0):
    """Real samples to the right of the centre, fakes to its left."""
    p, q = rng([seed, 1]).normal(centre, 1, (n, 2)), rng([seed, 2]).normal(centre, 1, (n, 2))
    p[:, 0] += shift / 2
    q[:, 0] -= shift / 2
    return Batch(p), Batch(q)


def booster(library, name, **options):
    found = pytest.importorskip(library, reason=f"needs {library}, which is not installed")
    return getattr(found, name)(**options)


def net():
    skorch = pytest.importorskip("skorch", reason="needs skorch, which is not installed")
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(8, 2))
    return skorch.NeuralNetClassifier(
        module, criterion=torch.nn.CrossEntropyLoss, max_epochs=3, lr=0.1, verbose=0, train_split=None
    )


QUIET = {"verbose": False, "allow_writing_files": False, "thread_count": 1}
LEARN_ON = {
    "linear, logistic": lambda: SGDClassifier(loss="log_loss"),
    "linear, hinge": lambda: SGDClassifier(),
    "perceptron": lambda: Perceptron(),
    "network": lambda: MLPClassifier((8,), learning_rate_init=0.01),
    "network, scaled": lambda: make_pipeline(StandardScaler(), MLPClassifier((8,), learning_rate_init=0.01)),
    "Gaussian naive Bayes": lambda: GaussianNB(),
    "multinomial naive Bayes": lambda: make_pipeline(MinMaxScaler(clip=True), MultinomialNB()),
    "one against the rest": lambda: OneVsRestClassifier(SGDClassifier()),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3),
    "boosting, scaled": lambda: make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=3)),
    "forest": lambda: RandomForestClassifier(3),
    "bagging": lambda: BaggingClassifier(n_estimators=3),
    "XGBoost": lambda: booster("xgboost", "XGBClassifier", n_estimators=3, n_jobs=1),
    "XGBoost, scaled": lambda: make_pipeline(StandardScaler(), booster("xgboost", "XGBClassifier", n_estimators=3, n_jobs=1)),
    "LightGBM": lambda: booster("lightgbm", "LGBMClassifier", n_estimators=3, n_jobs=1, verbose=-1),
    "CatBoost": lambda: booster("catboost", "CatBoostClassifier", n_estimators=3, **QUIET),
    "skorch": net,
}
UNSAVED = {"CatBoost", "skorch"}


def learner(name, **options):
    return ClassifierDiscriminator(LEARN_ON[name](), incremental=True, **options)


@pytest.mark.parametrize("name", LEARN_ON)
def test_many_small_updates_come_near_to_one_large_fit(name):
    discriminator = learner(name)
    for seed in range(40):
        discriminator.update(*pair(seed), rng(seed))
    assert type(discriminator.estimator) is type(LEARN_ON[name]())
    x = np.concatenate([batch.x for batch in pair(999, n=500)])
    r = discriminator.score_samples(Batch(x)).values
    assert np.all(np.isfinite(r))
    if name != "multinomial naive Bayes":  # it looks at the proportions of the features, and sees little
        assert np.corrcoef(r, x[:, 0])[0, 1] > 0.6
        assert np.mean((r > 0) == (np.arange(1000) < 500)) > 0.75
    assert discriminator.counts_[0] == discriminator.counts_[1] >= 40 * 33


@pytest.mark.parametrize("name", ["boosting", "forest", "bagging", "XGBoost", "LightGBM", "CatBoost"])
def test_the_first_update_is_not_forgotten(name):
    """Real samples are right of 0 in the first half of the plane, and left of 50 in the second: one update for each."""
    discriminator = learner(name)
    real, fake = pair(0, n=300, shift=4.0)
    discriminator.update(real, fake, rng())
    before = discriminator.score_samples(Batch(np.array([[2.0, 0.0], [-2.0, 0.0]]))).values
    assert before[0] > 0 > before[1]
    discriminator.update(*pair(1, centre=50.0, n=300, shift=4.0), rng())
    after = discriminator.score_samples(Batch(np.array([[2.0, 0.0], [-2.0, 0.0]]))).values
    assert after[0] > after[1]


@pytest.mark.parametrize(
    ("name", "members"), [("boosting", "estimators_"), ("forest", "estimators_"), ("bagging", "estimators_")]
)
def test_ensembles_grow_by_as_many_members_as_they_have(name, members):
    discriminator = learner(name)
    for update in range(1, 5):
        discriminator.update(*pair(update), rng(update))
        assert len(getattr(discriminator.estimator_, members)) == 3 * update
    assert discriminator.estimator.n_estimators == 3
    discriminator.start(pair(0)[0], rng())
    discriminator.update(*pair(0), rng())
    assert len(getattr(discriminator.estimator_, members)) == 3


@pytest.mark.parametrize("name", ["XGBoost", "LightGBM", "CatBoost"])
def test_boosters_of_other_libraries_keep_their_trees(name):
    discriminator = learner(name)
    trees = {
        "XGBoost": lambda model: model.get_booster().num_boosted_rounds(),
        "LightGBM": lambda model: model.booster_.num_trees(),
        "CatBoost": lambda model: model.tree_count_,
    }[name]
    for update in range(1, 4):
        discriminator.update(*pair(update), rng(update))
        assert trees(discriminator.estimator_) == 3 * update


def test_naive_bayes_learns_the_same_in_parts_as_at_once():
    parts, whole = learner("Gaussian naive Bayes"), ClassifierDiscriminator(GaussianNB())
    batches = [pair(seed) for seed in range(4)]
    for batch in batches:
        parts.update(*batch, rng())
    whole.update(*(Batch(np.concatenate([pair[i].x for pair in batches])) for i in (0, 1)), rng())
    x = pair(9)[0]
    np.testing.assert_allclose(parts.score_samples(x).values, whole.score_samples(x).values, rtol=1e-6, atol=1e-6)
    assert parts.limit_ == whole.limit_ == np.log(401)
    assert list(parts.counts_) == list(whole.counts_) == [200, 200]


def test_the_level_follows_the_counts_of_all_updates():
    discriminator = learner("Gaussian naive Bayes")
    for seed, (n1, n0) in enumerate([(20, 80), (300, 100)]):
        real, fake = pair(seed, n=300)
        discriminator.update(Batch(real.x[:n1]), Batch(fake.x[:n0]), rng())
    assert discriminator.prior_ == pytest.approx(np.log(320 / 180))


def test_the_steps_before_the_last_are_those_of_the_first_update():
    discriminator = learner("network, scaled")
    discriminator.update(*pair(0), rng())
    mean = discriminator.estimator_[0].mean_.copy()
    first = discriminator.estimator_
    discriminator.update(*pair(1, centre=9.0), rng())
    np.testing.assert_array_equal(discriminator.estimator_[0].mean_, mean)
    assert discriminator.estimator_ is first
    assert hasattr(discriminator, "vjp")
    scores, pullback = discriminator.vjp(pair(2)[0])
    assert pullback(np.ones(50)).shape == (50, 2)
    assert type(scores) is LogOdds


@pytest.mark.parametrize("calibrate", ["auto", "platt"])
@pytest.mark.parametrize("name", ["linear, hinge", "network", "boosting"])
def test_rows_are_held_out_of_each_update_where_the_level_is_found(name, calibrate):
    discriminator = learner(name, calibrate=calibrate)
    for seed in range(3):
        discriminator.update(*pair(seed, n=60), rng(seed))
    held = calibrate == "platt" or name == "linear, hinge"
    assert discriminator.counts_.sum() == 3 * (80 if held else 120)


@pytest.mark.parametrize("name", LEARN_ON)
def test_the_fit_depends_on_the_stream_only(name):
    outputs = []
    for seed in (1, 1, 2):
        np.random.seed(len(outputs))  # noqa: NPY002 - the global state must not matter
        discriminator, stream = learner(name), rng(seed)
        for update in range(3):
            discriminator.update(*pair(update), stream)
        outputs.append(discriminator.score_samples(pair(9)[0]).values)
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[0], outputs[2]) or "naive Bayes" in name or "oost" in name or name == "LightGBM"


# -------------------------------------------------------------------------------------------------------------- refusals
REFUSED = {
    "bins": (HistGradientBoostingClassifier(), r"HistGradientBoostingClassifier has neither .*bins new rows again"),
    "search": (LogisticRegression(), r"LogisticRegression has neither .*only starts the same optimization elsewhere"),
    "kernel": (
        GaussianProcessClassifier(),
        r"GaussianProcessClassifier has neither .*the same optimization elsewhere",
    ),
    "rounds": (AdaBoostClassifier(), r"AdaBoostClassifier has neither .* ensemble\. Leave incremental out"),
    "neighbours": (KNeighborsClassifier(), r"KNeighborsClassifier has neither .*such as SGDClassifier\(\)"),
    "pipeline": (make_pipeline(StandardScaler(), KNeighborsClassifier()), r"KNeighborsClassifier has neither"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_classifiers_that_can_only_be_refitted_are_refused_by_name(name):
    estimator, problem = REFUSED[name]
    discriminator = ClassifierDiscriminator(estimator, incremental=True)
    for refused in (lambda: Game(NeuralGenerator(), discriminator), lambda: discriminator.update(*pair(0), rng())):
        with pytest.raises(ValueError, match=problem):
            refused()


def test_resampling_steps_are_refused_by_name():
    class Sampler(BaseEstimator):
        def fit_resample(self, X, y):
            return X, y

    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    pipeline.steps.insert(1, ("sample", Sampler()))
    with pytest.raises(ValueError, match=r"Sampler resamples the rows .*Leave the step out"):
        Game(NeuralGenerator(), ClassifierDiscriminator(pipeline, incremental=True))


def test_histogram_boosting_is_refused_for_a_reason():
    """Its older trees misread new rows: on shifted data, a warm start does far worse than a fit from scratch."""

    def moved(seed, shift):
        real, fake = pair(seed, centre=shift, n=500)
        return np.concatenate((real.x, fake.x)), np.arange(1000) < 500

    warm = HistGradientBoostingClassifier(max_iter=30, warm_start=True).fit(*moved(0, 0.0))
    warm.set_params(max_iter=60).fit(*moved(1, 20.0))
    fresh = HistGradientBoostingClassifier(max_iter=60).fit(*moved(1, 20.0))
    x, y = moved(2, 20.0)
    assert log_loss(y, warm.predict_proba(x)) > log_loss(y, fresh.predict_proba(x)) + 0.5


@pytest.mark.parametrize(
    ("name", "fits_on_history"),
    [
        ("Gaussian naive Bayes", True),
        ("multinomial naive Bayes", True),
        ("forest", True),
        ("bagging", True),
        ("boosting", False),
        ("linear, logistic", False),
        ("network", False),
        ("XGBoost", False),
    ],
)
def test_weights_are_refused_if_all_history_is_weighted_equally(name, fits_on_history):
    discriminator = learner(name)
    assert discriminator.fits_on_history is fits_on_history
    assert not ClassifierDiscriminator(LEARN_ON[name]()).fits_on_history
    if fits_on_history:
        with pytest.raises(IncompatiblePlayers, match=r"where it is fitted to its history, .*Leave replay or incremental out"):
            Game(MixtureGenerator(2), discriminator)
    else:
        Game(MixtureGenerator(2), discriminator)


# ----------------------------------------------------------------------------------------------------- games and models
def test_a_game_is_paced_as_with_a_network():
    fresh, on = (Game(NeuralGenerator(), ClassifierDiscriminator(SGDClassifier(), incremental=i)) for i in (False, True))
    assert fresh.schedule.generator_steps == 5
    assert on.schedule.generator_steps == 1
    assert not on.discriminator.refits
    assert fresh.discriminator.refits


def played(game, rounds):
    return [r.figures() for r in islice(game.rounds(X), rounds)]


@pytest.mark.parametrize("name", LEARN_ON)
def test_a_restored_game_continues_as_the_original(name):
    def game():
        return Game(NeuralGenerator(3, (8,)), learner(name), batch_size=30, samples_per_fit=30, random_state=0)

    whole, other = game(), game()
    played(whole, 3)
    state = copy.deepcopy(whole.state())
    after = played(whole, 3)
    other.restore(state)
    assert repr(played(other, 3)) == repr(after)


@pytest.mark.parametrize("name", sorted(set(LEARN_ON) - UNSAVED))
def test_a_loaded_learner_plays_on_as_the_saved_one(name, tmp_path):
    pytest.importorskip("skops.io", reason="needs skops, which is not installed")
    from turinglearn.persistence import load, save

    options = {"batch_size": 30, "samples_per_fit": 30, "rounds": 6, "random_state": 0, "keep": "last"}
    whole = TuringLearner(NeuralGenerator(3, (8,)), learner(name), **options)
    rounds = whole.play(X)
    list(islice(rounds, 3))
    save(whole, tmp_path)
    parted = load(tmp_path)
    list(rounds)
    for _ in parted.play(X, resume=True):
        pass
    assert repr(whole.history_) == repr(parted.history_)
    np.testing.assert_array_equal(whole.decision_function(X), parted.decision_function(X))


def test_the_state_can_be_restored():
    discriminator = learner("boosting")
    discriminator.update(*pair(0), rng())
    kept = copy.deepcopy(get_state(discriminator))
    outputs = discriminator.score_samples(pair(9)[0]).values
    discriminator.update(*pair(1), rng())
    set_state(discriminator, kept)
    np.testing.assert_array_equal(discriminator.score_samples(pair(9)[0]).values, outputs)
    discriminator.update(*pair(1), rng())
    assert len(discriminator.estimator_.estimators_) == 6


def test_a_users_class_is_passed_the_classes_once():
    passed = []

    class Own(BernoulliNB):
        def partial_fit(self, X, y, classes=None):
            passed.append(classes)
            return super().partial_fit(X, y, classes)

    discriminator = ClassifierDiscriminator(Own(), incremental=True)
    for seed in range(3):
        discriminator.update(*pair(seed), rng())
    assert [None if classes is None else list(classes) for classes in passed] == [[0, 1], None, None]
