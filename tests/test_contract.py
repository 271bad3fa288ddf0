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

from tests.players import ExactJudge, Judge, Shift
from turinglearn import Game, as_discriminator, as_generator
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.protocols import IncompatiblePlayers, LogOdds, Losses, PlayerError, Samples, Scores

X = np.random.default_rng(0).standard_normal((60, 2))


class Forger(Shift):
    """A generator whose proposals are made by a function of n."""

    def __init__(self, make, learns_from=Losses):
        super().__init__(learns_from)
        self.make = make

    def propose(self, n, rng, given=None):
        return self.make(n)


class Says(Judge):
    """A judge whose answers are made by a function of n."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def examine(self, batch):
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
    "nothing": (lambda n: None, r"Forger.propose\(20, ...\) returned None; expected Samples\(x\).*Wrap the array"),
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
        r"given=an array.*, but was told None",
    ),
    "an exception": (
        fails(ZeroDivisionError("oops")),
        r"Forger.propose raised ZeroDivisionError: oops.*Mend the player",
    ),
}


@pytest.mark.parametrize(("make", "message"), GENERATORS.values(), ids=GENERATORS)
def test_bad_generators(make, message):
    with pytest.raises(PlayerError, match=message):
        next(Game(Forger(make), Judge(), batch_size=20).rounds(X))


JUDGES = {
    "nothing": (
        lambda n: None,
        r"Says.examine returned None, but the discriminator says LogOdds. Return LogOdds\(values\)",
    ),
    "an array": (np.zeros, r"returned an array of shape \(20,\), float64, but the discriminator says LogOdds"),
    "less than it says": (lambda n: Scores(np.zeros(n)), r"returned Scores, but the discriminator says LogOdds"),
    "a list": (lambda n: LogOdds([0.0] * n), r"scores as a list; expected an array of shape \(20,\)"),
    "too many": (lambda n: LogOdds(np.zeros(n + 1)), r"scores of shape \(21,\); expected \(20,\)"),
    "a column": (lambda n: LogOdds(np.zeros((n, 1))), r"scores of shape \(20, 1\); expected \(20,\)"),
    "one number": (lambda n: LogOdds(np.float64(0)), r"scores of shape \(\); expected \(20,\)"),
    "integers": (lambda n: LogOdds(np.zeros(n, int)), r"dtype int64; expected real floating"),
    "nan": (lambda n: LogOdds(nan_in(n)), r"NaN or infinity in 1 of 20 entries of its scores"),
    "infinity": (lambda n: LogOdds(np.full(n, np.inf)), r"NaN or infinity in 20 of 20 entries of its scores"),
    "minus infinity": (lambda n: LogOdds(np.full(n, -np.inf)), r"20 of 20 entries of its scores"),
    "an exception": (fails(KeyError("lost")), r"Says.examine raised KeyError: 'lost'.*called it with a Batch"),
}


@pytest.mark.parametrize(("answer", "message"), JUDGES.values(), ids=JUDGES)
def test_bad_judges(answer, message):
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
        assert "Says.examine" in str(error)
        assert "expected" in str(error)
    else:
        assert values.shape == (20,)
        assert np.isfinite(values.astype(float)).all()


def test_an_exception_in_update_is_chained():
    class Breaks(Judge):
        def update(self, real, fake, rng):
            raise MemoryError("too much")

    with pytest.raises(PlayerError, match=r"Breaks.update raised MemoryError: too much.*\(20, 2\)") as caught:
        next(Game(Shift(Losses), Breaks(), batch_size=20).rounds(X))
    assert isinstance(caught.value.__cause__, MemoryError)


@pytest.mark.parametrize("given", [None, [[1.0]] * 20, np.zeros((20, 2)), -np.arange(20.0)[:, None]])
def test_a_condition_travels_unchanged(given):
    class Mislays(Shift):
        def propose(self, n, rng, told=None):
            return Samples(super().propose(n, rng).x, given)

    with pytest.raises(PlayerError, match=r"Mislays.propose\(20, ...\) returned samples with given=.*unchanged"):
        next(Game(Mislays(Losses), Judge(), batch_size=20).rounds(X, np.arange(60.0)[:, None]))


@pytest.mark.parametrize("method", ["start", "sample"])
def test_optional_methods_that_raise(method):
    generator = Shift(Losses)
    setattr(generator, method, lambda *arguments: fails(KeyError("lost"))(0))
    game = Game(generator, Judge(), batch_size=20)

    def play_and_sample():
        next(game.rounds(X))
        game.sample(3)

    with pytest.raises(PlayerError, match=rf"Shift.{method} raised KeyError: 'lost'"):
        play_and_sample()


def test_a_pullback_that_raises():
    judge = ExactJudge(lambda x: x.sum(axis=1), np.ones_like)
    judge.vjp = lambda batch: (judge.examine(batch), fails(KeyError("lost")))
    with pytest.raises(PlayerError, match=r"ExactJudge.vjp's pullback raised KeyError"):
        next(Game(Shift(), judge, batch_size=20).rounds(X))


@given(
    hnp.arrays(
        st.sampled_from(["f8", "f4", "i8", "c8", "O", "?"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=21),
    )
)
def test_any_proposal_is_played_or_refused(x):
    try:
        next(Game(Forger(lambda n: Samples(x)), Judge(), batch_size=20, random_state=0).rounds(X))
    except PlayerError as error:
        assert "Forger.propose" in str(error)
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
    judge = ExactJudge(lambda x: x.sum(axis=1), np.ones_like)
    judge.vjp = answer
    with pytest.raises(PlayerError, match=message):
        next(Game(Shift(), judge, batch_size=20).rounds(X))


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
        (Judge, r"Judge is a class"),
        (object(), r"is no discriminator: expected `update\(real, fake, rng\)` and `examine\(batch\)`"),
        (np.mean, r"HandwrittenDiscriminator\(score\)"),
        ("SVC", r"'SVC' is no discriminator"),
        (None, r"None is no discriminator"),
        (KMeans(2), r"KMeans is a clusterer; a judge learns to tell two classes apart. Choose a classifier"),
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
        (LinearRegression(), r"is no generator: expected `propose\(n, rng, given=None\)`"),
        (np.sin, r"EvolvedGenerator\(simulate, bounds\)"),
        (None, r"None is no generator"),
    ],
)
def test_what_is_no_generator(player, message):
    with pytest.raises(TypeError, match=message):
        as_generator(player)


def test_players_must_say_what_they_are():
    mute, deaf = Judge(), Shift()
    del mute.says, deaf.learns_from
    with pytest.raises(TypeError, match="Judge has no `says`; expected Scores, LogRatio or LogOdds"):
        as_discriminator(mute)
    with pytest.raises(TypeError, match="Shift has no `learns_from`; expected Losses, Gradients, Weights or Cells"):
        as_generator(deaf)


def test_players_are_returned_as_they_are_and_classifiers_adapted():
    judge, generator = Judge(), Shift()
    assert as_discriminator(judge) is judge
    assert as_generator(generator) is generator
    assert isinstance(as_discriminator(LogisticRegression()), ClassifierDiscriminator)


def test_torch_modules():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    assert type(as_discriminator(torch.nn.Linear(2, 1))).__name__ == "TorchDiscriminator"
    with pytest.raises(TypeError, match=r"Wrap it: TorchGenerator\(module, latent_dim=...\)"):
        as_generator(torch.nn.Linear(2, 2))


def test_incompatible_players_are_a_type_error():
    assert issubclass(IncompatiblePlayers, TypeError)
