"""Data frames as matrices of numbers, and back: numbers, whole numbers, truth values, categories, dates, missing values."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["TableEncoder", "is_frame"]

_NOISE = 0.5  # counterfeits are smooth, so steps and one-hot columns are blurred by as much as rounding takes back
_MOST_CATEGORIES = 100
_DAY = 86400  # seconds


def is_frame(X: Any) -> bool:
    """Whether X is a pandas data frame; pandas is not imported for asking."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


@dataclass
class Numbers:
    """A column of numbers; step is what they are multiples of: 1, .1, ..., a millionth, or 0 for real numbers."""

    dtype: str
    low: float
    high: float
    middle: float
    missing: bool
    step: float
    width: int = 1

    def encode(self, column: Any, rng: np.random.Generator) -> Any:
        """(n, 1) numbers, spread over the step around them."""
        from pandas.api import types

        if not types.is_numeric_dtype(column.dtype):
            raise TypeError("not numbers")
        values = column.astype("float64").to_numpy(dtype=float, na_value=np.nan)
        values = np.where(np.isnan(values), self.middle, values)
        return (values + self.step * rng.uniform(-_NOISE, _NOISE, len(values)))[:, None]

    def decode(self, block: Any, missing: Any) -> Any:
        """The numbers, within the range that was seen."""
        import pandas

        values = np.round(block[:, 0], round(-np.log10(self.step))) if self.step else block[:, 0]
        values = np.clip(values, self.low, self.high)
        return pandas.Series(values).mask(missing).astype(self.dtype)


@dataclass
class Dates:
    """A column of dates, in days since the first one (as text); rounded to whole days where all were midnights."""

    dtype: str
    first: str
    days: float
    middle: float
    missing: bool
    whole: bool
    width: int = 1

    def encode(self, column: Any, rng: np.random.Generator) -> Any:
        """(n, 1) days since the first date."""
        import pandas

        days = ((column - pandas.Timestamp(self.first)).dt.total_seconds() / _DAY).to_numpy(dtype=float, na_value=np.nan)
        days = np.where(np.isnan(days), self.middle, days)
        return (days + (rng.uniform(-_NOISE, _NOISE, len(days)) if self.whole else 0.0))[:, None]

    def decode(self, block: Any, missing: Any) -> Any:
        """The dates, to the second, within the range that was seen."""
        import pandas

        days = np.clip(np.rint(block[:, 0]) if self.whole else block[:, 0], 0, self.days)
        seconds = np.minimum(np.rint(days * _DAY), np.floor(self.days * _DAY + 1e-3))
        dates = pandas.Timestamp(self.first) + pandas.to_timedelta(seconds, unit="s")
        return pandas.Series(dates).mask(missing).astype(self.dtype)


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

    def encode(self, column: Any, rng: np.random.Generator) -> Any:
        """(n, width), 1 where the category is, blurred; a category that was never seen is refused."""
        import pandas

        index = pandas.Index(self.values, dtype=object).get_indexer(column.astype(object))
        unknown = (index < 0) & column.notna().to_numpy()
        if unknown.any():
            raise ValueError(
                f"Column {column.name!r} has the category {column.iloc[int(np.argmax(unknown))]!r}, which it did not have in "
                "fit. Drop those rows, or fit on data that have it."
            )
        index = np.maximum(index, 0)
        hot = index[:, None].astype(float) if self.width == 1 else np.eye(len(self.values))[index]
        return _blurred(hot, rng)

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

    Real numbers stay what they are. Whole numbers, decimals of up to six places, and dates at midnight are spread uniformly
    over the step around them, and categories and truth values are one-hot with uniform noise, since a judge would tell smooth
    counterfeits from steps at once; rounding takes the noise back. A column with missing values has one more feature, 1 where
    a value is missing. Text counts as a category, of which a column may have 100.

    random_state: the seed of the noise, the same in every call.

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
        check_is_fitted(self, "columns_")
        _check_frame(X)
        lacking, other = [c for c in self.columns_ if c not in X.columns], [c for c in X.columns if c not in self.columns_]
        if lacking or other:
            parts = [f"lacks {', '.join(map(repr, lacking))}"] * bool(lacking) + [
                f"has {', '.join(map(repr, other))}, which the fit did not"
            ] * bool(other)
            raise ValueError(f"The data frame {' and '.join(parts)}. Give the columns that the fit had: {list(self.columns_)}.")
        rng = np.random.default_rng(self.random_state)
        blocks = []
        for name, kind in self.columns_.items():
            column, missing = X[name], X[name].isna().to_numpy()
            if missing.any() and not kind.missing:
                raise ValueError(
                    f"Column {name!r} has {int(missing.sum())} missing values, but had none in fit. Drop those rows, or fit on "
                    "data that lack some values."
                )
            try:
                blocks.append(kind.encode(column, rng))
            except (TypeError, AttributeError) as error:
                raise ValueError(f"Column {name!r} is {column.dtype} now, but was {kind.dtype} in fit ({error}).") from error
            if kind.missing:
                blocks.append(_blurred(missing[:, None].astype(float), rng))
        return np.concatenate(blocks, axis=1)

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
        first = known.min()
        days = (known - first).dt.total_seconds() / 86400
        midnights = bool((known == known.dt.normalize()).all())
        return Dates(dtype, str(first), float(days.max()), float(days.median()), missing, midnights)
    if types.is_bool_dtype(column.dtype):
        return Categories(dtype, sorted(known.unique().tolist()), missing)
    if types.is_complex_dtype(column.dtype):
        raise ValueError(f"Column {name!r} is complex; expected real numbers. Split it into real and imaginary columns.")
    if types.is_numeric_dtype(column.dtype):
        values = known.to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise ValueError(f"Column {name!r} has infinite values; expected finite numbers, or missing ones. Replace them.")
        return Numbers(dtype, float(values.min()), float(values.max()), float(np.median(values)), missing, _step(values))
    if dtype == "category" or types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
        return _categories(column, known, dtype, missing)
    raise ValueError(
        f"Column {name!r} is {dtype}; expected numbers, truth values, categories, text or dates. Convert or drop it."
    )


def _step(values: Any) -> float:
    """The largest of 1, .1, ..., 1e-6 that all values are multiples of; 0 if there is none."""
    for places in range(7):
        if np.array_equal(np.round(values, places), values):
            return float(10.0**-places)
    return 0.0


def _categories(column: Any, known: Any, dtype: str, missing: bool) -> Categories:
    strange = next((value for value in known if not isinstance(value, str | bool | int | float)), None)
    if strange is not None:
        what = type(strange).__name__
        raise ValueError(f"Column {column.name!r} holds a {what}; expected texts or numbers. Convert or drop it.")
    values = known.unique().tolist()
    if len(values) > _MOST_CATEGORIES:
        raise ValueError(
            f"Column {column.name!r} has {len(values):,} different texts; expected {_MOST_CATEGORIES} categories at most. Drop "
            "it if it names rows, or make numbers or fewer categories of it."
        )
    values = sorted(values, key=str)
    if dtype == "category":
        return Categories(dtype, values, missing, column.dtype.categories.tolist(), bool(column.dtype.ordered))
    return Categories(dtype, values, missing)


def _blurred(hot: Any, rng: np.random.Generator) -> Any:
    """Zeros and ones with noise that rounding takes back."""
    return hot + rng.uniform(-_NOISE, _NOISE, hot.shape) * 0.98
