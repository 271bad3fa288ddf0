"""The section on all that was measured: every figure of every discriminator, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from turinglearn.report.document import Cell, Document, Figure, Heading, Paragraph, Table, say
from turinglearn.report.estimates import Block, estimate, mean_over_seeds, replicates, scalar
from turinglearn.report.labels import Labels
from turinglearn.report.measures import MEANINGS, SPLITS, TOTAL, possible
from turinglearn.report.rows import Run

__all__ = ["cost_table", "measured_section"]

_OPEN = 60  # rows of a table that is not closed at first
_ENDS = ("_low", "_high", "_se")
_BAYES = "bayes_"


def measured_section(document: Document, runs: Iterable[Run], blocks: Sequence[Block], labels: Labels) -> None:
    """The mean of every figure that the rows have, but for those of bias and variance, which have tables of their own."""
    document.add(Heading("What was measured", "measured"))
    truths = {dict(run.setting).get("problem", ""): run.figures for run in runs if run.kind == "truth"}
    tables: dict[str, list[tuple[Cell, ...]]] = {}
    for block in blocks:
        rows = _rows(block, labels.of(block), truths.get(dict(block.setting).get("problem", ""), {}))
        tables.setdefault(block.kind, []).extend(rows)
    names = sorted({str(row[2]) for rows in tables.values() for row in rows})
    if not names:
        document.add(Paragraph("No cells have figures beside those of bias and variance."))
        return
    columns = ("setting", "discriminator", "measure", "mean", "low", "high", "replicates", "of the truth")
    for kind, rows in tables.items():
        known, constant = any(row[-1] is not None for row in rows), _constant(rows)
        same = f" Everywhere the same: {', '.join(f'{n} {say(v)}' for n, v in sorted(constant.items()))}." if constant else ""
        caption = (
            f"Cells of kind {kind}: every figure but those of the section on bias and variance, with 95 % intervals over "
            f"the replicates that have one{'; beside it that of a second genuine sample' * known}.{same}"
        )
        if rows:
            shown = [row if known else row[:-1] for row in rows if row[2] not in constant]
            document.add(_table(f"measured-{kind}", caption, columns if known else columns[:-1], shown))
    meanings = [(name, MEANINGS.get(name, "")) for name in names]
    document.add(Table("measures", "What the measures are.", ("measure", "what it is"), meanings))


def cost_table(document: Document, blocks: Sequence[Block], labels: Labels) -> None:
    """How long each discriminator took, beside how well it did."""
    rows: list[tuple[Cell, ...]] = []
    titles = {kind: measure for kind, (measure, *_) in TOTAL.items()}
    for block in (b for b in blocks if b.kind in titles):
        for arm, runs in block.arms.items():
            done = [run.seconds for run in runs.values() if run.status == "ok"]
            if done and (e := estimate(scalar(titles[block.kind], has_bias=False), block, arm)) is not None:
                rows.append((labels.of(block), arm, float(np.median(done)), titles[block.kind].name, e.value, e.low, e.high))
    if rows:
        caption = "Median seconds of a run that ended with figures, beside what it reached, bias and variance together."
        document.add(_table("cost", caption, ("setting", "discriminator", "seconds", "measure", "mean", "low", "high"), rows))


def _table(name: str, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table | Figure:
    """A long one is closed until it is asked for, as the numbers of a figure are."""
    return Table(name, caption, columns, rows) if len(rows) <= _OPEN else Figure(name, caption, (), columns, rows)


def _constant(rows: Sequence[tuple[Cell, ...]]) -> dict[str, Cell]:
    """The measures that are the same in all rows, and have no truth beside them."""
    found: dict[str, set[Cell]] = {}
    for _, _, name, value, low, high, _, truth in rows:
        found.setdefault(str(name), set()).update((value, low, high, truth))
    return {name: (each - {None}).pop() for name, each in found.items() if len(each) == 2 and None in each}


def _rows(block: Block, label: str, truth: Mapping[str, float]) -> list[tuple[Cell, ...]]:
    shown = {measure.name for pair in SPLITS.get(block.kind, ()) for measure in pair}
    beside = {"energy_distance": truth.get("floor"), "log_density": _negative(truth.get("entropy"))}
    rows: list[tuple[Cell, ...]] = []
    bayes: dict[str, float] = {}
    for arm, runs in block.arms.items():
        done = [run.figures for run in runs.values() if run.status == "ok"]
        figures: dict[str, float] = {}
        for each in done:
            figures |= each
        bayes |= {name: value for name, value in figures.items() if name.startswith(_BAYES)}
        for name in figures:
            if name in shown or name in bayes or "[" in name or _is_end(name, figures):
                continue
            if having := [each for each in done if math.isfinite(each.get(name, math.nan))]:
                ends = having[0].get(f"{name}_low", math.nan), having[0].get(f"{name}_high", math.nan)
                e = mean_over_seeds([each[name] for each in having], ends, possible(name, figures))
                rows.append((label, arm, name, e.value, e.low, e.high, replicates(e, block, len(done)), beside.get(name)))
    exact = [(label, None, name, value) for name, value in bayes.items()]
    return rows + [(*each, math.nan, math.nan, "", None) for each in exact]


def _is_end(name: str, figures: Mapping[str, float]) -> bool:
    """Whether this is an end of another figure's interval, or its error."""
    return any(name.endswith(end) and name.removesuffix(end) in figures for end in _ENDS)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
