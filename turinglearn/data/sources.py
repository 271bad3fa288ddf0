"""Sources of real samples, and the validation of data and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import detached, floating, is_array, like, namespace, to_numpy
from turinglearn.protocols import Array, Batch, Rng, Source

__all__ = ["ArraySource", "as_condition", "as_source", "check_kind", "check_rows", "condition_like", "draw", "share"]

_LARGEST = 1e18  # its square is finite in single precision


class ArraySource:
    """A finite source of real samples, drawn without replacement.

    Parameters
    ----------
    x : array of shape (N, *event)
        The samples.
    condition : array of shape (N, c), optional
        The condition of each sample.
    """

    def __init__(self, x: object, condition: object = None) -> None:
        x = check_rows("X", x, least_dimensions=2)
        self.batch = Batch(x, None if condition is None else as_condition(condition, x.shape[0]))

    @classmethod
    def of(cls, batch: Batch) -> ArraySource:
        """Return a source of rows that have been checked before."""
        source = cls.__new__(cls)
        source.batch = batch
        return source

    @property
    def x(self) -> Array:
        """The rows, (N, *event)."""
        return self.batch.x

    @property
    def condition(self) -> Array | None:
        """Their conditions, (N, c)."""
        return self.batch.condition

    def __len__(self) -> int:
        return self.batch.n

    def draw(self, n: int, rng: Rng) -> Batch:
        """Draw n distinct samples with their conditions."""
        if n > len(self):
            raise ValueError(f"Cannot draw {n} distinct rows of the {len(self)} that X has. Choose a smaller batch.")
        return self.rows(rng.choice(len(self), n, replace=False))

    def rows(self, index: Array) -> Batch:
        """Return the samples with these row numbers, (n,), and their conditions."""
        return self.batch.take(np.asarray(index))


def as_source(data: object, condition: object = None) -> Source:
    """Return data as a source.

    Parameters
    ----------
    data : array-like of shape (N, *event) or Source
        Samples, or an object with ``draw(n, rng) -> Batch``, which is returned unchanged.
    condition : array-like of shape (N, c), optional
        The condition of each sample of an array.

    Returns
    -------
    Source
        The source.

    Raises
    ------
    ValueError
        If the data or the conditions cannot be used.
    """
    if hasattr(data, "draw"):
        if condition is not None:
            raise ValueError(
                f"condition= belongs to an array of data, but {type(data).__name__} draws its own conditions. "
                "Let its draw() return Batch(x, condition)."
            )
        source: Source = data
        return source
    return ArraySource(data, condition)


def draw(source: Source, n: int, rng: Rng) -> Batch:
    """Draw n real samples from a source.

    Parameters
    ----------
    source : Source
        The source.
    n : int
        Number of samples.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    Batch
        n samples, (n, *event), finite and of a floating-point type, with their conditions, if any, as (n, c).

    Raises
    ------
    ValueError
        If the source breaks its contract; the message names it.
    """
    if isinstance(source, ArraySource):  # its data were validated when it was made
        return source.draw(n, rng)
    try:
        batch = source.draw(n, rng)
    except Exception as error:
        raise ValueError(
            f"{type(source).__name__}.draw({n}, rng) raised {type(error).__name__}: {error}. Expected a Batch of {n} samples; "
            "fix the source, which needs draw(self, n, rng)."
        ) from error
    what = f"{type(source).__name__}.draw({n}, rng)"
    if not isinstance(batch, Batch):
        raise ValueError(
            f"{what} returned a {type(batch).__name__}; expected Batch(x, condition), from turinglearn.protocols. "
            "Wrap its array."
        )
    if batch.n != n:
        raise ValueError(f"{what} returned {batch.n} samples; expected {n}. Return as many as were asked for.")
    if not is_array(batch.x):
        return batch
    batch = Batch(detached(batch.x), batch.condition)
    if batch.x.ndim < 2 or not floating(batch.x):
        raise ValueError(
            f"{what} returned samples of shape {tuple(batch.x.shape)}, {batch.x.dtype}; expected floating-point numbers "
            f"({n}, features) or more. Reshape or convert them."
        )
    xp = namespace(batch.x)
    if not xp.all(xp.isfinite(batch.x)):
        raise ValueError(f"{what} returned NaN or infinity; expected finite numbers. Clean the source's data.")
    if batch.condition is None:
        return batch
    try:
        return Batch(batch.x, as_condition(batch.condition, n))
    except ValueError as error:
        raise ValueError(f"{what} returned conditions that cannot be used: {error}") from error


def share(source: Source, subsample: int, rng: Rng) -> ArraySource:
    """Return a source of a fixed subsample of another source.

    Parameters
    ----------
    source : Source
        The source.
    subsample : int
        Number of samples.
    rng : numpy.random.Generator
        Random numbers that choose the samples.

    Returns
    -------
    ArraySource
        The subsample.
    """
    if isinstance(source, ArraySource) and subsample > len(source):
        raise ValueError(f"subsample={subsample} is more than the {len(source)} rows of the data. Choose at most that.")
    rows = draw(source, subsample, rng)
    if not is_array(rows.x):
        raise ValueError(
            f"subsample={subsample} takes rows of arrays, but {type(source).__name__} draws a {type(rows.x).__name__}. "
            "Leave it out."
        )
    return ArraySource(rows.x, rows.condition)


def check_kind(began: Batch, real: Batch | ArraySource) -> None:
    """Raise ValueError for data whose shapes differ from those that a game began with.

    Parameters
    ----------
    began : Batch
        Samples of the data that the game began with.
    real : Batch or ArraySource
        The new data.
    """
    before, now = ((b.x.shape[1:], None if b.condition is None else b.condition.shape[1:]) for b in (began, real))
    if before != now:
        raise ValueError(
            f"The game began with events of shape {tuple(before[0])} and {_conditions(before[1])}, but these data have events "
            f"of shape {tuple(now[0])} and {_conditions(now[1])}. Give data of the same shapes, or start a new Game."
        )


def _conditions(shape: Sequence[int] | None) -> str:
    """Describe the shape of one condition."""
    return "no conditions" if shape is None else f"conditions of shape {tuple(shape)}"


def condition_like(condition: object, n: int, seen: Batch) -> Array | None:
    """Return the conditions of n new samples, in the form of those that a game was played with.

    Parameters
    ----------
    condition : array-like of shape (n, c) or (n,), or None
        The conditions; None exactly where the game was played without any.
    n : int
        Number of samples.
    seen : Batch
        Samples that the game was played with.

    Returns
    -------
    array of shape (n, c), or None
        The conditions, of the library, device and dtype of those in `seen`.

    Raises
    ------
    ValueError
        If conditions are missing, superfluous or of another shape.
    """
    if (condition is None) != (seen.condition is None):
        what = "condition is None" if condition is None else f"condition is a {type(condition).__name__}"
        if seen.condition is None:
            raise ValueError(f"The game was played without conditions, but {what}. Leave condition out.")
        raise ValueError(
            f"The game was played with conditions, but {what}. Pass condition=, an array with one condition for each of the "
            f"{n} samples."
        )
    return None if condition is None else as_condition(condition, n, seen.condition)


def as_condition(condition: object, n: int, example: Array | None = None) -> Array:
    """Return conditions as an array.

    Parameters
    ----------
    condition : array-like of shape (n, c) or (n,)
        Finite numbers.
    n : int
        Number of samples.
    example : array of shape (m, c), optional
        Conditions whose c, library, device and dtype the result has.

    Returns
    -------
    array of shape (n, c)
        The conditions.

    Raises
    ------
    ValueError
        If the conditions are not finite numbers, or have another shape.
    """
    rows = check_rows("condition", condition, least_dimensions=1, least_rows=1)
    if rows.shape[0] != n:
        raise ValueError(f"condition has {rows.shape[0]} rows for {n} samples. Give one condition per sample.")
    rows = rows if rows.ndim > 1 else namespace(rows).reshape(rows, (-1, 1))
    if rows.ndim > 2:
        raise ValueError(f"condition has shape {tuple(rows.shape)}; expected (n, c). Flatten each condition to one row.")
    if example is None:
        return rows
    if rows.shape[1:] != example.shape[1:]:
        raise ValueError(
            f"condition has shape {tuple(rows.shape)}; expected {(n, *example.shape[1:])}, as in the game. "
            "Give as many columns."
        )
    return like(rows, example)


def check_rows(name: str, data: object, least_dimensions: int, least_rows: int = 2) -> Array:
    """Return data as an array of finite real floating-point numbers with enough rows and dimensions."""
    x: Array = _from_host(name, data) if type(data) is np.ndarray or not is_array(data) else data
    x = detached(x)
    xp = namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        raise ValueError(f"{name} is complex ({x.dtype}); expected real numbers. Split it into real and imaginary columns.")
    if not floating(x):
        x = xp.astype(x, xp.float64)
    if x.ndim == 0:
        raise ValueError(
            f"{name} is a single number, {x}; expected an array of samples. To play that many rounds, use "
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
            f"expected at least {least_rows}. A distribution cannot be learned from fewer. Give more data."
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
            f"{name} has values up to {largest:.3g}; expected at most {_LARGEST:.0e}, whose square is finite in single "
            "precision. Use other units, or scale the columns first, for example with sklearn.preprocessing.StandardScaler."
        )
    return x


def _from_host(name: str, x: object) -> NDArray[Any]:
    """Return lists, data frames and the like as a NumPy array of numbers; raise ValueError for anything else."""
    if x is None:
        raise ValueError(f"{name} is None; expected an array of shape (n, features).")
    if hasattr(x, "toarray"):
        raise ValueError(f"{name} is a sparse {type(x).__name__}; expected a dense array. Use {name}.toarray().")
    if isinstance(x, tuple) and len(x) and all(hasattr(part, "__len__") for part in x):
        raise ValueError(f"{name} is a tuple of {len(x)} things; expected one array, (n, features). Pass only the samples.")
    for field in ("data", "train"):  # the data of scikit-learn's and torchvision's data sets
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
