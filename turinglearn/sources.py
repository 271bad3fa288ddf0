"""Genuine data as a source that the game draws from."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.arrays import detached, floating, is_array, like, namespace, to_numpy
from turinglearn.protocols import Array, Batch, Rng, Source

__all__ = ["ArraySource", "as_source", "check_given", "check_kind", "check_told", "draw", "share"]

_LARGEST = 1e18  # what single precision can square and sum


class ArraySource:
    """Genuine rows x (N, *event), and their conditions given (N, c) if there are any, drawn without replacement."""

    def __init__(self, x: Array, given: Array | None = None) -> None:
        self.x = _check_rows("X", x, least_dimensions=2)
        self.given = None if given is None else check_given(given, len(self))

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def draw(self, n: int, rng: Rng) -> Batch:
        """n distinct rows with their conditions."""
        if n > len(self):
            raise ValueError(f"Cannot draw {n} distinct rows of the {len(self)} that X has. Choose a smaller batch.")
        return self.rows(rng.choice(len(self), n, replace=False))

    def rows(self, index: Any) -> Batch:
        """The rows of this index (n,), with their conditions."""
        return Batch(_take(self.x, index), None if self.given is None else _take(self.given, index))


def as_source(data: Any, given: Any = None) -> Source:
    """The data as a source: an array (N, *event), or anything with `draw(n, rng) -> Batch`, which is used as it is."""
    if hasattr(data, "draw"):
        if given is not None:
            raise ValueError(
                f"given= belongs to an array of data, but {type(data).__name__} draws its own. "
                "Let its draw() return Batch(x, given)."
            )
        source: Source = data
        return source
    return ArraySource(data, given)


def draw(source: Source, n: int, rng: Rng) -> Batch:
    """n genuine samples from a source; a ValueError names one that breaks its contract."""
    if isinstance(source, ArraySource):  # checked once and for all
        return source.draw(n, rng)
    try:
        batch = source.draw(n, rng)
    except Exception as error:
        raise ValueError(
            f"{type(source).__name__}.draw({n}, rng) raised {type(error).__name__}: {error}. Expected a Batch of {n} samples; "
            "mend the source, which needs draw(self, n, rng)."
        ) from error
    what = f"{type(source).__name__}.draw({n}, rng)"
    if not isinstance(batch, Batch):
        raise ValueError(
            f"{what} returned a {type(batch).__name__}; expected Batch(x, given), from turinglearn.protocols. Wrap its array."
        )
    if batch.n != n:
        raise ValueError(f"{what} returned {batch.n} samples; expected {n}. Return as many as were asked for.")
    if not is_array(batch.x):
        return batch
    batch = Batch(detached(batch.x), batch.given)
    if batch.x.ndim < 2 or not floating(batch.x):
        raise ValueError(
            f"{what} returned samples of shape {tuple(batch.x.shape)}, {batch.x.dtype}; expected floating-point numbers "
            f"({n}, features) or more. Reshape or convert them."
        )
    xp = namespace(batch.x)
    if not xp.all(xp.isfinite(batch.x)):
        raise ValueError(f"{what} returned NaN or infinity; expected finite numbers. Clean the source's data.")
    if batch.given is None:
        return batch
    try:
        return Batch(batch.x, check_given(batch.given, n))
    except ValueError as error:
        raise ValueError(f"{what} returned conditions that cannot be used: {error}") from error


def share(source: Source, subsample: int, rng: Rng) -> ArraySource:
    """So many rows of a source as a source of their own; of one that makes samples without end, so many samples."""
    if isinstance(source, ArraySource) and subsample > len(source):
        raise ValueError(f"subsample={subsample} is more than the {len(source)} rows of the data. Choose at most that.")
    rows = draw(source, subsample, rng)
    if not is_array(rows.x):
        raise ValueError(
            f"subsample={subsample} takes rows of arrays, but {type(source).__name__} draws a {type(rows.x).__name__}. "
            "Leave it out."
        )
    return ArraySource(rows.x, rows.given)


def check_kind(began: Batch, genuine: Batch | ArraySource) -> None:
    """Raise a ValueError for data of other shapes than those that a game began with."""
    there, now = ((b.x.shape[1:], None if b.given is None else b.given.shape[1:]) for b in (began, genuine))
    if there != now:
        raise ValueError(
            f"The game began with events of shape {tuple(there[0])} and {_conditions(there[1])}, but these data have events of "
            f"shape {tuple(now[0])} and {_conditions(now[1])}. Give data of that kind, or play these in a new Game."
        )


def _conditions(shape: Any) -> str:
    return "no conditions" if shape is None else f"conditions of shape {tuple(shape)}"


def check_told(given: Any, n: int, seen: Batch) -> Array | None:
    """The conditions of n samples, in a game that was played on data like those seen: given exactly where these have some."""
    if (given is None) != (seen.given is None):
        told = "none was given" if given is None else f"given is a {type(given).__name__}"
        if seen.given is None:
            raise ValueError(f"The game was played without conditions, but {told}. Leave given out.")
        raise ValueError(
            f"The game was played under conditions, but {told}. Pass given=, an array with one condition for each of the {n} "
            "samples."
        )
    return None if given is None else check_given(given, n, seen.given)


def _take(x: Array, rows: Any) -> Array:
    if type(x) is np.ndarray:
        return x.take(rows, axis=0)
    xp = namespace(x)
    return xp.take(x, xp.asarray(rows, device=x.device), axis=0)


def check_given(given: Any, n: int, example: Array | None = None) -> Array:
    """Conditions as an array (n, c) of finite numbers; c, library and dtype as in the example, where there is one."""
    given = _check_rows("given", given, least_dimensions=1, least_rows=1)
    if given.shape[0] != n:
        raise ValueError(f"given has {given.shape[0]} rows for {n} samples. Give one condition per sample.")
    given = given if given.ndim > 1 else namespace(given).reshape(given, (-1, 1))
    if given.ndim > 2:
        raise ValueError(f"given has shape {tuple(given.shape)}; expected (n, c). Flatten each condition to one row.")
    if example is None:
        return given
    if given.shape[1:] != example.shape[1:]:
        raise ValueError(f"given has shape {tuple(given.shape)}; the game was played with {(n, *example.shape[1:])}.")
    return like(given, example)


def _check_rows(name: str, x: Any, least_dimensions: int, least_rows: int = 2) -> Array:
    """x as an array of finite real floating-point numbers with enough rows."""
    if type(x) is np.ndarray or not is_array(x):
        x = _from_host(name, x)
    x = detached(x)
    xp = namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        raise ValueError(f"{name} is complex ({x.dtype}); expected real numbers. Split it into real and imaginary columns.")
    if not floating(x):
        x = xp.astype(x, xp.float64)
    if x.ndim == 0:
        raise ValueError(
            f"{name} is a single number, {x}; expected an array of samples. To play so many rounds: "
            f"islice(game.rounds(X), {x})."
        )
    if x.ndim < least_dimensions:
        raise ValueError(
            f"{name} has {x.ndim} dimension{'' if x.ndim == 1 else 's'}, shape {tuple(x.shape)}; expected "
            f"(n, features) or more. Use {name}.reshape(-1, 1) for one feature, {name}.reshape(1, -1) for one sample."
        )
    if x.shape[0] < least_rows:
        raise ValueError(
            f"{name} has {x.shape[0]} row{'' if x.shape[0] == 1 else 's'}, shape {tuple(x.shape)}; "
            f"expected at least {least_rows}. A law cannot be learned from less: give more data."
        )
    if 0 in x.shape:
        raise ValueError(f"{name} has no features, shape {tuple(x.shape)}; expected at least one. Give a column of data.")
    if not xp.all(xp.isfinite(x)):
        finite = to_numpy(xp.isfinite(x)).reshape(x.shape[0], -1)
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"{name} contains NaN or infinity: {int((~finite).sum())} entries, the first in row {row}, column {column}; "
            "expected finite numbers. Impute or drop them first, for example with sklearn.impute.SimpleImputer."
        )
    largest = float(xp.max(xp.abs(x)))
    if largest > _LARGEST:
        raise ValueError(
            f"{name} has values up to {largest:.3g}; expected at most {_LARGEST:.0e}, which single precision can still square. "
            "Use other units, or scale the columns first, for example with sklearn.preprocessing.StandardScaler."
        )
    return x


def _from_host(name: str, x: Any) -> Any:
    """A NumPy array from lists, data frames and the like; strings and objects are refused by name."""
    if x is None:
        raise ValueError(f"{name} is None; expected an array of shape (n, features).")
    if hasattr(x, "toarray"):
        raise ValueError(f"{name} is a sparse {type(x).__name__}; expected a dense array. Use {name}.toarray().")
    if isinstance(x, tuple) and len(x) and all(hasattr(part, "__len__") for part in x):
        raise ValueError(f"{name} is a tuple of {len(x)} things; expected one array, (n, features). Pass the samples alone.")
    for field in ("data", "train"):  # what loaders of data sets return
        if not is_array(x) and is_array(getattr(x, field, None)):
            raise ValueError(f"{name} is a {type(x).__name__}; expected an array of shape (n, features). Pass {name}.{field}.")
    if hasattr(x, "dtypes") and hasattr(x, "columns"):
        wrong = [str(column) for column, dtype in zip(x.columns, x.dtypes, strict=True) if dtype.kind not in "biuf"]
        if wrong:
            raise ValueError(
                f"{name} has columns that are not numeric: {', '.join(wrong)}; expected real numbers. Encode text, categories "
                "and dates as numbers first, for example with sklearn.preprocessing.OneHotEncoder."
            )
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} cannot be made an array ({error}); expected rows of equal length.") from error
    if array.dtype.kind in "OUSMmV":
        raise ValueError(
            f"{name} has dtype {array.dtype}, which is not numeric; expected real numbers. Encode text and categories as "
            "numbers first, for example with sklearn.preprocessing.OneHotEncoder."
        )
    return array
