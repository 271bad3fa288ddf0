"""Sections on evidence and failures: cross-examination, real samples beside fakes, runs that failed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice

import numpy as np

from turinglearn.bias import completion
from turinglearn.report.analysis.blocks import Block, Estimate
from turinglearn.report.analysis.distributions import RealSample
from turinglearn.report.analysis.estimates import mean_over_seeds, values
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.quantities import Quantity, ScalarQuantity
from turinglearn.report.analysis.runs import Floats, Run
from turinglearn.report.render.charts import bars, heat_map, scatters
from turinglearn.report.render.document import (
    CellValue,
    Heading,
    Listing,
    Paragraph,
    Report,
    ReportFigure,
    ReportTable,
)
from turinglearn.report.render.html import Markup
from turinglearn.report.render.pictures import Drawing, drawn
from turinglearn.report.sections.measured import cost_table
from turinglearn.study.factors import CellKind
from turinglearn.study.figures import CROSS_EXAMINATION, TOTAL, parse_name
from turinglearn.study.jobs import STATUSES

__all__ = ["CROSS_EXAMINED", "cross_section", "failure_section", "samples_section"]

CROSS_EXAMINED = "cross-examination"  # name of the figure

_POINTS, _SCATTERED = 200, 11  # of a sample; learned samples of a setting
_LISTED = 5  # tracebacks
_CHANCE, _SURE = 0.5, 1.0  # balanced accuracies between which colours grow warmer


def cross_section(report: Report, blocks: Sequence[Block], labels: Labels) -> None:
    """Add the balanced accuracy of fresh discriminators on what was learned from each discriminator."""
    report.add(Heading("Cross-examination", CROSS_EXAMINED))
    rows: list[tuple[CellValue, ...]] = []
    drawings: list[Drawing] = []
    for block in blocks:
        cells = {(name, examiner): e for name in block.runs for examiner, e in _examinations(block.well(name)).items()}
        if not cells:
            continue
        label = labels.of(block.setting)
        rows += [(label, name, examiner, e.seeds, e.value, e.low, e.high) for (name, examiner), e in cells.items()]
        examiners = sorted({examiner for _, examiner in cells})
        trained = [name for name in block.runs if any(cell[0] == name for cell in cells)]
        shown = partial(heat_map, label, trained, examiners, cells, (_CHANCE, _SURE))
        drawings.append(((block.setting.problem_family,), shown))
    if not rows:
        report.add(Paragraph("No cells have accuracies of cross-examiners."))
        return
    pictures, more = drawn(drawings)
    caption = (
        "Balanced accuracy on held-out rows of a fresh discriminator, the cross-examiner (columns), against the samples "
        "learned from each discriminator (rows): the mean over seeds, in the table with Student's intervals. At .50 the "
        f"cross-examiner cannot tell fakes from real rows. A high value shows what the discriminator of the game missed.{more}"
    )
    columns = ("setting", "learned from", "cross-examiner", "seeds", "accuracy", "low", "high")
    report.add(ReportFigure(CROSS_EXAMINED, caption, columns, rows, pictures))


def samples_section(report: Report, blocks: Sequence[Block], order: Sequence[str], labels: Labels) -> None:
    """Add charts of real samples beside learned ones."""
    report.add(Heading("Real beside fake", "beside"))
    drawings: list[Drawing] = []
    points: list[list[tuple[CellValue, ...]]] = []

    def draw(block: Block, real: RealSample, label: str) -> list[Markup]:
        learned = {name: x for name, runs in block.runs.items() if (x := _pooled(runs.values())) is not None}
        placed, places = _places(real.rows[:_POINTS]), {name: _places(x) for name, x in learned.items()}
        rows: list[tuple[CellValue, ...]] = [(label, "real", None, *point) for point in placed]
        points.append(rows + [(label, "learned", name, *point) for name, found in places.items() for point in found])
        return scatters(label, placed, dict(islice(places.items(), _SCATTERED)), order)

    for block in blocks:
        if block.real is not None and any(_has_sample(run) for runs in block.runs.values() for run in runs.values()):
            shown = partial(draw, block, block.real, labels.of(block.setting))
            drawings.append(((block.setting.problem_family,), shown))
    if not drawings:
        report.add(Paragraph("No cells keep samples beside a real one."))
        return
    pictures, more = drawn(drawings, "the file has their points")
    caption = (
        f"At most {_POINTS} samples of the real distribution, and of what was learned from each discriminator over all seeds: "
        "the first feature to the right, the second upward; for a single feature, its rank."
        f"{more}"
    )
    rows = [row for each in (points[:-1] if more else points) for row in each]
    report.add(ReportFigure("real-beside-fake", caption, ("setting", "sample", "learned from", "x", "y"), rows, pictures))


def failure_section(
    report: Report, blocks: Sequence[Block], quantities: Mapping[CellKind, Quantity], order: Sequence[str], labels: Labels
) -> None:
    """Add how many runs ended with figures, and what a mean without the others would hide."""
    report.add(Heading("Failures and cost", "failures"))
    if not blocks:
        report.add(Paragraph("No cells are finished."))
        return
    rows: list[tuple[CellValue, ...]] = []
    shares: dict[CellKind, dict[str, float]] = defaultdict(dict)
    for kind in sorted({block.kind for block in blocks}):
        mine, quantity = [block for block in blocks if block.kind is kind], _of_each_run(kind, quantities)
        for name in sorted({name for block in mine for name in block.runs}):
            runs = [run for block in mine for run in block.runs.get(name, {}).values()]
            counts = Counter(run.status for run in runs)
            shares[kind][name] = counts["ok"] / len(runs)
            means, of = _means(mine, name, quantity), quantity.title if quantity else ""
            seconds = float(np.median([run.seconds for run in runs]))
            rows.append((kind, name, len(runs), *(counts[status] for status in STATUSES), *means, of, seconds))
    columns = (
        *("cells", "discriminator", "runs", *STATUSES, "completion", "failures left out"),
        *("failures as the worst", "of", "median seconds"),
    )
    caption = (
        "Completion is the share of runs that ended with a figure. A discriminator that fails on the hard cells looks good on "
        "the others, so its mean with failures left out stands beside its mean with the worst figure of any discriminator in "
        "the setting in their place. Distances are over all samples drawn; the bias and the variance of learned distributions "
        "are over the samples that rows keep."
    )
    pictures = [bars(f"Completion, {kind}", found, order) for kind, found in shares.items()]
    report.add(ReportFigure("completion", caption, columns, rows, pictures))
    cost_table(report, blocks, labels)
    _errors(report, [run for block in blocks for runs in block.runs.values() for run in runs.values()])


def _of_each_run(kind: CellKind, quantities: Mapping[CellKind, Quantity]) -> Quantity | None:
    """Return the quantity that each run has: that of the answer, unless only all seeds together have it."""
    found = quantities.get(kind)
    if found is not None and not isinstance(found, ScalarQuantity):
        return next((ScalarQuantity.of_measure(measure) for measure in TOTAL.get(kind, ())), None)
    return found


def _has_sample(run: Run) -> bool:
    return run.sample is not None and bool(np.isfinite(run.sample).all())


def _pooled(runs: Iterable[Run]) -> Floats | None:
    """Return samples of all seeds, as many of each, or None where none is finite."""
    found = [run.sample for run in runs if run.sample is not None and _has_sample(run)]
    share = -(-_POINTS // max(1, len(found)))
    return np.concatenate([x[:share] for x in found])[:_POINTS] if found else None


def _places(x: Floats) -> list[tuple[float, float]]:
    """Return the points (n, d) in a plane."""
    if x.shape[1] == 1:
        return [(float(v), (i + 0.5) / len(x)) for i, v in enumerate(np.sort(x[:, 0]))]
    return [(a, b) for a, b in x[:, :2].tolist()]


def _examinations(runs: Sequence[Run]) -> dict[str, Estimate]:
    """Return the mean accuracy of each cross-examiner over the runs that have it, by label."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, value in run.figures.items():
            parsed = parse_name(name)
            if parsed is not None and parsed.measure is CROSS_EXAMINATION and math.isfinite(value):
                found[parsed.key].append(value)
    return {name: mean_over_seeds(each, possible=CROSS_EXAMINATION.bounds) for name, each in found.items()}


def _means(blocks: Sequence[Block], name: str, quantity: Quantity | None) -> tuple[CellValue, CellValue, CellValue]:
    """Return completion, and the means over settings with failures left out and with the worst in their place."""
    found = []
    if quantity is None:
        return math.nan, math.nan, math.nan
    for block in blocks:
        known = {each: values(quantity, block, each) for each in block.runs}
        done = [v for each in known.values() for v in each.values() if v is not None]
        if not known.get(name) or not done or any(v.shape != (1,) for v in done):
            continue
        mine = np.array([math.nan if v is None else v[0] for v in known[name].values()])
        found.append(completion(mine, max(float(v[0]) for v in done)))
    if not found:
        return math.nan, math.nan, math.nan
    dropped = [c.dropped for c in found if math.isfinite(c.dropped)]
    rate, imputed = (float(np.mean(v)) for v in zip(*((c.rate, c.imputed) for c in found), strict=True))
    return (rate, float(np.mean(dropped)), imputed) if dropped else (rate, math.nan, math.nan)


def _errors(report: Report, runs: Sequence[Run]) -> None:
    """Add the failures by their last lines, the most frequent first, and the whole text of some."""
    groups: dict[tuple[str, str], dict[str, Run]] = defaultdict(dict)
    for run in runs:
        if not run.ended_well:
            groups[run.status, run.error.strip().rpartition("\n")[2][:300]][run.identity] = run
    if not groups:
        return
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [
        (status, len(found), ", ".join(sorted({run.label for run in found.values()})), line, min(found)[:12])
        for (status, line), found in ordered
    ]
    columns = ("status", "cells", "discriminators", "error", "one of them")
    report.add(ReportTable("failures", "Failed cells by their errors.", columns, rows))
    for (status, _), found in ordered[:_LISTED]:
        run = found[min(found)]
        report.add(Listing(f"{status}: {run.identity[:12]}, {run.label}", run.error.strip()[:4_000]))
