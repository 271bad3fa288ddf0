"""Players that break their contract: each error names the culprit, what was expected and the remedy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.players import ExactDiscriminator, Shift, SimpleDiscriminator
from turinglearn import Game, as_discriminator, as_generator
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.protocols import IncompatiblePlayers, LogOdds, Losses, PlayerError, Samples, Scores

X = np.random.default_rng(0).standard_normal((60, 2))


class ConstantGenerator(Shift):
    """A generator whose proposals are made by a function of n."""

    def __init__(self, make, feedback_type=Losses):
        super().__init__(feedback_type)
        self.make = make

    def propose(self, n, rng, condition=None):
        return self.make(n)


class Says(SimpleDiscriminator):
    """A discriminator whose answers are made by a function of n."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def score_samples(self, batch):
        return self.answer(batch.n)


def fails(error):
    def action(n):
        raise error

    return action


def nan_in(*shape):
    x = np.zeros(shape)
    x.flat[0] = np.nan
    return x


GENERATORS = {
    "nothing": (lambda n: None, r"ConstantGenerator.propose\(20, ...\) returned None; expected Samples\(x\).*Wrap the array"),
    "an array": (lambda n: np.zeros((n, 2)), r"returned an array of shape \(20, 2\).*Wrap the array"),
    "a list": (lambda n: Samples([[0.0, 0.0]] * n), r"its samples as a list; expected an array.*asarray"),
    "too few": (lambda n: Samples(np.zeros((n - 1, 2))), r"samples of shape \(19, 2\); expected \(20, 2\)"),
    "wrong width": (lambda n: Samples(np.zeros((n, 3))), r"samples of shape \(20, 3\); expected \(20, 2\)"),
    "flat": (lambda n: Samples(np.zeros(n)), r"samples of shape \(20,\); expected \(20, 2\)"),
    "integers": (
        lambda n: Samples(np.zeros((n, 2), int)),
        r"dtype int64; expected real floating-point.*astype\(float\)",
    ),
    "complex": (lambda n: Samples(np.zeros((n, 2), complex)), r"dtype complex128; expected real floating"),
    "objects": (lambda n: Samples(np.zeros((n, 2), object)), r"dtype object; expected real floating"),
    "strings": (lambda n: Samples(np.full((n, 2), "a")), r"dtype <U1; expected real floating"),
    "nan": (
        lambda n: Samples(nan_in(n, 2)),
        r"NaN or infinity in 1 of 40 entries of its samples; expected finite.*learning rate",
    ),
    "infinity": (lambda n: Samples(np.full((n, 2), np.inf)), r"NaN or infinity in 40 of 40 entries of its samples"),
    "a condition": (
        lambda n: Samples(np.zeros((n, 2)), np.ones((n, 1))),
        r"condition=an array.*; expected the conditions that it was called with, None",
    ),
    "an exception": (
        fails(ZeroDivisionError("oops")),
        r"ConstantGenerator.propose raised ZeroDivisionError: oops.*Fix the player",
    ),
}


@pytest.mark.parametrize(("make", "message"), GENERATORS.values(), ids=GENERATORS)
def test_bad_generators(make, message):
    with pytest.raises(PlayerError, match=message):
        next(Game(ConstantGenerator(make), SimpleDiscriminator(), batch_size=20).rounds(X))


DISCRIMINATORS = {
    "nothing": (
        lambda n: None,
        r"Says.score_samples returned None, but the discriminator's score_type is LogOdds. Return LogOdds\(values\)",
    ),
    "an array": (np.zeros, r"returned an array of shape \(20,\), float64, but the discriminator's score_type is LogOdds"),
    "less than it says": (lambda n: Scores(np.zeros(n)), r"returned Scores, but the discriminator's score_type is LogOdds"),
    "a list": (lambda n: LogOdds([0.0] * n), r"scores as a list; expected an array of shape \(20,\)"),
    "too many": (lambda n: LogOdds(np.zeros(n + 1)), r"scores of shape \(21,\); expected \(20,\)"),
    "a column": (lambda n: LogOdds(np.zeros((n, 1))), r"scores of shape \(20, 1\); expected \(20,\)"),
    "one number": (lambda n: LogOdds(np.float64(0)), r"scores of shape \(\); expected \(20,\)"),
    "integers": (lambda n: LogOdds(np.zeros(n, int)), r"dtype int64; expected real floating"),
    "nan": (lambda n: LogOdds(nan_in(n)), r"NaN or infinity in 1 of 20 entries of its scores"),
    "infinity": (lambda n: LogOdds(np.full(n, np.inf)), r"NaN or infinity in 20 of 20 entries of its scores"),
    "minus infinity": (lambda n: LogOdds(np.full(n, -np.inf)), r"20 of 20 entries of its scores"),
    "an exception": (fails(KeyError("lost")), r"Says.score_samples raised KeyError: 'lost'.*called it with a Batch"),
}


@pytest.mark.parametrize(("answer", "message"), DISCRIMINATORS.values(), ids=DISCRIMINATORS)
def test_bad_discriminators(answer, message):
    with pytest.raises(PlayerError, match=message):
        next(Game(Shift(Losses), Says(answer), batch_size=20).rounds(X))


@given(
    hnp.arrays(
        st.sampled_from(["f8", "f4", "i8", "c8", "O", "?"]),
        hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=21),
    )
)
def test_any_answer_is_evidence_or_is_refused(values):
    try:
        next(Game(Shift(Losses), Says(lambda n: LogOdds(values)), batch_size=20, random_state=0).rounds(X))
    except PlayerError as error:
        assert "Says.score_samples" in str(error)
        assert "expected" in str(error)
    else:
        assert values.shape == (20,)
        assert np.isfinite(values.astype(float)).all()


def test_an_exception_in_update_is_chained():
    class Breaks(SimpleDiscriminator):
        def update(self, real, fake, rng):
            raise MemoryError("too much")

    with pytest.raises(PlayerError, match=r"Breaks.update raised MemoryError: too much.*\(20, 2\)") as fake_recall:
        next(Game(Shift(Losses), Breaks(), batch_size=20).rounds(X))
    assert isinstance(fake_recall.value.__cause__, MemoryError)


@pytest.mark.parametrize("condition", [None, [[1.0]] * 20, np.zeros((20, 2)), -np.arange(20.0)[:, None]])
def test_a_condition_travels_unchanged(condition):
    class Mislays(Shift):
        def propose(self, n, rng, conditions=None):
            return Samples(super().propose(n, rng).x, condition)

    with pytest.raises(PlayerError, match=r"Mislays.propose\(20, ...\) returned samples with condition=.*unchanged"):
        next(Game(Mislays(Losses), SimpleDiscriminator(), batch_size=20).rounds(X, np.arange(60.0)[:, None]))


@pytest.mark.parametrize("method", ["start", "sample"])
def test_optional_methods_that_raise(method):
    generator = Shift(Losses)
    setattr(generator, method, lambda *arguments: fails(KeyError("lost"))(0))
    game = Game(generator, SimpleDiscriminator(), batch_size=20)

    def play_and_sample():
        next(game.rounds(X))
        game.sample(3)

    with pytest.raises(PlayerError, match=rf"Shift.{method} raised KeyError: 'lost'"):
        play_and_sample()


def test_a_pullback_that_raises():
    discriminator = ExactDiscriminator(lambda x: x.sum(axis=1), np.ones_like)
    discriminator.vjp = lambda batch: (discriminator.score_samples(batch), fails(KeyError("lost")))
    with pytest.raises(PlayerError, match=r"ExactDiscriminator.vjp's pullback raised KeyError"):
        next(Game(Shift(), discriminator, batch_size=20).rounds(X))


@given(
    hnp.arrays(
        st.sampled_from(["f8", "f4", "i8", "c8", "O", "?"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=21),
    )
)
def test_any_proposal_is_played_or_refused(x):
    try:
        next(Game(ConstantGenerator(lambda n: Samples(x)), SimpleDiscriminator(), batch_size=20, random_state=0).rounds(X))
    except PlayerError as error:
        assert "ConstantGenerator.propose" in str(error)
        assert "expected" in str(error)
    else:
        assert x.shape == (20, 2)


def test_interrupts_are_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        next(Game(Shift(Losses), Says(fails(KeyboardInterrupt())), batch_size=20).rounds(X))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda batch: LogOdds(np.zeros(batch.n)), r"vjp returned LogOdds; expected \(scores, pullback\)"),
        (lambda batch: (LogOdds(np.zeros(batch.n)), 3), r"vjp returned a tuple; expected \(scores, pullback\)"),
        (lambda batch: (LogOdds(np.zeros(3)), lambda s: s), r"vjp returned scores of shape \(3,\)"),
    ],
)
def test_bad_gradients(answer, message):
    discriminator = ExactDiscriminator(lambda x: x.sum(axis=1), np.ones_like)
    discriminator.vjp = answer
    with pytest.raises(PlayerError, match=message):
        next(Game(Shift(), discriminator, batch_size=20).rounds(X))


def test_a_classifier_that_saw_one_class_is_named():
    class Lumps(LogisticRegression):
        def fit(self, X, y):
            return super().fit(X, y) if len(np.unique(y)) > 5 else DummyClassifier().fit(X, np.zeros(len(X)))

    class OneClass(DummyClassifier):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, np.zeros(len(y), int))

    with pytest.raises(PlayerError, match="OneClass"):
        next(Game(Shift(Losses), OneClass(), batch_size=20).rounds(X))


# --------------------------------------------------------------------------------------------------------- adaptation
@pytest.mark.parametrize(
    ("player", "message"),
    [
        (LogisticRegression, r"LogisticRegression is a class; expected an instance. Write LogisticRegression\(...\)"),
        (SimpleDiscriminator, r"Discriminator is a class"),
        (object(), r"is not a discriminator: expected `update\(real, fake, rng\)` and `score_samples\(batch\)`"),
        (np.mean, r"HandwrittenDiscriminator\(score\)"),
        (None, r"None is not a discriminator"),
        (KMeans(2), r"KMeans is a clusterer; a discriminator learns to tell two classes apart. Choose a classifier"),
        (LinearRegression(), r"LinearRegression is a regressor"),
    ],
)
def test_what_is_no_discriminator(player, message):
    with pytest.raises(TypeError, match=message):
        as_discriminator(player)


@pytest.mark.parametrize(
    ("player", "message"),
    [
        (Shift, r"Shift is a class; expected an instance"),
        (LinearRegression(), r"is not a generator: expected `propose\(n, rng, condition=None\)`"),
        (np.sin, r"EvolvedGenerator\(simulate, bounds\)"),
        (None, r"None is not a generator"),
    ],
)
def test_what_is_no_generator(player, message):
    with pytest.raises(TypeError, match=message):
        as_generator(player)


def test_players_must_say_what_they_are():
    mute, deaf = SimpleDiscriminator(), Shift()
    del mute.score_type, deaf.feedback_type
    with pytest.raises(TypeError, match="Discriminator has no `score_type`; expected Scores, LogRatio or LogOdds"):
        as_discriminator(mute)
    with pytest.raises(TypeError, match="Shift has no `feedback_type`; expected Losses, Gradients, Weights or Leaves"):
        as_generator(deaf)


def test_players_are_returned_as_they_are_and_classifiers_adapted():
    discriminator, generator = SimpleDiscriminator(), Shift()
    assert as_discriminator(discriminator) is discriminator
    assert as_generator(generator) is generator
    assert isinstance(as_discriminator(LogisticRegression()), ClassifierDiscriminator)


def test_torch_modules():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    assert type(as_discriminator(torch.nn.Linear(2, 1))).__name__ == "TorchDiscriminator"
    with pytest.raises(TypeError, match=r"Wrap it: TorchGenerator\(module, latent_dim=...\)"):
        as_generator(torch.nn.Linear(2, 2))


def test_incompatible_players_are_a_type_error():
    assert issubclass(IncompatiblePlayers, TypeError)
