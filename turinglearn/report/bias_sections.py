"""The sections on bias and variance: the plane, curves in the dials, parameters beside their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from turinglearn.bias import parameter_errors, relative_efficiency
from turinglearn.metrics import Interval
from turinglearn.report.charts import curves, dots, plane
from turinglearn.report.document import Cell, Document, Figure, Heading, Paragraph, keys
from turinglearn.report.estimates import Block, Estimate, Quantity, estimate, laws, replicates, sampled, splits
from turinglearn.report.labels import Labels
from turinglearn.report.pictures import Drawing, drawn, problem_of
from turinglearn.report.rows import DIALS

__all__ = ["curve_section", "efficiency_section", "plane_section"]

_ENOUGH = 10  # seeds, for a ratio of two mean square errors
_INTERVALS = (
    "with 95 % intervals over seeds, or over training sets where cells have one seed; see Methods. One that ends in "
    "an arrow is longer. Where values are far apart an axis is marked (log), or (log beyond) what is small or may as well be 0."
)


def plane_section(document: Document, blocks: Sequence[Block], arms: Sequence[str], labels: Labels) -> None:
    """Bias to the right, variance upward, for each kind of cells and each split."""
    document.add(Heading("Bias and variance", "plane"))
    empty = True
    for kind in sorted({block.kind for block in blocks}):
        for bias, variance in splits(blocks, kind):
            rows, drawings = _planes(blocks, kind, (bias, variance), arms, labels)
            if not rows:
                continue
            empty = False
            pictures, more = drawn(drawings)
            caption = f"Cells of kind {kind}: {bias.title} beside {variance.title}, in {bias.unit}, {_INTERVALS}"
            caption += sampled(blocks) if bias.name == laws("bias").name else ""
            columns = ("setting", "discriminator", "replicates", *_columns("bias"), *_columns("variance"))
            document.add(
                Figure(
                    f"plane-{kind}-{bias.name}".replace(".", "-"),
                    caption + more,
                    pictures,
                    columns,
                    rows,
                    keys(arms, rows, 1),
                )
            )
    if empty:
        document.add(Paragraph("No cells have figures of both bias and variance."))


def curve_section(document: Document, blocks: Sequence[Block], arms: Sequence[str], labels: Labels) -> None:
    """Curves in each dial that has several levels while all else is the same."""
    document.add(Heading("Curves in n, d and KL", "curves"))
    empty = True
    for kind in sorted({block.kind for block in blocks}):
        quantities = [q for pair in splits(blocks, kind)[:1] for q in pair]
        for dial in DIALS:
            families = _families([b for b in blocks if b.kind == kind], dial)
            if not families or not quantities:
                continue
            rows, drawings = _curves(families, dial, quantities, arms, labels)
            if not rows:
                continue
            empty = False
            pictures, more = drawn(drawings)
            caption = f"Cells of kind {kind} as {dial} grows, all else the same, {_INTERVALS}{more}"
            columns = ("setting", "discriminator", "of", dial, "replicates", "value", "low", "high")
            document.add(Figure(f"curves-{kind}-{dial}", caption, pictures, columns, rows, keys(arms, rows, 1)))
    if empty:
        document.add(Paragraph("No dial has several levels while all else is the same."))


def efficiency_section(document: Document, blocks: Sequence[Block], arms: Sequence[str], labels: Labels) -> None:
    """Root mean square errors of learned parameters over their Cramér-Rao bounds."""
    document.add(Heading("Parameter efficiency", "efficiency"))
    rows: list[tuple[Cell, ...]] = []
    drawings: list[Drawing] = []
    for block in blocks:
        found: dict[str, dict[str, Estimate]] = {}
        for arm, runs in block.arms.items():
            for name, rmse, efficiency, seeds in _parameters([run.figures for run in runs.values() if run.status == "ok"]):
                found.setdefault(name, {})[arm] = Estimate(rmse.value, rmse.low, rmse.high, seeds)
                beside = (efficiency.value, efficiency.low, efficiency.high) if efficiency else (None, None, None)
                rows.append((labels.of(block), name, arm, seeds, rmse.value, rmse.low, rmse.high, *beside))
        if found:
            shown = partial(dots, labels.of(block), sorted(found.items()), arms, "root mean square error / bound", mark=1.0)
            drawings.append(((problem_of(block),), shown))
    if not rows:
        document.add(Paragraph("No cells have errors of parameters beside their Cramér-Rao bounds."))
        return
    pictures, more = drawn(drawings)
    caption = (
        "Root mean square error of each learned parameter over the least that an unbiased estimator can have, 1 by the dashed "
        "line, with 95 % intervals over seeds. Beside them the efficiency relative to maximum likelihood on the same "
        f"data, from {_ENOUGH} seeds on: of fewer the interval of such a ratio says nothing. An axis marked (log) is by powers."
    )
    columns = ("setting", "parameter", "discriminator", "seeds", *_columns("rmse over bound"), *_columns("relative efficiency"))
    document.add(Figure("efficiency", caption + more, pictures, columns, rows, keys(arms, rows, 2)))


def _planes(
    blocks: Sequence[Block], kind: str, pair: tuple[Quantity, Quantity], arms: Sequence[str], labels: Labels
) -> tuple[list[tuple[Cell, ...]], list[Drawing]]:
    rows: list[tuple[Cell, ...]] = []
    drawings: list[Drawing] = []
    for block in (b for b in blocks if b.kind == kind):
        points = {}
        for arm in block.arms:
            bias, variance = (estimate(q, block, arm) for q in pair)
            if bias is not None and variance is not None:
                points[arm] = bias, variance
                numbers = (bias.value, bias.low, bias.high, variance.value, variance.low, variance.high)
                rows.append((labels.of(block), arm, replicates(bias, block), *numbers))
        if points:
            shown = partial(plane, labels.of(block), points, arms, (f"bias, {pair[0].unit}", "variance"))
            drawings.append(((problem_of(block),), shown))
    return rows, drawings


def _families(blocks: Iterable[Block], dial: str) -> list[tuple[Block, list[tuple[float, Block]]]]:
    """Blocks that differ in this dial alone, by its value; each family with one of its blocks."""
    found: dict[Any, dict[float, Block]] = {}
    for block in blocks:
        dials = dict(block.dials)
        if (value := dials.pop(dial, None)) is not None:
            found.setdefault((block.family, tuple(dials.items())), {})[value] = block
    return [(next(iter(f.values())), sorted(f.items())) for f in found.values() if len(f) > 1]


def _curves(
    families: Sequence[tuple[Block, list[tuple[float, Block]]]],
    dial: str,
    quantities: Sequence[Quantity],
    arms: Sequence[str],
    labels: Labels,
) -> tuple[list[tuple[Cell, ...]], list[Drawing]]:
    rows: list[tuple[Cell, ...]] = []
    drawings: list[Drawing] = []
    for quantity in quantities:
        for first, levels in families:
            label = _common(labels, first, [block for _, block in levels], dial)
            lines: dict[str, list[tuple[float, Estimate]]] = {}
            for value, block in levels:
                for arm in block.arms:
                    if (e := estimate(quantity, block, arm)) is not None:
                        lines.setdefault(arm, []).append((value, e))
                        rows.append((label, arm, quantity.title, value, replicates(e, block), e.value, e.low, e.high))
            if lines:
                shown = partial(curves, f"{label}: {quantity.title}", lines, arms, (dial, quantity.unit))
                drawings.append(((quantity.name, problem_of(first)), shown))
    return rows, drawings


def _common(labels: Labels, first: Block, levels: Iterable[Block], dial: str) -> str:
    """The name that blocks have but for a dial; what the problem is made of where the problem has several."""
    others = [d for d in first.dials if d[0] != dial]
    names = {labels.text(block.kind, block.setting, others) for block in levels}
    return names.pop() if len(names) == 1 else labels.text(first.kind, first.family, others)


def _parameters(runs: Sequence[dict[str, float]]) -> list[tuple[str, Interval, Interval | None, int]]:
    """Of each parameter that has a bound: its name, RMSE over bound, efficiency beside maximum likelihood, seeds."""
    names = sorted({n.removeprefix("bound") for f in runs for n in f if n.startswith("bound[")})
    found = []
    for name in names:
        each = np.array([[f.get(f"{part}{name}", np.nan) for part in ("estimate", "truth", "bound", "control")] for f in runs])
        each = each[np.isfinite(each[:, :3]).all(axis=1) & (each[:, 2] > 0)]
        if len(each) < 3:
            continue
        error, control = (each[:, :1] - each[:, 1:2]), (each[:, 3:] - each[:, 1:2])
        zero, likely = np.zeros(1), np.isfinite(control).all()
        enough = likely and len(each) >= _ENOUGH
        efficiency = relative_efficiency(error, control, zero)[0] if enough else None
        found.append((name[1:-1], parameter_errors(error / each[:, 2:3], zero).rmse[0], efficiency, len(each)))
    return found


def _columns(name: str) -> tuple[str, str, str]:
    return name, f"{name} low", f"{name} high"
