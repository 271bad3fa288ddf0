"""The first screen: what replacing the judge does to the bias, in sentences with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from turinglearn.metrics import Interval
from turinglearn.report.contrasts import LEVEL, Contrast, Summary
from turinglearn.report.document import Cell, Document, Heading, Paragraph, Statements, Table, say
from turinglearn.report.estimates import Quantity
from turinglearn.report.labels import Labels
from turinglearn.report.measures import KINDS
from turinglearn.report.rows import Run
from turinglearn.report.settings import unequal

__all__ = ["Extent", "answer", "sentence"]

_COLUMNS = (
    *("raises it?", "cells", "setting", "discriminator", "control", "difference", "low", "high", "adjusted p", "p"),
    *("why undecided", "replicates", "failed", "failures as the worst", "of"),
)
_WAYS = {"true": "higher", "false": "lower", "undecided": "undecided"}
_NAMED = 8  # problems, at most, that the first line names
_LISTED = 12  # comparisons, at most, that each have a sentence of their own on the first screen


@dataclass(frozen=True)
class Extent:
    """How much there is: cells planned in all, where that is known; doubles, runs that others with the same players and seed
    stand for; lacking, settings without the control.
    """

    planned: int | None
    doubles: int
    lacking: int


def answer(
    document: Document,
    runs: Sequence[Run],
    found: Sequence[Contrast],
    summed: Sequence[Summary],
    labels: Labels,
    extent: Extent,
) -> None:
    """The sentences, and the table of all comparisons."""
    document.add(Heading("The answer", "answer"), Paragraph(_done(runs, extent)))
    if not found:
        document.add(
            Paragraph(
                "There is nothing to compare yet: that takes a control and another discriminator in one setting, with a figure "
                "of bias or of distance. Finish more cells, then write this report again."
            )
        )
        return
    document.add(Statements(list(map(_summed, summed))), Paragraph(_family(found, extent.lacking)))
    if len(found) <= _LISTED:
        document.add(Statements([(c.verdict, sentence(c, labels)) for c in found]))
    document.add(_table(found, labels))


def _family(found: Sequence[Contrast], lacking: int) -> str:
    """What the verdicts mean."""
    tested = sum(not c.why for c in found)
    without = f" It has no cell in {lacking:,} setting{'s' * (lacking != 1)}, where nothing is compared." if lacking else ""
    if not tested:
        return f"The control is {found[0].control}.{without} No comparison of {len(found)} could be tested; the table says why."
    those = f"{tested} comparison{'s' * (tested != 1)}"
    where = f"every setting{' with it' * bool(lacking)}"
    return (
        f"The control is {found[0].control}.{without} True: the bias is higher than the control's; false: it is lower; "
        "undecided: the replicates do not tell; depends: it is higher in some settings and lower in others. The family is "
        f"every other discriminator in {where}, {those} that could be tested of {len(found)}; p-values are adjusted "
        f"by Holm, so that the chance of any wrong verdict is at most {LEVEL:g}. Each interval is by itself, not adjusted: "
        "it can leave out 0 where the verdict is undecided. A verdict holds whether failed runs are left out or counted as "
        "the worst. Each discriminator has the budget that the study gave it: see Provenance."
    )


def sentence(c: Contrast, labels: Labels) -> str:
    """A comparison in words."""
    claim = f"Replacing {c.control} by {c.arm} raises {_what(c.quantity, c.block.kind)} on {labels.of(c.block)}"
    if c.dropped is None:
        return f"{claim}: {c.why}."
    imputed = f"; {_interval(c.imputed)} with {c.failed} failed as the worst" if c.failed and c.imputed else ""
    text = f"{claim}: {_interval(c.dropped)} {c.quantity.unit}{imputed}"
    budgets = f" Unequal budgets: {found}." if (found := _budgets(c)) else ""
    return f"{text}; adjusted p = {say(c.adjusted)}, {_told([c.replicates])}.{budgets}"


def _done(runs: Sequence[Run], extent: Extent) -> str:
    if not runs:
        return "The store has no finished cells."
    cells = {run.identity: run.status for run in runs}
    counts = Counter(cells.values())
    failed = ", ".join(f"{counts[s]:,} {s}" for s in ("error", "timeout", "crashed") if counts[s])
    share = "" if extent.planned is None else f" of {extent.planned:,}"
    part = f" This is a part of the study: {_part(runs)}." if extent.planned is not None and extent.planned > len(cells) else ""
    others = (
        f" {extent.doubles:,} runs are left out: others, in other cells, have the same players, budget and seed."
        if extent.doubles
        else ""
    )
    return f"{len(cells):,}{share} cells are finished, {len(runs):,} runs; {failed or 'none failed'}.{part}{others}"


def _part(runs: Sequence[Run]) -> str:
    """What is there, such as "judges on bent, ring (20 cells); games of network on ring (8 cells)"."""
    cells = {run.identity: run for run in runs if run.arm}
    found: dict[str, list[str]] = {}
    for run in cells.values():
        factors = dict(run.setting)
        of = f" of {factors['generator']}" if "generator" in factors else ""
        found.setdefault(f"{run.kind}s{of}", []).append(factors.get("problem", "").partition("[")[0])
    told = [f"{what} on {_few(sorted(set(on)))} ({_cells(len(on))})" for what, on in sorted(found.items(), reverse=True)]
    return "; ".join(told) or "problems by themselves"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' * (count != 1)}"


def _summed(s: Summary) -> tuple[str, str]:
    total, ways = sum(s.counts.values()), {word: n for word, n in s.counts.items() if n and word != "undecided"}
    told = ", ".join(f"{_WAYS[word]} in {n:,}" for word, n in s.counts.items() if n)
    where = f"{told.removesuffix(' 1')} the one setting" if total == 1 else f"{told} of {total:,} settings"
    text = f"Replacing {s.control} by {s.arm} raises {_what(s.quantity, s.kind)}: {where}."
    if s.mean is not None:
        over = "Difference" if total == 1 else f"Mean difference over {s.tested:,} setting{'s' * (s.tested != 1)}"
        worst = f", {s.failed:,} failed as the worst" if s.failed else ""
        text += f" {over}: {_interval(s.mean)} {s.quantity.unit}, {_told(s.replicates)}{worst}."
    if s.better is not None:
        text += f" A seed of it has less than one of {s.control} with chance {s.better:.2f}."
    if budgets := Counter(filter(None, map(_budgets, s.group))):
        settings = "" if total == 1 else f" in {budgets.total():,} of {total:,} settings"
        text += f" Unequal budgets{settings}: {'; '.join(sorted(budgets))}."
    return _verdict(ways, total), text


def _verdict(ways: Mapping[str, int], total: int) -> str:
    """Of all settings, from those that are decided, by word: an undecided setting speaks for neither."""
    if len(ways) != 1:
        return "depends" if ways else "undecided"
    ((word, count),) = ways.items()
    return word if count == total else f"{word} in {count:,} of {total:,}"


def _what(quantity: Quantity, kind: str) -> str:
    if not quantity.has_bias:
        return f"the {quantity.title}"
    return f"the bias of what is {KINDS.get(kind, 'measured')} ({quantity.title})"


def _told(replicates: Collection[tuple[int, str]]) -> str:
    """Such as "3 seeds", or "5 to 30 training sets" where settings differ."""
    parts = []
    for unit in sorted({unit for _, unit in replicates}):
        counts = sorted({n for n, each in replicates if each == unit})
        parts.append(f"{' to '.join(f'{n:,}' for n in dict.fromkeys((counts[0], counts[-1])))} {unit}{'s' * (counts[-1] != 1)}")
    return " or ".join(parts)


def _budgets(c: Contrast) -> str:
    """The budgets that are not the control's, such as "rounds 80 against 2,000"."""
    ours, theirs = (next(iter(c.block.arms[arm].values())) for arm in (c.arm, c.control))
    return ", ".join(
        f"{name.removeprefix('budget: ').replace('_', ' ')} {_grouped(mine)} against {_grouped(other)}"
        for name, mine, other in unequal(c.block.setting, ours, theirs)
    )


def _grouped(value: str | None) -> str:
    if value is None:
        return "the usual"
    return f"{int(value):,}" if value.isdecimal() else value


def _interval(i: Interval) -> str:
    sign = "+" if i.value > 0 else ""
    return f"{sign}{say(i.value)} (95 % interval {say(i.low)} to {say(i.high)})"


def _table(found: Sequence[Contrast], labels: Labels) -> Table:
    """All of them. What is the same in all rows of a kind of cells is in the caption, and a column only of the CSV."""
    rows = [_row(c, labels.of(c.block)) for c in found]
    kinds: dict[str, list[Contrast]] = {}
    for c in found:
        kinds.setdefault(c.block.kind, []).append(c)
    counts = {kind: {c.replicates for c in group if not c.why} for kind, group in kinds.items()}
    told = [
        ", ".join(filter(None, (f"of {kind} cells the {q.title}", q.unit, _told(counts[kind]))))
        for kind, q in ((kind, group[0].quantity) for kind, group in kinds.items())
    ]
    hidden = {"control", "of"}
    if len({row[2] for row in rows}) == len({row[1:3] for row in rows}):  # the setting tells the kind
        hidden |= {"cells"}
    if all(len(each) <= 1 for each in counts.values()):
        hidden |= {"replicates"}
    if not any(c.failed for c in found):
        hidden |= {"failed", "failures as the worst"}
    caption = f"Every comparison of the family, the discriminator less {found[0].control}: {'; '.join(told)}."
    return Table("comparisons", caption, _COLUMNS, rows).without(hidden)


def _row(c: Contrast, name: str) -> tuple[Cell, ...]:
    return (
        c.verdict,
        c.block.kind,
        name,
        c.arm,
        c.control,
        *_ends(c.dropped),
        math.nan if c.why else c.adjusted,
        math.nan if c.why else c.p,
        c.why or _unadjusted(c),
        _told([c.replicates]),
        c.failed,
        math.nan if c.imputed is None else c.imputed.value,
        f"{c.quantity.title}, {c.quantity.unit}",
    )


def _unadjusted(c: Contrast) -> str:
    """Why a comparison is undecided whose own interval leaves out 0."""
    alone = c.dropped is not None and c.dropped.low * c.dropped.high > 0
    return f"adjusted p > {LEVEL:g}" if alone and c.verdict == "undecided" else ""


def _ends(i: Interval | None) -> tuple[Cell, ...]:
    return (math.nan, math.nan, math.nan) if i is None else (i.value, i.low, i.high)
