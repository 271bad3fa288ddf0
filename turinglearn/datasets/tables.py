"""Real tables that ship with scikit-learn, each split into training rows and held-out rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from turinglearn.metrics.inputs import Floats, Integers
from turinglearn.streams import as_seed

__all__ = ["SplitTable", "breast_cancer", "digits", "wine"]


@dataclass(frozen=True, slots=True, eq=False)
class SplitTable:
    """Rows of a table, split 60 to 40 with equal shares of each class. The split is always the same.

    Attributes
    ----------
    train : ndarray of shape (n, d)
        Rows for the players, float64.
    held_out : ndarray of shape (m, d)
        Other rows, for metrics.
    names : tuple of str
        Names of the d columns.
    target_train : ndarray of shape (n,)
        Classes of the training rows, as integers.
    target_held_out : ndarray of shape (m,)
        Classes of the held-out rows.
    name : str
        Name of the table.
    """

    train: Floats
    held_out: Floats
    names: tuple[str, ...]
    target_train: Integers
    target_held_out: Integers
    name: str

    def __repr__(self) -> str:
        shape = f"{len(self.train)} rows to train on, {len(self.held_out)} held out, {len(self.names)} columns"
        return f"<SplitTable {self.name}: {shape}>"


def digits(seed: int = 0) -> SplitTable:
    """Load handwritten digits, 1,797 × 64 (8 by 8 pixels, row by row), dequantised and scaled to [0, 1).

    Each grey level 0, ..., 16 becomes (level + u) / 17 with u uniform on [0, 1). Without this noise a tree recognises every
    continuous fake, since the real digits have exact zeros.

    Parameters
    ----------
    seed : int
        Seed of the noise.

    Returns
    -------
    SplitTable

    References
    ----------
    Theis, van den Oord and Bethge, "A note on the evaluation of generative models", ICLR 2016, on uniform dequantisation.
    """
    data = load_digits()
    noise = np.random.default_rng(as_seed(seed)).random(data.data.shape)
    return _split("digits", data, (data.data + noise) / 17)


def breast_cancer() -> SplitTable:
    """Load breast cancer Wisconsin (diagnostic), 569 × 30, in the units of measurement: standardise it by its training rows."""
    data = load_breast_cancer()
    return _split("breast cancer", data, data.data)


def wine() -> SplitTable:
    """Load wine recognition, 178 × 13, in the units of measurement: standardise it by its training rows."""
    data = load_wine()
    return _split("wine", data, data.data)


def _split(name: str, data: Bunch, x: Floats) -> SplitTable:
    """Split the rows x of a data set of scikit-learn."""
    train, held_out, target_train, target_held_out = train_test_split(
        x.astype(np.float64), data.target, test_size=0.4, stratify=data.target, random_state=0
    )
    return SplitTable(train, held_out, tuple(map(str, data.feature_names)), target_train, target_held_out, name)
