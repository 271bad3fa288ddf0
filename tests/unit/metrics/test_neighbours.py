"""Nearest-neighbour measures against double loops, distribution-free expectations and planted copies."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays
from scipy import stats

from turinglearn.metrics import authenticity, memorisation, neighbours, precision_recall


def points(n, d=2):
    """Rows on a coarse lattice, so that ties and repeated points occur."""
    return numpy_arrays(np.int64, (n, d), elements=st.integers(-6, 6)).map(lambda x: x / 4)


def squared(a, b):
    return sum((a - b) ** 2)


def by_loops(x, y, k):
    """The four figures from their definitions."""

    def balls(z):
        return [sorted(squared(a, b) for j, b in enumerate(z) if j != i)[k - 1] for i, a in enumerate(z)]

    rx, ry = balls(x), balls(y)
    inside = [[squared(a, b) <= r for b, r in zip(y, ry, strict=True)] for a in x]
    precision = np.mean([any(row) for row in inside])
    density = sum(map(sum, inside)) / (k * len(x))
    coverage = np.mean([any(row[j] for row in inside) for j in range(len(y))])
    recall = np.mean([any(squared(a, b) <= r for a, r in zip(x, rx, strict=True)) for b in y])
    return precision, recall, density, coverage


def figures(result):
    return result.precision, result.recall, result.density, result.coverage


# ------------------------------------------------------------------------------------------------- precision and recall
@given(points(9), points(7), st.integers(1, 6))
def test_precision_recall_equals_the_definitions(x, y, k):
    assert figures(precision_recall(x, y, k=k)) == pytest.approx(by_loops(x, y, k), abs=1e-12)


@given(points(8), points(8))
def test_exchanging_the_samples_exchanges_precision_and_recall(x, y):
    forth, back = precision_recall(x, y, k=2), precision_recall(y, x, k=2)
    assert (forth.precision, forth.recall) == (back.recall, back.precision)


@pytest.mark.parametrize(("n", "m", "k", "d"), [(40, 40, 5, 2), (25, 60, 3, 4)])
def test_density_and_coverage_of_the_truth(n, m, k, d):
    """For every distribution 1, and 1 - Π (m-1-i)/(n+m-1-i), since the ranks of exchangeable rows are uniform."""
    rng, runs = np.random.default_rng(0), 600
    found = [precision_recall(*np.split(rng.standard_cauchy((n + m, d)), [n]), k=k) for _ in range(runs)]
    expected = 1 - math.prod((m - 1 - i) / (n + m - 1 - i) for i in range(k))
    for values, truth in (([f.density for f in found], 1), ([f.coverage for f in found], expected)):
        error = np.std(values) / math.sqrt(runs)
        assert abs(np.mean(values) - truth) < 4 * error < 0.05


def test_collapse_keeps_precision_and_loses_recall_and_coverage():
    rng = np.random.default_rng(1)
    y = rng.standard_normal((400, 2))
    result = precision_recall(0.01 * rng.standard_normal((400, 2)), y)
    assert result.precision == 1
    assert result.recall < 0.05 > result.coverage


@pytest.mark.parametrize(("d", "least", "most"), [(2, 0.9, 1.1), (20, 5, 20)])
def test_keeping_to_the_middle_is_too_dense_in_many_dimensions_only(d, least, most):
    rng = np.random.default_rng(9)
    density = precision_recall(0.5 * rng.standard_normal((1000, d)), rng.standard_normal((1000, d))).density
    assert least < density < most


def test_noise_loses_precision_and_keeps_recall():
    rng = np.random.default_rng(2)
    result = precision_recall(10 * rng.standard_normal((400, 2)), rng.standard_normal((400, 2)))
    assert result.precision < 0.2
    assert result.recall > 0.9
    assert result.density < 0.2


def test_a_sample_against_itself():
    y = np.random.default_rng(3).standard_normal((50, 3))
    assert figures(precision_recall(y, y, k=4)) == (1, 1, pytest.approx((50 * 4 + 50) / (4 * 50)), 1)


# --------------------------------------------------------------------------------------------------------- memorisation
def ratio_by_loops(x, train, held_out):
    mean = [np.mean([min(math.dist(a, b) for b in rows) for a in x]) for rows in (train, held_out)]
    return mean[0] / mean[1]


@pytest.mark.parametrize("size", [3, 30, 200])
def test_memorisation_equals_the_definition(size):
    rng = np.random.default_rng(size)
    x, train, held_out = rng.standard_normal((20, 2)), rng.standard_normal((size, 2)), rng.standard_normal((size, 2))
    result = memorisation(x, train, held_out, random_state=0)
    assert result.ratio == pytest.approx(ratio_by_loops(x, train, held_out), rel=1e-12)
    back = memorisation(x, held_out, train, random_state=0)
    assert back.ratio == pytest.approx(1 / result.ratio, rel=1e-12)


def test_without_memorisation_the_level_is_exact_even_for_a_bad_generator():
    """Fakes of another distribution: train and held-out rows are exchangeable all the same."""
    runs, rejected, covered = 300, 0, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        result = memorisation(
            0.3 + 0.5 * rng.standard_normal((30, 2)), *rng.standard_normal((2, 40, 2)), permutations=79, random_state=rng
        )
        rejected += result.p_value <= 0.1
        covered += result.low <= 1 <= result.high
    assert stats.binomtest(rejected, runs, 0.1).pvalue > 1e-3
    assert stats.binomtest(covered, runs, 0.95).pvalue > 1e-3  # 80 ranks, 2 of either tail left out


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_planted_copies(share):
    rng = np.random.default_rng(4)
    train, held_out, x = rng.standard_normal((3, 2000, 3))
    copies = round(share * len(x))
    x[:copies] = train[:copies]
    result = memorisation(x, train, held_out, random_state=0)
    assert result.ratio == pytest.approx(1 - share, abs=0.04)
    assert result.low <= 1 - share + 1e-12
    assert result.low <= result.ratio <= result.high < 1
    assert result.p_value == 1 / 400


def test_copies_are_found_where_all_near_neighbours_are_training_rows():
    """Copies of clumps that lie apart from those of the held-out rows: no ranked neighbour is a held-out row."""
    rng = np.random.default_rng(0)
    near, far = (np.repeat(centres, 80, axis=0) for centres in np.split(100 * rng.standard_normal((10, 2)), 2))
    train, held_out = near + rng.standard_normal(near.shape), far + rng.standard_normal(far.shape)
    x = train + 1e-3 * rng.standard_normal(train.shape)
    result = memorisation(x, train, held_out, random_state=0)
    assert result.ratio == pytest.approx(ratio_by_loops(x, train, held_out), rel=1e-12)
    assert result.ratio < 1e-3
    assert result.p_value == 1 / 400
    back = memorisation(x, held_out, train, random_state=0)
    assert back.ratio == pytest.approx(1 / result.ratio, rel=1e-12)


@pytest.mark.parametrize("ranked", [1, 3])
def test_how_many_neighbours_are_ranked_changes_nothing(ranked, monkeypatch):
    x, train, held_out = np.random.default_rng(10).standard_normal((3, 40, 2))
    whole = memorisation(x, train, held_out, random_state=0)
    monkeypatch.setattr(neighbours, "_RANKED", ranked)
    assert memorisation(x, train, held_out, random_state=0) == whole


def test_the_longer_set_is_cut_to_the_shorter():
    """Ten times as many training rows are nearer without any memorisation."""
    rng = np.random.default_rng(5)
    x, train, held_out = rng.standard_normal((500, 2)), rng.standard_normal((5000, 2)), rng.standard_normal((500, 2))
    assert ratio_by_loops(x[:100], train, held_out) < 0.5
    for sets in ((train, held_out), (held_out, train)):
        result = memorisation(x, *sets, level=0.999, permutations=1999, random_state=0)
        assert result.low <= 1 <= result.high


@pytest.mark.parametrize(("d", "truth"), [(1, 1 / 3), (2, 1 - 1 / (4 / 3 + math.sqrt(3) / (2 * math.pi))), (3, 11 / 27)])
def test_authenticity_of_the_truth_is_the_share_of_pairs_that_are_not_mutual(d, truth):
    rng = np.random.default_rng(d)
    shares = [authenticity(rng.random((100, d)), rng.random((1000, d))) for _ in range(30)]
    error = np.std(shares) / math.sqrt(len(shares))
    assert abs(np.mean(shares) - truth) < 4 * error + 0.01  # the cube has borders
    assert error < 0.015


@given(points(6), points(5))
def test_authenticity_equals_the_definition(x, train):
    authentic = []
    for a in x:
        j = min(range(5), key=lambda j: squared(a, train[j]))
        own = min(squared(train[j], train[i]) for i in range(5) if i != j)
        authentic.append(squared(a, train[j]) > own)
    assert authenticity(x, train) == np.mean(authentic)


def test_authenticity_of_copies_is_0_and_of_strangers_1():
    train = np.random.default_rng(0).standard_normal((100, 3))
    assert authenticity(train[::2], train) == 0
    assert authenticity(train + 100, train) == 1


# ------------------------------------------------------------------------------------------------------ blocks and inputs
@pytest.mark.parametrize("block", [1, 64, 500])
def test_blocks_change_nothing(block, monkeypatch):
    rng = np.random.default_rng(6)
    x, y, z = rng.standard_normal((17, 2)), rng.standard_normal((29, 2)), rng.standard_normal((29, 2))

    def everything():
        return precision_recall(x, y), memorisation(x, y, z, permutations=39, random_state=0), authenticity(x, y)

    whole = everything()
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    assert everything() == whole


def test_memory_is_bounded():
    x, y, z = np.random.default_rng(7).standard_normal((3, 3000, 2))  # all pairs at once would be 72 MB
    tracemalloc.start()
    try:
        precision_recall(x, y), memorisation(x, y, z, permutations=39), authenticity(x, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6


def test_every_array_library_gives_the_same(arrays_on):
    x, y, z = np.random.default_rng(8).standard_normal((3, 20, 2))
    a, b, c = map(arrays_on.asarray, (x, y, z))
    assert precision_recall(a, b) == precision_recall(x, y)
    assert memorisation(a, b, c, random_state=0) == memorisation(x, y, z, random_state=0)
    assert authenticity(a, b) == authenticity(x, y)


def test_results_are_frozen():
    y = np.arange(12.0).reshape(6, 2)
    for result, name in ((precision_recall(y, y), "recall"), (memorisation(y, y + 1, y + 2), "ratio")):
        with pytest.raises(AttributeError):
            setattr(result, name, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: precision_recall(np.zeros((5, 2)), np.zeros((9, 2))), "x has 5 rows and y 9; expected more than k=5"),
        (lambda: precision_recall(np.zeros((9, 2)), np.zeros((9, 2)), k=0), "k=0"),
        (lambda: precision_recall(np.zeros((9, 2)), np.zeros((9, 3))), "x has 2 features, y has 3"),
        (lambda: memorisation(np.eye(3), np.eye(3), np.zeros((4, 2))), "held_out has 2"),
        (lambda: memorisation(np.eye(3), np.eye(3), np.ones((1, 3))), "held_out has shape"),
        (lambda: memorisation(np.ones((3, 2)), np.ones((4, 2)), np.ones((4, 2))), "Every fake equals"),
        (lambda: memorisation(np.eye(3), np.eye(3), np.eye(3), level=95), "level=95"),
        (lambda: memorisation(np.eye(3), np.eye(3), np.eye(3), permutations=38), "level 0.95; expected at least 39"),
        (lambda: authenticity(np.zeros((5, 2)), np.full((9, 2), np.nan)), "train has 9 rows with NaN"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
