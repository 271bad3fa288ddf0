"""Tables as codes: numbers as distances from a middle, categories by number, NaN where a value is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.generators.forest_density import Columns, LeafLaw
from turinglearn.tables import Categories, Dates, Numbers, TableEncoder, is_frame

__all__ = ["ArrayCodes", "FrameCodes", "codes_of", "restricted"]


@dataclass(frozen=True, eq=False, slots=True)
class ArrayCodes:
    """How an array is coded: middle (d,), what numbers are counted from; values: the categories of categorical columns."""

    columns: Columns
    missing: Any
    dtype: str
    middle: Any
    values: dict[int, Any]

    def encode(self, x: Any) -> Any:
        """Codes (n, d) of x (n, d); raises ValueError for what the fit has not seen."""
        codes = np.asarray(x, dtype=float) - self.middle
        gone = np.isnan(codes)
        for j in np.flatnonzero(gone.any(axis=0) & ~self.missing).tolist():
            raise ValueError(
                f"Column {j} has {int(gone[:, j].sum())} missing values, but had none in fit. Drop those rows, or fit on data "
                "that lack some values."
            )
        for j, values in self.values.items():
            at = np.minimum(np.searchsorted(values, codes[:, j]), len(values) - 1)
            unknown = (values[at] != codes[:, j]) & ~gone[:, j]
            if unknown.any():
                raise ValueError(
                    f"Column {j} has the category {x[unknown, j][0]}, which it did not have in fit. Drop those rows, or fit on "
                    "data that have it."
                )
            codes[:, j] = np.where(gone[:, j], np.nan, at)
        return codes

    def decode(self, codes: Any) -> Any:
        """x (n, d), of the dtype of the fit."""
        x = codes + self.middle
        for j, values in self.values.items():
            x[:, j] = np.where(np.isnan(codes[:, j]), np.nan, values[np.nan_to_num(codes[:, j]).astype(int)])
        if np.dtype(self.dtype).kind in "iu":
            limits = np.iinfo(self.dtype)
            x = np.clip(np.rint(x), limits.min, limits.max)
        return x.astype(self.dtype)

    def index(self, column: Any) -> int:
        """Which column is meant."""
        d = len(self.middle)
        if not isinstance(column, int | np.integer) or isinstance(column, bool) or not -d <= column < d:
            raise ValueError(f"where names column {column!r}; expected an index from 0 to {d - 1}.")
        return int(column) % d

    def code(self, j: int, value: Any) -> float:
        """The code of a value in column j; raises ValueError for a category that the fit has not seen."""
        if j not in self.values:
            return float(value) - float(self.middle[j])
        row = np.full((1, len(self.middle)), np.nan)
        row[0, j] = value
        at = np.flatnonzero(self.values[j] == row[0, j])
        if not at.size:
            raise ValueError(f"it has {self.values[j].tolist()}")
        return float(at[0])


@dataclass(frozen=True, eq=False, slots=True)
class FrameCodes:
    """How a data frame is coded, by the kinds of its columns."""

    columns: Columns
    missing: Any
    table: TableEncoder

    def encode(self, X: Any) -> Any:
        """Codes (n, d) of a data frame; raises ValueError for what the fit has not seen."""
        parts = []
        for _, block, gone in self.table.blocks(X):
            parts.append(np.where(gone, np.nan, block.argmax(axis=1) if block.shape[1] > 1 else block[:, 0]))
        return np.stack(parts, axis=1)

    def decode(self, codes: Any) -> Any:
        """A data frame with the types and within the ranges of the fit."""
        import pandas

        found = {}
        for j, (name, kind) in enumerate(self.table.columns_.items()):
            gone, code = np.isnan(codes[:, j]), np.nan_to_num(codes[:, j])
            block = np.eye(kind.width)[code.astype(int)] if kind.width > 1 else code[:, None]
            found[name] = kind.decode(block, gone)
        return pandas.DataFrame(found)

    def index(self, column: Any) -> int:
        """Which column is meant."""
        names = list(self.table.columns_)
        if column not in names:
            raise ValueError(f"where names column {column!r}; expected one of {names}.")
        return names.index(column)

    def code(self, j: int, value: Any) -> float:
        """The code of a value in column j; raises ValueError for what the fit has not seen."""
        import pandas

        name, kind = list(self.table.columns_.items())[j]
        if isinstance(kind, Categories):
            if value not in kind.values:
                raise ValueError(f"it has {kind.values}")
            return float(kind.values.index(value))
        one = pandas.Series([pandas.Timestamp(value) if isinstance(kind, Dates) else value], name=name)
        return float(kind.encode(one)[0, 0])

    def holds(self, j: int, code: float) -> bool:
        """Whether a number of column j lies in the range of the fit, within which data frames are sampled."""
        import pandas

        kind: Any = list(self.table.columns_.values())[j]
        if isinstance(kind, Dates):
            ends = [self.code(j, pandas.Timestamp(end)) for end in (kind.first, kind.last)]
            return ends[0] <= code <= ends[1]
        return float(kind.low - kind.middle) <= code <= float(kind.high - kind.middle)


Codes = ArrayCodes | FrameCodes


def codes_of(X: Any, categorical: Any) -> Codes:
    """How to code X, a data frame or an array (n, d), whose columns categorical are categories."""
    if is_frame(X):
        if categorical is not None:
            raise ValueError(
                "categorical_features is for arrays: a data frame says which columns are categories. Leave it out."
            )
        table = TableEncoder().fit(X)
        kinds = list(table.columns_.values())
        levels = np.array([len(kind.values) if isinstance(kind, Categories) else 0 for kind in kinds])
        whole = np.array([_is_whole(kind) for kind in kinds])
        return FrameCodes(Columns(whole, levels), np.array([kind.missing for kind in kinds]), table)
    x, d = np.asarray(X, dtype=float), X.shape[1]
    gone = np.isnan(x)
    for j in np.flatnonzero(gone.all(axis=0)):
        raise ValueError(f"Column {j} has no values at all; expected some. Drop the column.")
    whole = np.full(d, np.asarray(X).dtype.kind in "biu")
    middle = np.nanquantile(x, 0.5, axis=0, method="lower")
    values = {}
    for j in _indices(categorical, d):
        values[j], whole[j], middle[j] = np.unique(x[~gone[:, j], j]), True, 0.0
    levels = np.array([len(values.get(j, ())) for j in range(d)])
    return ArrayCodes(Columns(whole, levels), gone.any(axis=0), str(X.dtype), middle, values)


def restricted(law: LeafLaw, codes: Codes, where: Any) -> LeafLaw:
    """The conditional law; where: for some columns a value, None for a missing one, (low, high), or a list of categories."""
    if not hasattr(where, "items"):
        raise TypeError(f"where={where!r}: expected a dictionary, from columns to values, (low, high) or lists of categories.")
    for column, told in where.items():
        j = codes.index(column)
        try:
            law = _given(law, codes, j, told)
        except ZeroDivisionError as error:
            raise ValueError(
                f"where={where!r} has probability 0 in what was fitted, from column {column!r} on. Ask for something that the "
                "data have, or for a wider interval."
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"where asks for {told!r} in column {column!r} ({error}). Give a value like those of the column, an interval "
                "(low, high) of numbers, a list of categories, or None for a missing value."
            ) from error
    return law


def _given(law: LeafLaw, codes: Codes, j: int, told: Any) -> LeafLaw:
    if told is None or (isinstance(told, float) and np.isnan(told)):
        return law.where_equal(j, np.nan)
    if codes.columns.levels[j]:
        several = told if isinstance(told, list | tuple | set | frozenset | np.ndarray) else [told]
        return law.where_among(j, [int(codes.code(j, value)) for value in several])
    if isinstance(told, tuple):
        low, high = told
        return law.where_between(j, _end(codes, j, low, -np.inf), _end(codes, j, high, np.inf))
    code = codes.code(j, told)
    if codes.columns.whole[j] and code % 1:
        raise ValueError("its values are whole")
    if isinstance(codes, FrameCodes) and not codes.holds(j, code):
        raise ValueError("that is beyond its values")
    return law.where_equal(j, code)


def _end(codes: Codes, j: int, end: Any, far: float) -> float:
    return far if end is None or end == far else codes.code(j, end)


def _is_whole(kind: Any) -> bool:
    """Whether the codes are whole numbers: of whole numbers, whole days and categories."""
    if isinstance(kind, Numbers):
        return kind.step == 1
    return isinstance(kind, Categories) or kind.reach > 0


def _indices(categorical: Any, d: int) -> Any:
    """The categorical columns of an array: given by a mask or by indices, as in scikit-learn."""
    if categorical is None:
        return []
    chosen = np.asarray(categorical)
    if chosen.dtype == bool and chosen.shape == (d,):
        return np.flatnonzero(chosen).tolist()
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu") or not all(0 <= j < d for j in chosen):
        raise ValueError(
            f"categorical_features={categorical!r}: expected indices from 0 to {d - 1}, or a mask of {d} truth values."
        )
    return chosen.tolist()
