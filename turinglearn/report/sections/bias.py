"""Sections on bias and variance: the plane, curves over continuous factors, parameters beside their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from turinglearn.bias import parameter_errors, relative_efficiency
from turinglearn.metrics import Interval
from turinglearn.report.analysis.blocks import Block, Estimate, sample_sizes
from turinglearn.report.analysis.estimates import estimate, replicates, splits
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.quantities import DistributionQuantity, Quantity, parameter_names
from turinglearn.report.analysis.settings import Setting
from turinglearn.report.render.charts import curves, dots, plane
from turinglearn.report.render.document import CellValue, Heading, Paragraph, Report, ReportFigure, legend_of
from turinglearn.report.render.pictures import Drawing, drawn
from turinglearn.study.factors import CONTINUOUS
from turinglearn.study.figures import CONTROL, ESTIMATE, PARAMETER_BOUND, TRUTH

__all__ = ["EFFICIENCY", "curve_section", "efficiency_section", "plane_section"]

EFFICIENCY = "efficiency"  # name of the figure

_ENOUGH = 10  # seeds, for a ratio of two mean squared errors
_INTERVALS = (
    "with 95 % intervals over seeds, or over training sets where cells have one seed; see Methods. An interval that ends in "
    "an arrow is longer than shown. Where values are far apart, an axis is marked (log), or (log beyond) the values that "
    "cannot be distinguished from 0."
)

_Levels = list[tuple[float, Block]]


def plane_section(report: Report, blocks: Sequence[Block], order: Sequence[str], labels: Labels) -> None:
    """Add charts of bias, to the right, and variance, upward, for each kind of cells and each decomposition."""
    report.add(Heading("Bias and variance", "plane"))
    empty = True
    for kind in sorted({block.kind for block in blocks}):
        for bias, variance in splits(blocks, kind):
            rows, drawings = _planes([b for b in blocks if b.kind is kind], (bias, variance), order, labels)
            if not rows:
                continue
            empty = False
            pictures, more = drawn(drawings)
            caption = f"Cells of kind {kind}: {bias.title} beside {variance.title}, in {bias.unit}, {_INTERVALS}"
            caption += sample_sizes(blocks) if isinstance(bias, DistributionQuantity) else ""
            columns = ("setting", "discriminator", "replicates", *_columns("bias"), *_columns("variance"))
            name = f"plane-{kind}-{bias.name}".replace(".", "-")
            report.add(ReportFigure(name, caption + more, columns, rows, pictures, legend_of(order, rows, 1)))
    if empty:
        report.add(Paragraph("No cells have figures of both bias and variance."))


def curve_section(report: Report, blocks: Sequence[Block], order: Sequence[str], labels: Labels) -> None:
    """Add curves over each continuous factor that has several levels while all else is the same."""
    report.add(Heading("Curves in n, d and KL", "curves"))
    empty = True
    for kind in sorted({block.kind for block in blocks}):
        quantities = [quantity for pair in splits(blocks, kind)[:1] for quantity in pair]
        for factor in CONTINUOUS:
            families = _families([b for b in blocks if b.kind is kind], factor)
            if not families or not quantities:
                continue
            rows, drawings = _curves(families, factor, quantities, order, labels)
            if not rows:
                continue
            empty = False
            pictures, more = drawn(drawings)
            caption = f"Cells of kind {kind} as {factor} grows, all else the same, {_INTERVALS}{more}"
            columns = ("setting", "discriminator", "of", factor, "replicates", "value", "low", "high")
            name = f"curves-{kind}-{factor}"
            report.add(ReportFigure(name, caption, columns, rows, pictures, legend_of(order, rows, 1)))
    if empty:
        report.add(Paragraph("No continuous factor has several levels while all else is the same."))


def efficiency_section(report: Report, blocks: Sequence[Block], order: Sequence[str], labels: Labels) -> None:
    """Add root mean squared errors of learned parameters over their Cramér-Rao bounds."""
    report.add(Heading("Parameter efficiency", EFFICIENCY))
    rows: list[tuple[CellValue, ...]] = []
    drawings: list[Drawing] = []
    for block in blocks:
        label = labels.of(block.setting)
        found: dict[str, dict[str, Estimate]] = {}
        for discriminator in block.runs:
            for name, rmse, efficiency, seeds in _parameters([run.figures for run in block.well(discriminator)]):
                found.setdefault(name, {})[discriminator] = Estimate(rmse.value, rmse.low, rmse.high, seeds)
                beside = (efficiency.value, efficiency.low, efficiency.high) if efficiency else (None, None, None)
                rows.append((label, name, discriminator, seeds, rmse.value, rmse.low, rmse.high, *beside))
        if found:
            shown = partial(dots, label, sorted(found.items()), order, "root mean squared error / bound", mark=1.0)
            drawings.append(((block.setting.problem_family,), shown))
    if not rows:
        report.add(Paragraph("No cells have errors of parameters beside their Cramér-Rao bounds."))
        return
    pictures, more = drawn(drawings)
    caption = (
        "Root mean squared error of each learned parameter over its Cramér-Rao bound, the least standard error of an unbiased "
        "estimate, with 95 % intervals over seeds; the dashed line is at 1. From "
        f"{_ENOUGH} seeds on, the table has the efficiency relative to maximum likelihood on the same data; with fewer seeds "
        "the interval of such a ratio is of no use. An axis marked (log) is logarithmic."
    )
    columns = ("setting", "parameter", "discriminator", "seeds", *_columns("rmse over bound"), *_columns("relative efficiency"))
    report.add(ReportFigure(EFFICIENCY, caption + more, columns, rows, pictures, legend_of(order, rows, 2)))


def _planes(
    blocks: Sequence[Block], pair: tuple[Quantity, Quantity], order: Sequence[str], labels: Labels
) -> tuple[list[tuple[CellValue, ...]], list[Drawing]]:
    rows: list[tuple[CellValue, ...]] = []
    drawings: list[Drawing] = []
    for block in blocks:
        label, points = labels.of(block.setting), {}
        for discriminator in block.runs:
            bias, variance = (estimate(quantity, block, discriminator) for quantity in pair)
            if bias is not None and variance is not None:
                points[discriminator] = bias, variance
                numbers = (bias.value, bias.low, bias.high, variance.value, variance.low, variance.high)
                rows.append((label, discriminator, replicates(bias, block), *numbers))
        if points:
            shown = partial(plane, label, points, order, (f"bias, {pair[0].unit}", "variance"))
            drawings.append(((block.setting.problem_family,), shown))
    return rows, drawings


def _families(blocks: Iterable[Block], factor: str) -> list[_Levels]:
    """Return the blocks that differ in this continuous factor alone, by its value."""
    found: dict[tuple[Setting, tuple[tuple[str, float], ...]], dict[float, Block]] = {}
    for block in blocks:
        others = dict(block.setting.continuous)
        if (value := others.pop(factor, None)) is not None:
            found.setdefault((block.setting.family(), tuple(others.items())), {})[value] = block
    return [sorted(levels.items()) for levels in found.values() if len(levels) > 1]


def _curves(
    families: Sequence[_Levels], factor: str, quantities: Sequence[Quantity], order: Sequence[str], labels: Labels
) -> tuple[list[tuple[CellValue, ...]], list[Drawing]]:
    rows: list[tuple[CellValue, ...]] = []
    drawings: list[Drawing] = []
    for quantity in quantities:
        for levels in families:
            label = _common(labels, [block.setting for _, block in levels], factor)
            lines: dict[str, list[tuple[float, Estimate]]] = {}
            for value, block in levels:
                for name in block.runs:
                    if (e := estimate(quantity, block, name)) is not None:
                        lines.setdefault(name, []).append((value, e))
                        rows.append((label, name, quantity.title, value, replicates(e, block), e.value, e.low, e.high))
            if lines:
                shown = partial(curves, f"{label}: {quantity.title}", lines, order, (factor, quantity.unit))
                drawings.append(((quantity.name, levels[0][1].setting.problem_family), shown))
    return rows, drawings


def _common(labels: Labels, settings: Sequence[Setting], factor: str) -> str:
    """Return the name that settings share but for a continuous factor; of several problems, that of their family."""
    others = tuple(each for each in settings[0].continuous if each[0] != factor)
    names = {labels.of(replace(setting, continuous=others)) for setting in settings}
    return names.pop() if len(names) == 1 else labels.of(replace(settings[0].family(), continuous=others))


def _parameters(runs: Sequence[dict[str, float]]) -> list[tuple[str, Interval, Interval | None, int]]:
    """Return for each parameter with a bound: name, RMSE over bound, efficiency beside maximum likelihood, seeds."""
    names = sorted({name for figures in runs for name in parameter_names(figures, PARAMETER_BOUND)})
    found = []
    for name in names:
        figures = [measure.of(name) for measure in (ESTIMATE, TRUTH, PARAMETER_BOUND, CONTROL)]
        each = np.array([[run.get(figure, np.nan) for figure in figures] for run in runs])
        each = each[np.isfinite(each[:, :3]).all(axis=1) & (each[:, 2] > 0)]
        if len(each) < 3:
            continue
        error, control = (each[:, :1] - each[:, 1:2]), (each[:, 3:] - each[:, 1:2])
        zero, likely = np.zeros(1), np.isfinite(control).all()
        enough = likely and len(each) >= _ENOUGH
        efficiency = relative_efficiency(error, control, zero)[0] if enough else None
        found.append((name, parameter_errors(error / each[:, 2:3], zero).rmse[0], efficiency, len(each)))
    return found


def _columns(name: str) -> tuple[str, str, str]:
    return name, f"{name} low", f"{name} high"
