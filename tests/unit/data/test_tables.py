"""Data frames as numbers and back: types, ranges, missing values, and what is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn import TuringLearner
from turinglearn.data.exact_integers import reflect
from turinglearn.data.tables import TableEncoder

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
    """Whole numbers fill the unit around them evenly, so that a smooth fake is not told at once."""
    table = pd.DataFrame({"die": np.random.default_rng(0).integers(1, 7, 6000)})
    encoder = TableEncoder()
    z = encoder.fit_transform(table)[:, 0] + encoder.columns_["die"].middle
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


def test_decimals_come_back_exactly_where_floats_are_coarse():
    values = np.round(np.random.default_rng(0).normal(size=2000), 6)
    values[:2] = -1e9, 1e9
    for middle in (0.0, -1e9):
        table = pd.DataFrame({"x": np.append(values, [middle] * 4000)})
        np.testing.assert_array_equal(back(table)["x"], table["x"])


def back(table, matrix=None):
    encoder = TableEncoder().fit(table)
    return encoder.inverse_transform(encoder.transform(table) if matrix is None else matrix)


def test_the_noise_of_a_row_is_that_row_s_wherever_it_is():
    table = frame("real", "whole", "text", "days", "nullable truth", missing=False)
    encoder = TableEncoder().fit(table)
    matrix, rows = encoder.transform(table), np.random.default_rng(1).permutation(N)[:50]
    np.testing.assert_array_equal(encoder.transform(table.iloc[rows]), matrix[rows])
    assert not np.array_equal(TableEncoder(random_state=1).fit(table).transform(table), matrix)


def test_equal_rows_differ_in_their_noise():
    table = pd.DataFrame({"a": [1] * 6000, "b": [True] * 6000, "c": [2, None] * 3000})
    matrix = TableEncoder().fit_transform(table)
    for feature in (0, 1, 2, 3):
        assert len(np.unique(matrix[:, feature])) == 6000
    assert np.abs(np.corrcoef(np.delete(matrix, 3, axis=1).T) - np.eye(3)).max() < 0.05  # 4 standard errors
    assert abs(np.corrcoef(matrix[1:, 0], matrix[:-1, 0])[0, 1]) < 0.05


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "UTC+01:00"])
@pytest.mark.parametrize("missing", [False, True])
def test_days_and_hours_by_the_clock_of_a_time_zone(zone, missing):
    days = pd.Series(pd.date_range("2023-06-01", "2024-06-01", freq="D", tz=zone))
    hours = pd.Series(pd.date_range("2023-06-01 00:20", periods=len(days), freq="24h", tz=zone))
    table = pd.DataFrame({"days": days, "hours": hours})
    if missing:
        table.iloc[::7] = pd.NaT
    pd.testing.assert_frame_equal(back(table), table)


def test_hours_that_a_clock_leaves_out_or_repeats_stay_within_the_range():
    autumn = pd.Series(pd.date_range("2023-10-29 00:30", "2023-10-29 01:30", freq="min", tz="UTC"))
    spring = pd.Series(pd.date_range("2024-03-31 00:30", "2024-03-31 01:30", freq="min", tz="UTC"))
    table = pd.DataFrame({"autumn": autumn.dt.tz_convert("Europe/Berlin"), "spring": spring.dt.tz_convert("Europe/Berlin")})
    table = table.drop(index=0)
    found = back(table, np.random.default_rng(0).uniform(-0.01, 0.1, (500, 2)))
    pd.testing.assert_series_equal(found.dtypes, table.dtypes)
    assert (found.min() >= table.min()).all()
    assert (found.max() <= table.max()).all()
    pd.testing.assert_series_equal(back(table)["spring"], table["spring"].reset_index(drop=True))


def test_dates_of_another_kind_than_in_the_fit_are_refused():
    plain = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=9)})
    zoned = pd.DataFrame({"t": plain["t"].dt.tz_localize("Europe/Rome")})
    for one, other in ((plain, zoned), (zoned, plain)):
        with pytest.raises(ValueError, match=r"Column 't' is datetime64.* now, but was datetime64"):
            TableEncoder().fit(one).transform(other)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_dates_keep_their_resolution(unit):
    ticks = np.random.default_rng(0).integers(0, 10**6, N) + 17 * 10**14 // {"ms": 10**3, "us": 1, "ns": 1}[unit]
    table = pd.DataFrame({"t": ticks.astype(f"M8[{unit}]")})
    pd.testing.assert_frame_equal(back(table), table)
    found = back(table, np.linspace(-1, 1e-3 if unit == "ms" else 1e-9, 99)[:, None])["t"]
    assert found.between(table["t"].min(), table["t"].max()).all()
    assert (back(pd.DataFrame({"t": table["t"].dt.floor("s")})) == pd.DataFrame({"t": table["t"].dt.floor("s")})).all(axis=None)


WIDEST = [
    ("int64", [0, 2**63 - 1]),
    ("int64", [-(2**63), 2**63 - 1]),
    ("int64", [-(2**63), -(2**63), 2**63 - 1]),
    ("int64", [2**62 + 1, 2**62 + 2, 2**62 + 9]),
    ("uint64", [0, 2**64 - 1]),
    ("uint64", [2**64 - 3, 2**64 - 2, 2**64 - 1]),
    ("Int64", [None, 2**63 - 1, 2**63 - 2, 2**53 + 1 - 2**63]),
    ("UInt64", [None, 2**64 - 1, 0, 2**63]),
]


@pytest.mark.parametrize(("dtype", "values"), WIDEST)
def test_the_largest_integers_are_exact(dtype, values):
    table = pd.DataFrame({"n": pd.Series(values, dtype=dtype)})
    ends = [table["n"].min(), table["n"].max()]
    pd.testing.assert_frame_equal(back(table), table)
    width = TableEncoder().fit_transform(table).shape[1]
    wild = np.zeros((101, width))
    wild[:, 0] = np.linspace(-4e19, 4e19, 101)
    found = back(table, wild)["n"]
    assert str(found.dtype) == dtype
    assert ends[0] <= found.min() <= found.max() <= ends[1]


@pytest.mark.parametrize(
    "values",
    [
        10**9 + np.arange(200),
        1.7e9 + np.arange(200.0),
        1e6 + np.arange(200) / 100,
        1e9 + np.random.default_rng(0).normal(size=200),
    ],
)
def test_a_large_offset_does_not_hide_a_small_spread(values):
    table = pd.DataFrame({"x": values})
    matrix = TableEncoder().fit_transform(table)
    assert np.abs(matrix).max() <= np.ptp(values) + 0.5
    np.testing.assert_allclose(back(table)["x"], values, rtol=0, atol=0 if values[1] - values[0] in (1, 0.01) else 1e-6)
    found = back(table, np.linspace(-1e12, 1e12, 99)[:, None])["x"]
    assert values.min() <= found.min() <= found.max() <= values.max()


def test_zero_has_no_sign():
    table = pd.DataFrame({"x": [0.0, 0.5, -0.5, 1.0]})
    assert "-0.0" not in back(table, np.linspace(-0.3, 0.3, 99)[:, None])["x"].astype(str).tolist()


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
        (broken(text=[f"{i}" for i in range(N - 1)] + [2]), r"Column 'text' has 200 different objects"),
        (broken(text=[datetime.date(2024, 1, 1)] * N), r"Column 'text' holds dates as objects.*pandas\.to_datetime"),
        (broken(text=[Decimal("1.5")] * N), r"Column 'text' holds Decimals as objects; expected a type of numbers.*float"),
        (broken(text=pd.Series([np.int64(3)] * N, dtype=object)), r"Column 'text' holds int64s as objects; expected a type of"),
        (
            broken(real=pd.date_range("2024", periods=N, tz="dateutil/Europe/Rome")),
            r"Column 'real' has the zone tz.*tz_convert",
        ),
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
    assert learner.decision_function(table).shape == (N,)
    with pytest.raises(ValueError, match="was fitted to a data frame, but X is a ndarray"):
        learner.score(np.ones((5, 18)))
    with pytest.raises(ValueError, match="feature names"):
        learner.score(table.rename(columns={"real": "unreal"}))


def test_fakes_do_not_pile_up_at_the_ends_of_a_range():
    table = frame("real", "decimals", "whole", "days", "seconds")
    encoder = TableEncoder().fit(table)
    z = encoder.transform(table)
    wide = z.mean(axis=0) + 3 * z.std(axis=0) * np.random.default_rng(1).normal(size=(4000, z.shape[1]))
    back = encoder.inverse_transform(wide)
    for kind, at_most in (("real", 0.001), ("decimals", 0.02), ("whole", 0.3), ("days", 0.01), ("seconds", 0.001)):
        ends = (back[kind] == table[kind].min()) | (back[kind] == table[kind].max())
        assert ends.mean() <= at_most, kind


@given(st.floats(-1e6, 1e6), st.floats(-100, 100), st.floats(0, 50))
def test_reflection_stays_between_the_ends_and_leaves_what_is_there(x, low, width):
    (folded,) = reflect(np.array([x]), low, low + width)
    assert low - 1e-9 <= folded <= low + width + 1e-9
    if low <= x <= low + width:
        assert folded == pytest.approx(x, abs=1e-9)
