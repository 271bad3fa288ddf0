"""First screen of a report: the effect of replacing the discriminator on the bias, in sentences with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from turinglearn.metrics import Interval
from turinglearn.report.analysis.contrasts import LEVEL, Contrast, Replicates, Summary, Verdict
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.quantities import Quantity
from turinglearn.report.analysis.runs import Run
from turinglearn.report.analysis.settings import unequal_efforts
from turinglearn.report.render.document import (
    CellValue,
    Heading,
    Paragraph,
    Report,
    ReportTable,
    Statement,
    Statements,
    format_cell,
)
from turinglearn.study.factors import CellKind, Factor, Level

__all__ = ["Coverage", "answer", "sentence"]

_COLUMNS = (
    *("raises it?", "cells", "setting", "discriminator", "control", "difference", "low", "high", "adjusted p", "p"),
    *("why undecided", "replicates", "failed", "failures as the worst", "of"),
)
_DIRECTIONS = {Verdict.TRUE: "higher", Verdict.FALSE: "lower", Verdict.UNDECIDED: "undecided"}
_NAMED = 8  # problems, at most, that the first line names
_LISTED = 12  # comparisons, at most, that each have a sentence of their own on the first screen


@dataclass(frozen=True)
class Coverage:
    """Size of a study.

    Parameters
    ----------
    planned_cells : int or None
        Number of cells of the study, where it is known.
    duplicates : int
        Number of runs that are represented by others with the same players and seed.
    without_control : int
        Number of settings without the control.
    """

    planned_cells: int | None
    duplicates: int
    without_control: int


def answer(
    report: Report,
    runs: Sequence[Run],
    found: Sequence[Contrast],
    summed: Sequence[Summary],
    labels: Labels,
    coverage: Coverage,
) -> None:
    """Add the sentences, and the table of all comparisons."""
    report.add(Heading("The answer", "answer"), Paragraph(_done(runs, coverage)))
    if not found:
        report.add(
            Paragraph(
                "There is nothing to compare yet. A comparison needs the control and another discriminator in one setting, "
                "with a figure of bias or of distance. Finish more cells, then write this report again."
            )
        )
        return
    report.add(Statements(list(map(_summed, summed))), Paragraph(_family(found, coverage.without_control)))
    if len(found) <= _LISTED:
        report.add(Statements([Statement(c.verdict, "", sentence(c, labels)) for c in found]))
    report.add(_table(found, labels))


def sentence(c: Contrast, labels: Labels) -> str:
    """Return a comparison in words."""
    where = labels.of(c.block.setting)
    claim = f"Replacing {c.control} by {c.discriminator} raises the {c.quantity.title} on {where}"
    if c.dropped is None:
        return f"{claim}: {c.why}."
    imputed = f"; {_interval(c.imputed)} with {c.failed} failed as the worst" if c.failed and c.imputed else ""
    text = f"{claim}: {_interval(c.dropped)} {c.quantity.unit}{imputed}"
    budgets = f" Unequal budgets: {found}." if (found := _budgets(c)) else ""
    return f"{text}; adjusted p = {format_cell(c.adjusted)}, {_replicated([c.replicates])}.{budgets}"


def _family(found: Sequence[Contrast], without_control: int) -> str:
    """Return a paragraph on what the verdicts mean."""
    tested = sum(c.tested for c in found)
    some = f"{without_control:,} setting{'s' * (without_control != 1)}"
    without = f" It has no cell in {some}, where nothing is compared." if without_control else ""
    if not tested:
        none = f"None of the {len(found)} comparisons could be tested; the table says why."
        return f"The control is {found[0].control}.{without} {none}"
    those = f"{tested} comparison{'s' * (tested != 1)}"
    where = f"every setting{' with it' * bool(without_control)}"
    return (
        f"The control is {found[0].control}.{without} True: the bias is higher than the control's; false: it is lower; "
        "undecided: the replicates do not show a difference; depends: it is higher in some settings and lower in others. The "
        f"family is every other discriminator in {where}, {those} that could be tested of {len(found)}. P-values are "
        f"adjusted by Holm's method, so the probability of any wrong verdict is at most {LEVEL:g}. Intervals are not "
        "adjusted: one can exclude 0 where the verdict is undecided. A verdict holds both if failed runs are left out and if "
        "they count as the worst. Each discriminator has the budget that the study gave it: see Provenance."
    )


def _done(runs: Sequence[Run], coverage: Coverage) -> str:
    if not runs:
        return "The store has no finished cells."
    cells = {run.identity: run.status for run in runs}
    counts = Counter(cells.values())
    failed = ", ".join(f"{counts[s]:,} {s}" for s in ("error", "timeout", "crashed") if counts[s])
    planned = coverage.planned_cells
    share = "" if planned is None else f" of {planned:,}"
    part = f" This is a part of the study: {_part(runs)}." if planned is not None and planned > len(cells) else ""
    others = (
        f" {coverage.duplicates:,} runs are left out, since other cells have the same players, budget and seed."
        if coverage.duplicates
        else ""
    )
    return f"{len(cells):,}{share} cells are finished, {len(runs):,} runs; {failed or 'none failed'}.{part}{others}"


def _part(runs: Sequence[Run]) -> str:
    """Return what is there, such as "discriminators on bent, ring (20 cells); games of network on ring (8 cells)"."""
    found: dict[str, list[str]] = {}
    for run in {run.identity: run for run in runs if run.discriminator is not None}.values():
        generator = next((factor.label for factor in run.setting.factors if factor.name == "generator"), None)
        of = "" if generator is None else f" of {generator}"
        found.setdefault(f"{run.kind}s{of}", []).append(run.setting.problem.name)
    parts = [f"{what} on {_few(sorted(set(on)))} ({_cells(len(on))})" for what, on in sorted(found.items())]
    return "; ".join(parts) or "problems by themselves"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' * (count != 1)}"


def _summed(s: Summary) -> Statement:
    total = sum(s.counts.values())
    counts = {verdict: n for verdict, n in s.counts.items() if n}
    if total == 1:
        where = f"{_DIRECTIONS[next(iter(counts))]} in the one setting"
    else:
        where = f"{', '.join(f'{_DIRECTIONS[verdict]} in {n:,}' for verdict, n in counts.items())} of {total:,} settings"
    text = f"Replacing {s.control} by {s.discriminator} raises the {s.quantity.title}: {where}."
    if s.mean is not None:
        over = "Difference" if total == 1 else f"Mean difference over {s.tested:,} setting{'s' * (s.tested != 1)}"
        worst = f", {s.failed:,} failed as the worst" if s.failed else ""
        text += f" {over}: {_interval(s.mean)} {s.quantity.unit}, {_replicated(s.replicates)}{worst}."
    if s.better is not None:
        text += f" A random seed of it has less than one of {s.control} with probability {s.better:.2f}."
    if budgets := Counter(filter(None, map(_budgets, s.group))):
        settings = "" if total == 1 else f" in {budgets.total():,} of {total:,} settings"
        text += f" Unequal budgets{settings}: {'; '.join(sorted(budgets))}."
    return Statement(*_overall(s.counts, total), text)


def _overall(counts: Mapping[Verdict, int], total: int) -> tuple[Verdict, str]:
    """Return the verdict over all settings, and how many settings it is of; undecided settings count for neither side."""
    decided = {verdict: n for verdict, n in counts.items() if n and verdict is not Verdict.UNDECIDED}
    if len(decided) != 1:
        return (Verdict.DEPENDS if decided else Verdict.UNDECIDED), ""
    ((verdict, count),) = decided.items()
    return verdict, "" if count == total else f"in {count:,} of {total:,}"


def _replicated(replicates: Collection[Replicates]) -> str:
    """Return replicates as text, such as "3 seeds", or "5 to 30 training sets" where settings differ."""
    parts = []
    for unit in sorted({each.unit for each in replicates}):
        counts = sorted({each.number for each in replicates if each.unit is unit})
        ends = dict.fromkeys((counts[0], counts[-1]))
        parts.append(f"{' to '.join(f'{n:,}' for n in ends)} {unit}{'s' * (counts[-1] != 1)}")
    return " or ".join(parts)


def _budgets(c: Contrast) -> str:
    """Return the budgets that differ from the control's, such as "rounds 80 against 2,000"."""
    ours, theirs = (next(iter(c.block.runs[name].values())).setting for name in (c.discriminator, c.control))
    return ", ".join(
        f"{name.replace('_', ' ')} {_level(mine)} against {_level(other)}"
        for name, mine, other in unequal_efforts(c.block.setting, ours, theirs)
    )


def _level(factor: Factor | None) -> str:
    if factor is None:
        return "the default"
    return factor.label if isinstance(factor.value, Level) else f"{factor.value:,}"


def _interval(i: Interval) -> str:
    sign = "+" if i.value > 0 else ""
    return f"{sign}{format_cell(i.value)} (95 % interval {format_cell(i.low)} to {format_cell(i.high)})"


def _table(found: Sequence[Contrast], labels: Labels) -> ReportTable:
    """Return the table of all comparisons; columns that are the same in all rows are in the caption and the file alone."""
    rows = [_row(c, labels.of(c.block.setting)) for c in found]
    kinds: dict[CellKind, list[Contrast]] = {}
    for c in found:
        kinds.setdefault(c.block.kind, []).append(c)
    counts = {kind: {c.replicates for c in group if c.tested} for kind, group in kinds.items()}
    parts = [_compared(kind, group[0].quantity, counts[kind]) for kind, group in kinds.items()]
    hidden = {"control", "of"}
    if len({row[2] for row in rows}) == len({row[1:3] for row in rows}):  # the setting tells the kind
        hidden |= {"cells"}
    if all(len(each) <= 1 for each in counts.values()):
        hidden |= {"replicates"}
    if not any(c.failed for c in found):
        hidden |= {"failed", "failures as the worst"}
    caption = f"Every comparison of the family, the discriminator minus {found[0].control}: {'; '.join(parts)}."
    return ReportTable("comparisons", caption, _COLUMNS, rows).without(hidden)


def _compared(kind: CellKind, quantity: Quantity, replicates: Iterable[Replicates]) -> str:
    parts = (f"of {kind} cells the {quantity.title}", quantity.unit, _replicated(set(replicates)))
    return ", ".join(filter(None, parts))


def _row(c: Contrast, name: str) -> tuple[CellValue, ...]:
    return (
        c.verdict,
        c.block.kind,
        name,
        c.discriminator,
        c.control,
        *_ends(c.dropped),
        c.adjusted if c.tested else math.nan,
        c.p if c.tested else math.nan,
        c.why or _unadjusted(c),
        _replicated([c.replicates]),
        c.failed,
        math.nan if c.imputed is None else c.imputed.value,
        f"{c.quantity.title}, {c.quantity.unit}",
    )


def _unadjusted(c: Contrast) -> str:
    """Return why a comparison is undecided whose own interval excludes 0."""
    excludes = c.dropped is not None and c.dropped.low * c.dropped.high > 0
    return f"adjusted p > {LEVEL:g}" if excludes and c.verdict is Verdict.UNDECIDED else ""


def _ends(i: Interval | None) -> tuple[CellValue, ...]:
    return (math.nan, math.nan, math.nan) if i is None else (i.value, i.low, i.high)
