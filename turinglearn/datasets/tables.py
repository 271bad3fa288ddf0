"""Real tables that scikit-learn carries, each split into rows to train on and rows that no player sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split

from turinglearn.streams import as_seed

__all__ = ["Table", "breast_cancer", "digits", "wine"]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of a table as float64, split 60 to 40 with equal shares of each class; the split is always the same.

    train (n, d) and held_out (m, d) have no row in common: players see the first, measures the second. target_train
    (n,) and target_held_out (m,) are the classes as whole numbers, names the d columns, name the table.
    """

    train: Any
    held_out: Any
    names: tuple[str, ...]
    target_train: Any
    target_held_out: Any
    name: str

    def __repr__(self) -> str:
        shape = f"{len(self.train)} rows to train on, {len(self.held_out)} held out, {len(self.names)} columns"
        return f"<Table {self.name}: {shape}>"


def digits(seed: int = 0) -> Table:
    """Handwritten digits, 1,797 × 64 (8 by 8 pixels, row by row), dequantised and scaled to [0, 1).

    Each grey level 0, ..., 16 becomes (level + u) / 17 with u uniform on [0, 1), drawn from seed. Without it a tree
    tells every continuous counterfeit by the exact zeros of the genuine ones. On uniform dequantisation: Theis, van den
    Oord & Bethge, "A note on the evaluation of generative models", ICLR 2016.
    """
    data = load_digits()
    noise = np.random.default_rng(as_seed(seed)).random(data.data.shape)
    return _split("digits", data, (data.data + noise) / 17)


def breast_cancer() -> Table:
    """Breast cancer Wisconsin (diagnostic), 569 × 30, in the units of measurement: standardise by its train rows."""
    data = load_breast_cancer()
    return _split("breast cancer", data, data.data)


def wine() -> Table:
    """Wine recognition, 178 × 13, in the units of measurement: standardise it by its training rows."""
    data = load_wine()
    return _split("wine", data, data.data)


def _split(name: str, data: Any, x: Any) -> Table:
    train, held_out, target_train, target_held_out = train_test_split(
        x.astype(np.float64), data.target, test_size=0.4, stratify=data.target, random_state=0
    )
    return Table(train, held_out, tuple(map(str, data.feature_names)), target_train, target_held_out, name)
