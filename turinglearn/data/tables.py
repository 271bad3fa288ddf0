"""Encoding of data frames as matrices of numbers, and back."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from turinglearn.data.columns import FLAG_NOISE, Categories, ColumnEncoder, column_encoder
from turinglearn.data.exact_integers import dither

if TYPE_CHECKING:
    import pandas

__all__ = ["TableEncoder", "is_frame"]


def is_frame(X: object) -> TypeGuard[pandas.DataFrame]:
    """Return whether X is a pandas data frame, without importing pandas.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    bool
        Whether it is a data frame.
    """
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


class TableEncoder(TransformerMixin, BaseEstimator):
    """Encode a data frame as a matrix of float64, and decode such a matrix to a data frame with the same types and ranges.

    Each column is encoded by its type:

    - Numbers are differences from the median, so that a large offset does not hide a small spread.
    - Integers, decimals of up to six places and whole days are given uniform noise of one step's width.
    - Categories and booleans are one-hot, with uniform noise. Text counts as a category, of which a column may have 100.
    - A column with missing values has one more feature, 1 where a value is missing.

    A discriminator would tell smooth fakes from discrete values at once; the noise prevents that, and rounding removes it.

    Parameters
    ----------
    random_state : int, default=0
        The seed of the noise. A row has the same noise in every call and in any data frame. Equal rows of one data frame have
        different noise.

    Attributes
    ----------
    columns_ : dict
        The encoder of each column.
    feature_names_in_ : ndarray of str
        The names of the columns.
    n_features_in_ : int
        The number of columns.
    """

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: pandas.DataFrame, y: object = None) -> TableEncoder:
        """Learn the types, ranges and categories of the columns.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n, columns)
            The table.
        y : None
            Ignored.

        Returns
        -------
        TableEncoder
            The encoder itself.

        Raises
        ------
        ValueError
            If X is not a data frame, or has a column that cannot be encoded.
        """
        _check_frame(X)
        self.columns_: dict[Hashable, ColumnEncoder] = {name: column_encoder(X[name]) for name in X.columns}
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pandas.DataFrame) -> NDArray[np.float64]:
        """Encode a data frame.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n, columns)
            A table with the columns of the fit, in any order.

        Returns
        -------
        ndarray of shape (n, features)
            The features, with noise.

        Raises
        ------
        ValueError
            If the columns, their types, their categories or their missing values differ from those of the fit.
        """
        features: list[NDArray[np.float64]] = []
        amplitudes: list[float] = []
        for encoder, block, missing in self.blocks(X):
            features.append(np.where(missing[:, None], 0.0, block))
            amplitudes += [encoder.noise] * encoder.width
            if encoder.missing:
                features.append(missing[:, None].astype(float))
                amplitudes.append(FLAG_NOISE)
        return dither(np.concatenate(features, axis=1), amplitudes, self.random_state)

    def blocks(self, X: pandas.DataFrame) -> Iterator[tuple[ColumnEncoder, NDArray[np.float64], NDArray[np.bool_]]]:
        """Encode a data frame column by column, without noise.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n, columns)
            A table with the columns of the fit, in any order.

        Yields
        ------
        encoder : Numbers, Dates or Categories
            The encoder of a column.
        block : ndarray of shape (n, width)
            Its features, arbitrary where a value is missing.
        missing : ndarray of bool of shape (n,)
            Whether the value of a row is missing.
        """
        check_is_fitted(self, "columns_")
        _check_frame(X)
        lacking, other = [c for c in self.columns_ if c not in X.columns], [c for c in X.columns if c not in self.columns_]
        if lacking or other:
            parts = [f"lacks {', '.join(map(repr, lacking))}"] * bool(lacking) + [
                f"has {', '.join(map(repr, other))}, which the fit did not"
            ] * bool(other)
            raise ValueError(f"The data frame {' and '.join(parts)}. Give the columns that the fit had: {list(self.columns_)}.")
        for name, encoder in self.columns_.items():
            column, missing = X[name], X[name].isna().to_numpy()
            if missing.any() and not encoder.missing:
                raise ValueError(
                    f"Column {name!r} has {int(missing.sum())} missing values, but had none in fit. Drop those rows, or fit on "
                    "data that lack some values."
                )
            try:
                block = encoder.encode(column)
            except (TypeError, AttributeError) as error:
                raise ValueError(f"Column {name!r} is {column.dtype} now, but was {encoder.dtype} in fit ({error}).") from error
            yield encoder, block, missing

    def inverse_transform(self, X: ArrayLike) -> pandas.DataFrame:
        """Decode a matrix.

        Parameters
        ----------
        X : array-like of shape (n, features)
            Any numbers.

        Returns
        -------
        pandas.DataFrame of shape (n, columns)
            A table with the types, ranges and categories of the fit.
        """
        import pandas

        check_is_fitted(self, "columns_")
        matrix, start, columns = np.asarray(X, dtype=float), 0, {}
        for name, encoder in self.columns_.items():
            block, start = matrix[:, start : start + encoder.width], start + encoder.width
            missing = matrix[:, start] > 0.5 if encoder.missing else np.zeros(len(matrix), dtype=bool)
            start += encoder.missing
            columns[name] = encoder.decode(block, missing)
        return pandas.DataFrame(columns)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str of shape (features,)
            The name of the column, followed by the category or "missing" where a column has several features.
        """
        check_is_fitted(self, "columns_")
        names: list[str] = []
        for name, encoder in self.columns_.items():
            one_hot = isinstance(encoder, Categories) and encoder.width > 1
            names += [f"{name}={value}" for value in getattr(encoder, "values", ())] if one_hot else [str(name)]
            names += [f"{name} missing"] * encoder.missing
        return np.array(names, dtype=object)


def _check_frame(X: object) -> None:
    """Raise ValueError unless X is a data frame with rows and columns of different names."""
    if not is_frame(X):
        raise ValueError(f"X is a {type(X).__name__}; expected a pandas DataFrame. Arrays of numbers need no encoding.")
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(f"X has shape {X.shape}; expected rows and columns. Give more data.")
    duplicates = X.columns[X.columns.duplicated()].tolist()
    if duplicates:
        raise ValueError(f"X has two columns called {duplicates[0]!r}; expected each name once. Rename one of them.")
