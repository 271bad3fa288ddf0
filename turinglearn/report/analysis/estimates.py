"""Estimates of quantities over the seeds of a discriminator in one setting, with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from turinglearn.bias import mean_interval
from turinglearn.report.analysis.blocks import Block, Estimate
from turinglearn.report.analysis.quantities import DistributionQuantity, ParameterQuantity, Quantity, ScalarQuantity
from turinglearn.report.analysis.runs import Floats
from turinglearn.study.factors import CellKind
from turinglearn.study.figures import BIAS, SPLITS, TOTAL, MeasureKind, Part

__all__ = ["Estimate", "estimate", "mean_over_seeds", "primary", "replicates", "splits", "values"]

_OVER_SEEDS = (DistributionQuantity, ParameterQuantity)  # which only seeds together have


def values(quantity: Quantity, block: Block, discriminator: str) -> dict[int, Floats | None]:
    """Return what each run of a discriminator has of a quantity, by seed.

    None stands for a run that failed, or has no finite value. The dictionary is empty where the discriminator has runs that
    ended well, and none of them has the quantity: it was not measured.
    """
    key = quantity.name, discriminator
    if key not in block.known_values:
        block.known_values[key] = _values(quantity, block, discriminator)
    return block.known_values[key]


def estimate(quantity: Quantity, block: Block, discriminator: str) -> Estimate | None:
    """Return the quantity over the seeds that have it; for one seed, the interval is that of its cell."""
    key = quantity.name, discriminator
    if key not in block.known_estimates:
        block.known_estimates[key] = _estimate(quantity, block, discriminator)
    return block.known_estimates[key]


def replicates(found: Estimate, block: Block, asked: int = 0) -> str:
    """Return what an estimate is over: "8 seeds", "3 of 8 seeds", or "30 training sets" for cells of one seed."""
    sets = block.setting.training_sets
    if found.seeds == 1 and sets is not None:
        return f"{sets} training sets"
    return f"{found.seeds} of {asked} seeds" if asked > found.seeds else f"{found.seeds} seed{'s' * (found.seeds != 1)}"


def mean_over_seeds(
    each: Sequence[float],
    found: tuple[float, float] = (math.nan, math.nan),
    possible: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Return the mean of numbers, one per seed, with Student's interval.

    Parameters
    ----------
    each : sequence of float
        One number per seed.
    found : (float, float)
        Interval of the only number, where there is one seed.
    possible : (float, float)
        Least and largest possible value, at which intervals are cut.
    """
    if len(each) < 2:
        return Estimate(each[0], *found, 1)
    mean = mean_interval(np.array(each))
    return Estimate(mean.value, max(mean.low, possible[0]), min(mean.high, possible[1]), len(each))


def primary(blocks: Sequence[Block], kind: CellKind) -> Quantity | None:
    """Return what the answer is about for a kind of cells: a bias where rows have one, else bias and variance together."""
    candidates: list[Quantity] = [ScalarQuantity.of_measure(measure) for measure in BIAS.get(kind, ())]
    if kind is CellKind.GAME:
        candidates += [quantity.of_kind(MeasureKind.BIAS) for quantity in _OVER_SEEDS]
    candidates += [ScalarQuantity.of_measure(measure) for measure in TOTAL.get(kind, ())]
    return next((quantity for quantity in candidates if _present(quantity, blocks, kind)), None)


def splits(blocks: Sequence[Block], kind: CellKind) -> list[tuple[Quantity, Quantity]]:
    """Return the pairs of a bias and a variance that rows of a kind have."""
    pairs: list[tuple[Quantity, Quantity]] = [
        (ScalarQuantity.of_measure(bias), ScalarQuantity.of_measure(variance)) for bias, variance in SPLITS.get(kind, ())
    ]
    if kind is CellKind.GAME:
        pairs += [(each.of_kind(MeasureKind.BIAS), each.of_kind(MeasureKind.VARIANCE)) for each in _OVER_SEEDS]
    return [pair for pair in pairs if all(_present(quantity, blocks, kind) for quantity in pair)]


def _values(quantity: Quantity, block: Block, discriminator: str) -> dict[int, Floats | None]:
    runs = block.runs[discriminator]
    found = {seed: quantity.of(run, block) if run.ended_well else None for seed, run in runs.items()}
    done = [v for v in found.values() if v is not None]
    if not done and block.well(discriminator):
        return {}
    shapes = Counter(v.shape for v in done)
    if len(shapes) > 1:  # some runs lack parameters
        ((usual, _),) = shapes.most_common(1)
        found = {seed: v if v is not None and v.shape == usual else None for seed, v in found.items()}
    if done and np.isfinite(np.concatenate([v.ravel() for v in done])).all():
        return found
    return {seed: v if v is not None and np.isfinite(v).all() else None for seed, v in found.items()}


def _estimate(quantity: Quantity, block: Block, discriminator: str) -> Estimate | None:
    done = {seed: v for seed, v in values(quantity, block, discriminator).items() if v is not None}
    if len(done) >= quantity.needs:
        found = quantity.interval(np.array(list(done.values())), block)
        return Estimate(found.value, found.low, found.high, len(done))
    if not done or not isinstance(quantity, ScalarQuantity):
        return None
    ((seed, value),) = done.items()
    figures = block.runs[discriminator][seed].figures
    low, high = (figures.get(f"{quantity.name}{end}", math.nan) for end in (Part.LOW, Part.HIGH))
    return Estimate(float(value[0]), low, high, 1)


def _present(quantity: Quantity, blocks: Iterable[Block], kind: CellKind) -> bool:
    """Return whether some discriminator has the quantity of as many seeds as it needs, or of one with an interval."""
    least = 1 if isinstance(quantity, ScalarQuantity) else quantity.needs
    pairs = ((block, name) for block in blocks if block.kind is kind for name in block.runs)
    return any(sum(v is not None for v in values(quantity, block, name).values()) >= least for block, name in pairs)
