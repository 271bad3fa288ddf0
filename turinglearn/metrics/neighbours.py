"""Metrics from nearest neighbours: fidelity, diversity, and copies of training rows among the fakes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from turinglearn.metrics.inputs import Floats, Integers, SeedLike, pair, share, whole
from turinglearn.protocols import Array
from turinglearn.streams import as_seed

__all__ = ["Memorisation", "PrecisionRecall", "authenticity", "memorisation", "precision_recall"]

_BLOCK = 2**21  # distances held at a time, 16 MB
_RANKED = 64  # neighbours ranked per fake: a random half of the rows lacks them all once in 2^64, but copies are not random

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Fidelity and diversity of fakes, by balls around the samples of either kind.

    The ball of a sample reaches to its k-th nearest neighbour among the others of its kind. There are n fakes and m real
    rows.

    Attributes
    ----------
    precision : float
        Share of fakes inside some real ball. Where the distributions are equal, precision and recall depend on k, n, m and
        the distribution, and are below 1: compare with a second real sample.
    recall : float
        Share of real rows inside some fake ball.
    density : float
        Number of real balls around a fake, over k; in expectation 1 where the distributions are equal, less where fakes
        leave the data. In many dimensions it is far above 1 where fakes keep to the middle; in few it is not.
    coverage : float
        Share of real balls that hold a fake; in expectation 1 - Π_{i<k} (m-1-i)/(n+m-1-i) where the distributions are equal,
        which is near 1 - 2^-k for n = m.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(x: Array, y: Array, /, *, k: int = 5) -> PrecisionRecall:
    """Compute precision, recall, density and coverage of fakes against real rows.

    Balls are closed, so that repeated rows count. Distances are Euclidean: scale the columns first where their units differ.

    Parameters
    ----------
    x : array of shape (n, d)
        Fakes, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    y : array of shape (m, d)
        Real rows.
    k : int
        Number of neighbours within a ball.

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ValueError
        For invalid samples, or unless both have more than k rows.

    References
    ----------
    Kynkäänniemi, Karras, Laine, Lehtinen and Aila, NeurIPS 2019. Naeem, Oh, Uh, Choi and Yoo, ICML 2020.
    """
    k = whole(k, "k")
    x, y = pair(x, y, ("x", "y"))
    if min(len(x), len(y)) <= k:
        raise ValueError(f"x has {len(x)} rows and y {len(y)}; expected more than k={k} of each. Give more, or a smaller k.")
    around_x, around_y = _radii(x, k), _radii(y, k)
    precise, density, recalled, covered = 0, 0, np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    for rows, squared in _blocks(x, y):
        in_real = squared <= around_y
        precise += int(in_real.any(axis=1).sum())
        density += int(np.count_nonzero(in_real))
        covered |= in_real.any(axis=0)
        recalled |= (squared <= around_x[rows, None]).any(axis=0)
    return PrecisionRecall(precise / len(x), float(recalled.mean()), density / (k * len(x)), float(covered.mean()))


@dataclass(frozen=True, slots=True)
class Memorisation:
    """Distance of fakes to training rows, relative to that to as many held-out rows.

    Attributes
    ----------
    ratio : float
        Mean distance of a fake to its nearest training row over that to its nearest held-out row. Without memorisation it is 1
        up to chance, whatever the distribution and however good the fakes; 0 where all are copies, and about 1 - s where a
        share s is.
    low, high : float
        An interval for the ratio, which without memorisation holds 1 with at least the probability of its level.
    p_value : float
        Of the hypothesis that there is no memorisation, against a ratio below 1.
    """

    ratio: float
    low: float
    high: float
    p_value: float


def memorisation(
    x: Array,
    train: Array,
    held_out: Array,
    /,
    *,
    level: float = 0.95,
    permutations: int = 399,
    random_state: SeedLike = None,
) -> Memorisation:
    """Compare the distance of fakes to their training rows with that to held-out rows of the same distribution.

    Where train and held_out differ in length, as many rows are drawn at random from the longer one as the shorter one has,
    since the nearest row is nearer among more rows. Without memorisation the two sets are exchangeable, so the ratio is
    compared with those of random partitions of all their rows into two halves. A bootstrap would not be valid here: it
    repeats rows, which changes nearest neighbours (Abadie and Imbens 2008). Distances are Euclidean: scale the columns
    first where their units differ.

    Parameters
    ----------
    x : array of shape (n, d)
        Fakes, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    train : array of shape (m, d)
        Rows that the generator was trained on.
    held_out : array of shape (l, d)
        Rows of the same distribution that it was not trained on.
    level : float
        Confidence level of the interval.
    permutations : int
        Number of random partitions.
    random_state : int, numpy generator or None
        Seed of the partitions; None for fresh entropy.

    Returns
    -------
    Memorisation

    Raises
    ------
    ValueError
        For invalid samples, fewer than two rows, too few permutations for the level, or if every fake equals a row of both
        sets.

    References
    ----------
    The ratio is that of nearest neighbours across a held-out split, as in Meehan, Chaudhuri and Dasgupta, AISTATS 2020.
    """
    level, permutations = share(level, "level"), whole(permutations, "permutations")
    x, train = pair(x, train, ("x", "train"))
    _, held_out = pair(x, held_out, ("x", "held_out"))
    tail = int((permutations + 1) * (1 - level) / 2 + 1e-9)  # number of partitions left out in either tail, by rank
    if tail < 1:
        raise ValueError(
            f"permutations={permutations} cannot give an interval of level {level}; expected at least "
            f"{math.ceil(2 / (1 - level) - 1e-9) - 1}. Give more permutations, or a lower level."
        )
    ratio, others = _partition_ratios(x, train, held_out, permutations, np.random.default_rng(as_seed(random_state)))
    low, high = others[[tail - 1, -tail]]
    p_value = (1 + np.count_nonzero(others <= ratio)) / (1 + permutations)
    return Memorisation(ratio, float(ratio / high), float(ratio / low) if low > 0 else np.inf, float(p_value))


def _partition_ratios(
    x: Floats, train: Floats, held_out: Floats, permutations: int, rng: np.random.Generator
) -> tuple[float, Floats]:
    """Return the ratio of mean distances to train and to held_out, and those of random partitions of both, sorted."""
    size = min(len(train), len(held_out))
    rows = np.concatenate([z if len(z) == size else z[rng.permutation(len(z))[:size]] for z in (train, held_out)])
    nearest, distances = _ranked(x, rows, min(_RANKED, 2 * size))
    labels = np.arange(2 * size) < size

    def ratio_of(labels: Booleans) -> float:
        return _ratio(*(_mean_distance(x, rows, nearest, distances, half) for half in (labels, ~labels)))

    ratio = ratio_of(labels)
    if np.isnan(ratio):
        raise ValueError(
            "Every fake equals a training row and a held-out row, so that there are no distances to compare. Expected data "
            "that seldom repeat: give held_out without the rows of train, or add features that differ between rows."
        )
    return ratio, np.sort([ratio_of(rng.permutation(labels)) for _ in range(permutations)])


def authenticity(x: Array, train: Array, /) -> float:
    """Compute the share of fakes that are not too near to a training row.

    A fake is authentic if it is farther from its nearest training row than that row is from its own nearest neighbour.
    Without memorisation, for fakes of the real distribution, the share tends with the number of rows to 1/3 for one feature,
    .378 for two, .407 for three, and with d to 1/2 (Pickard 1982); for 400 to 8,000 rows of a normal distribution in the
    plane it was .38 to .39. Copies lower it. Fakes away from the data raise it, so that a high share does not mean good
    fakes.

    Parameters
    ----------
    x : array of shape (n, d)
        Fakes, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    train : array of shape (m, d)
        Rows that the generator was trained on.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For invalid samples or fewer than two rows.

    References
    ----------
    Alaa, van Breugel, Saveliev and van der Schaar, ICML 2022.
    """
    x, train = pair(x, train, ("x", "train"))
    to_train, nearest = _nearest(x, train)
    return float(np.mean(to_train > _radii(train, 1)[nearest]))


def _ratio(to_train: float, to_held_out: float) -> float:
    """Return one mean distance over the other; nan for 0 / 0."""
    return to_train / to_held_out if to_held_out > 0 else (np.inf if to_train > 0 else np.nan)


def _mean_distance(x: Floats, rows: Floats, nearest: Integers, distances: Floats, chosen: Booleans) -> float:
    """Return the mean distance of x to the nearest of the chosen rows: by rank, or among all where none of them is ranked."""
    ranked = chosen[nearest]
    found = distances[np.arange(len(x)), ranked.argmax(axis=1)]
    lacking = ~ranked.any(axis=1)
    if lacking.any():
        found[lacking] = np.sqrt(_nearest(x[lacking], rows[chosen])[0])
    return float(found.mean())


def _ranked(x: Floats, y: Floats, k: int) -> tuple[Integers, Floats]:
    """Return the k rows of y nearest to each row of x, nearest first: indices (n, k) and distances (n, k)."""
    indices, distances = np.empty((len(x), k), dtype=np.intp), np.empty((len(x), k))
    for rows, squared in _blocks(x, y):
        found = np.argpartition(squared, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(squared, found, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        indices[rows] = np.take_along_axis(found, order, axis=1)
        distances[rows] = np.sqrt(np.take_along_axis(values, order, axis=1))
    return indices, distances


def _nearest(x: Floats, y: Floats) -> tuple[Floats, Integers]:
    """Return the squared distance of each row of x to the nearest row of y, and the number of that row, (n,) each."""
    squared, which = np.empty(len(x)), np.empty(len(x), dtype=np.intp)
    for rows, block in _blocks(x, y):
        which[rows] = block.argmin(axis=1)
        squared[rows] = block.min(axis=1)
    return squared, which


def _radii(x: Floats, k: int) -> Floats:
    """Return the squared distance of each row to its k-th nearest neighbour among the others, (n,)."""
    radii = np.empty(len(x))
    for rows, squared in _blocks(x, x):
        radii[rows] = np.partition(squared, k, axis=1)[:, k]  # the row itself comes first, at distance 0
    return radii


def _blocks(x: Floats, y: Floats) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of rows of x, as a slice, with their squared distances to all rows of y."""
    height = max(1, _BLOCK // len(y))
    for i in range(0, len(x), height):
        yield slice(i, i + height), cdist(x[i : i + height], y, "sqeuclidean")
