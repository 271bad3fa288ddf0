"""What the rows of one setting say of an arm: a figure over its seeds, with an interval, and beside another arm's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from turinglearn.bias import jackknife, mean_interval, paired_interval, squared_mean_difference, squared_mean_of_products
from turinglearn.metrics import Interval
from turinglearn.report.laws import Genuine, distance, law_bias_difference, law_split
from turinglearn.report.measures import BIAS, SPLITS, TOTAL, Measure
from turinglearn.report.rows import Pairs, Run
from turinglearn.report.settings import Common

__all__ = [
    "Block",
    "Estimate",
    "Quantity",
    "blocks_of",
    "estimate",
    "laws",
    "mean_over_seeds",
    "parameters",
    "primary",
    "replicates",
    "sampled",
    "scalar",
    "splits",
    "values",
]


# How many rows all runs together compare, of genuine samples and of their own, and how many each at least.
_GENUINE, _LEARNED, _LEAST_GENUINE, _LEAST_LEARNED = 10_000_000, 1_100_000, 128, 16


@dataclass(frozen=True)
class Block:
    """All runs of one setting: {arm: {seed: run}}. What a seed draws is the same for all arms of a block.

    genuine: a `Genuine` sample of the problem that no player has seen, where a row has one. known: what was asked before, by
    quantity and arm.
    """

    kind: str
    setting: Pairs
    family: Pairs
    dials: tuple[tuple[str, float], ...]
    genuine: Any
    arms: dict[str, dict[str, Run]]
    known: dict[Any, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of an arm, its interval where there is one, and over how many seeds."""

    value: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Quantity:
    """A figure to be estimated over seeds.

    of: what a run of a block has of it, an array, or nothing. needs: how many seeds an interval takes. interval and paired:
    of arrays with one entry per seed, and of a block. worse: by what the worst of several entries is found.
    """

    name: str
    title: str
    unit: str
    formula: str
    source: str
    of: Callable[[Run, Block], Any]
    needs: int
    interval: Callable[[Any, Block], Interval]
    paired: Callable[[Any, Any, Block], Interval]
    worse: Callable[[Any, Block], float]
    has_bias: bool = True


def blocks_of(runs: Sequence[Run]) -> list[Block]:
    """The runs that have a discriminator by setting, in their order.

    Of several runs with one arm and seed the last counts, of genuine samples of one problem the largest. Of them and of their
    own samples many runs take the first rows alone: distances between all would take minutes.
    """
    truths = sorted((run for run in runs if run.kind == "truth" and run.sample is not None), key=lambda run: len(run.sample))
    many = sum(run.sample is not None for run in runs)
    rows, most = max(_LEAST_GENUINE, _GENUINE // max(many, 1)), max(_LEAST_LEARNED, _LEARNED // max(many, 1))
    genuine = {dict(run.setting).get("problem", ""): Genuine(run.sample, rows, most) for run in truths}
    common, found = Common(runs), dict[Any, Block]()
    for run in runs:
        if not run.arm:
            continue
        setting, family = common.of(run)
        key = run.kind, setting, run.dials
        if key not in found:
            known = genuine.get(dict(setting).get("problem", ""))
            found[key] = Block(run.kind, setting, family, run.dials, known, {})
        found[key].arms.setdefault(run.arm, {})[run.seed] = run
    return list(found.values())


def sampled(blocks: Iterable[Block]) -> str:
    """What is said of the rows of samples that stand for laws."""
    beside = [block for block in blocks if block.genuine is not None]
    runs = (next(iter(runs.values())) for block in beside for runs in block.arms.values())
    longest = max((len(run.sample) for run in runs if run.sample is not None), default=0)
    return max((block.genuine.compared(longest) for block in beside), key=len, default="") if longest else ""


def values(quantity: Quantity, block: Block, arm: str) -> dict[str, Any]:
    """By seed what each run of an arm has of the quantity, None where it failed. Empty where no run was asked for it."""
    key = "values", quantity.name, arm
    if key not in block.known:
        block.known[key] = _values(quantity, block, arm)
    found: dict[str, Any] = block.known[key]
    return found


def estimate(quantity: Quantity, block: Block, arm: str) -> Estimate | None:
    """The quantity over the seeds that have it; of one seed the interval that its cell found itself."""
    key = "estimate", quantity.name, arm
    if key not in block.known:
        block.known[key] = _estimate(quantity, block, arm)
    found: Estimate | None = block.known[key]
    return found


def replicates(e: Estimate, block: Block, asked: int = 0) -> str:
    """Over what an estimate is, such as "8 seeds", "3 of 8 seeds" of so many, or "30 training sets" of one seed."""
    sets = dict(block.setting).get("budget: sets")
    if e.seeds == 1 and sets is not None:
        return f"{sets} training sets"
    return f"{e.seeds} of {asked} seeds" if asked > e.seeds else f"{e.seeds} seed{'s' * (e.seeds != 1)}"


def mean_over_seeds(
    each: Sequence[float],
    found: tuple[float, float] = (math.nan, math.nan),
    possible: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """The mean of numbers, one per seed, by Student's interval as far as it is possible; of one seed as its cell found it."""
    if len(each) < 2:
        return Estimate(each[0], *found, 1)
    mean = mean_interval(np.array(each))
    return Estimate(mean.value, max(mean.low, possible[0]), min(mean.high, possible[1]), len(each))


def scalar(measure: Measure, *, has_bias: bool = True) -> Quantity:
    """The quantity of a figure that each run has: its mean over seeds, by Student's interval."""
    return Quantity(
        measure.name,
        measure.title,
        measure.unit,
        measure.formula,
        measure.source,
        lambda run, block: np.array([run.figures[measure.name]]) if measure.name in run.figures else None,
        2,
        lambda v, block: mean_interval(v[:, 0]),
        lambda a, b, block: paired_interval(a[:, 0], b[:, 0]),
        lambda v, block: float(v[0]),
        has_bias,
    )


def laws(part: str) -> Quantity:
    """Bias or variance of the learned law, by the samples that rows keep."""
    bias = part == "bias"
    return Quantity(
        f"law_{part}",
        f"{part} of the learned law",
        "squared energy distance",
        f"E D(p, q_s) = D(p, q̄) + E D(q_s, q̄),   q̄ the mixture over all seeds: the {'first' if bias else 'second'} term",
        "Székely & Rizzo (2013)",
        lambda run, block: None if block.genuine is None or run.sample is None else run.sample[: block.genuine.most],
        3,
        lambda x, block: law_split(x, block.genuine).bias if bias else law_split(x, block.genuine).variance,
        lambda a, b, block: law_bias_difference(a, b, block.genuine),
        lambda x, block: distance(x, block.genuine),
    )


def parameters(part: str) -> Quantity:
    """Squared bias, or variance, of learned parameters, a mean over them, in units of their Cramér-Rao bounds where known."""
    bias = part == "bias"
    return Quantity(
        f"parameters_{part}",
        f"{'squared bias' if bias else 'variance'} of the learned parameters",
        "squared bounds",
        "e = (θ̂ − θ) / bound;   b² = 1/(S(S−1)) Σ_{s≠s'} ⟨e_s, e_s'⟩ / k"
        if bias
        else "mean over parameters of Var_s e,   e = (θ̂ − θ) / bound",
        "Hoeffding (1948); Cramér (1946), Rao (1945)",
        _errors,
        3,
        (lambda e, block: squared_mean_of_products(_products(e)))
        if bias
        else (lambda e, block: jackknife(lambda kept: _variance(e[kept]), len(e), log=True)),
        (lambda a, b, block: squared_mean_difference(_products(a), _products(b)))
        if bias
        else (lambda a, b, block: jackknife(lambda kept: _variance(a[kept]) - _variance(b[kept]), len(a))),
        lambda e, block: float((e**2).sum()),
    )


def primary(blocks: Sequence[Block], kind: str) -> Quantity | None:
    """What the answer is about for this kind of cells: a bias where rows have one, else bias and variance together."""
    candidates = [scalar(measure) for measure in BIAS.get(kind, ())]
    candidates += [laws("bias"), parameters("bias")] if kind == "game" else []
    candidates += [scalar(measure, has_bias=False) for measure in TOTAL.get(kind, ())]
    return next((q for q in candidates if _present(q, blocks, kind)), None)


def splits(blocks: Sequence[Block], kind: str) -> list[tuple[Quantity, Quantity]]:
    """The pairs of a bias and a variance that rows of this kind have."""
    pairs = [(scalar(bias), scalar(variance)) for bias, variance in SPLITS.get(kind, ())]
    pairs += [(of("bias"), of("variance")) for of in (laws, parameters)] if kind == "game" else []
    return [pair for pair in pairs if all(_present(q, blocks, kind) for q in pair)]


def _values(quantity: Quantity, block: Block, arm: str) -> dict[str, Any]:
    runs = block.arms[arm]
    found = {seed: quantity.of(run, block) if run.status == "ok" else None for seed, run in runs.items()}
    if all(v is None for v in found.values()) and any(run.status == "ok" for run in runs.values()):
        return {}
    done = [v for v in found.values() if v is not None]
    shapes = Counter(v.shape for v in done)
    if len(shapes) > 1:  # of figures that some runs lack
        ((usual, _),) = shapes.most_common(1)
        found = {seed: v if v is not None and v.shape == usual else None for seed, v in found.items()}
    if done and np.isfinite(np.concatenate([v.ravel() for v in done])).all():
        return found
    return {seed: v if v is not None and np.isfinite(v).all() else None for seed, v in found.items()}


def _estimate(quantity: Quantity, block: Block, arm: str) -> Estimate | None:
    done = {seed: v for seed, v in values(quantity, block, arm).items() if v is not None}
    if len(done) >= quantity.needs:
        found = quantity.interval(np.array(list(done.values())), block)
        return Estimate(found.value, found.low, found.high, len(done))
    if not done or quantity.needs > 2:
        return None
    ((seed, value),) = done.items()
    figures = block.arms[arm][seed].figures
    low, high = (figures.get(f"{quantity.name}_{end}", math.nan) for end in ("low", "high"))
    return Estimate(float(value[0]), low, high, 1)


def _present(quantity: Quantity, blocks: Iterable[Block], kind: str) -> bool:
    """Whether some arm has it of as many seeds as it needs, or of one where its cell has an interval."""
    arms = ((block, arm) for block in blocks if block.kind == kind for arm in block.arms)
    least = quantity.needs if quantity.needs > 2 else 1
    return any(sum(v is not None for v in values(quantity, block, arm).values()) >= least for block, arm in arms)


def _errors(run: Run, block: Block) -> Any:
    """The errors of the parameters, in the order of their names, each over its bound."""
    f: Mapping[str, float] = run.figures
    names = sorted(name.removeprefix("estimate") for name in f if name.startswith("estimate["))
    bounds = {n: f.get(f"bound{n}", 1.0) for n in names}
    known = {n: f[f"estimate{n}"] - f.get(f"truth{n}", math.nan) for n in names}
    return np.array([known[n] / bounds[n] if bounds[n] > 0 else math.nan for n in names]) if names else None


def _products(e: Any) -> Any:
    """⟨e_s, e_s'⟩ / k of the errors (S, k)."""
    return e @ e.T / e.shape[1]


def _variance(e: Any) -> float:
    return float(e.var(axis=0, ddof=1).mean())
