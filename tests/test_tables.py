"""Data frames as numbers and back: types, ranges, missing values, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn import TuringLearner
from turinglearn.tables import TableEncoder

pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")

N = 200


def column(kind, rng):
    days = pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    seconds = pd.to_timedelta(rng.integers(0, 9_000_000, N), unit="s")
    return {
        "real": lambda: rng.normal(size=N),
        "single": lambda: rng.normal(size=N).astype(np.float32),
        "decimals": lambda: rng.normal(170, 9, N).round(1),
        "whole": lambda: rng.integers(-3, 9, N),
        "bytes": lambda: rng.integers(0, 5, N).astype(np.int8),
        "unsigned": lambda: rng.integers(0, 60_000, N).astype(np.uint16),
        "truth": lambda: rng.random(N) < 0.3,
        "text": lambda: rng.choice(["a", "b", "c", "d"], N),
        "two texts": lambda: rng.choice(["x", "y"], N),
        "one text": lambda: ["k"] * N,
        "categories": lambda: pd.Categorical(rng.choice(["lo", "hi"], N), ["lo", "mid", "hi"], ordered=True),
        "numbered categories": lambda: pd.Categorical(rng.choice([3, 1, 2], N)),
        "days": lambda: pd.Timestamp("2020-01-01") + days,
        "seconds": lambda: pd.Timestamp("2020-01-01 10:11:12") + seconds,
        "zoned": lambda: pd.Timestamp("2020-01-01", tz="Europe/Rome") + seconds,
        "nullable whole": lambda: pd.array(rng.integers(0, 9, N), dtype="Int64"),
        "nullable truth": lambda: pd.array(rng.random(N) < 0.5, dtype="boolean"),
        "constant": lambda: np.full(N, 2.5),
    }[kind]()


KINDS = [
    *("real", "single", "decimals", "whole", "bytes", "unsigned", "truth", "text", "two texts", "one text", "categories"),
    *("numbered categories", "days", "seconds", "zoned", "nullable whole", "nullable truth", "constant"),
]
CAN_MISS = [kind for kind in KINDS if kind not in ("whole", "bytes", "unsigned", "truth", "single")]


def frame(*kinds, missing=False, seed=0):
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({kind: column(kind, rng) for kind in kinds})
    if missing:
        for kind in kinds:
            made.loc[rng.random(N) < 0.2, kind] = None
    return made


@pytest.mark.parametrize(("kind", "missing"), [(k, False) for k in KINDS] + [(k, True) for k in CAN_MISS])
def test_a_column_comes_back_as_it_was(kind, missing):
    table = frame(kind, "real", missing=missing)
    encoder = TableEncoder().fit(table)
    matrix = encoder.transform(table)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (N, len(encoder.get_feature_names_out()))
    pd.testing.assert_frame_equal(encoder.inverse_transform(matrix), table)


@pytest.mark.parametrize("missing", [False, True])
def test_whatever_is_sampled_has_the_types_and_ranges_of_the_table(missing):
    table = frame(*(CAN_MISS if missing else KINDS), missing=missing)
    encoder = TableEncoder().fit(table)
    back = encoder.inverse_transform(10 * np.random.default_rng(1).normal(size=(500, encoder.transform(table).shape[1])))
    pd.testing.assert_series_equal(back.dtypes, table.dtypes)
    for kind in table:
        if table[kind].dtype.kind in "iufM":
            assert back[kind].min() >= table[kind].min()
            assert back[kind].max() <= table[kind].max()
        else:
            assert set(back[kind].dropna()) <= set(table[kind].dropna())
        assert back[kind].isna().any() == missing


def test_noise_hides_the_steps():
    """Whole numbers fill the unit around them evenly, so that a smooth counterfeit is not told at once."""
    table = pd.DataFrame({"die": np.random.default_rng(0).integers(1, 7, 6000)})
    z = TableEncoder().fit_transform(table)[:, 0]
    counts, _ = np.histogram(z, np.linspace(0.5, 6.5, 61))
    assert ((counts - 100) ** 2 / 100).sum() < 95  # chi-squared with 59 degrees of freedom: beyond in 1 of 400


def test_the_noise_is_the_same_each_time():
    table = frame(*KINDS)
    encoder = TableEncoder().fit(table)
    np.testing.assert_array_equal(encoder.transform(table), encoder.transform(table[KINDS[::-1]]))


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=20), st.integers(0, 6))
def test_decimals_come_back_exactly(values, places):
    table = pd.DataFrame({"x": np.round(values, places)})
    encoder = TableEncoder().fit(table)
    np.testing.assert_allclose(encoder.inverse_transform(encoder.transform(table))["x"], table["x"], rtol=1e-14)


def test_names_say_what_a_feature_is():
    names = TableEncoder().fit(frame("text", "whole", "two texts")).get_feature_names_out()
    assert list(names) == ["text=a", "text=b", "text=c", "text=d", "whole", "two texts"]
    assert "real missing" in TableEncoder().fit(frame("real", missing=True)).get_feature_names_out()


def broken(**changes):
    table = frame("real", "text")
    return table.assign(**{name.replace("_", " "): value for name, value in changes.items()})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones((3, 2)), r"X is a ndarray; expected a pandas DataFrame"),
        (pd.DataFrame(), r"X has shape \(0, 0\); expected rows and columns"),
        (frame("real")[:0], r"X has shape \(0, 1\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"two columns called 'a'"),
        (broken(real=np.nan), r"Column 'real' has no values at all.*Drop the column"),
        (broken(real=np.inf), r"Column 'real' has infinite values"),
        (broken(real=1j), r"Column 'real' is complex"),
        (broken(text=[f"name {i}" for i in range(N)]), r"Column 'text' has 200 different texts.*100 categories.*Drop it"),
        (broken(text=[[1]] * N), r"Column 'text' holds a list; expected texts or numbers"),
        (broken(real=pd.to_timedelta(np.arange(N), unit="s")), r"Column 'real' is timedelta.*expected numbers"),
    ],
)
def test_tables_that_cannot_be_learned(table, message):
    with pytest.raises((ValueError, TypeError), match=message):
        TableEncoder().fit(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (broken().drop(columns="text"), r"lacks 'text'"),
        (broken(other=1), r"has 'other', which the fit did not"),
        (broken(text="z"), r"Column 'text' has the category 'z', which it did not have in fit"),
        (broken(real=np.nan), r"Column 'real' has 200 missing values, but had none in fit"),
        (broken(real="word"), r"Column 'real' is (str|object) now, but was float64 in fit"),
    ],
)
def test_tables_that_differ_from_the_fit(table, message):
    with pytest.raises(ValueError, match=message):
        TableEncoder().fit(frame("real", "text")).transform(table)


def test_a_learner_of_a_data_frame_gives_data_frames():
    table = frame(*KINDS)
    learner = TuringLearner(rounds=20, random_state=0).fit(table)
    fake = learner.sample(50)
    pd.testing.assert_series_equal(fake.dtypes, table.dtypes)
    assert list(learner.feature_names_in_) == KINDS
    assert np.isfinite(learner.score(table))
    assert learner.discriminate(table).shape == (N,)
    with pytest.raises(ValueError, match="was fitted to a data frame, but X is a ndarray"):
        learner.score(np.ones((5, 18)))
    with pytest.raises(ValueError, match="feature names"):
        learner.score(table.rename(columns={"real": "unreal"}))
