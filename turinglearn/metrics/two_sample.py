"""Classifier two-sample test: a classifier tries to tell held-out rows of two samples apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier

from turinglearn.contract import score_samples, update
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.discriminators.common import Classifier
from turinglearn.metrics.inputs import Floats, SeedLike, pair, share, whole
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.streams import as_seed

__all__ = ["TwoSampleTest", "two_sample_test"]


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """Result of a classifier two-sample test, on rows that the classifier was not fitted to.

    Attributes
    ----------
    auc : float
        Probability that the classifier ranks a row of the second sample above one of the first, a tie counting one half; .5
        where the distributions are equal.
    accuracy : float
        Its balanced accuracy, a tie counting one half.
    p_value : float
        Of equal distributions.
    n : int
        Held-out rows of both samples.
    """

    auc: float
    accuracy: float
    p_value: float
    n: int


def two_sample_test(
    x: Array,
    y: Array,
    /,
    *,
    classifier: Classifier | None = None,
    held_out: float = 0.5,
    permutations: int = 199,
    random_state: SeedLike = None,
) -> TwoSampleTest:
    """Test whether two samples have the same distribution, by a classifier, with an exact p-value.

    The classifier is fitted once, to a random part of both samples; the statistic is its AUC on the rest. After the fit,
    held-out rows are exchangeable where the distributions are equal, so their labels are permuted. The p-value,
    (1 + #{permuted AUC >= AUC}) / (1 + permutations), is valid at every sample size and with every classifier, without a
    refit. Rows must be independent.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, of at least four rows. 1-D is read as (n, 1); events of any shape are flattened.
    y : array of shape (m, d)
        Second sample, of at least four rows: the real one.
    classifier : scikit-learn classifier or None
        Any that `ClassifierDiscriminator` takes; None for 100 extremely randomised trees with at least 5 rows in a leaf, which
        need no scaling. It decides which differences the test can detect: a linear one does not detect a difference in spread.
    held_out : float
        Share of the rows that are held out.
    permutations : int
        Number of permutations of the labels.
    random_state : int, numpy generator or None
        Seed of the parts, the fit and the permutations; None for fresh entropy.

    Returns
    -------
    TwoSampleTest

    Raises
    ------
    ValueError
        For invalid arguments and samples of fewer than four rows.
    PlayerError
        If the classifier fails.

    References
    ----------
    Lopez-Paz and Oquab, ICLR 2017. Kim, Ramdas, Singh and Wasserman (2021), Annals of Statistics 49.
    """
    x, y = pair(x, y, rows=4)
    held_out, permutations = share(held_out, "held_out"), whole(permutations, "permutations")
    rng = np.random.default_rng(as_seed(random_state))
    (fit_x, kept_x), (fit_y, kept_y) = _split(x, held_out, rng), _split(y, held_out, rng)
    usual = ExtraTreesClassifier(100, min_samples_leaf=5)
    discriminator = ClassifierDiscriminator(usual if classifier is None else classifier)
    update(discriminator, Batch(fit_y), Batch(fit_x), rng)
    r = np.asarray(score_samples(discriminator, Batch(np.concatenate((kept_x, kept_y)))).values, dtype=float)
    return _permutation_test(r, len(kept_x), permutations, rng)


def _permutation_test(r: Floats, n: int, permutations: int, rng: Rng) -> TwoSampleTest:
    """Test scores of n rows of the first sample and all others of the second, by permuting their labels::

        p = (1 + #{permuted AUC >= AUC}) / (1 + permutations)                                            (1)

    Permuting the labels of cross-fitted scores without a refit would not keep the level, since the fits of the folds depend on
    each other's rows.
    """
    ranks, real = rankdata(r), np.arange(len(r)) >= n  # midranks: a tie counts one half
    observed = ranks[real].sum()  # multiples of one half: exact, so that ties among permutations are seen
    permuted = np.array([rng.permutation(ranks)[real].sum() for _ in range(permutations)])
    p_value = (1 + np.count_nonzero(permuted >= observed)) / (1 + permutations)  # (1)
    m = len(r) - n
    auc = (observed - m * (m + 1) / 2) / (m * n)
    votes = (np.sign(r) + 1) / 2
    accuracy = (votes[real].mean() + 1 - votes[~real].mean()) / 2
    return TwoSampleTest(float(auc), float(accuracy), float(p_value), len(r))


def _split(z: Floats, held_out: float, rng: Rng) -> tuple[Floats, Floats]:
    """Split the rows at random into those to fit to and those held out, at least two of each."""
    size = min(max(2, round(held_out * len(z))), len(z) - 2)
    z = z[rng.permutation(len(z))]
    return z[size:], z[:size]
