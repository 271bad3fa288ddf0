"""Adversarial random forests: trees that cut a table until its columns are independent in each leaf."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from turinglearn.contract import name_of
from turinglearn.data.tables import is_frame
from turinglearn.generators.common import Booleans, Floats, Integers
from turinglearn.generators.forest.columns import FrameCodes, Table, codes_of, restricted
from turinglearn.generators.forest.density import fit_distribution
from turinglearn.generators.forest.trees import Trees
from turinglearn.protocols import InputError, Rng
from turinglearn.streams import as_seed

__all__ = ["AdversarialForest"]


class AdversarialForest(DensityMixin, BaseEstimator):
    """Adversarial random forest: a distribution of a table, with an exact density and exact conditions.

    A forest is fitted to real rows against fakes, at first rows of independent columns. Its leaves make the next
    fakes, with columns drawn independently within each leaf, and a new forest is fitted; and so on until its accuracy
    on out-of-bag rows is no more than 1/2 + delta, or ceases to fall. The leaves that made the last fakes then hold a
    distribution (FORDE): a mixture of leaves, within which columns are independent, numbers are Gaussian within the bounds of
    the leaf, and categories have smoothed frequencies. A missing value is a value like others, and is sampled as often as it
    occurs.

    X is an array (n, d) of numbers, NaN where one is missing, or a data frame of numbers, truth values, categories, text and
    dates. A column of integers (by its dtype, in an array) has probabilities in the place of a density.

    Parameters
    ----------
    estimator : RandomForestClassifier, ExtraTreesClassifier or None
        The forest; cloned, with out-of-bag scores. None for 30 extremely randomised trees (Geurts et al. 2006) that try all
        columns, fitted to bootstrap samples, with leaves of at least `min_samples_leaf` rows, real or not.
    min_samples_leaf : int
        Least number of real rows in a leaf: smaller leaves are merged with their sibling.
    delta : float
        Tolerated accuracy above 1/2, in [0, 1/2].
    max_iter : int
        Largest number of forests after the first.
    alpha : float
        Pseudo-count of each category in each leaf that has room for it.
    bounded : bool
        Whether outer leaves end at the lowest and the highest value of the fit; else they are without end. A data frame that is
        sampled keeps within these values all the same: numbers beyond are reflected.
    categorical_features : indices or mask of columns, or None
        Columns of an array that are categories.
    random_state : int, numpy generator or None
        Seed of the fit.

    Attributes
    ----------
    accuracies_ : list of float
        Accuracy of each forest on out-of-bag rows.
    trees_ : Trees
        The leaves.
    distribution_ : LeafDistribution
        Their distribution.
    codes_ : ArrayCodes or FrameCodes
        Coding of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : array of str of shape (d,)
        Names of the columns, if X is a data frame with names.

    References
    ----------
    Watson, Blesch, Kapar & Wright (2023), "Adversarial random forests for density estimation and generative modeling".

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
        estimator: BaseEstimator | None = None,
        *,
        min_samples_leaf: int = 5,
        delta: float = 0.0,
        max_iter: int = 10,
        alpha: float = 0.1,
        bounded: bool = False,
        categorical_features: ArrayLike | None = None,
        random_state: int | Rng | None = None,
    ) -> None:
        self.estimator = estimator
        self.min_samples_leaf = min_samples_leaf
        self.delta = delta
        self.max_iter = max_iter
        self.alpha = alpha
        self.bounded = bounded
        self.categorical_features = categorical_features
        self.random_state = random_state

    def fit(self, X: Table, y: object = None) -> AdversarialForest:
        """Learn the distribution of X.

        Parameters
        ----------
        X : array or data frame of shape (n, d)
            The table.
        y : ignored

        Returns
        -------
        AdversarialForest
            Itself.
        """
        self._check_parameters()
        X = self._table(X, reset=True)
        self.codes_ = codes_of(X, self.categorical_features)
        x, rng = self.codes_.encode(X), np.random.default_rng(as_seed(self.random_state))
        integer = self.codes_.columns.integer
        self.trees_, self.accuracies_ = self._played(x, integer, rng)
        low, high = self.trees_.boxes(x.shape[1])
        if self.bounded:
            low = np.maximum(low, np.nanmin(x, axis=0) - 0.5 * integer)
            high = np.minimum(high, np.nanmax(x, axis=0) + 0.5 * integer)
        self.distribution_ = fit_distribution(x, self.trees_.leaves(x), (low, high), self.codes_.columns, self.alpha)
        return self

    def sample(self, n: int = 1, random_state: int | Rng | None = None, *, where: Mapping[Any, object] | None = None) -> Table:
        """Draw rows like X, of its kind and dtype (FORGE).

        Parameters
        ----------
        n : int
            Number of rows.
        random_state : int, numpy generator or None
            Seed.
        where : dict, or None
            Condition {column: value} under which rows are drawn, exactly under the fitted distribution. In the place of a
            value may stand an interval (low, high) of numbers, with None for an open end, a list of categories, or None for a
            missing value.

        Returns
        -------
        array or data frame of shape (n, d)

        Raises
        ------
        ValueError
            If the condition has probability 0.
        """
        check_is_fitted(self, "distribution_")
        if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n < 1:
            raise InputError(f"n={n!r}: expected an integer number of rows, at least 1.")
        distribution = self.distribution_ if where is None else restricted(self.distribution_, self.codes_, where)
        rows = self.codes_.decode(distribution.sample(int(n), np.random.default_rng(as_seed(random_state))))
        return rows if where is None else _unrounded(rows, where)

    def score_samples(self, X: Table) -> Floats:
        """Compute the exact log density of each row, (n,), in the units of X; -inf where the distribution has no mass."""
        check_is_fitted(self, "distribution_")
        x = self.codes_.encode(self._table(X, reset=False))
        return self.distribution_.log_density(x, self.trees_.leaves(x))

    def score(self, X: Table, y: object = None) -> float:
        """Compute the mean log density of the rows; y is ignored."""
        return float(np.mean(self.score_samples(X)))

    def _played(self, x: Floats, integer: Booleans, rng: Rng) -> tuple[Trees, list[float]]:
        """Play the adversarial rounds; return the final trees, and the accuracy of each forest."""
        accuracies: list[float] = []
        fake, trees = rng.permuted(x, axis=0), None
        while True:
            forest = self._fitted(x, fake, rng)
            accuracies.append(float(forest.oob_score_))
            recognized = accuracies[-1] > 0.5 + self.delta
            if trees is not None and (not recognized or accuracies[-1] > accuracies[-2]):
                return trees, accuracies  # their leaves made fakes that pass, or that later ones do not surpass
            trees = Trees.of(forest, integer).pruned(x, self.min_samples_leaf)
            if not recognized or len(accuracies) > self.max_iter:
                return trees, accuracies
            fake = resampled(x, trees.leaves(x), rng)

    def _fitted(self, x: Floats, fake: Floats, rng: Rng) -> Any:
        """Fit a forest that tells the rows from the fakes."""
        forest = clone(self.estimator) if self.estimator is not None else self._usual_forest()
        forest.set_params(bootstrap=True, oob_score=True, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():  # a row in every bag has a random out-of-bag label
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
            with np.errstate(invalid="ignore"):
                return forest.fit(np.concatenate((x, fake)), np.arange(2 * len(x)) < len(x))

    def _usual_forest(self) -> ExtraTreesClassifier:
        return ExtraTreesClassifier(30, max_features=None, min_samples_leaf=self.min_samples_leaf)

    def _table(self, X: Table, *, reset: bool) -> Table:
        if not reset and is_frame(X) != isinstance(self.codes_, FrameCodes):
            raise InputError(f"X is a {name_of(X)}; expected a table of the kind that was fitted.")
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        checked: Table = validate_data(
            self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=reset, ensure_min_samples=2 if reset else 1
        )
        return checked

    def _check_parameters(self) -> None:
        for name, least in (("min_samples_leaf", 1), ("max_iter", 0)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise InputError(f"AdversarialForest({name}={value!r}): expected an integer from {least} on.")
        if not (isinstance(self.delta, numbers.Real) and 0 <= self.delta <= 0.5):
            raise InputError(f"AdversarialForest(delta={self.delta!r}): expected a number in [0, 1/2].")
        if not (isinstance(self.alpha, numbers.Real) and self.alpha >= 0):
            raise InputError(f"AdversarialForest(alpha={self.alpha!r}): expected a number from 0 on.")
        if self.estimator is not None:
            known = self.estimator.get_params() if hasattr(self.estimator, "get_params") else {}
            if isinstance(self.estimator, type) or not {"bootstrap", "oob_score", "n_estimators"} <= known.keys():
                raise InputError(
                    f"AdversarialForest(estimator={self.estimator!r}): expected a forest with out-of-bag scores. Give a "
                    "RandomForestClassifier or an ExtraTreesClassifier, or None."
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def resampled(x: Floats, leaf: Integers, rng: Rng) -> Floats:
    """Draw as many rows as x (n, d) has, with each column drawn separately from the rows of one leaf; leaf is (n, trees)."""
    at = leaf.T.ravel()
    rows = np.argsort(at, kind="stable") % len(x)
    count = np.bincount(at)
    start = np.cumsum(count) - count
    chosen = at[rng.integers(len(at), size=len(x))]
    within = (rng.random(x.shape) * count[chosen][:, None]).astype(int)
    fake: Floats = x[rows[start[chosen][:, None] + within], np.arange(x.shape[1])]
    return fake


def _unrounded(rows: Table, where: Mapping[Any, Any]) -> Table:
    """Restore the numbers of the condition in a data frame to the last bit, which coding may have rounded."""
    for name, value in where.items():
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if is_number and hasattr(rows, "iloc") and getattr(rows[name].dtype, "kind", "") == "f":
            rows[name] = rows[name].mask(np.isclose(rows[name], float(value), rtol=1e-12, atol=0.0), value)
    return rows
