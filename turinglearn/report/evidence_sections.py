"""The sections on evidence and failures: cross-examination, real beside fake, what did not finish."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from turinglearn.bias import completion
from turinglearn.report.charts import bars, heat_map, scatters
from turinglearn.report.document import Cell, Document, Figure, Heading, Listing, Paragraph, Table
from turinglearn.report.estimates import Block, Estimate, Quantity, mean_over_seeds, scalar, values
from turinglearn.report.labels import Labels
from turinglearn.report.measured_sections import cost_table
from turinglearn.report.measures import SHARE, TOTAL
from turinglearn.report.pictures import Drawing, drawn, problem_of
from turinglearn.report.rows import Run

__all__ = ["beside_section", "cross_section", "failure_section"]

_POINTS, _SCATTERED = 200, 11  # of a sample; learned samples of a setting
_LISTED = 5  # tracebacks


def cross_section(document: Document, blocks: Sequence[Block], labels: Labels) -> None:
    """What each judge's pupil has learned, before fresh judges."""
    document.add(Heading("Cross-examination", "cross-examination"))
    rows: list[tuple[Cell, ...]] = []
    drawings: list[Drawing] = []
    for block in blocks:
        cells = {(arm, judge): e for arm, runs in block.arms.items() for judge, e in over_seeds(runs, "caught").items()}
        if not cells:
            continue
        label = labels.of(block)
        rows += [(label, arm, judge, e.seeds, e.value, e.low, e.high) for (arm, judge), e in cells.items()]
        judges = sorted({judge for _, judge in cells})
        taught = [arm for arm in block.arms if any(c[0] == arm for c in cells)]
        drawings.append(((problem_of(block),), partial(heat_map, label, taught, judges, cells, (0.5, 1.0))))
    if not rows:
        document.add(Paragraph("No cells have accuracies of fresh judges."))
        return
    pictures, left_out = drawn(drawings)
    caption = (
        "Balanced accuracy of a fresh judge (columns) on what was learned from each judge (rows), on held-out rows, mean over "
        "seeds, in the table with Student's intervals; .50 is as good as genuine. A family that sees what the teacher missed "
        f"stands out.{left_out}"
    )
    columns = ("setting", "learned from", "fresh judge", "seeds", "accuracy", "low", "high")
    document.add(Figure("cross-examination", caption, pictures, columns, rows))


def beside_section(document: Document, blocks: Sequence[Block], arms: Sequence[str], labels: Labels) -> None:
    """Genuine samples beside what was learned."""
    document.add(Heading("Real beside fake", "beside"))
    drawings: list[Drawing] = []
    points: list[list[tuple[Cell, ...]]] = []

    def draw(block: Block, label: str) -> list[str]:
        learned = {arm: x for arm, runs in block.arms.items() if len(x := _pooled(runs.values()))}
        genuine, places = _places(block.genuine.rows[:_POINTS]), {arm: _places(x) for arm, x in learned.items()}
        rows: list[tuple[Cell, ...]] = [(label, "genuine", None, *point) for point in genuine]
        points.append(rows + [(label, "learned", arm, *point) for arm, found in places.items() for point in found])
        return scatters(label, genuine, dict(islice(places.items(), _SCATTERED)), arms)

    for block in blocks:
        if block.genuine is not None and any(map(_is_shown, (run for runs in block.arms.values() for run in runs.values()))):
            drawings.append(((problem_of(block),), partial(draw, block, labels.of(block))))
    if not drawings:
        document.add(Paragraph("No cells keep samples beside a genuine one."))
        return
    pictures, left_out = drawn(drawings, "the file has their points")
    caption = (
        f"At most {_POINTS} samples of the genuine law and of what was learned from each discriminator, over all seeds: the "
        f"first feature to the right, the second upward; of a single feature its rank.{left_out}"
    )
    rows = [row for each in (points[:-1] if left_out else points) for row in each]
    document.add(Figure("real-beside-fake", caption, pictures, ("setting", "sample", "learned from", "x", "y"), rows))


def failure_section(
    document: Document, blocks: Sequence[Block], quantities: Mapping[str, Quantity], arms: Sequence[str], labels: Labels
) -> None:
    """How many runs ended with figures, and what leaving the others out hides."""
    document.add(Heading("Failures and cost", "failures"))
    if not blocks:
        document.add(Paragraph("No cells are finished."))
        return
    rows: list[tuple[Cell, ...]] = []
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for kind in sorted({block.kind for block in blocks}):
        mine, quantity = [block for block in blocks if block.kind == kind], _of_each_run(kind, quantities)
        for arm in sorted({arm for block in mine for arm in block.arms}):
            runs = [run for block in mine for run in block.arms.get(arm, {}).values()]
            counts = Counter(run.status for run in runs)
            shares[kind][arm] = counts["ok"] / len(runs)
            means, of = _means(mine, arm, quantity), quantity.title if quantity else ""
            statuses = [counts[status] for status in ("ok", "error", "timeout", "crashed")]
            rows.append((kind, arm, len(runs), *statuses, *means, of, float(np.median([run.seconds for run in runs]))))
    columns = (
        *("cells", "discriminator", "runs", "ok", "error", "timeout", "crashed", "completion", "failures left out"),
        *("failures as the worst", "of", "median seconds"),
    )
    caption = (
        "Completion is the share of runs that ended with a figure. What fails on the hard cases looks good on the others: read "
        "its mean with failures left out beside that with the worst figure of any discriminator in the setting in their place. "
        "Distances are over all samples drawn, where the bias and the variance of learned laws are over those that rows keep."
    )
    pictures = [bars(f"Ended well, {kind}", found, [*arms, ""]) for kind, found in shares.items()]
    document.add(Figure("completion", caption, pictures, columns, rows))
    cost_table(document, blocks, labels)
    _errors(document, [run for block in blocks for runs in block.arms.values() for run in runs.values()])


def _of_each_run(kind: str, quantities: Mapping[str, Quantity]) -> Quantity | None:
    """What a mean over runs can be of: what the answer is about, unless only seeds together have it."""
    found = quantities.get(kind)
    if found is not None and found.needs > 2:
        return next((scalar(measure, has_bias=False) for measure in TOTAL.get(kind, ())), None)
    return found


def _is_shown(run: Run) -> bool:
    return run.sample is not None and bool(np.isfinite(run.sample).all())


def _pooled(runs: Iterable[Run]) -> Any:
    """Samples of all seeds, as many of each."""
    found = [run.sample for run in runs if _is_shown(run)]
    share = -(-_POINTS // max(1, len(found)))
    return np.concatenate([x[:share] for x in found])[:_POINTS] if found else np.empty((0, 1))


def _places(x: Any) -> list[tuple[float, float]]:
    """The points (n, d) in a plane."""
    if x.shape[1] == 1:
        return [(float(v), (i + 0.5) / len(x)) for i, v in enumerate(np.sort(x[:, 0]))]
    return [(a, b) for a, b in x[:, :2].tolist()]


def over_seeds(runs: Mapping[str, Run], prefix: str) -> dict[str, Estimate]:
    """The mean of each share "prefix[name]" over the runs that have it, by name, with Student's interval."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs.values():
        for name, value in run.figures.items() if run.status == "ok" else ():
            if name.startswith(f"{prefix}[") and math.isfinite(value):
                found[name.removeprefix(prefix)[1:-1]].append(value)
    return {name: mean_over_seeds(each, possible=SHARE) for name, each in found.items()}


def _means(blocks: Sequence[Block], arm: str, quantity: Quantity | None) -> tuple[Cell, Cell, Cell]:
    """Completion, and the means over settings with failures left out and with the worst for them; of no run that ended none."""
    found = []
    if quantity is None:
        return math.nan, math.nan, math.nan
    for block in blocks:
        known = {a: values(quantity, block, a) for a in block.arms}
        done = [v for each in known.values() for v in each.values() if v is not None]
        if not known.get(arm) or not done or any(v.shape != (1,) for v in done):
            continue
        mine = np.array([math.nan if v is None else v[0] for v in known[arm].values()])
        found.append(completion(mine, max(float(v[0]) for v in done)))
    if not found:
        return math.nan, math.nan, math.nan
    dropped = [c.dropped for c in found if math.isfinite(c.dropped)]
    rate, imputed = (float(np.mean(v)) for v in zip(*((c.rate, c.imputed) for c in found), strict=True))
    return (rate, float(np.mean(dropped)), imputed) if dropped else (rate, math.nan, math.nan)


def _errors(document: Document, runs: Sequence[Run]) -> None:
    """The failures by what they said, the most frequent first, and the whole text of some."""
    groups: dict[tuple[str, str], dict[str, Run]] = defaultdict(dict)
    for run in runs:
        if run.status != "ok":
            groups[run.status, run.error.strip().rpartition("\n")[2][:300]][run.identity] = run
    if not groups:
        return
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [
        (status, len(found), ", ".join(sorted({run.arm for run in found.values()})), said, min(found)[:12])
        for (status, said), found in ordered
    ]
    columns = ("status", "cells", "discriminators", "what it said", "one of them")
    document.add(Table("failures", "Failed cells by what they said.", columns, rows))
    for (status, _), found in ordered[:_LISTED]:
        run = found[min(found)]
        document.add(Listing(f"{status}: {run.identity[:12]}, {run.arm}", run.error.strip()[:4_000]))
