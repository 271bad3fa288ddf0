"""Section on provenance: versions, commits and machines, and the levels of all factors."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from turinglearn.report.analysis.runs import Run
from turinglearn.report.analysis.settings import Setting
from turinglearn.report.render.document import CellValue, Heading, Paragraph, Report, ReportTable
from turinglearn.study.factors import CellKind, Factor, Level

__all__ = ["digest", "provenance_section"]

_SHOWN_LEVELS = 40  # levels of a factor
_CALLED = {(CellKind.GAME, "n"): "n (budget: rows)"}  # as specifications and filters have it

_Level = tuple[bool, float, str]  # whether it is a text, its number, its label: the order in which levels are listed


def provenance_section(report: Report, runs: Sequence[Run]) -> None:
    """Add tables of what the cells ran with, of the levels of all factors, and of the budgets and recipes."""
    report.add(Heading("Provenance", "provenance"))
    if not runs:
        report.add(Paragraph("No cells are finished."))
        return
    rows: list[tuple[CellValue, ...]] = [("rows, SHA-256 without times", digest(runs), "")]
    cells = {run.identity: run for run in runs}.values()
    rows.append(("core hours of all cells", f"{sum(run.seconds for run in runs) / 3600:.3g}", ""))
    for what in ("commit", "versions", "hardware", "limits"):
        counts = Counter(getattr(run.origin, what) for run in cells)
        rows += [(what, value, f"{n:,} cells") for value, n in sorted(counts.items())]
    report.add(ReportTable("provenance", "What the cells ran with.", ("what", "which", "of"), rows))
    caption = "Factors of the study and their levels, also where there is only one."
    report.add(ReportTable("specification", caption, ("cells", "factor", "levels", "how many"), _levels(runs)))
    report.add(_budgets(cells))
    recipes = sorted({recipe for each in {run.recipes for run in runs} for recipe in each})
    if recipes:
        report.add(ReportTable("recipes", "Recipes behind the names.", ("factor", "name", "recipe"), recipes))


def digest(runs: Iterable[Run]) -> str:
    """Return a hash of all rows, which is the same for the same results, whatever the machine and the time that they took."""
    found = hashlib.sha256()
    for run in sorted(runs, key=lambda run: (run.identity, str(run.seed))):
        names = sorted(run.figures)
        found.update("\0".join([run.identity, str(run.seed), run.status, *names]).encode("utf-8", "surrogatepass"))
        found.update(struct.pack(f"<{len(names)}d", *map(run.figures.__getitem__, names)))
        found.update(b"" if run.sample is None else run.sample.astype("<f8").tobytes())
    return found.hexdigest()


def _levels(runs: Sequence[Run]) -> list[tuple[CellValue, ...]]:
    """Return the levels of each factor, for the kinds of cells with players."""
    found: dict[tuple[CellKind, str], set[_Level]] = defaultdict(set)
    played = [run for run in runs if run.discriminator is not None]
    for kind, seed in {(run.kind, run.seed) for run in played}:
        found[kind, "seed"].add((False, seed, str(seed)))
    for kind, label in {(run.kind, run.label) for run in played}:
        found[kind, "discriminator"].add((True, 0.0, label))
    for setting in {run.setting for run in played}:
        found[setting.kind, "problem"].add((True, 0.0, setting.problem.label))
        for factor in setting.factors:
            found[setting.kind, factor.name].add(_level(factor))
        for name, value in setting.continuous:
            found[setting.kind, _CALLED.get((setting.kind, name), name)].add((False, value, f"{value:g}"))
    rows: list[tuple[CellValue, ...]] = []
    for (kind, name), levels in sorted(found.items()):
        ordered = [label for _, _, label in sorted(levels)]
        more = "" if len(ordered) <= _SHOWN_LEVELS else ", …"
        rows.append((kind, name, ", ".join(ordered[:_SHOWN_LEVELS]) + more, len(ordered)))
    return rows


def _level(factor: Factor) -> _Level:
    if isinstance(factor.value, Level):
        return (True, 0.0, factor.label)
    return (False, float(factor.value), factor.label)


def _budgets(cells: Iterable[Run]) -> ReportTable:
    """Return how many cells of each discriminator had which budget."""
    found = Counter((run.kind, run.label, _budget(run.setting)) for run in cells if run.discriminator is not None)
    caption = "Budgets of the discriminators; steps and batch_size are of those that learn by steps."
    rows = [(*each, n) for each, n in sorted(found.items())]
    return ReportTable("budgets", caption, ("cells", "discriminator", "budget", "how many"), rows)


def _budget(setting: Setting) -> str:
    """Return a budget as text, such as "n 400, rounds 100"."""
    rows = [f"{name} {value:g}" for name, value in setting.continuous if name == "n"]
    return ", ".join(rows + [f"{factor.name} {factor.label}" for factor in setting.budget])
