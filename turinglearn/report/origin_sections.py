"""The section on origin: what was run with what."""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from turinglearn.report.document import Cell, Document, Heading, Paragraph, Table
from turinglearn.report.rows import Pairs, Run, number

__all__ = ["provenance_section"]

_TOLD = 40  # levels of a factor
_CALLED = {("game", "n"): "n (budget: rows)"}  # as specifications and filters have it


def provenance_section(document: Document, runs: Sequence[Run]) -> None:
    """Versions, commits, machines, and the levels of all that was varied."""
    document.add(Heading("Provenance", "provenance"))
    if not runs:
        document.add(Paragraph("No cells are finished."))
        return
    rows: list[tuple[Cell, ...]] = [("rows, SHA-256 without times", digest(runs), "")]
    cells = {run.identity: run for run in runs}.values()
    rows.append(("core hours of all cells", f"{sum(run.seconds for run in runs) / 3600:.3g}", ""))
    for name in ("commit", "versions", "hardware", "limits"):
        counts = Counter(getattr(run, name) for run in cells)
        rows += [(name, _readable(value), f"{n:,} cells") for value, n in sorted(counts.items())]
    document.add(Table("provenance", "What the cells ran with.", ("what", "which", "of"), rows))
    document.add(
        Table(
            "specification",
            "What was varied, as the rows have it, and what was not.",
            ("cells", "factor", "levels", "how many"),
            _levels(runs),
        )
    )
    alike = Counter((run.kind, run.arm, run.setting, run.dials) for run in cells if run.arm)
    budgets: Counter[tuple[str, str, str]] = Counter()
    for (kind, arm, setting, dials), n in alike.items():
        budgets[kind, arm, _budget(setting, dials)] += n
    rows = [(*each, n) for each, n in sorted(budgets.items())]
    document.add(
        Table(
            "budgets",
            "What each discriminator was given; steps and batch_size are of those that learn by steps.",
            ("cells", "discriminator", "budget", "how many"),
            rows,
        )
    )
    recipes = sorted({each for some in {run.recipes for run in runs} for each in some})
    if recipes:
        document.add(Table("recipes", "What the names stand for.", ("factor", "name", "recipe"), recipes))


def digest(runs: Iterable[Run]) -> str:
    """A hash of all rows, equal for equal results whatever the machine and the time that they took."""
    found = hashlib.sha256()
    for run in sorted(runs, key=lambda run: (run.identity, run.seed)):
        names = sorted(run.figures)
        found.update("\0".join([run.identity, run.seed, run.status, *names]).encode("utf-8", "surrogatepass"))
        found.update(struct.pack(f"<{len(names)}d", *map(run.figures.__getitem__, names)))
        found.update(b"" if run.sample is None else run.sample.astype("<f8").tobytes())
    return found.hexdigest()


def _levels(runs: Sequence[Run]) -> list[tuple[Cell, ...]]:
    """Of the cells of judges and games, by kind: those of problems by themselves go with the games."""
    found: Mapping[tuple[str, str], set[str]] = defaultdict(set)
    for kind, seed in {(run.kind, run.seed) for run in runs if run.arm}:
        found[kind, "seed"].add(seed)
    for kind, setting, dials, arm in {(run.kind, run.setting, run.dials, run.arm) for run in runs if run.arm}:
        numbers = ((_CALLED.get((kind, sign), sign), f"{value:g}") for sign, value in dials)
        for name, value in (*setting, *numbers, ("discriminator", arm)):
            found[kind, name].add(value)
    rows: list[tuple[Cell, ...]] = []
    for (kind, name), levels in sorted(found.items()):
        ordered = sorted(filter(None, levels), key=lambda v: (number(v) is None, number(v) or 0.0, v))
        more = "" if len(ordered) <= _TOLD else ", …"
        rows.append((kind, name, ", ".join(ordered[:_TOLD]) + more, len(ordered)))
    return rows


def _budget(setting: Pairs, dials: Sequence[tuple[str, float]]) -> str:
    """Such as "n 400, rounds 100"."""
    own = [f"{name.removeprefix('budget: ')} {value}" for name, value in setting if name.startswith("budget: ")]
    return ", ".join([f"{sign} {value:g}" for sign, value in dials if sign == "n"] + own)


def _readable(text: str) -> str:
    """A JSON object as "name value, name value"."""
    if not text.startswith("{"):
        return text or "unknown"
    told = {name: f"{value:.15g}" if isinstance(value, float) else value for name, value in json.loads(text).items()}
    return ", ".join(f"{name} {value}" for name, value in sorted(told.items())) or "unknown"
