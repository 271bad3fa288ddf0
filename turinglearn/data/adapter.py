"""Conversion of users' data to arrays, checked once and never again."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from turinglearn.arrays import Array, is_array, like, to_numpy
from turinglearn.data.sources import as_condition, check_rows
from turinglearn.data.tables import TableEncoder, is_frame
from turinglearn.protocols import Batch

__all__ = ["DataAdapter", "fingerprint"]


@dataclass(frozen=True)
class DataAdapter:
    """Arrays, tensors and data frames as arrays (n, *event) of finite numbers.

    Parameters
    ----------
    table : TableEncoder or None
        The encoder of a data frame; None for arrays.
    example : Batch
        One row of the data that were fitted, with its condition.
    """

    table: TableEncoder | None
    example: Batch

    @classmethod
    def fit(cls, estimator: BaseEstimator, X: object, condition: object = None) -> tuple[DataAdapter, Batch]:
        """Return the adapter of these data, and the data as a batch.

        The estimator gets scikit-learn's attributes n_features_in_ and feature_names_in_. Raises ValueError for data from
        which nothing can be learned.
        """
        vars(estimator).pop("feature_names_in_", None)
        table = None
        if is_frame(X):
            validate_data(estimator, X, reset=True, skip_check_array=True)
            table = TableEncoder().fit(X)
            x = check_rows("X", table.transform(X), least_dimensions=2)
        elif _keeps_its_kind(X):
            x = check_rows("X", X, least_dimensions=2)
            vars(estimator)["n_features_in_"] = math.prod(x.shape[1:])
        else:
            x = check_rows("X", _matrix(estimator, X, reset=True), least_dimensions=2)
        batch = Batch(x, None if condition is None else as_condition(condition, x.shape[0]))
        return cls(table, batch.take(np.arange(1))), batch

    def transform(self, estimator: BaseEstimator, X: object, condition: object = None) -> Batch:
        """Return data of the kind that was fitted as a batch; ValueError for data of another kind."""
        if self.table is not None and not is_frame(X):
            raise ValueError(
                f"{type(estimator).__name__} was fitted to a data frame, but X is a {type(X).__name__}. Give a data frame with "
                "the same columns."
            )
        event = tuple(self.example.x.shape[1:])
        if self.table is not None:
            validate_data(estimator, X, reset=False, skip_check_array=True)
            x = check_rows("X", self.table.transform(X), least_dimensions=2, least_rows=1)
        elif _keeps_its_kind(X):
            x = check_rows("X", X, least_dimensions=2, least_rows=1)
            _check_event(estimator, x, event)
        else:
            x = check_rows("X", _matrix(estimator, X, reset=False), least_dimensions=2, least_rows=1)
            if len(event) > 1:
                raise ValueError(f"X has shape {tuple(x.shape)}; expected events of shape {event}, as in the fit.")
        return Batch(x, self.condition(condition, x.shape[0]))

    def condition(self, condition: object, n: int) -> Array | None:
        """Return one condition for each of n samples, exactly where the learner was fitted under conditions."""
        expected = self.example.condition
        if (condition is None) != (expected is None):
            remedy = "Leave condition out." if expected is None else f"Pass condition=, one of {n} conditions per sample."
            fitted = "without" if expected is None else "under"
            raise ValueError(
                f"The learner was fitted {fitted} conditions, but condition is {type(condition).__name__}. {remedy}"
            )
        return None if condition is None else as_condition(condition, n, expected)

    def inverse_transform(self, x: Array) -> Any:
        """Return samples in the kind and dtype of the data that were fitted: a data frame where these were one."""
        x = like(x, self.example.x)
        return x if self.table is None else self.table.inverse_transform(x)


def _keeps_its_kind(X: object) -> bool:
    """Return whether X is taken as it is: tensors on devices, images."""
    return is_array(X) and (not isinstance(X, np.ndarray) or X.ndim > 2)


def _matrix(estimator: BaseEstimator, X: object, *, reset: bool) -> Array:
    """Return X as a matrix, by scikit-learn's rules on features; finite numbers are checked elsewhere, once."""
    least = 2 if reset else 1
    matrix: Array = validate_data(
        estimator, X, dtype=[np.float64, np.float32], reset=reset, ensure_min_samples=least, ensure_all_finite=False
    )
    return matrix


def _check_event(estimator: BaseEstimator, x: Array, event: tuple[int, ...]) -> None:
    features, expected = math.prod(x.shape[1:]), math.prod(event)
    if features != expected:
        raise ValueError(
            f"X has {features} features, but {type(estimator).__name__} is expecting {expected} features as input."
        )
    if tuple(x.shape[1:]) != event:
        raise ValueError(
            f"X has events of shape {tuple(x.shape[1:])}; expected {event}, as in the fit. Reshape or transpose them."
        )


def fingerprint(batch: Batch) -> str:
    """Return a digest that tells one data set from another."""
    digest = hashlib.sha256()
    for part in (batch.x, batch.condition):
        if part is not None:
            host = np.ascontiguousarray(to_numpy(part))
            digest.update(f"{host.shape} {host.dtype}".encode())
            digest.update(host.data)
    return digest.hexdigest()
