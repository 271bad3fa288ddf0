"""Data frames as matrices of numbers, and back: numbers, whole numbers, truth values, categories, dates, missing values."""

from __future__ import annotations

import datetime
import numbers
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from turinglearn.words import apart, moved, noisy, reflected

__all__ = ["TableEncoder", "is_frame"]

_NOISE = 0.5  # counterfeits are smooth, so steps and one-hot columns are blurred by as much as rounding takes back
_BLUR = 0.98 * _NOISE  # of zeros and ones
_MOST_CATEGORIES = 100
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # per second


def is_frame(X: Any) -> bool:
    """Whether X is a pandas data frame; pandas is not imported for asking."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


@dataclass
class Numbers:
    """A column of numbers, as distances from the middle one; integers are integers here, and exact however large.

    step is what they are multiples of: 1, .1, ..., a millionth, or 0 for real numbers.
    """

    dtype: str
    low: Any
    high: Any
    middle: Any
    missing: bool
    step: float
    width: int = 1

    @property
    def reach(self) -> float:
        """How far the noise reaches: half a step, or less where floats are too coarse for rounding to take it back."""
        return max(0.0, _NOISE * self.step - 2 * float(np.spacing(float(self.high - self.low))))

    def encode(self, column: Any) -> Any:
        """(n, 1) distances from the middle."""
        from pandas.api import types

        if not types.is_numeric_dtype(column.dtype):
            raise TypeError("not numbers")
        if isinstance(self.middle, int) and types.is_integer_dtype(column.dtype):
            return apart(_integers(column), self.middle)[:, None]
        return column.to_numpy(dtype=float, na_value=np.nan)[:, None] - self.middle

    def decode(self, block: Any, missing: Any) -> Any:
        """The numbers, within the range that was seen."""
        import pandas

        low, high = (float(end - self.middle) for end in (self.low, self.high))
        values = reflected(block[:, 0], low - self.step / 2, high + self.step / 2)
        if isinstance(self.middle, int):
            values = moved(np.rint(values), self.middle, self.low, self.high)
        else:
            if self.step:
                places = round(-np.log10(self.step))
                values = np.round(np.round(values, places) + self.middle, places)
            else:
                values = values + self.middle
            values = np.clip(values, self.low, self.high) + 0.0  # no -0.0
        return pandas.Series(values).astype(self.dtype).mask(missing)


@dataclass
class Dates:
    """A column of dates, in days since the first one, by the clock of their time zone.

    low and high are the range on that clock, in ticks of the unit since 1970; grain is what all are multiples of, in ticks:
    a day, a second or a tick. first and last are the range in absolute time, as text.
    """

    dtype: str
    unit: str
    zone: str | None
    low: int
    high: int
    grain: int
    first: str
    last: str
    missing: bool
    width: int = 1

    @property
    def reach(self) -> float:
        """How far the noise reaches: half a day for whole days."""
        return _NOISE if self.grain == _day(self.unit) else 0.0

    def encode(self, column: Any) -> Any:
        """(n, 1) days since the first date."""
        return apart(_ticks(column, self.unit, self.zone), self.low)[:, None] / _day(self.unit)

    def decode(self, block: Any, missing: Any) -> Any:
        """The dates, within the range that was seen; an hour that the clock leaves out or repeats is the later or first one."""
        import pandas

        grains = _day(self.unit) / self.grain  # of a day
        beyond, days = self.reach, (self.high - self.low) / _day(self.unit)
        ticks = np.rint(reflected(block[:, 0], -beyond, days + beyond) * grains) * self.grain
        dates = pandas.Series(moved(ticks, self.low, self.low, self.high).astype(f"M8[{self.unit}]"))
        if self.zone is not None:
            summer = np.ones(len(dates), dtype=bool)
            dates = dates.dt.tz_localize(self.zone, ambiguous=summer, nonexistent="shift_forward")
            first, last = (pandas.Timestamp(end).tz_convert(self.zone).as_unit(self.unit) for end in (self.first, self.last))
            dates = dates.clip(first, last)
        return dates.astype(self.dtype).mask(missing)


@dataclass
class Categories:
    """A column of categories or truth values, one-hot; declared are those of its dtype, where it has any."""

    dtype: str
    values: list[Any]
    missing: bool
    declared: list[Any] | None = None
    ordered: bool = False

    @property
    def width(self) -> int:
        """How many numbers a category takes: one per category, or one for two."""
        return 1 if len(self.values) <= 2 else len(self.values)

    @property
    def reach(self) -> float:
        """How far the noise reaches."""
        return _BLUR

    def encode(self, column: Any) -> Any:
        """(n, width), 1 where the category is; a category that was never seen is refused."""
        import pandas

        index = pandas.Index(self.values, dtype=object).get_indexer(column.astype(object))
        unknown = (index < 0) & column.notna().to_numpy()
        if unknown.any():
            raise ValueError(
                f"Column {column.name!r} has the category {column.iloc[int(np.argmax(unknown))]!r}, which it did not have in "
                "fit. Drop those rows, or fit on data that have it."
            )
        index = np.maximum(index, 0)
        return index[:, None].astype(float) if self.width == 1 else np.eye(len(self.values))[index]

    def decode(self, block: Any, missing: Any) -> Any:
        """The category that stands out most in each row."""
        import pandas

        index = (block[:, 0] > 0.5).astype(int) if self.width == 1 else block.argmax(axis=1)
        codes = np.where(missing, -1, np.minimum(index, len(self.values) - 1))
        series = pandas.Series(pandas.Categorical.from_codes(codes, categories=self.values))
        if self.declared is not None:
            return series.astype(pandas.CategoricalDtype(self.declared, self.ordered))
        return series.astype(object).astype(self.dtype)


Kind = Numbers | Dates | Categories


class TableEncoder(TransformerMixin, BaseEstimator):
    """A data frame as a matrix (n, features) of float64, and such a matrix as a data frame of the same types and ranges.

    Numbers are counted from the middle one, so that a large offset does not hide a small spread. Whole numbers, decimals of up
    to six places, and dates at midnight are spread uniformly over the step around them, and categories and truth values are
    one-hot with uniform noise, since a judge would tell smooth counterfeits from steps at once; rounding takes the noise back.
    A column with missing values has one more feature, 1 where a value is missing. Text counts as a category, of which a column
    may have 100.

    random_state: the seed of the noise. A row has the same noise in every call and in any data frame; of equal rows in one
    data frame, each has its own.

    columns_: how each column is encoded. feature_names_in_, n_features_in_: as everywhere.
    """

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> TableEncoder:
        """Learn the types, ranges and categories of the columns; y is ignored."""
        _check_frame(X)
        self.columns_: dict[Any, Kind] = {name: _column(X[name]) for name in X.columns}
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """The matrix (n, features) of a data frame with the columns of the fit, in any order."""
        blocks, reaches = [], []
        for kind, block, missing in self.blocks(X):
            blocks.append(np.where(missing[:, None], 0.0, block))
            reaches += [kind.reach] * kind.width
            if kind.missing:
                blocks.append(missing[:, None].astype(float))
                reaches.append(_BLUR)
        return noisy(np.concatenate(blocks, axis=1), reaches, self.random_state)

    def blocks(self, X: Any) -> Iterator[tuple[Kind, Any, Any]]:
        """How each column is encoded, its numbers (n, width) without noise, and which of its rows lack a value, (n,)."""
        check_is_fitted(self, "columns_")
        _check_frame(X)
        lacking, other = [c for c in self.columns_ if c not in X.columns], [c for c in X.columns if c not in self.columns_]
        if lacking or other:
            parts = [f"lacks {', '.join(map(repr, lacking))}"] * bool(lacking) + [
                f"has {', '.join(map(repr, other))}, which the fit did not"
            ] * bool(other)
            raise ValueError(f"The data frame {' and '.join(parts)}. Give the columns that the fit had: {list(self.columns_)}.")
        for name, kind in self.columns_.items():
            column, missing = X[name], X[name].isna().to_numpy()
            if missing.any() and not kind.missing:
                raise ValueError(
                    f"Column {name!r} has {int(missing.sum())} missing values, but had none in fit. Drop those rows, or fit on "
                    "data that lack some values."
                )
            try:
                block = kind.encode(column)
            except (TypeError, AttributeError) as error:
                raise ValueError(f"Column {name!r} is {column.dtype} now, but was {kind.dtype} in fit ({error}).") from error
            yield kind, block, missing

    def inverse_transform(self, X: Any) -> Any:
        """The data frame of a matrix (n, features)."""
        import pandas

        check_is_fitted(self, "columns_")
        X, at, found = np.asarray(X, dtype=float), 0, {}
        for name, kind in self.columns_.items():
            block, at = X[:, at : at + kind.width], at + kind.width
            missing = X[:, at] > 0.5 if kind.missing else np.zeros(len(X), dtype=bool)
            at += kind.missing
            found[name] = kind.decode(block, missing)
        return pandas.DataFrame(found)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the features: that of the column, with the category or "missing" where there are several."""
        check_is_fitted(self, "columns_")
        names = []
        for name, kind in self.columns_.items():
            wide = isinstance(kind, Categories) and kind.width > 1
            names += [f"{name}={value}" for value in getattr(kind, "values", ())] if wide else [str(name)]
            names += [f"{name} missing"] * kind.missing
        return np.array(names, dtype=object)


def _check_frame(X: Any) -> None:
    if not is_frame(X):
        raise ValueError(f"X is a {type(X).__name__}; expected a pandas DataFrame. Arrays of numbers need no encoding.")
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(f"X has shape {X.shape}; expected rows and columns. Give more data.")
    twice = X.columns[X.columns.duplicated()].tolist()
    if twice:
        raise ValueError(f"X has two columns called {twice[0]!r}; expected each name once. Rename one of them.")


def _column(column: Any) -> Kind:
    """How to encode a column."""
    from pandas.api import types

    name, dtype, known = column.name, str(column.dtype), column.dropna()
    if len(known) == 0:
        raise ValueError(f"Column {name!r} has no values at all; expected some. Drop the column.")
    missing = bool(len(known) < len(column))
    if types.is_datetime64_any_dtype(column.dtype):
        return _calendar(known, dtype, missing)
    if types.is_bool_dtype(column.dtype):
        return Categories(dtype, sorted(known.unique().tolist()), missing)
    if types.is_complex_dtype(column.dtype):
        raise ValueError(f"Column {name!r} is complex; expected real numbers. Split it into real and imaginary columns.")
    if types.is_integer_dtype(column.dtype):
        return Numbers(dtype, *_range(_integers(known)), missing, 1.0)
    if types.is_numeric_dtype(column.dtype):
        values = known.to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise ValueError(f"Column {name!r} has infinite values; expected finite numbers, or missing ones. Replace them.")
        return Numbers(dtype, *_range(values), missing, _step(values))
    if dtype == "category" or types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
        return _categories(column, known, dtype, missing)
    raise ValueError(
        f"Column {name!r} is {dtype}; expected numbers, truth values, categories, text or dates. Convert or drop it."
    )


def _range(values: Any) -> tuple[Any, Any, Any]:
    """The lowest, the highest and the middle one."""
    half = (len(values) - 1) // 2
    return values.min().item(), values.max().item(), np.partition(values, half)[half].item()


def _calendar(known: Any, dtype: str, missing: bool) -> Dates:
    unit, zone = known.dt.unit, None if known.dt.tz is None else str(known.dt.tz)
    if zone is not None and zone.startswith("tz"):  # dateutil does not say the name
        raise ValueError(f"Column {known.name!r} has the zone {zone}; expected a name. Convert it with dt.tz_convert.")
    ticks = _ticks(known, unit, zone)
    grain = next(grain for grain in (_day(unit), _TICKS[unit], 1) if not (ticks % grain).any())
    return Dates(dtype, unit, zone, ticks.min().item(), ticks.max().item(), grain, str(known.min()), str(known.max()), missing)


def _day(unit: str) -> int:
    """The ticks of a day."""
    return 86400 * _TICKS[unit]


def _ticks(dates: Any, unit: str, zone: str | None) -> Any:
    """(n,) ticks since 1970 by the clock of the zone; any number where a date is missing."""
    if zone is not None:
        dates = dates.dt.tz_convert(zone).dt.tz_localize(None)
    elif dates.dt.tz is not None:
        raise TypeError("it has a time zone")
    return dates.dt.as_unit(unit).to_numpy(dtype=f"M8[{unit}]").view(np.int64)


def _integers(column: Any) -> Any:
    """(n,) integers of 64 bits; 0 where one is missing."""
    from pandas.api import types

    wide = "UInt64" if types.is_unsigned_integer_dtype(column.dtype) else "Int64"
    return column.astype(wide).to_numpy(dtype=wide.lower(), na_value=0)


def _step(values: Any) -> float:
    """The largest of 1, .1, ..., 1e-6 that all values are multiples of; 0 if there is none."""
    for places in range(7):
        if np.array_equal(np.round(values, places), values):
            return float(10.0**-places)
    return 0.0


def _categories(column: Any, known: Any, dtype: str, missing: bool) -> Categories:
    strange = next((value for value in known if not isinstance(value, str | bool | int | float)), None)
    if strange is not None:
        raise ValueError(f"Column {column.name!r} holds {_objects(strange)}")
    values = known.unique().tolist()
    if len(values) > _MOST_CATEGORIES:
        what = "texts" if all(isinstance(value, str) for value in values) else "objects"
        raise ValueError(
            f"Column {column.name!r} has {len(values):,} different {what}; expected {_MOST_CATEGORIES} categories at most. "
            "Drop it if it names rows, or make numbers or fewer categories of it."
        )
    values = sorted(values, key=str)
    if dtype == "category":
        return Categories(dtype, values, missing, column.dtype.categories.tolist(), bool(column.dtype.ordered))
    return Categories(dtype, values, missing)


def _objects(value: Any) -> str:
    """What a column of objects such as this value holds, and what to make of it."""
    what = type(value).__name__
    if isinstance(value, datetime.date):
        return f"{what}s as objects; expected the type datetime64. Convert it with pandas.to_datetime."
    if isinstance(value, numbers.Number):
        return f"{what}s as objects; expected a type of numbers. Convert it with astype(float) or astype(int)."
    return f"a {what}; expected texts or numbers. Convert or drop it."
