"""Adversarial random forests: exact densities, samples and conditions that follow them, mixed and missing columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from turinglearn.datasets import moons
from turinglearn.generators import AdversarialForest
from turinglearn.generators.forest import truncated
from turinglearn.generators.forest.adversarial import resampled
from turinglearn.generators.forest.density import Columns, fit_distribution
from turinglearn.generators.forest.trees import Trees
from turinglearn.metrics import energy_distance

pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")


def small(trees=8, **options):
    return AdversarialForest(ExtraTreesClassifier(trees, min_samples_leaf=5), random_state=0, **options)


def mixed(n=600, seed=0):
    """Four kinds of columns that depend on a group, with missing values."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    frame = pandas.DataFrame(
        {
            "size": rng.normal(2.0 * group, 1),
            "count": rng.poisson(1 + 3 * group),
            "kind": pandas.Categorical(np.array(["a", "b", "c"])[group], categories=["c", "b", "a", "never"]),
            "first": group == 0,
            "day": pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 100, n) + 50 * group, "D"),
        }
    )
    frame.loc[rng.random(n) < 0.2, "size"] = np.nan
    frame.loc[rng.random(n) < 0.1, "kind"] = None
    return frame


# --------------------------------------------------------------------------------------------------- truncated Gaussians
@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (3.0, 4.0), (-np.inf, -2.5), (6.0, np.inf), (-30.0, -29.5)])
def test_truncated_gaussians_are_those_of_scipy(low, high):
    mean, sd = 0.3, 0.9
    distribution = stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
    u = np.linspace(0.01, 0.99, 7)
    x = truncated.sample_truncated_normal(u, low, high, mean, sd)
    assert x == pytest.approx(distribution.ppf(u), rel=1e-6, abs=1e-6)
    density = truncated.log_density(x, mean, sd) - truncated.log_mass(low, high, mean, sd)
    assert density == pytest.approx(distribution.logpdf(x), rel=1e-6)


# ----------------------------------------------------------------------------------------------------------------- trees
def same_parts(mine, theirs):
    """Whether two numberings (n, trees) part the rows alike in each tree."""
    pairs = zip(mine.T, theirs.T, strict=True)
    return all(len({*zip(a, b, strict=True)}) == len({*a}) == len({*b}) for a, b in pairs)


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(1)
    x = np.float32(rng.normal(size=(200, 3))).astype(float)
    x[rng.random((200, 3)) < 0.1] = np.nan
    forest = RandomForestClassifier(5, min_samples_leaf=2, random_state=0).fit(
        np.concatenate((x, rng.permuted(x, axis=0))), np.arange(400) < 200
    )
    return x, forest, Trees.of(forest, np.zeros(3, dtype=bool))


def test_leaves_are_those_of_the_forest(grown):
    x, forest, trees = grown
    assert same_parts(trees.leaves(x), forest.apply(x))


def test_splicing_leaves_each_leaf_enough_rows_and_keeps_the_others_together(grown):
    x, _, trees = grown
    pruned = trees.pruned(x, 7)
    leaf = pruned.leaves(x)
    assert np.bincount(leaf.ravel(), minlength=pruned.n_leaves).min() >= 7
    before = trees.leaves(x)
    for t in range(5):  # rows that shared a leaf that is large enough still do
        for number, held in zip(*np.unique(before[:, t], return_counts=True), strict=True):
            assert held < 7 or len(np.unique(leaf[before[:, t] == number, t])) == 1


def test_splicing_more_than_there_is_leaves_one_leaf_in_each_tree(grown):
    x, _, trees = grown
    assert trees.pruned(x, 201).n_leaves == 5


def test_boxes_hold_their_rows_and_part_the_space(grown):
    x, _, trees = grown
    for kept in (trees, trees.pruned(x, 7)):
        low, high = kept.boxes(3)
        points = np.random.default_rng(2).normal(size=(300, 3))
        inside = ((points[:, None] > low) & (points[:, None] <= high)).all(axis=2)
        assert (inside.sum(axis=1) == 5).all()
        assert (np.sort(kept.leaves(points), axis=1) == np.nonzero(inside)[1].reshape(-1, 5)).all()


def test_whole_columns_are_cut_between_whole_numbers():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (300, 2)) * 2.0
    forest = RandomForestClassifier(4, random_state=0).fit(np.concatenate((x, rng.permuted(x, axis=0))), np.arange(600) < 300)
    trees = Trees.of(forest, np.ones(2, dtype=bool))
    cuts = trees.threshold[trees.left >= 0]
    assert (cuts % 1 == 0.5).all()
    assert same_parts(trees.leaves(x), forest.apply(x))


# --------------------------------------------------------------------------------------------------------------- density
def test_the_density_is_the_mixture_of_its_leaves():
    rng = np.random.default_rng(0)
    x, leaf = rng.normal(size=(60, 2)), rng.integers(0, 3, (60, 1))
    low, high = np.array([[-9, -np.inf], [-9, -9], [-9, -8.0]]), np.full((3, 2), 9.0)
    distribution = fit_distribution(x, leaf, (low, high), Columns(np.zeros(2, bool), np.zeros(2, int)), 0.0)
    parts = []
    for k in range(3):
        rows = x[leaf[:, 0] == k]
        m, s = rows.mean(axis=0), rows.std(axis=0, ddof=1)
        parts.append(np.log(len(rows) / 60) + stats.truncnorm.logpdf(x, (low[k] - m) / s, (9 - m) / s, m, s).sum(axis=1))
    assert distribution.log_density(x) == pytest.approx(logsumexp(parts, axis=0), abs=1e-9)


@pytest.mark.parametrize("bounded", [False, True])
def test_the_density_of_one_column_integrates_to_one(bounded):
    x = np.random.default_rng(0).gamma(2.0, size=(400, 1))
    forest = small(bounded=bounded).fit(x)
    ends = (x.min(), x.max()) if bounded else (-6, 20)
    grid = np.linspace(*ends, 200_001)
    assert np.trapezoid(np.exp(forest.score_samples(grid[:, None])), grid) == pytest.approx(1, abs=1e-3)
    assert bounded == (forest.score_samples([[x.max() + 1e-6]])[0] == -np.inf)


def test_the_density_of_two_columns_integrates_to_one():
    forest = small(3, min_samples_leaf=30).fit(moons().sample(400, 0))
    side = np.linspace(-4, 5, 700)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert np.exp(forest.score_samples(grid)).sum() * (side[1] - side[0]) ** 2 == pytest.approx(1, abs=1e-3)


def test_probabilities_of_whole_numbers_categories_and_missing_values_sum_to_one():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 500)
    frame = pandas.DataFrame({"count": rng.poisson(2 + 3 * group), "kind": np.array(["a", "b", "c"])[group]})
    frame.loc[rng.random(500) < 0.2, "kind"] = None
    forest = small().fit(frame)
    counts, kinds = np.meshgrid(np.arange(-20, 60), [0, 1, 2, 3])
    every = pandas.DataFrame({"count": counts.ravel(), "kind": np.array(["a", "b", "c", None], dtype=object)[kinds.ravel()]})
    every["kind"] = every["kind"].astype(frame["kind"].dtype)
    assert np.exp(forest.score_samples(every)).sum() == pytest.approx(1, abs=1e-9)


def test_the_leaves_that_a_row_lies_in_are_all_that_count():
    frame = mixed()
    forest = small().fit(frame)
    x = forest.codes_.encode(frame)
    assert forest.distribution_.log_density(x) == pytest.approx(forest.score_samples(frame), abs=1e-9)


def test_the_likelihood_nears_the_entropy_of_a_known_distribution():
    distribution, errors = moons(), []
    for n in (300, 5000):
        y = distribution.sample(4000, 1)
        errors.append(
            float(
                np.mean(distribution.log_density(y)) - AdversarialForest(random_state=0).fit(distribution.sample(n, 0)).score(y)
            )
        )
    assert 0 < errors[1] < errors[0]
    assert errors[1] < 0.15


# -------------------------------------------------------------------------------------------------------------- sampling
def test_samples_follow_the_distribution():
    distribution = moons()
    x = distribution.sample(2000, 0)
    forest = AdversarialForest(random_state=0).fit(x)
    fake = forest.sample(4000, random_state=1)
    assert energy_distance(fake, distribution.sample(4000, 2)) < 0.003
    assert np.abs(fake.mean(axis=0) - x.mean(axis=0)).max() < 4 * x.std() / np.sqrt(2000)
    assert np.corrcoef(fake.T)[0, 1] == pytest.approx(np.corrcoef(x.T)[0, 1], abs=0.06)


def test_samples_follow_the_density():
    forest = small().fit(np.random.default_rng(0).gamma(2.0, size=(400, 1)))
    grid = np.linspace(-8, 25, 100_001)
    cdf = np.cumsum(np.exp(forest.score_samples(grid[:, None]))) * (grid[1] - grid[0])
    fake = forest.sample(4000, random_state=0)[:, 0]
    assert stats.kstest(np.interp(fake, grid, cdf), "uniform").pvalue > 1e-3


def test_one_seed_gives_one_forest_and_one_sample():
    x = moons().sample(300, 0)
    one, two = (small().fit(x).sample(50, random_state=3) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, small().fit(x).sample(50, random_state=4))


def test_resampled_columns_stay_in_their_leaves():
    x = np.arange(40.0).reshape(20, 2)
    leaf = np.repeat([0, 1, 2, 3], 5)[:, None]
    fake = resampled(x, leaf, np.random.default_rng(0))
    assert (fake // 10 == (fake // 10)[:, :1]).all()
    assert not (fake[:, 0] + 1 == fake[:, 1]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_samples_of_an_array_have_its_dtype(dtype):
    x = np.random.default_rng(0).integers(0, 6, (200, 3)).astype(dtype)
    fake = small().fit(x).sample(20, random_state=0)
    assert (fake.dtype, fake.shape) == (np.dtype(dtype), (20, 3))


def test_categories_of_an_array_come_back_as_they_are():
    rng = np.random.default_rng(0)
    x = np.column_stack((rng.normal(size=300), rng.choice([3.0, 7.0, 11.5], 300)))
    x[::9, 1] = np.nan
    forest = small(categorical_features=[1]).fit(x)
    fake = forest.sample(2000, random_state=0)
    assert set(fake[~np.isnan(fake[:, 1]), 1]) == {3.0, 7.0, 11.5}
    assert np.isnan(fake[:, 1]).mean() == pytest.approx(1 / 9, abs=0.03)
    assert set(forest.sample(50, 0, where={1: 7.0})[:, 1]) == {7.0}
    with pytest.raises(ValueError, match=r"category 4\.0"):
        forest.score_samples([[0.0, 4.0]])


def test_a_data_frame_comes_back_with_its_types_ranges_and_missing_values():
    frame = mixed(2000)
    fake = AdversarialForest(random_state=0).fit(frame).sample(3000, random_state=0)
    assert fake.dtypes.to_dict() == frame.dtypes.to_dict()
    assert np.abs(fake.isna().mean() - frame.isna().mean()).max() < 0.03
    assert (fake["count"].min(), fake["count"].max()) >= (frame["count"].min(), 0)
    condition = frame["kind"].notna(), fake["kind"].notna()
    means = [
        table[seen].groupby("kind", observed=True)["count"].mean() for table, seen in zip((frame, fake), condition, strict=True)
    ]
    assert np.abs(means[0] - means[1]).max() < 0.6


def test_a_constant_column_stays_constant():
    x = np.column_stack((np.random.default_rng(0).normal(size=200), np.full(200, 5.0)))
    forest = small().fit(x)
    assert (forest.sample(100, random_state=0)[:, 1] == 5).all()
    one = small().fit(x[:, :1])
    assert forest.score(x) == pytest.approx(one.score(x[:, :1]), abs=0.3)
    assert forest.score_samples([[0.0, 4.0]])[0] == -np.inf


# ------------------------------------------------------------------------------------------------------------ conditions
def test_a_condition_gives_the_conditional_density():
    forest = small().fit(moons().sample(500, 0))
    grid = np.linspace(-3, 3, 6001)
    joint = np.exp(forest.score_samples(np.column_stack((np.full(6001, 0.5), grid))))
    cdf = np.cumsum(joint) / joint.sum()
    fake = forest.sample(3000, random_state=0, where={0: 0.5})
    assert fake[:, 0] == pytest.approx(0.5)
    assert stats.kstest(np.interp(fake[:, 1], grid, cdf), "uniform").pvalue > 1e-3


def test_an_interval_gives_what_rejection_gives():
    forest = small().fit(moons().sample(500, 0))
    many = forest.sample(60_000, random_state=1)
    kept = many[(many[:, 0] >= 0.2) & (many[:, 0] <= 0.9)][:3000]
    fake = forest.sample(3000, random_state=0, where={0: (0.2, 0.9)})
    assert 0.2 <= fake[:, 0].min() <= fake[:, 0].max() <= 0.9
    for j in range(2):
        assert stats.ks_2samp(kept[:, j], fake[:, j]).pvalue > 1e-3


def test_conditions_on_all_kinds_give_what_rejection_gives():
    forest = small().fit(mixed(1500))
    many = forest.sample(40_000, random_state=1)
    conditions = {
        "count": ((2, 5), many["count"].between(2, 5)),
        "kind": (["a", "b"], many["kind"].isin(["a", "b"])),
        "size": (None, many["size"].isna()),
        "first": (True, many["first"]),
        "day": ((pandas.Timestamp("2020-02-01"), None), many["day"] >= pandas.Timestamp("2020-02-01")),
    }
    for column, (condition, kept) in conditions.items():
        fake = forest.sample(3000, random_state=0, where={column: condition})
        wanted = many[kept]
        for other in ("count", "first"):
            gap = fake[other].astype(float).mean() - wanted[other].astype(float).mean()
            assert abs(gap) < 5 * wanted[other].astype(float).std() / np.sqrt(2000) + 1e-9, (column, other)
    assert set(forest.sample(100, 0, where={"kind": ["a", "b"]})["kind"]) == {"a", "b"}
    assert forest.sample(100, 0, where={"size": None})["size"].isna().all()
    both = forest.sample(100, 0, where={"count": 3, "first": False})
    assert set(both["count"]) == {3}
    assert not both["first"].any()


# ---------------------------------------------------------------------------------------------------------------- rounds
def test_the_rounds_stop_where_the_forest_is_fooled():
    x = np.random.default_rng(0).normal(size=(500, 2))
    fooled = small(delta=0.1).fit(x)  # its columns are independent
    assert len(fooled.accuracies_) == 1
    assert fooled.accuracies_[0] <= 0.6
    never = small(delta=0.0, max_iter=0).fit(moons().sample(500, 0))
    assert len(never.accuracies_) == 1
    accuracies = small().fit(moons().sample(500, 0)).accuracies_
    assert accuracies[0] > 0.6
    assert accuracies[-1] <= 0.5 or accuracies[-1] > accuracies[-2] or len(accuracies) == 11


# ---------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("options", "score_type"),
    [
        ({"min_samples_leaf": 0}, "min_samples_leaf=0"),
        ({"max_iter": -1}, "max_iter=-1"),
        ({"delta": 0.6}, r"delta=0\.6"),
        ({"alpha": -1}, "alpha=-1"),
        ({"estimator": 3}, "estimator=3"),
        ({"categorical_features": [5]}, "indices from 0 to 1"),
    ],
)
def test_wrong_options_are_named(options, score_type):
    with pytest.raises(ValueError, match=score_type):
        AdversarialForest(**options).fit(np.random.default_rng(0).normal(size=(50, 2)))


@pytest.mark.parametrize(
    ("where", "score_type"),
    [
        ({9: 1.0}, "names column 9"),
        ({0: (50.0, 60.0)}, "probability 0"),
        ({"x": 1.0}, "names column 'x'"),
    ],
)
def test_conditions_that_cannot_be_are_refused(where, score_type):
    with pytest.raises(ValueError, match=score_type):
        small(bounded=True).fit(moons().sample(200, 0)).sample(5, where=where)


def test_what_was_not_in_the_fit_is_refused():
    frame = mixed()
    forest = small().fit(frame)
    refused = [
        ("kind", "z", "it has"),
        ("count", 2.5, "integers"),
        ("count", "many", "asks for"),
        ("count", (1, 2, 3), "interval"),
    ]
    refused += [("count", 10_000, "beyond"), ("day", pandas.Timestamp("1999-01-01"), "beyond"), ("day", 3.5, "asks for")]
    for column, value, message in refused:
        with pytest.raises(ValueError, match=message):
            forest.sample(5, where={column: value})
    with pytest.raises(ValueError, match="missing values"):
        forest.score_samples(frame.assign(count=frame["count"].astype("Int64").mask(frame["count"] > 3)))
    with pytest.raises(ValueError, match="kind that was fitted"):
        forest.score_samples(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="missing values"):
        small().fit(np.zeros((20, 2)) + np.arange(20)[:, None]).score_samples([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="no values at all"):
        small().fit(np.full((20, 1), np.nan))
    with pytest.raises(TypeError, match="dictionary"):
        forest.sample(5, where="kind")
    with pytest.raises(ValueError, match="n=0"):
        forest.sample(0)


def test_it_is_an_estimator():
    forest = clone(small(alpha=0.5))
    assert forest.get_params()["alpha"] == 0.5
    assert forest.__sklearn_tags__().input_tags.allow_nan


# ------------------------------------------------------------------------------------------------------------ properties
@st.composite
def tables(draw):
    n, seed = draw(st.integers(6, 60)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    makers = {
        "real": lambda: rng.normal(size=n),
        "whole": lambda: rng.integers(-3, 4, n),
        "text": lambda: rng.choice(["u", "v", "w"], n),
        "truth": lambda: rng.random(n) < 0.5,
        "constant": lambda: np.ones(n),
        "decimal": lambda: rng.normal(size=n).round(1),
    }
    kinds = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=4))
    frame = pandas.DataFrame({f"{kind}{i}": makers[kind]() for i, kind in enumerate(kinds)})
    for name in frame.columns:
        if name[:4] in ("real", "text") and draw(st.booleans()):
            frame.loc[1 + rng.integers(0, n - 1, n // 3), name] = None
    return frame


@settings(max_examples=25, deadline=None)
@given(tables())
def test_any_table_is_learned_sampled_and_scored(frame):
    forest = small(3).fit(frame)
    fake = forest.sample(40, random_state=0)
    assert fake.dtypes.to_dict() == frame.dtypes.to_dict()
    assert np.isfinite(forest.score_samples(frame)).all()
    assert not (fake.isna().any() & ~frame.isna().any()).any()
    again = forest.sample(5, random_state=1, where={name: frame[name].iloc[0] for name in frame.columns[:1]})
    assert (again.iloc[:, 0] == frame.iloc[0, 0]).all()
