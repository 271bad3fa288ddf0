"""Are two samples of one law? A classifier that never saw the held-out rows tries to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier

from turinglearn.contract import examine, update
from turinglearn.discriminators import ClassifierDiscriminator
from turinglearn.metrics.inputs import pair, share, whole
from turinglearn.protocols import Array, Batch
from turinglearn.streams import as_seed

__all__ = ["TwoSampleTest", "two_sample_test"]


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """What a classifier made of two samples, on n rows that it was not fitted to.

    auc: the chance that it ranks a row of the second sample above one of the first, a tie counting one half; .5 where the laws
        are equal. accuracy: its balanced accuracy, a tie counting one half. p_value: of equal laws. n: held-out rows of both.
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
    classifier: Any = None,
    held_out: float = 0.5,
    permutations: int = 199,
    random_state: Any = None,
) -> TwoSampleTest:
    """Classifier two-sample test: whether x (n, d) and y (m, d), the genuine sample, are of one law, with an exact p-value.

    The classifier is fitted once, to a random part of both samples; the statistic is its AUC on the share `held_out` of
    both. Given the fit, held-out rows are exchangeable where the laws are equal, so their labels are permuted, and

        p = (1 + #{permuted AUC >= AUC}) / (1 + permutations)

    rejects at any level with at most that probability, at every sample size and with every classifier, and no refit.
    (Permuting the labels of cross-fitted scores without a refit is not level-correct: folds are coupled by their fits.)

    classifier: any with the scikit-learn API, as for `ClassifierDiscriminator`; None for 100 extremely randomised trees of
    leaves with at least 5 rows, which need no scaling. It decides what the test can see: a linear one sees no difference
    in spread. Shapes as in `energy_distance`. Rows must be independent. ValueError for bad arguments and for samples of fewer
    than four rows, `PlayerError` for a classifier that fails.

    Lopez-Paz & Oquab, ICLR 2017; Kim, Ramdas, Singh & Wasserman (2021), Annals of Statistics 49.
    """
    x, y = pair(x, y, rows=4)
    held_out, permutations = share(held_out, "held_out"), whole(permutations, "permutations")
    rng = np.random.default_rng(as_seed(random_state))
    (fit_x, kept_x), (fit_y, kept_y) = _parted(x, held_out, rng), _parted(y, held_out, rng)
    judge = ClassifierDiscriminator(_usual() if classifier is None else classifier)
    update(judge, Batch(fit_y), Batch(fit_x), rng)
    r = np.asarray(examine(judge, Batch(np.concatenate((kept_x, kept_y)))).values, dtype=float)
    ranks, genuine = rankdata(r), np.arange(len(r)) >= len(kept_x)  # midranks: a tie counts one half
    observed = ranks[genuine].sum()  # multiples of one half: exact, so that ties among permutations are seen
    permuted = np.array([rng.permutation(ranks)[genuine].sum() for _ in range(permutations)])
    p_value = (1 + np.count_nonzero(permuted >= observed)) / (1 + permutations)
    m = len(kept_y)
    auc = (observed - m * (m + 1) / 2) / (m * len(kept_x))
    votes = (np.sign(r) + 1) / 2
    accuracy = (votes[genuine].mean() + 1 - votes[~genuine].mean()) / 2
    return TwoSampleTest(float(auc), float(accuracy), float(p_value), len(r))


def _usual() -> Any:
    return ExtraTreesClassifier(100, min_samples_leaf=5)


def _parted(z: Any, held_out: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows to fit to and rows held out, at random, at least two of each."""
    size = min(max(2, round(held_out * len(z))), len(z) - 2)
    z = z[rng.permutation(len(z))]
    return z[size:], z[:size]
