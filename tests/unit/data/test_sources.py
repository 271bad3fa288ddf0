"""Real data: what is refused, with the culprit, what was expected and the remedy."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array
from sklearn.datasets import load_iris

from tests.players import Shift, SimpleDiscriminator
from turinglearn import Game
from turinglearn.data.sources import ArraySource, as_source, draw
from turinglearn.protocols import Batch, Losses

GOOD = np.random.default_rng(0).standard_normal((20, 3))


def with_entry(value):
    x = GOOD.copy()
    x[4, 1] = value
    return x


BAD = {
    "nothing": (None, r"X is None; expected an array"),
    "empty": (np.empty((0, 3)), r"X has 0 rows.*expected at least 2.*Give more data"),
    "empty list": ([], r"X has 1 dimension.*expected \(n, features\)"),
    "one row": (np.ones((1, 3)), r"X has 1 row,.*expected at least 2"),
    "no features": (np.empty((5, 0)), r"X has no features"),
    "a number": (3.0, r"X is a single number, 3.0; expected an array.*islice\(game.rounds\(X\), 3.0\)"),
    "a vector": (np.ones(5), r"X has 1 dimension, .*reshape\(-1, 1\) for one feature"),
    "nan": (
        with_entry(np.nan),
        r"NaN or infinity: 1 entries, the first in row 4, column 1; expected finite.*Impute or drop",
    ),
    "infinity": (with_entry(-np.inf), r"NaN or infinity: 1 entries"),
    "huge": (with_entry(-1e200), r"X has values up to 1e\+200; expected at most 1e\+18.*scale the columns first"),
    "complex": (GOOD + 1j, r"X is complex.*expected real numbers"),
    "objects": (GOOD.astype(object), r"X has dtype object, which is not numeric"),
    "strings": (np.array([["a", "b"], ["c", "d"]]), r"X has dtype <U1, which is not numeric.*OneHotEncoder"),
    "dates": (np.array([["2026-01-01"], ["2026-01-02"]], dtype="datetime64[D]"), r"not numeric"),
    "ragged": ([[1.0, 2.0], [3.0]], r"X cannot be made an array.*rows of equal length"),
    "sparse": (csr_array(GOOD), r"X is a sparse csr_array; expected a dense array. Use X.toarray\(\)"),
}


@pytest.mark.parametrize(("x", "message"), BAD.values(), ids=BAD)
def test_bad_data(x, message):
    game = Game(Shift(Losses, dimension=3), SimpleDiscriminator(), random_state=0)
    with pytest.raises(ValueError, match=message):
        game.rounds(x)  # at the call, not in the first round
    assert game.index == 0
    next(game.rounds(GOOD))  # and the game can be played with good data after that


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (np.ones(7), "condition has 7 rows for 20 samples"),
        (np.full(20, np.nan), "condition contains NaN"),
        (np.array(["a"] * 20), "condition has dtype <U1"),
        (GOOD + 1j, "condition is complex"),
    ],
)
def test_bad_conditions(condition, message):
    with pytest.raises(ValueError, match=message):
        Game(Shift(Losses), SimpleDiscriminator()).rounds(GOOD, condition)


@pytest.mark.parametrize(
    "x",
    [
        GOOD.tolist(),
        GOOD.astype(np.float32),
        (10 * GOOD).astype(int),
        GOOD > 0,
        GOOD[:, :1],
        np.ones((20, 3)),
        GOOD[:2],
    ],
    ids=["lists", "float32", "integers", "booleans", "one feature", "constant columns", "two rows"],
)
def test_unusual_but_good_data(x):
    game = Game(Shift(Losses, dimension=np.asarray(x).shape[1]), SimpleDiscriminator(), random_state=0)
    assert len(list(islice(game.rounds(x), 2))) == 2
    assert game.sample(3).shape == (3, np.asarray(x).shape[1])


@given(
    hnp.arrays(
        st.sampled_from(["f8", "f4", "i4", "?", "c16", "O", "U2"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_any_array_plays_or_is_refused_clearly(x):
    try:
        source = ArraySource(x)
    except ValueError as error:
        assert str(error).startswith("X ")
        assert "expected" in str(error)
    else:
        batch = source.draw(len(source), np.random.default_rng(0))
        assert batch.x.shape == x.shape
        assert np.isfinite(batch.x).all()
        assert batch.x.dtype.kind == "f"


def test_rows_and_conditions_are_drawn_together(arrays_on):
    source = ArraySource(arrays_on.asarray(np.arange(30.0).reshape(10, 3)), arrays_on.asarray(np.arange(0.0, 30, 3)))
    batch = source.draw(10, np.random.default_rng(1))
    x, condition = arrays_on.to_numpy(batch.x), arrays_on.to_numpy(batch.condition)
    np.testing.assert_array_equal(x[:, 0], condition[:, 0])
    assert sorted(condition[:, 0]) == list(range(0, 30, 3))
    assert not np.array_equal(condition[:, 0], np.arange(0, 30, 3))


def test_too_many():
    with pytest.raises(ValueError, match="Cannot draw 21 distinct rows of the 20 that X has"):
        ArraySource(GOOD).draw(21, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 21}, r"batch_size=21 is more than the 20 rows of the data. Choose at most 20"),
        ({"samples_per_fit": 50}, r"samples_per_fit=50 is more than the 20 rows"),
        (
            {"batch_size": 10, "pack": 3},
            r"batch_size=10 cannot be shared among tuples of pack=3.*such as 9",
        ),
        ({"batch_size": 9, "samples_per_fit": 10, "pack": 3}, r"samples_per_fit=10 cannot be shared among tuples of pack=3"),
        (
            {"batch_size": 10, "samples_per_fit": 5, "simultaneous": True},
            r"simultaneous=True shows both players the same",
        ),
    ],
)
def test_sizes_that_do_not_fit_the_data(arguments, message):
    with pytest.raises(ValueError, match=message):
        Game(Shift(Losses), SimpleDiscriminator(), **arguments).rounds(GOOD)


@pytest.mark.parametrize("name", ["batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "pack"])
@pytest.mark.parametrize("value", [0, -3, 2.5, "10", True])
def test_counts_are_whole_numbers_from_one(name, value):
    with pytest.raises(ValueError, match=rf"{name}=.*: expected an integer, at least 1"):
        Game(Shift(Losses), SimpleDiscriminator(), **{name: value})


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match=r"random_state=.* is not a seed. Give a whole number"):
        Game(Shift(Losses), SimpleDiscriminator(), random_state=seed)


def test_simultaneous_is_one_step_each():
    with pytest.raises(ValueError, match=r"simultaneous=True is one step of each player.*Leave both at 1"):
        Game(Shift(Losses), SimpleDiscriminator(), simultaneous=True, generator_steps=2)


def test_no_rounds_no_samples():
    game = Game(Shift(Losses), SimpleDiscriminator())
    assert list(islice(game.rounds(GOOD), 0)) == []
    with pytest.raises(RuntimeError, match="No round has been played, so there is nothing to sample"):
        game.sample(3)


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_bad_sample_sizes(n):
    game = Game(Shift(Losses, dimension=3), SimpleDiscriminator())
    next(game.rounds(GOOD))
    with pytest.raises(ValueError, match=r"n_samples=.*expected an integer"):
        game.sample(n)


def test_conditions_for_sampling():
    plain, condition = (Game(Shift(Losses, dimension=3), SimpleDiscriminator(lambda x: x[:, 0])) for _ in range(2))
    next(plain.rounds(GOOD))
    next(condition.rounds(GOOD, GOOD[:, :2]))
    with pytest.raises(ValueError, match=r"without conditions.*Leave condition out"):
        plain.sample(2, condition=np.ones(2))
    with pytest.raises(ValueError, match=r"with conditions.*Pass condition="):
        condition.sample(2)
    with pytest.raises(ValueError, match="condition has 3 rows for 2 samples"):
        condition.sample(2, condition=np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"condition has shape \(2, 1\); expected \(2, 2\), as in the game"):
        condition.sample(2, condition=np.ones(2))
    assert condition.sample(2, condition=[[0, 1], [1, 0]]).shape == (2, 3)


def test_a_source_draws_its_own_conditions():
    with pytest.raises(ValueError, match="ArraySource draws its own conditions"):
        as_source(ArraySource(GOOD), condition=np.ones(20))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: None, r"Odd.draw\(\d+, rng\) returned a NoneType; expected Batch\(x, condition\)"),
        (lambda n: np.zeros((n, 3)), r"Odd.draw.*returned a ndarray; expected Batch"),
        (lambda n: Batch(np.zeros((n - 1, 3))), r"returned \d+ samples; expected \d+"),
        (lambda n: Batch(np.zeros(n)), r"samples of shape \(\d+,\), float64; expected floating-point"),
        (lambda n: Batch(np.zeros((n, 3), int)), r"int64; expected floating-point"),
        (lambda n: Batch(np.full((n, 3), np.nan)), r"returned NaN or infinity"),
    ],
)
def test_bad_sources(answer, message):
    class Odd:
        def draw(self, n, rng):
            return answer(n)

    with pytest.raises(ValueError, match=message):
        next(Game(Shift(Losses, dimension=3), SimpleDiscriminator()).rounds(Odd()))


def test_conditions_are_rows():
    with pytest.raises(ValueError, match=r"condition has shape \(20, 3, 2\); expected \(n, c\)"):
        Game(Shift(Losses), SimpleDiscriminator()).rounds(GOOD, np.zeros((20, 3, 2)))


class Conditional:
    """A source whose conditions are wrong."""

    def __init__(self, condition):
        self.condition = condition

    def draw(self, n, rng):
        if callable(self.condition):
            raise KeyError("db")
        return Batch(GOOD[rng.integers(0, 20, n)], self.condition)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            np.full((5, 1), np.nan),
            r"Conditional.draw\(5, rng\) returned conditions that cannot be used: condition contains NaN",
        ),
        (np.ones((4, 1)), r"condition has 4 rows for 5 samples"),
        (["a"] * 5, r"condition has dtype <U1"),
        (print, r"Conditional.draw\(5, rng\) raised KeyError: 'db'. Expected a Batch of 5 samples; fix the source"),
    ],
)
def test_bad_conditions_of_a_source_are_its_own_fault(condition, message):
    with pytest.raises(ValueError, match=message):
        draw(Conditional(condition), 5, np.random.default_rng(0))


def test_conditions_of_a_source_become_columns():
    assert draw(Conditional(np.arange(5.0)), 5, np.random.default_rng(0)).condition.shape == (5, 1)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (load_iris(), r"X is a Bunch.*Pass X.data"),
        ((GOOD, np.ones(20)), r"X is a tuple of 2 things.*Pass only the samples"),
    ],
)
def test_what_is_not_quite_an_array(x, message):
    with pytest.raises(ValueError, match=message):
        ArraySource(x)
