"""The sections on origin: what was run with what, and how the figures are made."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from turinglearn.report.document import Cell, Document, Formula, Heading, Paragraph, Table
from turinglearn.report.estimates import Quantity
from turinglearn.report.measures import REFERENCES
from turinglearn.report.rows import Run, number

__all__ = ["method_section", "provenance_section"]

_TOLD = 40  # levels of a factor

_METHODS = (
    (
        "Comparison of two discriminators",
        "d_s = figure of the discriminator − figure of the control, by seed s;   mean d ± t s_d / √S",
        "Student (1908); both meet the same samples with the same seed",
    ),
    (
        "Comparison of cells of one seed, over R training sets",
        "d ± t √(s² + s_control²) with R − 1 degrees of freedom, s of each cell; shared sets make it too wide",
        "Student (1908)",
    ),
    (
        "Comparison where no seed has a bias of its own",
        "θ_r = S θ − (S−1) θ without seed r;   mean θ_r ± t s / √S,   θ the difference of both squared biases",
        "Quenouille (1956), Tukey (1958)",
    ),
    (
        "Family of comparisons",
        "p₍₁₎ ≤ … ≤ p₍ₘ₎;   adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎)",
        "Holm (1979)",
    ),
    (
        "Middle half over settings and seeds",
        "mean of the middle half of all d; percentile bootstrap that draws seeds within each setting",
        "Agarwal et al. (2021)",
    ),
    (
        "Chance that a seed has less",
        "mean over settings of P(figure < control's) + ½ P(equal), over all pairs of seeds",
        "Mann & Whitney (1947), Agarwal et al. (2021)",
    ),
    ("Parameter efficiency", "√(mean over seeds of (θ̂ − θ)²) / √(I⁻¹/n),   I the information", "Cramér (1946), Rao (1945)"),
    ("Cross-examination", "(share of genuine rows taken for genuine + share of counterfeits found) / 2", "balanced accuracy"),
)


def provenance_section(document: Document, runs: Sequence[Run]) -> None:
    """Versions, commits, machines, and the levels of all that was varied."""
    document.add(Heading("Provenance", "provenance"))
    if not runs:
        document.add(Paragraph("No cells are finished."))
        return
    rows: list[tuple[Cell, ...]] = [("rows, SHA-256 without times", digest(runs), "")]
    cells = {run.identity: run for run in runs}.values()
    rows.append(("core hours of all cells", f"{sum(run.seconds for run in runs) / 3600:.3g}", ""))
    for name in ("commit", "versions", "hardware"):
        counts = Counter(getattr(run, name) for run in cells)
        rows += [(name, _readable(value), f"{n:,} cells") for value, n in sorted(counts.items())]
    document.add(Table("provenance", "What the cells ran with.", ("what", "which", "of"), rows))
    document.add(
        Table("specification", "What was varied, as the rows have it.", ("factor", "levels", "how many"), _levels(runs))
    )
    budgets = Counter((run.kind, run.arm, _budget(run)) for run in cells if run.arm)
    rows = [(*each, n) for each, n in sorted(budgets.items())]
    document.add(Table("budgets", "What each discriminator was given.", ("cells", "discriminator", "budget", "how many"), rows))
    recipes = sorted({each for run in runs for each in run.recipes})
    if recipes:
        document.add(Table("recipes", "What the names stand for.", ("factor", "name", "recipe"), recipes))


def method_section(document: Document, quantities: Iterable[Quantity]) -> None:
    """The formulas of what the report shows, and where they come from."""
    document.add(
        Heading("Methods", "methods"),
        Paragraph(
            "Intervals are at level .95, of differences by pairs. Estimates of squared bias and of distances are unbiased: "
            "they can be negative. p and q are the genuine and the counterfeit law, r = log p/q, r̂ what a judge says."
        ),
    )
    for quantity in {quantity.name: quantity for quantity in quantities}.values():
        title = quantity.title[0].upper() + quantity.title[1:]
        document.add(Formula(f"{title}, {quantity.unit}", quantity.formula, quantity.source))
    document.add(*(Formula(*each) for each in _METHODS))
    document.add(Heading("References", "references"), *map(Paragraph, REFERENCES))


def digest(runs: Iterable[Run]) -> str:
    """A hash of all rows, equal for equal results whatever the machine and the time that they took."""
    found = hashlib.sha256()
    for run in sorted(runs, key=lambda run: (run.identity, run.seed)):
        content = [run.identity, run.seed, run.status, sorted(run.figures.items())]
        found.update(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def _levels(runs: Sequence[Run]) -> list[tuple[Cell, ...]]:
    found: Mapping[str, set[str]] = defaultdict(set)
    for kind, setting, dials, arm, seed in {(r.kind, r.setting, r.dials, r.arm, r.seed) for r in runs}:
        for name, value in (
            ("cells", kind),
            *setting,
            *((s, f"{v:g}") for s, v in dials),
            ("discriminator", arm),
            ("seed", seed),
        ):
            found[name].add(value)
    rows: list[tuple[Cell, ...]] = []
    for name, levels in sorted(found.items()):
        ordered = sorted(levels, key=lambda v: (number(v) is None, number(v) or 0.0, v))
        more = "" if len(ordered) <= _TOLD else ", …"
        rows.append((name, ", ".join(filter(None, ordered[:_TOLD])) + more, len(ordered)))
    return rows


def _budget(run: Run) -> str:
    """Such as "n 400, rounds 100"."""
    own = [f"{name.removeprefix('budget: ')} {value}" for name, value in run.setting if name.startswith("budget: ")]
    return ", ".join([f"{sign} {value:g}" for sign, value in run.dials if sign == "n"] + own)


def _readable(text: str) -> str:
    """A JSON object as "name value, name value"."""
    if not text.startswith("{"):
        return text or "unknown"
    return ", ".join(f"{name} {value}" for name, value in sorted(json.loads(text).items())) or "unknown"
