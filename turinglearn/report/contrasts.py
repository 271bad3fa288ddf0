"""The answer: whether another judge raises the bias, for each declared comparison and over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from turinglearn.bias import holm, mean_interval, probability_of_improvement
from turinglearn.metrics import Interval
from turinglearn.report.estimates import Block, Quantity, values

__all__ = ["LEVEL", "Contrast", "Summary", "contrasts", "control_of", "summaries"]

LEVEL = 0.05
_NETWORKS = ("neural", "network", "torch", "mlp")


@dataclass(frozen=True)
class Contrast:
    """An arm less the control in one setting. dropped: over the seeds that both finished; imputed: with the worst for the rest.

    sets: of how many training sets of one seed the intervals are, 0 where they are of seeds.

    p is the larger of both, 1 where they point apart; adjusted is by Holm over the family. verdict is "true", "false" or
    "undecided": does the arm raise the quantity? why: what an undecided comparison lacks, if more than evidence.
    """

    block: Block
    quantity: Quantity
    arm: str
    control: str
    dropped: Interval | None
    imputed: Interval | None
    seeds: int
    failed: int
    p: float
    adjusted: float = 1.0
    verdict: str = "undecided"
    why: str = ""
    sets: int = 0

    @property
    def replicates(self) -> tuple[int, str]:
        """How many, and of what."""
        return (self.sets, "training set") if self.sets else (self.seeds, "seed")


@dataclass(frozen=True)
class Summary:
    """An arm beside the control over all settings: verdicts counted, and the differences, with the worst for what failed.

    mean: of the mean difference over the settings tested, so many, which holds however seeds err in all of them at once;
    by_seed: whether each seed has one. replicates: what these settings have, how many and of what.
    better: the chance that a random seed of the arm has less of the quantity than one of the control. group: what it sums up.
    """

    kind: str
    quantity: Quantity
    arm: str
    control: str
    counts: dict[str, int]
    mean: Interval | None
    tested: int
    failed: int
    by_seed: bool
    better: float | None
    replicates: frozenset[tuple[int, str]]
    group: Sequence[Contrast]


def control_of(blocks: Sequence[Block], named: str | None = None) -> str:
    """The control: the arm that was named; else, of those with a run that is ok, a network, or the first by name."""
    arms = sorted({arm for block in blocks for arm in block.arms})
    if named is not None:
        if named not in arms:
            raise ValueError(f"There is no discriminator {named!r} in the store. Choose among: {', '.join(arms)}.")
        return named
    done = {arm for block in blocks for arm, runs in block.arms.items() if any(run.status == "ok" for run in runs.values())}
    able = [arm for arm in arms if arm in done]
    networks = [arm for mark in _NETWORKS for arm in able if arm.lower().startswith(mark)]
    return next(iter([*networks, *able, *arms]), "")


def contrasts(blocks: Iterable[Block], quantities: dict[str, Quantity], control: str) -> list[Contrast]:
    """Every other arm beside the control in every setting, which is the family, with p-values adjusted over all of it."""
    found = []
    for block in blocks:
        if (quantity := quantities.get(block.kind)) is None or control not in block.arms:
            continue
        known = {arm: values(quantity, block, arm) for arm in block.arms}
        found += [_contrast(block, quantity, known, arm, control) for arm in block.arms if arm != control]
    adjusted = holm({i: c.p for i, c in enumerate(found) if not c.why})
    return [_judged(c, adjusted.get(i, 1.0)) for i, c in enumerate(found)]


def summaries(found: Sequence[Contrast]) -> list[Summary]:
    """One for each kind of cells and each arm."""
    groups: dict[tuple[str, str], list[Contrast]] = {}
    for contrast in found:
        groups.setdefault((contrast.block.kind, contrast.arm), []).append(contrast)
    return [_summary(group) for group in groups.values()]


def _contrast(block: Block, quantity: Quantity, known: dict[str, dict[str, Any]], arm: str, control: str) -> Contrast:
    ours, theirs = known[arm], known[control]
    common = [seed for seed in ours if seed in theirs]
    both = [seed for seed in common if ours[seed] is not None and theirs[seed] is not None]
    failed, n = len(common) - len(both), len(both)
    empty = Contrast(block, quantity, arm, control, None, None, n, failed, 1.0)
    if not ours or not theirs:
        return replace(empty, why="not measured")
    if n == 1 and quantity.needs == 2 and (single := _single(empty, both[0])) is not None:
        return single
    none = [name for name in (arm, control) if not any(known[name][seed] is not None for seed in common)]
    if common and none:
        return replace(empty, why=f"no run of {' and none of '.join(none)} ended with figures: see Failures and cost")
    if len({v.shape for each in (ours, theirs) for v in each.values() if v is not None}) > 1:
        return replace(empty, why="the runs of both have other parameters")
    if n < quantity.needs:
        return replace(empty, why=f"both finished {n} of {len(common)} seeds; {quantity.needs} are needed")
    dropped = _paired(empty, ours, theirs, both, None)
    imputed = _paired(empty, ours, theirs, common, _worst(quantity, block, known, theirs[both[0]].shape)) if failed else dropped
    apart = dropped.value * imputed.value < 0
    p = 1.0 if apart else max(_p_value(dropped, n), _p_value(imputed, len(common)))
    return replace(empty, dropped=dropped, imputed=imputed, p=p)


def _single(c: Contrast, seed: str) -> Contrast | None:
    """Of one seed: by the standard errors that the two cells found over their training sets.

    Those are taken for independent. The sets are the same for both, which makes the difference more certain, not less.
    """
    ours, theirs = (c.block.arms[arm][seed].figures for arm in (c.arm, c.control))
    name, sets = c.quantity.name, dict(c.block.setting).get("budget: sets", "")
    error = math.hypot(*(figures.get(f"{name}_se", math.nan) for figures in (ours, theirs)))
    if c.failed or not math.isfinite(error) or not sets.isdecimal() or int(sets) < 3:
        return None
    difference, margin = ours[name] - theirs[name], float(stdtrit(int(sets) - 1, 1 - LEVEL / 2)) * error
    found = Interval(difference, difference - margin, difference + margin, error)
    return replace(c, dropped=found, imputed=found, p=_p_value(found, int(sets)), sets=int(sets))


def _paired(c: Contrast, ours: Any, theirs: Any, seeds: Sequence[str], worst: Any) -> Interval:
    a, b = (np.array([worst if v[seed] is None else v[seed] for seed in seeds]) for v in (ours, theirs))
    return c.quantity.paired(a, b, c.block)


def _worst(quantity: Quantity, block: Block, known: dict[str, dict[str, Any]], shape: tuple[int, ...]) -> Any:
    """The worst that any arm reached in this setting, of the values of this shape."""
    done = [v for found in known.values() for v in found.values() if v is not None and v.shape == shape]
    return max(done, key=lambda v: quantity.worse(v, block))


def _p_value(interval: Interval, n: int) -> float:
    """Two-sided, by Student's t. Seeds that make no difference at all are no replicates: they decide nothing."""
    if not interval.standard_error > 0:
        return 1.0
    return float(2 * stdtr(n - 1, -abs(interval.value) / interval.standard_error))


def _judged(contrast: Contrast, adjusted: float) -> Contrast:
    if contrast.dropped is None or not adjusted <= LEVEL:
        return replace(contrast, adjusted=adjusted)
    return replace(contrast, adjusted=adjusted, verdict="true" if contrast.dropped.value > 0 else "false")


def _summary(group: Sequence[Contrast]) -> Summary:
    first = group[0]
    counts = {verdict: sum(c.verdict == verdict for c in group) for verdict in ("true", "false", "undecided")}
    tested = [c for c in group if c.imputed is not None]
    ours, theirs = _scores(group)
    by_seed = len(ours) == len(tested) and ours.shape[1] >= 2
    return Summary(
        first.block.kind,
        first.quantity,
        first.arm,
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
    """The mean over settings where no seed has one of its own, from the mean of the lower ends to that of the upper ones.

    What a seed or a training set draws is drawn for all settings: they do not err independently. This is the interval if all
    err as one, and too wide otherwise, since a mean's standard error is at most the mean of standard errors.
    """
    found = [(i.value, i.low, i.high, i.standard_error) for c in tested if (i := c.imputed) is not None]
    return Interval(*np.mean(found, axis=0).tolist()) if found else None


def _scores(group: Sequence[Contrast]) -> tuple[Any, Any]:
    """Both arms' values (settings, seeds), failures imputed; none where the settings have not the same seeds."""
    tables = []
    for c in group:
        known = {arm: values(c.quantity, c.block, arm) for arm in c.block.arms}
        if c.why or any(v is not None and v.shape != (1,) for v in known[c.arm].values()):
            continue
        tables.append((known[c.arm], known[c.control], _worst(c.quantity, c.block, known, (1,))))
    shared = [s for s in tables[0][0] if s in tables[0][1]] if tables else []
    if any({s for s in a if s in b} != set(shared) for a, b, _ in tables):
        shared = []

    def table(side: int) -> Any:
        rows = [[math.nan if t[side][s] is None else t[side][s][0] for s in shared] for t in tables]
        worst = np.array([float(t[2][0]) for t in tables])[:, None]
        found = np.array(rows, dtype=float).reshape(len(tables), len(shared))
        return np.where(np.isnan(found), worst, found)

    return (table(0), table(1)) if shared else (np.empty((0, 0)), np.empty((0, 0)))
