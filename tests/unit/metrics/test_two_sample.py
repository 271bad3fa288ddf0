"""The classifier two-sample test: its level, its power, and its statistic against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from turinglearn.metrics import two_sample_test
from turinglearn.protocols import PlayerError


class First(ClassifierMixin, BaseEstimator):
    """P(real) is the first column, whatever it was fitted to; it keeps what it saw."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        First.seen.append((X, y))
        return self

    def predict_proba(self, X):
        First.seen.append(X)
        return np.column_stack((1 - X[:, 0], X[:, 0]))


def binomially_plausible(hits, runs, rate):
    return stats.binomtest(hits, runs, rate).pvalue > 1e-3


# ---------------------------------------------------------------------------------------------------------------- level
@pytest.mark.parametrize(
    ("classifier", "n", "m"),
    [(LogisticRegression(), 20, 20), (GaussianNB(), 40, 12), (KNeighborsClassifier(1), 16, 24)],
    ids=["logistic", "bayes-unequal", "interpolating-with-ties"],
)
def test_the_size_is_the_level(classifier, n, m):
    p = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((n, 2)), rng.standard_normal((m, 2))
        p.append(two_sample_test(x, y, classifier=classifier, permutations=99, random_state=rng).p_value)
    for level in (0.05, 0.2):
        rejected = int(np.count_nonzero(np.array(p) <= level))
        if isinstance(classifier, KNeighborsClassifier):  # ties make it conservative
            assert stats.binomtest(rejected, len(p), level, alternative="greater").pvalue > 1e-3
        else:
            assert binomially_plausible(rejected, len(p), level)


def test_the_size_of_the_usual_classifier():
    runs, rejected = 60, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        rejected += two_sample_test(*rng.standard_normal((2, 60, 2)), permutations=39, random_state=rng).p_value <= 0.1
    assert binomially_plausible(rejected, runs, 0.1)


def test_a_classifier_that_tells_nothing_never_rejects():
    x, y = np.zeros((20, 2)), np.ones((20, 2))
    result = two_sample_test(x, y, classifier=DummyClassifier())
    assert (result.auc, result.accuracy, result.p_value) == (0.5, 0.5, 1.0)


# ---------------------------------------------------------------------------------------------------------------- power
def test_power_of_a_linear_discriminator_against_a_shift():
    """LayerBuffers-out projections on the true direction.

    A Wilcoxon test of power Φ(√(6n) (AUC - 1/2) - 1.645), n rows each.
    """
    n, shift, runs = 100, 1.0, 100
    hits = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((2, n, 1))
        hits += two_sample_test(x, y + shift, classifier=LogisticRegression(), random_state=rng).p_value <= 0.05
    auc = stats.norm.cdf(shift / math.sqrt(2))
    expected = stats.norm.cdf(math.sqrt(6 * n / 2) * (auc - 0.5) - 1.645)
    assert expected > 0.9
    assert hits / runs > expected - 0.05


@pytest.mark.parametrize("kind", ["shift", "spread", "dependence", "modes"])
def test_the_usual_classifier_sees_every_kind_of_difference(kind):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 600, 2))
    if kind == "shift":
        x[:, 0] += 0.7
    elif kind == "spread":
        x *= 1.7
    elif kind == "dependence":
        x[:, 1] = 0.8 * x[:, 0] + 0.6 * x[:, 1]
    else:
        x[:, 0] = 0.97 * np.sign(x[:, 0]) + 0.24 * x[:, 1]
    result = two_sample_test(x, y, random_state=0)
    assert result.p_value == 1 / 200
    assert result.auc > 0.55 < result.accuracy


# ------------------------------------------------------------------------------------------------------------ statistic
@given(st.integers(0, 10_000), st.integers(4, 30), st.integers(4, 30), st.sampled_from([0.3, 0.5, 0.8]))
def test_auc_and_accuracy_equal_scikit_learn_s_on_rows_never_fitted(seed, n, m, held_out):
    rng = np.random.default_rng(seed)
    x, y = (np.column_stack((rng.integers(1, 9, k) / 10, np.arange(k) + offset)) for k, offset in ((n, 0), (m, 1000)))
    First.seen.clear()
    result = two_sample_test(x, y, classifier=First(), held_out=held_out, permutations=9, random_state=seed)
    (fitted, labels), scored = First.seen
    assert result.n == len(scored) == n + m - len(fitted)
    assert not set(fitted[:, 1]) & set(scored[:, 1])
    np.testing.assert_array_equal(labels == 1, fitted[:, 1] >= 1000)
    real = scored[:, 1] >= 1000
    assert result.auc == pytest.approx(roc_auc_score(real, scored[:, 0]), abs=1e-12)
    prior = labels.mean()  # the discriminator's vote: P above its prior
    if not np.isclose(scored[:, 0], prior).any():
        clip = 1 / (len(fitted) + 2)
        votes = np.clip(scored[:, 0], clip, 1 - clip) > prior
        assert result.accuracy == pytest.approx(balanced_accuracy_score(real, votes), abs=1e-12)


def test_the_p_value_is_the_exact_permutation_one():
    """With 3 + 3 held-out rows in perfect order 1 of 20 labellings does as well."""
    x, y = np.full((6, 1), 0.1) + np.arange(6)[:, None] / 100, np.full((6, 1), 0.8) + np.arange(6)[:, None] / 100
    result = two_sample_test(x, y, classifier=First(), permutations=4000, random_state=0)
    assert (result.auc, result.n) == (1, 6)
    assert abs(result.p_value - 1 / 20) < 4 * math.sqrt(0.05 * 0.95 / 4000)


def test_swapping_the_samples_of_a_symmetric_difference_keeps_the_verdict():
    x, y = np.random.default_rng(1).standard_normal((2, 200, 2))
    forth, back = (two_sample_test(*pair, random_state=0) for pair in ((x, y + 1), (y + 1, x)))
    assert forth.p_value == back.p_value == 1 / 200


def test_a_seed_repeats_and_the_global_state_is_untouched():
    x, y = np.random.default_rng(2).standard_normal((2, 50, 2))
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert two_sample_test(x, y, random_state=3) == two_sample_test(x, y, random_state=3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_every_array_library_gives_the_same(arrays_on):
    x, y = np.random.default_rng(3).standard_normal((2, 30, 2))
    samples = (arrays_on.asarray(x), arrays_on.asarray(y))
    options = {"classifier": GaussianNB(), "random_state": 0}
    assert two_sample_test(*samples, **options) == two_sample_test(x, y, **options)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.zeros((3, 2)), np.zeros((9, 2)), {}, "expected at least 4 rows"),
        (np.zeros((9, 2)), np.zeros((9, 3)), {}, "expected the same number"),
        (np.zeros((9, 2)), np.zeros((9, 2)), {"held_out": 1}, "held_out=1"),
        (np.zeros((9, 2)), np.zeros((9, 2)), {"permutations": 0}, "permutations=0"),
    ],
)
def test_bad_arguments(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        two_sample_test(x, y, **options)


@pytest.mark.parametrize(
    ("classifier", "message"),
    [(KNeighborsClassifier(100), "KNeighborsClassifier.predict_proba raised ValueError"), (object(), "expected a classifier")],
)
def test_a_classifier_that_fails_is_named(classifier, message):
    with pytest.raises((PlayerError, ValueError), match=message):
        two_sample_test(np.zeros((9, 2)), np.ones((9, 2)), classifier=classifier)
