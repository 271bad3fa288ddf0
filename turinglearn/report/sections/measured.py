"""Section on all measures: every figure of every discriminator, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from turinglearn.report.analysis.blocks import Block
from turinglearn.report.analysis.estimates import estimate, mean_over_seeds, replicates
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.quantities import ScalarQuantity
from turinglearn.report.analysis.runs import Run
from turinglearn.report.render.document import (
    CellValue,
    Heading,
    Paragraph,
    Report,
    ReportFigure,
    ReportTable,
    format_cell,
)
from turinglearn.study.factors import CellKind, Level
from turinglearn.study.figures import MEANINGS, SPLITS, TOTAL, MeasureKind, Part, parse_name, possible

__all__ = ["SCORED", "cost_table", "measured_section"]

SCORED = f"measured-{CellKind.DISCRIMINATOR}"  # name of the table of cells that score a discriminator

_OPEN = 60  # rows of a table that is not closed at first
_TRUE = {"energy_distance": ("floor", 1), "log_density": ("entropy", -1)}  # the figure of the truth, and its sign

_Row = tuple[CellValue, ...]


def measured_section(report: Report, runs: Iterable[Run], blocks: Sequence[Block], labels: Labels) -> None:
    """Add the mean of every figure of the rows, except those of bias and variance, which have tables of their own."""
    report.add(Heading("What was measured", "measured"))
    truths = {run.setting.problem: run.figures for run in runs if run.kind is CellKind.TRUTH}
    tables: dict[CellKind, list[_Row]] = {}
    for block in blocks:
        tables.setdefault(block.kind, []).extend(_rows(block, labels.of(block.setting), truths))
    names = sorted({str(row[2]) for rows in tables.values() for row in rows})
    if not names:
        report.add(Paragraph("No cells have figures beside those of bias and variance."))
        return
    for kind, rows in tables.items():
        if rows:
            report.add(_measured(kind, rows))
    meanings = [(name, MEANINGS.get(name, "")) for name in names]
    report.add(ReportTable("measures", "Definitions of the measures.", ("measure", "definition"), meanings))


def cost_table(report: Report, blocks: Sequence[Block], labels: Labels) -> None:
    """Add the seconds that each discriminator took, beside what it reached."""
    rows: list[_Row] = []
    totals = {kind: ScalarQuantity.of_measure(measures[0]) for kind, measures in TOTAL.items()}
    for block in (b for b in blocks if b.kind in totals):
        total = totals[block.kind]
        for name in block.runs:
            seconds = [run.seconds for run in block.well(name)]
            if seconds and (e := estimate(total, block, name)) is not None:
                label = labels.of(block.setting)
                rows.append((label, name, float(np.median(seconds)), total.name, e.value, e.low, e.high))
    if rows:
        caption = "Median seconds of a run that ended with figures, beside what it reached, bias and variance together."
        report.add(_table("cost", caption, ("setting", "discriminator", "seconds", "measure", "mean", "low", "high"), rows))


def _measured(kind: CellKind, rows: Sequence[_Row]) -> ReportTable | ReportFigure:
    columns = ("setting", "discriminator", "measure", "mean", "low", "high", "replicates", "of the truth")
    known, constant = any(row[-1] is not None for row in rows), _constant(rows)
    listed = ", ".join(f"{name} {format_cell(value)}" for name, value in sorted(constant.items()))
    same = f" The same everywhere: {listed}." if constant else ""
    caption = (
        f"Cells of kind {kind}: every figure but those of the section on bias and variance, with 95 % intervals over "
        f"the replicates that have one{'; beside it that of a second real sample' * known}.{same}"
    )
    shown = [row if known else row[:-1] for row in rows if row[2] not in constant]
    return _table(f"measured-{kind}", caption, columns if known else columns[:-1], shown)


def _table(name: str, caption: str, columns: Sequence[str], rows: Sequence[_Row]) -> ReportTable | ReportFigure:
    """Return a table; a long one as the numbers of a figure, which are closed at first."""
    return ReportTable(name, caption, columns, rows) if len(rows) <= _OPEN else ReportFigure(name, caption, columns, rows)


def _constant(rows: Sequence[_Row]) -> dict[str, CellValue]:
    """Return the measures that are the same in all rows, and have no truth beside them."""
    found: dict[str, set[CellValue]] = {}
    for _, _, name, value, low, high, _, truth in rows:
        found.setdefault(str(name), set()).update((value, low, high, truth))
    return {name: (each - {None}).pop() for name, each in found.items() if len(each) == 2 and None in each}


def _rows(block: Block, label: str, truths: Mapping[Level, Mapping[str, float]]) -> list[_Row]:
    truth = truths.get(block.setting.problem, {})
    rows: list[_Row] = []
    references: dict[str, float] = {}
    for discriminator in block.runs:
        done = [run.figures for run in block.well(discriminator)]
        figures: dict[str, float] = {}
        for each in done:
            figures |= each
        for name, reference in _measures(figures, block.kind):
            if reference:
                references[name] = figures[name]
            elif having := [each for each in done if math.isfinite(each.get(name, math.nan))]:
                low, high = (having[0].get(f"{name}{end}", math.nan) for end in (Part.LOW, Part.HIGH))
                e = mean_over_seeds([each[name] for each in having], (low, high), possible(name, figures))
                over = replicates(e, block, len(done))
                rows.append((label, discriminator, name, e.value, e.low, e.high, over, _true_value(name, truth)))
    return rows + [(label, None, name, value, math.nan, math.nan, "", None) for name, value in references.items()]


def _measures(figures: Iterable[str], kind: CellKind) -> Iterator[tuple[str, bool]]:
    """Yield the figures that the tables show, and whether each is a reference of the problem by itself."""
    decomposed = {measure.name for pair in SPLITS.get(kind, ()) for measure in pair}
    for name in figures:
        parsed = parse_name(name)
        if parsed is None:  # of a function of one's own: a plain number
            yield name, False
        elif name not in decomposed and parsed.part is Part.VALUE and not parsed.measure.keyed:
            yield name, parsed.measure.kind is MeasureKind.REFERENCE


def _true_value(name: str, truth: Mapping[str, float]) -> float | None:
    """Return what a figure is for a second real sample, where it is known."""
    figure, sign = _TRUE.get(name, ("", 1))
    return sign * truth[figure] if figure in truth else None
