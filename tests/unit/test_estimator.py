"""The front door: scikit-learn's contract, the stages that are kept, every kind of input, going on after a stop."""

from __future__ import annotations

import copy
from itertools import islice

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.players import Shift
from turinglearn import TuringLearner
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.game.replay import Replay
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.metrics import energy_distance
from turinglearn.objectives import LinearLoss
from turinglearn.protocols import Losses, Samples
from turinglearn.signals import Student

X = np.random.default_rng(0).normal([3, -1], [1, 0.2], (300, 2))
C = np.sign(X[:, :1] - 3)


def small(**options):
    players = {"generator": NeuralGenerator(2, (8,)), "discriminator": NeuralDiscriminator((8,))}
    return TuringLearner(**{**players, "rounds": 20, "random_state": 0, **options})


# scikit-learn's own checks; none is expected to fail
@parametrize_with_checks([TuringLearner(rounds=3, random_state=0), small(discriminator=KernelSVMDiscriminator(), rounds=2)])
def test_scikit_learns_contract(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------------------------------------ fitting, sampling
def test_a_seed_gives_the_same_learner():
    one, two, other = small().fit(X), small().fit(X), small(random_state=1).fit(X)
    np.testing.assert_array_equal(one.sample(5), two.sample(5))
    assert repr(one.history_) == repr(two.history_)
    assert not np.array_equal(one.sample(5, random_state=3), other.sample(5, random_state=3))


def test_samples_go_on_or_repeat():
    learner = small().fit(X)
    assert not np.array_equal(learner.sample(5), learner.sample(5))
    np.testing.assert_array_equal(learner.sample(5, random_state=7), learner.sample(5, random_state=7))
    assert learner.score(X) == learner.score(X)


def test_the_players_that_were_given_stay_as_they_were():
    generator = NeuralGenerator(2, (8,))
    before = copy.deepcopy(vars(generator))
    learner = TuringLearner(generator, LogisticRegression(), rounds=2, random_state=0).fit(X)
    assert vars(generator) == before
    assert learner.game_.generator is not generator


def test_players_without_parameters_are_copied():
    shift = Shift(Losses)
    learner = TuringLearner(shift, rounds=5, random_state=0).fit(X)
    assert not shift.mean.any()
    assert learner.game_.generator.mean.any()


def test_it_learns_and_says_so():
    """On an easy distribution the usual players come close, as the score says; and better than where they began."""
    learner = TuringLearner(rounds=1500, random_state=0).fit(X)
    held_out = np.random.default_rng(1).normal([3, -1], [1, 0.2], (2000, 2))
    assert learner.score(held_out) > -0.03
    assert learner.score(held_out) > small(rounds=1).fit(X).score(held_out)
    fake = learner.sample(2000)
    np.testing.assert_allclose(
        -learner.score(held_out), energy_distance(fake / X.std(axis=0), held_out / X.std(axis=0)), atol=0.02
    )


def test_the_discriminator_says_what_it_thinks():
    learner = small(discriminator=KernelSVMDiscriminator(), rounds=3).fit(X)
    scores = learner.decision_function(X)
    assert scores.shape == (300,)
    assert scores.mean() > learner.decision_function(learner.game_.sample(300)).mean()
    assert small(pack=2).fit(X).decision_function(X[:10]).shape == (5,)


def test_conditions_reach_both_players():
    learner = small(generator=MixtureGenerator(2), rounds=300).fit(X, condition=C)
    low, high = (learner.sample(300, np.full((300, 1), side)) for side in (-1.0, 1.0))
    assert low[:, 0].mean() < 3 < high[:, 0].mean()
    assert np.isfinite(learner.score(X, condition=C))
    with pytest.raises(ValueError, match=r"fitted under conditions.*Pass condition="):
        learner.sample(5)
    with pytest.raises(ValueError, match=r"fitted without conditions.*Leave condition out"):
        small().fit(X).sample(5, C[:5])


def test_events_of_any_shape_and_libraries(arrays_on):
    images = arrays_on.asarray(np.random.default_rng(0).normal(size=(60, 3, 2)))
    learner = small(rounds=2).fit(images)
    assert learner.n_features_in_ == 6
    fake = learner.sample(4)
    assert type(fake) is type(images)
    assert tuple(fake.shape) == (4, 3, 2)
    assert learner.decision_function(images).shape == (60,)
    with pytest.raises(ValueError, match="X has 4 features, but TuringLearner is expecting 6"):
        learner.decision_function(images[:, :2, ...])


# --------------------------------------------------------------------------------------------------------- what is kept
def stages(learner, data=X):
    """Every generator that a learner could keep, by the distance to its own validation rows."""
    return [d for d in learner.fit(data).history_["distance"] if np.isfinite(d)]


def test_the_best_stage_is_kept():
    learner = small(keep="best", rounds=100)
    tried = stages(learner)
    assert len(tried) == 20
    assert learner.selector_.distance == min(tried)
    last = small(keep="last", rounds=100).fit(X)
    assert last.selector_.kept == []


def test_the_kept_stage_is_the_one_that_was_measured():
    """A generator that gets worse after its first stage is deployed as it was then."""

    class Drifting(Shift):
        def update(self, samples, feedback):
            self.mean = self.mean + np.array([0.3, -0.1])

    class Plain(NeuralDiscriminator):
        pass

    learner = TuringLearner(Drifting(Losses), Plain((4,)), rounds=40, random_state=0).fit(X)
    best = np.nanargmin([d for d in learner.history_["distance"] if np.isfinite(d)])
    expected = (best + 1) * 2 * np.array([0.3, -0.1])
    np.testing.assert_allclose(learner.sample(20_000).mean(axis=0), expected, atol=0.05)
    np.testing.assert_allclose(learner.game_.generator.mean, 40 * np.array([0.3, -0.1]))


def test_an_average_of_stages_is_no_worse_than_the_last():
    learner = small(keep="average", rounds=100).fit(X)
    last = [d for d in learner.history_["distance"] if np.isfinite(d)][-1]
    assert 1 <= len(learner.selector_.kept) <= 20
    assert learner.selector_.distance <= last
    assert learner.sample(7).shape == (7, 2)


def test_an_average_draws_equally_from_its_stages():
    class Drifting(Shift):
        def update(self, samples, feedback):
            self.mean = self.mean + np.array([1.0, 0.0])

    step = np.array([1.5, 0.0])
    two = np.concatenate((X - step, X + step))
    learner = TuringLearner(Drifting(Losses), NeuralDiscriminator((4,)), rounds=6, keep="average", random_state=0).fit(two)
    means = [stage["mean"][0] for stage in learner.selector_.kept]
    np.testing.assert_allclose(learner.sample(20_000)[:, 0].mean(), np.mean(means), atol=0.05)


def test_validation_rows_are_never_played_on():
    shown = []

    class Spy(NeuralDiscriminator):
        def update(self, real, fake, rng):
            shown.extend(map(tuple, real.x.tolist()))
            super().update(real, fake, rng)

    Spy.__init__ = NeuralDiscriminator.__init__
    learner = TuringLearner(NeuralGenerator(2, (4,)), Spy((4,)), rounds=100, validation=0.2, random_state=0).fit(X)
    seen = set(shown)
    held_out = [
        row for row in X.astype(np.float32).tolist() if tuple(row) not in seen
    ]  # discriminators see both in one precision
    assert len(held_out) == 60
    assert len(learner.history_["index"]) == 100


# -------------------------------------------------------------------------------------------------- scikit-learn's company
def test_in_a_pipeline_and_a_search():
    search = GridSearchCV(small(rounds=30), {"rounds": [1, 30], "generator__latent_dim": [2]}, cv=2).fit(X)
    assert set(search.best_params_) == {"rounds", "generator__latent_dim"}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    pipeline = make_pipeline(StandardScaler(), small()).fit(X)
    assert np.isfinite(pipeline.score(X))
    assert clone(pipeline)[-1].rounds == 20


def test_a_pipeline_that_hands_on_data_frames():
    pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    pipeline = make_pipeline(StandardScaler(), small()).set_output(transform="pandas").fit(X)
    assert list(pipeline[-1].sample(3).columns) == ["x0", "x1"]


def test_its_page_in_a_notebook_names_the_players():
    html = small()._repr_html_()
    assert "NeuralGenerator" in html
    assert "NeuralDiscriminator" in html
    html = TuringLearner(discriminator=RandomForestClassifier())._repr_html_()
    assert "NeuralGenerator" in html  # the usual one
    assert "RandomForestClassifier" in html


def test_anything_with_fit_and_sample_is_a_generator():
    assert TuringLearner(GaussianMixture(2), rounds=3, random_state=0).fit(X).sample(4).shape == (4, 2)


# --------------------------------------------------------------------------------------------------------------- stopping
@pytest.mark.parametrize("options", [{}, {"keep": "average"}, {"replay": Replay(50)}], ids=["best", "average", "replay"])
def test_rounds_that_were_left_go_on_as_if_nothing_had_been(options):
    whole, parted = small(**options).fit(X), small(**options)
    list(islice(parted.play(X), 7))
    assert parted.sample(3).shape == (3, 2)  # it can be used at any time
    parted.streams_ = copy.deepcopy(small(**options).fit(X).streams_)
    taken = clone(parted)
    taken.restore(parted.state())
    assert [r.index for r in taken.play(X, resume=True)] == list(range(8, 21))
    np.testing.assert_array_equal(whole.sample(9), taken.sample(9))
    assert repr(whole.history_) == repr(taken.history_)


def test_going_on_needs_the_same_data():
    learner = small()
    list(islice(learner.play(X), 2))
    with pytest.raises(ValueError, match="X is not the data that this learner was playing on"):
        learner.play(X[::-1], resume=True)


def test_more_rounds_can_be_asked_for():
    learner = small(rounds=5).fit(X)
    learner.rounds = 8
    assert [r.index for r in learner.play(X, resume=True)] == [6, 7, 8]


# -------------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounds": 0}, r"rounds=0: expected an integer, at least 1"),
        ({"rounds": 2.5}, r"rounds=2.5"),
        ({"keep": "first"}, r"keep='first': expected 'best', 'average' or 'last'"),
        ({"validation": 1.0}, r"validation=1.0: expected a share of the rows in \(0, 1\)"),
        ({"batch_size": 1000}, r"batch_size=1000 is more than the 270 rows"),
        ({"random_state": -1}, r"random_state=-1 is not a seed"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(X)


@pytest.mark.parametrize("n", [0, -1, 2.5, None, True])
def test_a_number_of_samples_that_cannot_be(n):
    with pytest.raises(ValueError, match="expected an integer, at least 1"):
        small(rounds=1).fit(X).sample(n)


def test_too_few_rows_to_choose_by():
    with pytest.raises(ValueError, match=r"X has 3 rows, too few to part with 2.*keep='last'"):
        small().fit(X[:3])
    assert small(keep="last", batch_size=1).fit(X[:3]).sample(2).shape == (2, 2)


# ------------------------------------------------------------------------------------------------------ what a review found
@pytest.mark.parametrize("change", [{"validation": 0.3}, {"keep": "last"}, {"batch_size": 20}, {"pack": 2}])
def test_going_on_keeps_the_options_of_the_beginning(change):
    """Another split would let rows that the players know choose the stage."""
    learner = small()
    list(islice(learner.play(X), 2))
    with pytest.raises(ValueError, match=r"but the rounds began with .* and cannot go on with another one"):
        learner.set_params(**change).play(X, resume=True)


def test_a_refit_that_fails_loses_nothing():
    learner = small().fit(X)
    samples, scores = learner.sample(4, random_state=0), learner.decision_function(X)
    for data, options in ((X, {"batch_size": 10**6}), (X[:1], {}), (np.full((9, 3), np.nan), {})):
        with pytest.raises(ValueError, match=r"batch_size|1 sample|NaN"):
            learner.set_params(**options).fit(data)
        learner.set_params(batch_size=None)
        np.testing.assert_array_equal(learner.sample(4, random_state=0), samples)
        np.testing.assert_array_equal(learner.decision_function(X), scores)


def test_before_the_first_round_it_is_not_fitted():
    learner = small()
    learner.play(X)
    with pytest.raises(NotFittedError):
        learner.sample(2)


class Mirror(Shift):
    """x = slope c + noise: right for slope 3, and of the same marginal distribution for slope -3."""

    def __init__(self, slope):
        super().__init__(Losses, 0.0, 1)
        self.slope = slope

    def propose(self, n, rng, condition=None):
        samples = super().propose(n, rng, condition)
        return Samples(self.slope * condition + 0.3 * samples.x, condition, samples.context)


def test_under_conditions_the_joint_distribution_is_scored():
    condition = np.random.default_rng(3).normal(size=(400, 1))
    real = 3 * condition + 0.3 * np.random.default_rng(4).normal(size=(400, 1))
    right, wrong = (
        TuringLearner(Mirror(slope), NeuralDiscriminator((4,)), rounds=2, random_state=0).fit(real, condition=condition)
        for slope in (3.0, -3.0)
    )
    assert right.score(real, condition=condition) > -0.02
    assert wrong.score(real, condition=condition) < -0.2
    assert wrong.selector_.distance > 0.2 > 0.1 > right.selector_.distance


def test_conditions_are_asked_for_by_name():
    condition = small().fit(X, condition=C)
    for call in (condition.decision_function, condition.score):
        with pytest.raises(ValueError, match=r"fitted under conditions.*Pass condition="):
            call(X)
    with pytest.raises(ValueError, match=r"fitted without conditions.*Leave condition out"):
        small().fit(X).decision_function(X, C)
    with pytest.raises(ValueError, match=r"keep='average' mixes stages and does not support conditions"):
        small(keep="average").fit(X, condition=C)


def test_events_keep_their_shape():
    images = np.random.default_rng(0).normal(size=(60, 3, 2))
    learner = small(rounds=2).fit(images)
    with pytest.raises(ValueError, match=r"X has events of shape \(2, 3\); expected \(3, 2\), as in the fit"):
        learner.decision_function(images.swapaxes(1, 2))
    with pytest.raises(ValueError, match=r"expected events of shape \(3, 2\)"):
        learner.decision_function(images.reshape(60, 6))


def test_one_row_is_no_distribution_and_tuples_must_be_whole():
    with pytest.raises(ValueError, match=r"X has 1 row; expected at least 2"):
        small().fit(X).score(X[:1])
    with pytest.raises(ValueError, match=r"X has 9 rows, which do not make tuples of pack=2"):
        small(pack=2).fit(X).decision_function(X[:9])


def test_names_of_columns_are_forgotten_with_the_data_frame():
    pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    learner = small().fit(pandas.DataFrame(X, columns=["a", "b"])).fit(X)
    assert not hasattr(learner, "feature_names_in_")
    assert isinstance(learner.sample(2), np.ndarray)


# ------------------------------------------------------------------------------------------------- what stages are scored by
def test_validation_rows_come_from_all_over_the_data():
    """The first or the last rows of sorted data are not like the rest."""
    shown = set()

    class Spy(NeuralDiscriminator):
        def update(self, real, fake, rng):
            shown.update(real.x[:, 0].astype(int).tolist())
            super().update(real, fake, rng)

    Spy.__init__ = NeuralDiscriminator.__init__
    leaf_index = np.column_stack((np.arange(300.0), X[:, 1]))
    TuringLearner(NeuralGenerator(2, (4,)), Spy((4,)), rounds=100, validation=0.2, random_state=0).fit(leaf_index)
    held_out = np.array(sorted(set(range(300)) - shown))
    assert len(held_out) == 60
    assert np.histogram(held_out, 5, (0, 300))[0].min() >= 4  # 12 of each fifth are expected


def test_distances_of_stages_are_in_units_of_each_features_spread():
    here, there = small().fit(X), small().fit(X * [1, 1024])
    np.testing.assert_allclose(there.history_["distance"], here.history_["distance"], rtol=1e-4)


@pytest.mark.parametrize("kind", ["array", "frame", "tensor"])
def test_data_are_scanned_for_validity_once(kind, monkeypatch):
    """Once at the door, and never again: neither by scikit-learn nor by the sources of the game."""
    import sklearn.utils.validation

    from turinglearn.data import adapter, sources

    x = X
    if kind == "frame":
        x = pytest.importorskip("pandas", reason="needs pandas, which is not installed").DataFrame(X, columns=["a", "b"])
    if kind == "tensor":
        x = pytest.importorskip("torch", reason="needs torch, which is not installed").tensor(X)
    scans = []

    def counted(module, name, scan):
        def call(*arguments, **options):
            scans.append(name)
            return scan(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    checked = sources.check_rows
    counted(adapter, "check_rows", checked)
    counted(sources, "check_rows", checked)
    counted(sklearn.utils.validation, "_assert_all_finite", sklearn.utils.validation._assert_all_finite)
    small(rounds=2).fit(x)
    assert scans == ["check_rows"]


@pytest.mark.parametrize(
    ("names", "objects"),
    [
        (("mixture(n_components=3)", "logistic"), (MixtureGenerator(3), LogisticRegression())),
        (("neural", "svm"), (NeuralGenerator(), KernelSVMDiscriminator())),
    ],
)
def test_players_by_name_are_the_players(names, objects):
    by_name, by_object = (TuringLearner(*players, rounds=5, random_state=0).fit(X).sample(9) for players in (names, objects))
    np.testing.assert_array_equal(by_name, by_object)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator": "mixtur"}, "no generator called 'mixtur'; did you mean 'mixture'"),
        ({"generator": "mixture(n=3)"}, "has no option 'n'"),
        ({"discriminator": "mixture"}, "no discriminator called 'mixture'"),
        ({"objective": "hinje"}, "did you mean 'hinge'"),
        ({"signal": "studnt"}, "did you mean 'student'"),
    ],
)
def test_unknown_names_get_the_remedy(options, message):
    with pytest.raises(ValueError, match=message):
        TuringLearner(**options).fit(X)


def test_objectives_and_signals_by_name():
    learner = TuringLearner("neural", "forest", objective="hinge", signal="student", rounds=1, random_state=0).fit(X)
    assert (learner.game_.signal.objective, learner.game_.signal.estimator) == (LinearLoss(), Student())
