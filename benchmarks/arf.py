"""Adversarial random forests: time, classifiers trained on their samples, and likelihood.

    python benchmarks/arf.py                       # 10 seeds: writes benchmarks/results/arf.md and arf.csv
    python benchmarks/arf.py --arfpy FOLDER        # compared with arfpy, from `pip install arfpy --no-deps --target FOLDER`

The mixed table is drawn from the distribution in `mixed_table`. One thread.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import threadpoolctl
from copula import GaussianCopula
from provenance import provenance
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from turinglearn.datasets import moons, ring
from turinglearn.generators import AdversarialForest

TARGET = "target"
PAPER = RandomForestClassifier(30, min_samples_leaf=5)
SYNTHESISERS = {
    "adversarial forest": lambda seed: AdversarialForest(random_state=seed),
    "the same, of a random forest": lambda seed: AdversarialForest(PAPER, random_state=seed),
}
CLASSIFIERS = {
    "logistic regression": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    "random forest": lambda seed: RandomForestClassifier(100, random_state=seed),
    "boosting": lambda seed: HistGradientBoostingClassifier(max_iter=50, random_state=seed),
}
PROBLEMS = {"moons": moons(), "ring, σ = .1": ring(sigma=0.1)}

PAGE = """# Adversarial random forests

Written by `python benchmarks/arf.py {command}`: {provenance}. One thread.

## Time

{n} × {d} numbers, correlated and bent, 30 trees, leaves of 5 rows; seconds of one core, median of {repeats} (arfpy: once).

| | fit | {n} samples | forests fitted |
|---|---|---|---|
{time}

The bar was 5 s for the fit: {verdict}.{against}

## Train on synthetic, test on real

The area under the ROC curve on held-out real rows, of classifiers trained on as many synthetic rows as there are real training
rows. Mean over {seeds} seeds, each with its own split or draw of the table, ± half of a 95 % interval (t). The last column is
the mean over seeds and classifiers of the forest's area minus the copula's, paired by seed.

{tstr}

Real rows are the upper limit. The copula keeps the distribution of every column and the correlations of normal scores.

## Likelihood

Mean log-density of {held:,} held-out points, ± half of a 95 % interval over {repeats} seeds, and that of the true distribution,
which is minus its entropy. The integral is by the midpoint rule on {side} × {side} squares, for the first seed.

| distribution | n | adversarial forest | true distribution | integral |
|---|---|---|---|---|
{likelihood}
"""


def mixed_table(n: int, rng: np.random.Generator) -> Any:
    """Draw a table of n people: age, education, income, region, visits, smoker, and a target.

    Income is missing more often for lower education. The target's log-odds are .05 (age - 45) + .8 smoker - .7 education + .25
    visits - .3 + .8 [age > 60 and smoker].
    """
    age = np.clip(np.rint(rng.normal(45, 15, n)), 18, 90).astype(int)
    education = np.minimum(rng.poisson(1.2 - 0.008 * (age - 45), n), 3)
    income = np.round(np.exp(rng.normal(2.5 + 0.35 * education + 0.01 * (age - 45), 0.4)), 1)
    region = rng.choice(["east", "north", "south", "west"], n, p=[0.2, 0.4, 0.3, 0.1])
    smoker = rng.random(n) < 1 / (1 + np.exp(0.8 + 0.5 * education - 0.6 * (region == "north")))
    visits = rng.poisson(np.exp(0.2 + 0.02 * (age - 45) + 0.5 * smoker))
    odds = 0.05 * (age - 45) + 0.8 * smoker - 0.7 * education + 0.25 * visits - 0.3 + 0.8 * ((age > 60) & smoker)
    names = np.array(["none", "school", "college", "university"])
    return pandas.DataFrame(
        {
            "age": age,
            "education": pandas.Categorical(names[education], categories=names),
            "income": np.where(rng.random(n) < 0.3 - 0.08 * education, np.nan, income),
            "region": region,
            "visits": visits,
            "smoker": smoker,
            TARGET: rng.random(n) < 1 / (1 + np.exp(-odds)),
        }
    )


def cancer(seed: int, share: float) -> tuple[Any, Any]:
    """Return rows of breast cancer Wisconsin (diagnostic) to learn from and to test on, 60 to 40."""
    frame = load_breast_cancer(as_frame=True).frame.astype({TARGET: bool}).sample(frac=share, random_state=seed)
    train, test = train_test_split(frame, test_size=0.4, stratify=frame[TARGET], random_state=seed)
    return train.reset_index(drop=True), test


def people(seed: int, share: float) -> tuple[Any, Any]:
    """Return rows of the mixed table: 1,000 to learn from and 4,000 to test on."""
    rng = np.random.default_rng(seed)
    return mixed_table(int(1000 * share), rng), mixed_table(int(4000 * share), rng)


TABLES = {"breast cancer, 341 × 31": cancer, "people, 1,000 × 7 of mixed types": people}


def features(frame: Any, like: Any) -> Any:
    """Return features for classifiers: the median and a flag for missing values; categories one-hot."""
    parts = []
    for name in like.columns.drop(TARGET):
        column, known = frame[name], like[name]
        if pandas.api.types.is_numeric_dtype(known.dtype):
            middle = known.median() if known.dtype != bool else 0
            parts += [column.fillna(middle).to_numpy(dtype=float)]
            parts += [column.isna().to_numpy(dtype=float)] * bool(known.isna().any())
        else:
            parts += [(column == value).to_numpy(dtype=float) for value in sorted(known.dropna().unique())]
    return np.column_stack(parts)


def areas(train: Any, test: Any, real: Any, seed: int) -> dict[str, float]:
    """Return the area under the ROC curve of each classifier trained on train; .5 if train has one class."""
    if train[TARGET].nunique() < 2:
        return dict.fromkeys(CLASSIFIERS, 0.5)
    x, y, z = features(train, real), train[TARGET].to_numpy(dtype=bool), features(test, real)
    found = {}
    for name, make in CLASSIFIERS.items():
        scores = make(seed).fit(x, y).predict_proba(z)[:, 1]
        found[name] = float(roc_auc_score(test[TARGET], scores))
    return found


def tstr(seeds: int, share: float) -> list[dict[str, Any]]:
    """Return one row per table, seed, origin of the training rows, and classifier."""
    rows = []
    for table, split in TABLES.items():
        for seed in range(seeds):
            real, test = split(seed, share)
            rng = np.random.default_rng(seed)
            origins = {"real rows": real, "Gaussian copula": GaussianCopula().fit(real, rng).sample(len(real), rng)}
            for name, make in SYNTHESISERS.items():
                origins[name] = make(seed).fit(real).sample(len(real), random_state=seed)
            for origin, train in origins.items():
                for classifier, area in areas(train, test, real, seed).items():
                    rows.append({"table": table, "seed": seed, "trained on": origin, "classifier": classifier, "area": area})
            print(table, seed, flush=True)
    return rows


def tstr_page(rows: list[dict[str, Any]]) -> str:
    """Return a table for each data set."""
    frame, parts = pandas.DataFrame(rows), []
    for table in TABLES:
        parts.append(f"**{table}**\n\n| trained on | {' | '.join(CLASSIFIERS)} | minus the copula |")
        parts.append("|---|" + "---|" * (len(CLASSIFIERS) + 1))
        here = frame[frame["table"] == table]
        by_seed = here.groupby(["trained on", "seed"])["area"].mean()
        for origin in ("real rows", *SYNTHESISERS, "Gaussian copula"):
            of = here[here["trained on"] == origin]
            cells = [interval(of[of["classifier"] == name]["area"], ".3f") for name in CLASSIFIERS]
            gain = interval(by_seed[origin] - by_seed["Gaussian copula"], "+.3f") if origin in SYNTHESISERS else ""
            parts.append(f"| {origin} | {' | '.join(cells)} | {gain} |")
        parts[-1] += "\n"
    return "\n".join(parts).strip()


def interval(values: Any, form: str) -> str:
    """Return the mean ± half of a 95 % interval."""
    values = np.asarray(values)
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if len(values) > 1 else np.nan
    return f"{np.mean(values):{form}} ± {half:{form.lstrip('+')}}"


def bent(n: int, d: int, seed: int) -> Any:
    """Draw correlated and bent numbers (n, d)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ np.random.default_rng(0).standard_normal((d, d)) + np.sin(
        3 * rng.standard_normal((n, 1))
    )


def timed(n: int, d: int, repeats: int, arfpy: Path | None) -> tuple[list[str], list[float]]:
    """Return rows of the table of times, and the seconds of the fits: ours, of a random forest, and arfpy's."""
    rows, fits = [], []
    for name, make in SYNTHESISERS.items():
        seconds = []
        for seed in range(repeats):
            x, begun = bent(n, d, seed), time.process_time()
            forest, fitted = make(seed).fit(x), time.process_time()
            forest.sample(n, random_state=0)
            seconds.append((fitted - begun, time.process_time() - fitted, len(forest.accuracies_)))
        fit, drawn, forests = np.median(seconds, axis=0)
        fits.append(float(fit))
        rows.append(f"| {name} | {fit:.2f} | {drawn:.3f} | {forests:.0f} |")
    if arfpy is not None:
        fit, drawn, forests = arfpy_seconds(arfpy, bent(n, d, 0))
        fits.append(fit)
        rows.append(f"| arfpy 0.1.1 (`arf` and `forde`, `sample`) | {fit:.1f} | {drawn:.3f} | {forests} |")
    return rows, fits


def against(fits: list[float]) -> str:
    """Return how much longer arfpy took than the default, and than the kind of forest that it fits itself."""
    usual, same, theirs = fits
    return (
        f" arfpy took {theirs / usual:.0f} times as long as the default, and {theirs / same:.0f} times as long as the same "
        "kind of forest as its own; the bar was 10."
    )


def arfpy_seconds(folder: Path, x: Any) -> tuple[float, float, int]:
    """Return the seconds of arfpy for fit and samples, and the number of forests that it fitted.

    It calls np.in1d, which NumPy 2.4 has removed, and looks columns up by position, which pandas 3 reads as a name.
    """
    vars(np)["in1d"] = np.isin
    sys.path.append(str(folder))
    arf, begun = importlib.import_module("arfpy.arf").arf, time.process_time()
    model = arf(pandas.DataFrame(x, columns=range(x.shape[1])), num_trees=30, verbose=False)
    model.forde()
    fitted = time.process_time()
    model.sample(len(x))
    return fitted - begun, time.process_time() - fitted, len(model.acc)


def likelihood(sizes: list[int], repeats: int, held: int, side: int) -> list[str]:
    """Return rows of the table of likelihoods."""
    rows = []
    for name, distribution in PROBLEMS.items():
        for n in sizes:
            forests = [AdversarialForest(random_state=seed).fit(distribution.sample(n, seed)) for seed in range(repeats)]
            y = [distribution.sample(held, 1000 + seed) for seed in range(repeats)]
            found = interval([forest.score(z) for forest, z in zip(forests, y, strict=True)], ".3f")
            truth = np.mean([distribution.log_density(z).mean() for z in y])
            rows.append(f"| {name} | {n:,} | {found} | {truth:.3f} | {integral(forests[0], distribution, side):.4f} |")
            print(rows[-1], flush=True)
    return rows


def integral(forest: Any, distribution: Any, side: int) -> float:
    """Return the integral of the density over 1.5 times the range of the distribution, by the midpoint rule."""
    x = distribution.sample(20_000, 0)
    middle, reach = (x.max(axis=0) + x.min(axis=0)) / 2, 1.5 * (x.max(axis=0) - x.min(axis=0))
    along = (np.arange(side) + 0.5) / side - 0.5
    rows = (np.exp(forest.score_samples(middle + reach * np.column_stack((np.full(side, at), along)))).sum() for at in along)
    return float(sum(rows) * np.prod(reach / side))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5, help="seeds of times and likelihoods")
    parser.add_argument("--rows", type=int, default=5000, help="rows of the timed table")
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000, 8000])
    parser.add_argument("--side", type=int, default=1000, help="points along each side of the grid")
    parser.add_argument("--share", type=float, default=1.0, help="share of the rows of the tables")
    parser.add_argument("--arfpy", type=Path, help="the folder that arfpy is installed in")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "arf.md")
    a = parser.parse_args()
    columns, held = 10, 4000
    with threadpoolctl.threadpool_limits(1):
        times, fits = timed(a.rows, columns, a.repeats, a.arfpy)
        print(*times, sep="\n", flush=True)
        rows = tstr(a.seeds, a.share)
        likelihoods = likelihood(a.sizes, a.repeats, held, a.side)
    ratio = against(fits) if a.arfpy is not None else ""
    shown = "--arfpy FOLDER" if a.arfpy is not None else ""
    text = PAGE.format(
        command=f"--seeds {a.seeds} --repeats {a.repeats} --rows {a.rows} --sizes {' '.join(map(str, a.sizes))} "
        f"--side {a.side} --share {a.share} {shown}".strip(),
        provenance=provenance("pandas"),
        n=a.rows,
        d=columns,
        repeats=a.repeats,
        time="\n".join(times),
        verdict="reached" if fits[0] <= 5 else "missed",
        against=ratio,
        seeds=a.seeds,
        tstr=tstr_page(rows),
        held=held,
        side=a.side,
        likelihood="\n".join(likelihoods),
    )
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(text)
    pandas.DataFrame(rows).to_csv(a.out.with_suffix(".csv"), index=False)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
