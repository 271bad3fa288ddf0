"""Encoders of single columns: numbers, dates and categories as features without noise, and back."""

from __future__ import annotations

import datetime
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turinglearn.data.exact_integers import difference, offset, reflect

if TYPE_CHECKING:
    import pandas

__all__ = ["FLAG_NOISE", "Categories", "ColumnEncoder", "Dates", "Numbers", "column_encoder"]

_HALF_STEP = 0.5  # of the noise that hides the steps of discrete columns; rounding removes it
FLAG_NOISE = 0.98 * _HALF_STEP  # the noise of zeros and ones
_MOST_CATEGORIES = 100
_TICKS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

Features = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass
class Numbers:
    """A column of numbers, encoded as differences from the lower median.

    Attributes
    ----------
    dtype : str
        The type of the column.
    low, high, middle : int or float
        The range and the lower median. Integers stay Python integers, so that they are exact however large they are.
    missing : bool
        Whether the column has missing values.
    step : float
        The largest of 1, 0.1, ..., 1e-6 that all values are multiples of; 0 for real numbers.
    width : int
        Number of features.
    """

    dtype: str
    low: int | float
    high: int | float
    middle: int | float
    missing: bool
    step: float
    width: int = 1

    @property
    def noise(self) -> float:
        """Amplitude of the noise: half a step, or less where floats are too coarse for rounding to remove it."""
        return max(0.0, _HALF_STEP * self.step - 2 * float(np.spacing(float(self.high - self.low))))

    def encode(self, column: pandas.Series) -> Features:
        """Return the differences from the middle, (n, 1)."""
        from pandas.api import types

        if not types.is_numeric_dtype(column.dtype):
            raise TypeError("not numbers")
        if isinstance(self.middle, int) and types.is_integer_dtype(column.dtype):
            return difference(_integers(column), self.middle)[:, None]
        values: Features = column.to_numpy(dtype=float, na_value=np.nan)
        return values[:, None] - self.middle

    def decode(self, block: Features, missing: Mask) -> pandas.Series:
        """Return the numbers of features (n, 1), within the range of the fit."""
        import pandas

        low, high = (float(end - self.middle) for end in (self.low, self.high))
        values = reflect(block[:, 0], low - self.step / 2, high + self.step / 2)
        if isinstance(self.middle, int):
            series = pandas.Series(offset(np.rint(values), self.middle, int(self.low), int(self.high)))
        else:
            if self.step:
                places = round(-np.log10(self.step))
                values = np.round(np.round(values, places) + self.middle, places)
            else:
                values = values + self.middle
            series = pandas.Series(np.clip(values, self.low, self.high) + 0.0)  # no -0.0
        return series.astype(self.dtype).mask(missing)


@dataclass
class Dates:
    """A column of dates, encoded as days since the first one, in local time of its time zone.

    Attributes
    ----------
    dtype : str
        The type of the column.
    unit : {"s", "ms", "us", "ns"}
        The resolution; a tick is one of these.
    zone : str or None
        The time zone.
    low, high : int
        The range in local time, in ticks since 1970.
    grain : int
        The greatest of a day, a second and a tick that all dates are multiples of, in ticks.
    first, last : str
        The range in absolute time, as text.
    missing : bool
        Whether the column has missing values.
    width : int
        Number of features.
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
    def noise(self) -> float:
        """Amplitude of the noise: half a day for whole days, none otherwise."""
        return _HALF_STEP if self.grain == _ticks_per_day(self.unit) else 0.0

    def encode(self, column: pandas.Series) -> Features:
        """Return the days since the first date, (n, 1)."""
        return difference(_ticks(column, self.unit, self.zone), self.low)[:, None] / _ticks_per_day(self.unit)

    def decode(self, block: Features, missing: Mask) -> pandas.Series:
        """Return the dates of features (n, 1), within the range of the fit.

        A local time that is skipped when the clocks change becomes the next one that exists; of one that occurs twice, the
        first is meant.
        """
        import pandas

        grains_per_day = _ticks_per_day(self.unit) / self.grain
        margin, days = self.noise, (self.high - self.low) / _ticks_per_day(self.unit)
        ticks = np.rint(reflect(block[:, 0], -margin, days + margin) * grains_per_day) * self.grain
        dates = pandas.Series(offset(ticks, self.low, self.low, self.high).astype(f"M8[{self.unit}]"))
        if self.zone is not None:
            is_dst = np.ones(len(dates), dtype=bool)
            dates = dates.dt.tz_localize(self.zone, ambiguous=is_dst, nonexistent="shift_forward")
            first, last = (pandas.Timestamp(end).tz_convert(self.zone).as_unit(self.unit) for end in (self.first, self.last))
            dates = dates.clip(first, last)
        return dates.astype(self.dtype).mask(missing)


@dataclass
class Categories:
    """A column of categories or booleans, encoded one-hot.

    Attributes
    ----------
    dtype : str
        The type of the column.
    values : list
        The categories that occur.
    missing : bool
        Whether the column has missing values.
    declared : list or None
        The categories that the dtype declares, if it is categorical.
    ordered : bool
        Whether the dtype declares an order.
    """

    dtype: str
    values: list[object]
    missing: bool
    declared: list[object] | None = None
    ordered: bool = False

    @property
    def width(self) -> int:
        """Number of features: one per category, or a single one for two categories."""
        return 1 if len(self.values) <= 2 else len(self.values)

    @property
    def noise(self) -> float:
        """Amplitude of the noise."""
        return FLAG_NOISE

    def encode(self, column: pandas.Series) -> Features:
        """Return indicators of the categories, (n, width); raise ValueError for a category that the fit did not have."""
        import pandas

        index = pandas.Index(self.values, dtype=object).get_indexer(column.astype(object))
        unknown = (index < 0) & column.notna().to_numpy()
        if unknown.any():
            raise ValueError(
                f"Column {column.name!r} has the category {column.iloc[int(np.argmax(unknown))]!r}, which it did not have in "
                "fit. Drop those rows, or fit on data that have it."
            )
        index = np.maximum(index, 0)
        indicators: Features = index[:, None].astype(float) if self.width == 1 else np.eye(len(self.values))[index]
        return indicators

    def decode(self, block: Features, missing: Mask) -> pandas.Series:
        """Return the category with the largest indicator in each row."""
        import pandas

        index = (block[:, 0] > 0.5).astype(int) if self.width == 1 else block.argmax(axis=1)
        codes = np.where(missing, -1, np.minimum(index, len(self.values) - 1))
        series = pandas.Series(pandas.Categorical.from_codes(codes, categories=self.values))
        if self.declared is not None:
            return series.astype(pandas.CategoricalDtype(self.declared, self.ordered))
        return series.astype(object).astype(self.dtype)


ColumnEncoder = Numbers | Dates | Categories


def column_encoder(column: pandas.Series) -> ColumnEncoder:
    """Return the encoder of a column; raise ValueError for a column that cannot be encoded."""
    from pandas.api import types

    name, dtype, known = column.name, str(column.dtype), column.dropna()
    if len(known) == 0:
        raise ValueError(f"Column {name!r} has no values at all; expected some. Drop the column.")
    missing = bool(len(known) < len(column))
    if types.is_datetime64_any_dtype(column.dtype):
        return _dates(known, dtype, missing)
    if types.is_bool_dtype(column.dtype):
        return Categories(dtype, sorted(known.unique().tolist()), missing)
    if types.is_complex_dtype(column.dtype):
        raise ValueError(f"Column {name!r} is complex; expected real numbers. Split it into real and imaginary columns.")
    if types.is_integer_dtype(column.dtype):
        return Numbers(dtype, *_low_high_middle(_integers(known)), missing, 1.0)
    if types.is_numeric_dtype(column.dtype):
        values: Features = known.to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise ValueError(f"Column {name!r} has infinite values; expected finite numbers, or missing ones. Replace them.")
        return Numbers(dtype, *_low_high_middle(values), missing, _step(values))
    if dtype == "category" or types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
        return _categories(column, known, dtype, missing)
    raise ValueError(f"Column {name!r} is {dtype}; expected numbers, booleans, categories, text or dates. Convert or drop it.")


def _low_high_middle(values: NDArray[np.number]) -> tuple[int | float, int | float, int | float]:
    """Return the minimum, the maximum and the lower median."""
    half = (len(values) - 1) // 2
    return values.min().item(), values.max().item(), np.partition(values, half)[half].item()


def _dates(known: pandas.Series, dtype: str, missing: bool) -> Dates:
    """Return the encoder of a column with these dates."""
    unit, zone = known.dt.unit, None if known.dt.tz is None else str(known.dt.tz)
    if zone is not None and zone.startswith("tz"):  # the time zones of dateutil do not tell their names
        raise ValueError(f"Column {known.name!r} has the zone {zone}; expected a name. Convert it with dt.tz_convert.")
    ticks = _ticks(known, unit, zone)
    grain = next(grain for grain in (_ticks_per_day(unit), _TICKS_PER_SECOND[unit], 1) if not (ticks % grain).any())
    return Dates(dtype, unit, zone, ticks.min().item(), ticks.max().item(), grain, str(known.min()), str(known.max()), missing)


def _ticks_per_day(unit: str) -> int:
    """Return the number of ticks in a day."""
    return 86400 * _TICKS_PER_SECOND[unit]


def _ticks(dates: pandas.Series, unit: str, zone: str | None) -> NDArray[np.int64]:
    """Return the ticks since 1970 in local time, (n,), with an arbitrary number where a date is missing."""
    if zone is not None:
        dates = dates.dt.tz_convert(zone).dt.tz_localize(None)
    elif dates.dt.tz is not None:
        raise TypeError("it has a time zone")
    ticks: NDArray[np.int64] = dates.dt.as_unit(unit).to_numpy(dtype=f"M8[{unit}]").view(np.int64)
    return ticks


def _integers(column: pandas.Series) -> NDArray[np.int64]:
    """Return 64-bit integers (n,), 0 where a value is missing; unsigned ones where the column is unsigned."""
    from pandas.api import types

    wide = "UInt64" if types.is_unsigned_integer_dtype(column.dtype) else "Int64"
    integers: NDArray[np.int64] = column.astype(wide).to_numpy(dtype=wide.lower(), na_value=0)
    return integers


def _step(values: Features) -> float:
    """Return the largest of 1, 0.1, ..., 1e-6 that all values are multiples of, or 0."""
    for places in range(7):
        if np.array_equal(np.round(values, places), values):
            return float(10.0**-places)
    return 0.0


def _categories(column: pandas.Series, known: pandas.Series, dtype: str, missing: bool) -> Categories:
    """Return the encoder of a column of categories or text."""
    unsupported = next((value for value in known if not isinstance(value, str | bool | int | float)), None)
    if unsupported is not None:
        raise ValueError(f"Column {column.name!r} holds {_unsupported(unsupported)}")
    values = known.unique().tolist()
    if len(values) > _MOST_CATEGORIES:
        noun = "texts" if all(isinstance(value, str) for value in values) else "objects"
        raise ValueError(
            f"Column {column.name!r} has {len(values):,} different {noun}; expected {_MOST_CATEGORIES} categories at most. "
            "Drop it if it identifies rows, or turn it into numbers or fewer categories."
        )
    values = sorted(values, key=str)
    if dtype == "category":
        return Categories(dtype, values, missing, column.dtype.categories.tolist(), bool(column.dtype.ordered))
    return Categories(dtype, values, missing)


def _unsupported(value: object) -> str:
    """Describe a column of objects such as this value, with the remedy."""
    name = type(value).__name__
    if isinstance(value, datetime.date):
        return f"{name}s as objects; expected the type datetime64. Convert it with pandas.to_datetime."
    if isinstance(value, numbers.Number):
        return f"{name}s as objects; expected a type of numbers. Convert it with astype(float) or astype(int)."
    return f"a {name}; expected texts or numbers. Convert or drop it."
