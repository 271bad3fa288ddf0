"""Tables as codes: numbers as distances from a middle, categories by number, NaN where a value is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turinglearn.data.columns import Categories, Dates, Numbers
from turinglearn.data.tables import TableEncoder, is_frame
from turinglearn.generators.common import Booleans, Floats
from turinglearn.generators.forest.density import Columns, LeafDistribution
from turinglearn.protocols import InputError

__all__ = ["ArrayCodes", "FrameCodes", "Table", "codes_of", "restricted"]


class Table(Protocol):
    """An array (n, d) of NumPy, or a data frame of pandas."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of rows and of columns."""

    def __array__(self) -> NDArray[Any]: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...


@dataclass(frozen=True, eq=False, slots=True)
class ArrayCodes:
    """Coding of an array.

    Parameters
    ----------
    columns : Columns
        Kinds of the columns.
    missing : array of bool of shape (d,)
        Whether the column lacked values in the fit.
    dtype : str
        Type of the array.
    middle : array of shape (d,)
        Value from which numbers are counted.
    values : dict from int to array
        Categories of each categorical column.
    """

    columns: Columns
    missing: Booleans
    dtype: str
    middle: Floats
    values: dict[int, Floats]

    def encode(self, x: Table) -> Floats:
        """Return the codes (n, d) of x (n, d); raise a ValueError for values that the fit did not have."""
        codes = np.asarray(x, dtype=float) - self.middle
        gone = np.isnan(codes)
        for j in np.flatnonzero(gone.any(axis=0) & ~self.missing).tolist():
            raise InputError(
                f"Column {j} has {int(gone[:, j].sum())} missing values, but had none in fit. Drop those rows, or fit on data "
                "that lack some values."
            )
        for j, values in self.values.items():
            at = np.minimum(np.searchsorted(values, codes[:, j]), len(values) - 1)
            unknown = (values[at] != codes[:, j]) & ~gone[:, j]
            if unknown.any():
                raise InputError(
                    f"Column {j} has the category {x[unknown, j][0]}, which it did not have in fit. Drop those rows, or fit on "
                    "data that have it."
                )
            codes[:, j] = np.where(gone[:, j], np.nan, at)
        return codes

    def decode(self, codes: Floats) -> Table:
        """Return x (n, d), of the dtype of the fit."""
        x = codes + self.middle
        for j, values in self.values.items():
            x[:, j] = np.where(np.isnan(codes[:, j]), np.nan, values[np.nan_to_num(codes[:, j]).astype(int)])
        if np.dtype(self.dtype).kind in "iu":
            limits = np.iinfo(self.dtype)
            x = np.clip(np.rint(x), limits.min, limits.max)
        return x.astype(self.dtype)

    def index(self, column: object) -> int:
        """Return the index of the column, or raise a ValueError."""
        d = len(self.middle)
        if not isinstance(column, int | np.integer) or isinstance(column, bool) or not -d <= column < d:
            raise InputError(f"where names column {column!r}; expected an index from 0 to {d - 1}.")
        return int(column) % d

    def code(self, j: int, value: Any) -> float:
        """Return the code of a value in column j; raise a ValueError for a category that the fit did not have."""
        if j not in self.values:
            return float(value) - float(self.middle[j])
        row = np.full((1, len(self.middle)), np.nan)
        row[0, j] = value
        at = np.flatnonzero(self.values[j] == row[0, j])
        if not at.size:
            raise InputError(f"it has {self.values[j].tolist()}")
        return float(at[0])


@dataclass(frozen=True, eq=False, slots=True)
class FrameCodes:
    """Coding of a data frame, by the kinds of its columns.

    Parameters
    ----------
    columns : Columns
        Kinds of the columns.
    missing : array of bool of shape (d,)
        Whether the column lacked values in the fit.
    table : TableEncoder
        Encoder of the columns.
    """

    columns: Columns
    missing: Booleans
    table: TableEncoder

    def encode(self, X: Table) -> Floats:
        """Return the codes (n, d) of a data frame; raise a ValueError for values that the fit did not have."""
        parts = []
        for _, block, gone in self.table.blocks(X):
            parts.append(np.where(gone, np.nan, block.argmax(axis=1) if block.shape[1] > 1 else block[:, 0]))
        return np.stack(parts, axis=1)

    def decode(self, codes: Floats) -> Table:
        """Return a data frame with the types and within the ranges of the fit."""
        import pandas

        found = {}
        for j, (name, kind) in enumerate(self.table.columns_.items()):
            gone, code = np.isnan(codes[:, j]), np.nan_to_num(np.asarray(codes[:, j], dtype=np.float64))
            block = np.eye(kind.width)[code.astype(int)] if kind.width > 1 else code[:, None]
            found[name] = kind.decode(block, gone)
        frame: Table = pandas.DataFrame(found)
        return frame

    def index(self, column: object) -> int:
        """Return the index of the column, or raise a ValueError."""
        names = list(self.table.columns_)
        if column not in names:
            raise InputError(f"where names column {column!r}; expected one of {names}.")
        return names.index(column)

    def code(self, j: int, value: Any) -> float:
        """Return the code of a value in column j; raise a ValueError for a category that the fit did not have."""
        import pandas

        name, kind = list(self.table.columns_.items())[j]
        if isinstance(kind, Categories):
            if value not in kind.values:
                raise InputError(f"it has {kind.values}")
            return float(kind.values.index(value))
        one = pandas.Series([pandas.Timestamp(value) if isinstance(kind, Dates) else value], name=name)
        return float(kind.encode(one)[0, 0])

    def holds(self, j: int, code: float) -> bool:
        """Return whether a number of column j lies in the range of the fit, within which data frames are sampled."""
        import pandas

        kind: Any = list(self.table.columns_.values())[j]
        if isinstance(kind, Dates):
            ends = [self.code(j, pandas.Timestamp(end)) for end in (kind.first, kind.last)]
            return ends[0] <= code <= ends[1]
        return float(kind.low - kind.middle) <= code <= float(kind.high - kind.middle)


Codes = ArrayCodes | FrameCodes


def codes_of(X: Table, categorical: ArrayLike | None) -> Codes:
    """Return the coding of X, a data frame or an array (n, d), with these categorical columns."""
    if is_frame(X):
        if categorical is not None:
            raise InputError(
                "categorical_features is for arrays: a data frame says which columns are categories. Leave it out."
            )
        table = TableEncoder().fit(X)
        kinds = list(table.columns_.values())
        levels = np.array([len(kind.values) if isinstance(kind, Categories) else 0 for kind in kinds])
        integer = np.array([_is_integer(kind) for kind in kinds])
        return FrameCodes(Columns(integer, levels), np.array([kind.missing for kind in kinds]), table)
    x, d, dtype = np.asarray(X, dtype=float), X.shape[1], np.asarray(X).dtype
    gone = np.isnan(x)
    for j in np.flatnonzero(gone.all(axis=0)).tolist():
        raise InputError(f"Column {j} has no values at all; expected some. Drop the column.")
    integer = np.full(d, dtype.kind in "biu")
    middle = np.nanquantile(x, 0.5, axis=0, method="lower")
    values: dict[int, Floats] = {}
    for j in _indices(categorical, d):
        values[j], integer[j], middle[j] = np.unique(x[~gone[:, j], j]), True, 0.0
    levels = np.array([len(values.get(j, ())) for j in range(d)])
    return ArrayCodes(Columns(integer, levels), gone.any(axis=0), str(dtype), middle, values)


def restricted(distribution: LeafDistribution, codes: Codes, where: Mapping[Any, object]) -> LeafDistribution:
    """Return the conditional distribution.

    Parameters
    ----------
    distribution : LeafDistribution
        The joint distribution.
    codes : ArrayCodes or FrameCodes
        Coding of its columns.
    where : dict
        For some columns a value, None for a missing one, (low, high), or a list of categories.

    Returns
    -------
    LeafDistribution
    """
    if not hasattr(where, "items"):
        raise TypeError(f"where={where!r}: expected a dictionary, from columns to values, (low, high) or lists of categories.")
    for column, condition in where.items():
        j = codes.index(column)
        try:
            distribution = _condition(distribution, codes, j, condition)
        except ZeroDivisionError as error:
            raise InputError(
                f"where={where!r} has probability 0 in the fitted distribution, from column {column!r} on. Ask for values that "
                "the data have, or for a wider interval."
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"where asks for {condition!r} in column {column!r} ({error}). Give a value like those of the column, an "
                "interval (low, high) of numbers, a list of categories, or None for a missing value."
            ) from error
    return distribution


def _condition(distribution: LeafDistribution, codes: Codes, j: int, condition: object) -> LeafDistribution:
    if condition is None or (isinstance(condition, float) and np.isnan(condition)):
        return distribution.where_equal(j, np.nan)
    if codes.columns.levels[j]:
        several = condition if isinstance(condition, list | tuple | set | frozenset | np.ndarray) else [condition]
        return distribution.where_among(j, [int(codes.code(j, value)) for value in several])
    if isinstance(condition, tuple):
        low, high = condition
        return distribution.where_between(j, _end(codes, j, low, -np.inf), _end(codes, j, high, np.inf))
    code = codes.code(j, condition)
    if codes.columns.integer[j] and code % 1:
        raise InputError("its values are integers")
    if isinstance(codes, FrameCodes) and not codes.holds(j, code):
        raise InputError("that is beyond its values")
    return distribution.where_equal(j, code)


def _end(codes: Codes, j: int, end: object, far: float) -> float:
    return far if end is None or end == far else codes.code(j, end)


def _is_integer(kind: Any) -> bool:
    """Return whether the codes are integers: those of integers, whole days and categories."""
    if isinstance(kind, Numbers):
        return kind.step == 1
    return isinstance(kind, Categories) or kind.noise > 0


def _indices(categorical: ArrayLike | None, d: int) -> list[int]:
    """Return the categorical columns of an array, from a mask or from indices, as in scikit-learn."""
    if categorical is None:
        return []
    chosen = np.asarray(categorical)
    if chosen.dtype == bool and chosen.shape == (d,):
        chosen = np.flatnonzero(chosen)
    elif chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu") or not all(0 <= j < d for j in chosen):
        raise InputError(
            f"categorical_features={categorical!r}: expected indices from 0 to {d - 1}, or a mask of {d} truth values."
        )
    indices: list[int] = chosen.tolist()
    return indices
