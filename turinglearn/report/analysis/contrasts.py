"""Comparisons: whether another discriminator raises the bias, in each setting and over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from turinglearn.bias import holm, mean_interval, probability_of_improvement
from turinglearn.metrics import Interval
from turinglearn.registry import is_network
from turinglearn.report.analysis.blocks import Block
from turinglearn.report.analysis.estimates import values
from turinglearn.report.analysis.quantities import Quantity, ScalarQuantity
from turinglearn.report.analysis.runs import Floats, Run
from turinglearn.study.factors import CellKind
from turinglearn.study.figures import Part

__all__ = ["LEVEL", "Contrast", "ReplicateUnit", "Replicates", "Summary", "Verdict", "contrasts", "control_of", "summaries"]

LEVEL = 0.05

_Values = Mapping[str, Mapping[int, Floats | None]]  # by discriminator and seed


class Verdict(StrEnum):
    """Answer to the question whether a discriminator raises the bias; DEPENDS only over several settings."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"
    DEPENDS = "depends"


class ReplicateUnit(StrEnum):
    """Units that are replicated."""

    SEED = "seed"
    TRAINING_SET = "training set"


class Replicates(NamedTuple):
    """Number of replicates of an interval, and their unit."""

    number: int
    unit: ReplicateUnit


@dataclass(frozen=True)
class Contrast:
    """Difference of a quantity between a discriminator and the control in one setting.

    Parameters
    ----------
    block : Block
        Runs of the setting.
    quantity : Quantity
        Quantity that is compared.
    discriminator, control : str
        Labels of the two.
    dropped : Interval or None
        Difference over the seeds that both finished; None where nothing could be tested.
    imputed : Interval or None
        Difference with the worst value of the setting for each run that failed.
    seeds, failed : int
        Number of seeds that both finished, and that they did not.
    p : float
        Larger p-value of the two differences, 1 where they have different signs.
    adjusted : float
        p-value adjusted by Holm over the family.
    verdict : Verdict
        Whether the discriminator raises the quantity.
    why : str
        Reason why nothing could be tested, "" where it could.
    training_sets : int
        Number of training sets of the only seed that the intervals are over, 0 where they are over seeds.
    """

    block: Block
    quantity: Quantity
    discriminator: str
    control: str
    dropped: Interval | None
    imputed: Interval | None
    seeds: int
    failed: int
    p: float
    adjusted: float = 1.0
    verdict: Verdict = Verdict.UNDECIDED
    why: str = ""
    training_sets: int = 0

    @property
    def tested(self) -> bool:
        """True where there is a difference: the comparison belongs to the family."""
        return self.dropped is not None

    @property
    def replicates(self) -> Replicates:
        """Replicates of the intervals."""
        if self.training_sets:
            return Replicates(self.training_sets, ReplicateUnit.TRAINING_SET)
        return Replicates(self.seeds, ReplicateUnit.SEED)


@dataclass(frozen=True)
class Summary:
    """A discriminator beside the control over all settings of a kind of cells; failed runs count as the worst.

    Parameters
    ----------
    kind : CellKind
        Kind of the cells.
    quantity : Quantity
        Quantity that is compared.
    discriminator, control : str
        Labels of the two.
    counts : dict of Verdict to int
        Number of settings with each verdict.
    mean : Interval or None
        Mean difference over the settings that were tested, valid whatever the dependence between settings.
    tested, failed : int
        Number of settings that were tested, and of runs that failed there.
    by_seed : bool
        Whether each seed has a mean difference of its own.
    better : float or None
        Probability that a random seed of the discriminator has less of the quantity than one of the control.
    replicates : frozenset of Replicates
        Replicates of the settings.
    group : sequence of Contrast
        The contrasts.
    """

    kind: CellKind
    quantity: Quantity
    discriminator: str
    control: str
    counts: dict[Verdict, int]
    mean: Interval | None
    tested: int
    failed: int
    by_seed: bool
    better: float | None
    replicates: frozenset[Replicates]
    group: Sequence[Contrast]


def control_of(blocks: Sequence[Block], named: str | None = None) -> str:
    """Return the control.

    Without a name: of the discriminators with a run that ended well, the first network, else the first by label.

    Raises
    ------
    ValueError
        If no row has the named discriminator.
    """
    runs = sorted((run for block in blocks for each in block.runs.values() for run in each.values()), key=lambda r: r.label)
    labels = list(dict.fromkeys(run.label for run in runs))
    if named is not None:
        if named not in labels:
            raise ValueError(f"There is no discriminator {named!r} in the store. Choose among: {', '.join(labels)}.")
        return named
    well = [run for run in runs if run.ended_well]
    networks = [run for run in well if _is_network(run)]
    return next((run.label for run in (*networks, *well, *runs)), "")


def contrasts(blocks: Iterable[Block], quantities: Mapping[CellKind, Quantity], control: str) -> list[Contrast]:
    """Return each other discriminator beside the control in each setting: the family over which p-values are adjusted."""
    found = []
    for block in blocks:
        if (quantity := quantities.get(block.kind)) is None or control not in block.runs:
            continue
        known = {name: values(quantity, block, name) for name in block.runs}
        found += [_contrast(block, quantity, known, name, control) for name in block.runs if name != control]
    adjusted = holm({i: c.p for i, c in enumerate(found) if c.tested})
    return [_decided(c, adjusted.get(i, 1.0)) for i, c in enumerate(found)]


def summaries(found: Sequence[Contrast]) -> list[Summary]:
    """Return a summary for each kind of cells and each discriminator."""
    groups: dict[tuple[CellKind, str], list[Contrast]] = {}
    for contrast in found:
        groups.setdefault((contrast.block.kind, contrast.discriminator), []).append(contrast)
    return [_summary(group) for group in groups.values()]


def _is_network(run: Run) -> bool:
    return run.discriminator is not None and is_network("discriminator", run.discriminator.recipe)


def _contrast(block: Block, quantity: Quantity, known: _Values, name: str, control: str) -> Contrast:
    ours, theirs = known[name], known[control]
    common = [seed for seed in ours if seed in theirs]
    both = [seed for seed in common if ours[seed] is not None and theirs[seed] is not None]
    failed, n = len(common) - len(both), len(both)
    empty = Contrast(block, quantity, name, control, None, None, n, failed, 1.0)
    if not ours or not theirs:
        return replace(empty, why="not measured")
    if n == 1 and isinstance(quantity, ScalarQuantity) and (single := _single(empty, both[0])) is not None:
        return single
    none = [each for each in (name, control) if not any(known[each][seed] is not None for seed in common)]
    if common and none:
        return replace(empty, why=f"no run of {' and none of '.join(none)} ended with figures: see Failures and cost")
    if len({v.shape for each in (ours, theirs) for v in each.values() if v is not None}) > 1:
        return replace(empty, why="the runs of the two have different parameters")
    if n < quantity.needs:
        return replace(empty, why=f"both finished {n} of {len(common)} seeds; {quantity.needs} are needed")
    dropped = imputed = _paired(empty, known, both)
    if failed:
        imputed = _paired(empty, known, common, _worst(quantity, block, known, _shape(ours)))
    opposite = dropped.value * imputed.value < 0
    p = 1.0 if opposite else max(_p_value(dropped, n), _p_value(imputed, len(common)))
    return replace(empty, dropped=dropped, imputed=imputed, p=p)


def _single(c: Contrast, seed: int) -> Contrast | None:
    """Return the comparison of two cells of one seed, from their standard errors over training sets.

    The errors are taken as independent. The training sets are the same for both, which makes the difference more certain.
    """
    ours, theirs = (c.block.runs[name][seed].figures for name in (c.discriminator, c.control))
    name, sets = c.quantity.name, c.block.setting.training_sets
    error = math.hypot(*(figures.get(f"{name}{Part.STANDARD_ERROR}", math.nan) for figures in (ours, theirs)))
    if c.failed or not math.isfinite(error) or sets is None or sets < 3:
        return None
    difference, margin = ours[name] - theirs[name], float(stdtrit(sets - 1, 1 - LEVEL / 2)) * error
    found = Interval(difference, difference - margin, difference + margin, error)
    return replace(c, dropped=found, imputed=found, p=_p_value(found, sets), training_sets=sets)


def _paired(c: Contrast, known: _Values, seeds: Sequence[int], worst: Floats | None = None) -> Interval:
    def column(name: str) -> Floats:
        found = (known[name][seed] for seed in seeds)
        return np.array([worst if value is None else value for value in found])

    return c.quantity.paired(column(c.discriminator), column(c.control), c.block)


def _worst(quantity: Quantity, block: Block, known: _Values, shape: tuple[int, ...]) -> Floats:
    """Return the worst value of this shape of any discriminator in this setting."""
    done = [v for found in known.values() for v in found.values() if v is not None and v.shape == shape]
    return max(done, key=lambda v: quantity.badness(v, block))


def _shape(found: Mapping[int, Floats | None]) -> tuple[int, ...]:
    return next(v.shape for v in found.values() if v is not None)


def _p_value(interval: Interval, n: int) -> float:
    """Return the two-sided p-value by Student's t; 1 where no seed makes a difference, as such seeds are not replicates."""
    if not interval.standard_error > 0:
        return 1.0
    return float(2 * stdtr(n - 1, -abs(interval.value) / interval.standard_error))


def _decided(contrast: Contrast, adjusted: float) -> Contrast:
    if contrast.dropped is None or not adjusted <= LEVEL:
        return replace(contrast, adjusted=adjusted)
    return replace(contrast, adjusted=adjusted, verdict=Verdict.TRUE if contrast.dropped.value > 0 else Verdict.FALSE)


def _summary(group: Sequence[Contrast]) -> Summary:
    first = group[0]
    counts: dict[Verdict, int] = {
        verdict: sum(c.verdict is verdict for c in group) for verdict in Verdict if verdict is not Verdict.DEPENDS
    }
    tested = [c for c in group if c.tested]
    ours, theirs = _scores(group)
    by_seed = len(ours) == len(tested) and ours.shape[1] >= 2
    return Summary(
        first.block.kind,
        first.quantity,
        first.discriminator,
        first.control,
        counts,
        mean_interval((ours - theirs).mean(axis=0)) if by_seed else _mean_of_ends(tested),
        len(tested),
        sum(c.failed for c in tested),
        by_seed,
        probability_of_improvement(theirs, ours) if ours.shape[1] >= 2 else None,
        frozenset(c.replicates for c in tested),
        group,
    )


def _mean_of_ends(tested: Sequence[Contrast]) -> Interval | None:
    """Return the mean over settings where seeds have no mean of their own: the means of the ends of the intervals.

    A seed and a training set are drawn for all settings, so their errors are not independent. The interval is right if all
    settings have the same error, and too wide otherwise: a mean's standard error is at most the mean of standard errors.
    """
    found = [(i.value, i.low, i.high, i.standard_error) for c in tested if (i := c.imputed) is not None]
    return Interval(*np.mean(found, axis=0).tolist()) if found else None


def _scores(group: Sequence[Contrast]) -> tuple[Floats, Floats]:
    """Return the values of both, (settings, seeds), failures imputed; none where the settings have different seeds."""
    tables: list[tuple[Mapping[int, Floats | None], Mapping[int, Floats | None], float]] = []
    for c in group:
        known = {name: values(c.quantity, c.block, name) for name in c.block.runs}
        ours, theirs = known[c.discriminator], known[c.control]
        if c.tested and all(v is None or v.shape == (1,) for v in ours.values()):
            tables.append((ours, theirs, float(_worst(c.quantity, c.block, known, (1,))[0])))
    shared = [seed for seed in tables[0][0] if seed in tables[0][1]] if tables else []
    if not shared or any({seed for seed in a if seed in b} != set(shared) for a, b, _ in tables):
        return np.empty((0, 0)), np.empty((0, 0))

    def row(found: Mapping[int, Floats | None], worst: float) -> list[float]:
        return [worst if (value := found[seed]) is None else float(value[0]) for seed in shared]

    return np.array([row(a, worst) for a, _, worst in tables]), np.array([row(b, worst) for _, b, worst in tables])
