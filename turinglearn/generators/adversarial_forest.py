"""Adversarial random forests (Watson et al. 2023): trees that cut a table until its columns are independent in each leaf."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from turinglearn.contract import name_of
from turinglearn.generators.forest_columns import FrameCodes, codes_of, restricted
from turinglearn.generators.forest_density import fitted_law
from turinglearn.generators.forest_trees import Trees
from turinglearn.protocols import Rng
from turinglearn.streams import as_seed
from turinglearn.tables import is_frame

__all__ = ["AdversarialForest"]


class AdversarialForest(DensityMixin, BaseEstimator):
    """An adversarial random forest: a law of a table, with an exact density and exact conditions.

    A forest is fitted to genuine rows against counterfeits, at first rows of independent columns. Its leaves make the next
    counterfeits, with columns drawn independently within each leaf, and a new forest is fitted; and so on until its accuracy
    on out-of-bag rows is no more than 1/2 + delta, or ceases to fall. The leaves that made the last counterfeits then hold a
    law (FORDE): a mixture of leaves, within which columns are independent, numbers are Gaussian within the leaf's bounds, and
    categories have smoothed frequencies. A missing value is a value like others, and is sampled as often as it occurs. Watson,
    Blesch, Kapar & Wright, "Adversarial random forests for density estimation and generative modeling", AISTATS 2023.

    X is an array (n, d) of numbers, NaN where one is missing, or a data frame of numbers, truth values, categories, text and
    dates. A column of whole numbers (by its dtype, in an array) has probabilities in the place of a density.

    Parameters
    ----------
    estimator : RandomForestClassifier, ExtraTreesClassifier or None
        The forest; cloned, with out-of-bag scores. None for 30 extremely randomised trees (Geurts et al. 2006) that try all
        columns, fitted to bootstrap samples, with leaves of at least `min_samples_leaf` rows, genuine or not.
    min_samples_leaf : int
        Genuine rows that a leaf holds at least: smaller ones are given to their sibling.
    delta : float
        How far above 1/2 the accuracy may stay, in [0, 1/2].
    max_iter : int
        Forests at most, after the first.
    alpha : float
        The pseudo-count of each category in each leaf that has room for it.
    bounded : bool
        Whether outer leaves end at the lowest and the highest value of the fit; else they are without end. A data frame that is
        sampled keeps within these values all the same: what lies beyond is reflected.
    categorical_features : indices or mask of columns, or None
        Which columns of an array are categories.
    random_state : int, numpy generator or None
        The seed of the fit.

    Attributes
    ----------
    accuracies_ : list of float
        The accuracy of each forest on out-of-bag rows.
    trees_, law_, codes_ : the leaves, their law, and how rows are coded.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from turinglearn.generators import AdversarialForest
    >>> X = load_iris().data
    >>> forest = AdversarialForest(random_state=0).fit(X)
    >>> forest.sample(3, random_state=0).shape
    (3, 4)
    >>> long = forest.sample(100, random_state=0, where={2: (5, None)})
    >>> bool(long[:, 2].min() >= 5)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        min_samples_leaf: int = 5,
        delta: float = 0.0,
        max_iter: int = 10,
        alpha: float = 0.1,
        bounded: bool = False,
        categorical_features: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.min_samples_leaf = min_samples_leaf
        self.delta = delta
        self.max_iter = max_iter
        self.alpha = alpha
        self.bounded = bounded
        self.categorical_features = categorical_features
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> AdversarialForest:
        """Learn the law of X; y is ignored."""
        self._check_parameters()
        X = self._table(X, reset=True)
        self.codes_ = codes_of(X, self.categorical_features)
        x, rng = self.codes_.encode(X), np.random.default_rng(as_seed(self.random_state))
        whole = self.codes_.columns.whole
        self.trees_, self.accuracies_ = self._played(x, whole, rng)
        low, high = self.trees_.boxes(x.shape[1])
        if self.bounded:
            low = np.maximum(low, np.nanmin(x, axis=0) - 0.5 * whole)
            high = np.minimum(high, np.nanmax(x, axis=0) + 0.5 * whole)
        self.law_ = fitted_law(x, self.trees_.leaves(x), (low, high), self.codes_.columns, self.alpha)
        return self

    def sample(self, n: int = 1, random_state: Any = None, *, where: Any = None) -> Any:
        """n rows like X, of its kind and dtype (FORGE).

        where: a condition, {column: value}, under which rows are drawn; exact under the fitted law. In the place of a value may
        stand an interval (low, high) of numbers, with None for an open end, a list of categories, or None for a missing value.
        Raises ValueError for what has probability 0.
        """
        check_is_fitted(self, "law_")
        if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"n={n!r}: expected a whole number of rows, at least 1.")
        law = self.law_ if where is None else restricted(self.law_, self.codes_, where)
        rows = self.codes_.decode(law.sample(int(n), np.random.default_rng(as_seed(random_state))))
        return rows if where is None else _unrounded(rows, where)

    def score_samples(self, X: Any) -> Any:
        """The exact log density of each row, (n,), in the units of X; -inf where the law has no mass."""
        check_is_fitted(self, "law_")
        x = self.codes_.encode(self._table(X, reset=False))
        return self.law_.log_density(x, self.trees_.leaves(x))

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log density of the rows; y is ignored."""
        return float(np.mean(self.score_samples(X)))

    def _played(self, x: Any, whole: Any, rng: Rng) -> tuple[Trees, list[float]]:
        """The adversarial rounds: the trees that are kept, and each forest's accuracy."""
        accuracies: list[float] = []
        fake, trees = rng.permuted(x, axis=0), None
        while True:
            forest = self._fitted(x, fake, rng)
            accuracies.append(float(forest.oob_score_))
            caught = accuracies[-1] > 0.5 + self.delta
            if trees is not None and (not caught or accuracies[-1] > accuracies[-2]):
                return trees, accuracies  # whose leaves made counterfeits that pass, or that no later ones surpass
            trees = Trees.of(forest, whole).spliced(x, self.min_samples_leaf)
            if not caught or len(accuracies) > self.max_iter:
                return trees, accuracies
            fake = resampled(x, trees.leaves(x), rng)

    def _fitted(self, x: Any, fake: Any, rng: Rng) -> Any:
        """A forest that tells the rows from the counterfeits."""
        forest = clone(self.estimator) if self.estimator is not None else self._usual_forest()
        forest.set_params(bootstrap=True, oob_score=True, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():  # a row that is in every bag counts as caught or not by a coin's toss
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
            with np.errstate(invalid="ignore"):
                return forest.fit(np.concatenate((x, fake)), np.arange(2 * len(x)) < len(x))

    def _usual_forest(self) -> Any:
        return ExtraTreesClassifier(30, max_features=None, min_samples_leaf=self.min_samples_leaf)

    def _table(self, X: Any, *, reset: bool) -> Any:
        if not reset and is_frame(X) != isinstance(self.codes_, FrameCodes):
            raise ValueError(f"X is a {name_of(X)}; expected a table of the kind that was fitted.")
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(
            self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=reset, ensure_min_samples=2 if reset else 1
        )

    def _check_parameters(self) -> None:
        for name, least in (("min_samples_leaf", 1), ("max_iter", 0)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise ValueError(f"AdversarialForest({name}={value!r}): expected a whole number from {least} on.")
        if not (isinstance(self.delta, numbers.Real) and 0 <= self.delta <= 0.5):
            raise ValueError(f"AdversarialForest(delta={self.delta!r}): expected a number in [0, 1/2].")
        if not (isinstance(self.alpha, numbers.Real) and self.alpha >= 0):
            raise ValueError(f"AdversarialForest(alpha={self.alpha!r}): expected a number from 0 on.")
        if self.estimator is not None:
            known = self.estimator.get_params() if hasattr(self.estimator, "get_params") else {}
            if isinstance(self.estimator, type) or not {"bootstrap", "oob_score", "n_estimators"} <= known.keys():
                raise ValueError(
                    f"AdversarialForest(estimator={self.estimator!r}): expected a forest with out-of-bag scores. Give a "
                    "RandomForestClassifier or an ExtraTreesClassifier, or None."
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def resampled(x: Any, leaf: Any, rng: Rng) -> Any:
    """As many rows as x (n, d) has, each column drawn by itself from the rows of one leaf; leaf (n, trees)."""
    at = leaf.T.ravel()
    rows = np.argsort(at, kind="stable") % len(x)
    count = np.bincount(at)
    start = np.cumsum(count) - count
    chosen = at[rng.integers(len(at), size=len(x))]
    within = (rng.random(x.shape) * count[chosen][:, None]).astype(int)
    return x[rows[start[chosen][:, None] + within], np.arange(x.shape[1])]


def _unrounded(rows: Any, where: Any) -> Any:
    """Data frames with the numbers of the condition to the last bit, which coding may have rounded."""
    for name, value in where.items():
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if real and hasattr(rows, "iloc") and getattr(rows[name].dtype, "kind", "") == "f":
            rows[name] = rows[name].mask(np.isclose(rows[name], float(value), rtol=1e-12, atol=0.0), value)
    return rows
