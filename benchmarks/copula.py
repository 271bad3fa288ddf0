"""Gaussian copula for tables of mixed columns: the baseline for generators of tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

__all__ = ["GaussianCopula"]


class GaussianCopula:
    """A generator that keeps the values of every column; ranks follow a Gaussian with the correlations of normal scores.

    Equal values are ranked at random. Categories are ordered by name, and a missing value is the lowest one.
    """

    def fit(self, frame: Any, rng: np.random.Generator) -> GaussianCopula:
        """Learn the columns and the correlations of a data frame."""
        orders = [np.lexsort((rng.random(len(frame)), _codes(frame[name]))) for name in frame.columns]
        self.sorted_ = {name: frame[name].iloc[order].reset_index(drop=True) for name, order in zip(frame, orders, strict=True)}
        ranks = np.argsort(np.array(orders), axis=1)
        self.correlation_ = np.atleast_2d(np.corrcoef(ndtri((ranks + 0.5) / len(frame))))
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Any:
        """Draw n rows."""
        import pandas

        z = rng.multivariate_normal(np.zeros(len(self.correlation_)), self.correlation_, n, method="eigh")
        rows = (ndtr(z) * len(next(iter(self.sorted_.values())))).astype(int)
        columns = {name: values.iloc[rows[:, j]].array for j, (name, values) in enumerate(self.sorted_.items())}
        return pandas.DataFrame(columns)


def _codes(column: Any) -> Any:
    """Return numbers in the order of the values, -1 where one is missing."""
    import pandas

    return pandas.factorize(column, sort=True)[0]
