"""The report of a study: from the rows of its store alone, as HTML, Markdown and CSV, the same bytes each time."""

from __future__ import annotations

import errno
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turinglearn.report.answer import Extent, answer
from turinglearn.report.bias_sections import curve_section, efficiency_section, plane_section
from turinglearn.report.contrasts import contrasts, control_of, summaries
from turinglearn.report.document import Document, comma_separated
from turinglearn.report.estimates import blocks_of, primary, splits
from turinglearn.report.evidence_sections import beside_section, cross_section, failure_section
from turinglearn.report.folder import LISTING, refilled, whole
from turinglearn.report.labels import Labels
from turinglearn.report.markdown import as_markdown, standing_alone
from turinglearn.report.markup import FOLDER, as_html
from turinglearn.report.measured_sections import measured_section
from turinglearn.report.methods import method_section
from turinglearn.report.origin_sections import provenance_section
from turinglearn.report.rows import read

__all__ = ["compose", "uncollected", "write"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles, of which a report makes none: it would look through all rows again and again.

    Around all that holds a large report also after it, since the collector looks through what is there when it comes back.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@uncollected()
def compose(rows: Iterable[Any], *, title: str = "Study", control: str | None = None, planned: int | None = None) -> Document:
    """What the rows of a store say, as a `Document`.

    rows: dictionaries or objects with identity, payload, status, figures, error, seconds, versions, commit, hardware, limits,
    such as those of ``Store.rows``. control: the discriminator that the others are compared with; without one, of those with a
    row that is ok, the first whose name is that of a network, else the first by name. planned: how many cells the study has in
    all. ValueError for a control that no row has.
    """
    runs = read(rows)
    blocks = blocks_of(runs)
    kinds = sorted({block.kind for block in blocks})
    quantities = {kind: q for kind in kinds if (q := primary(blocks, kind)) is not None}
    control = control_of(blocks, control) if blocks or control is not None else ""
    found = contrasts(blocks, quantities, control)
    summed = summaries(found)
    labels = Labels(blocks)
    arms = sorted({arm for block in blocks for arm in block.arms}, key=lambda arm: (arm != control, arm))
    document = Document(title)
    counted = sum(len(each) for block in blocks for each in block.arms.values())
    doubles = sum(bool(run.arm) for run in runs) - counted
    lacking = sum(control not in block.arms for block in blocks if block.kind in quantities)
    answer(document, runs, found, summed, labels, Extent(planned, doubles, lacking))
    plane_section(document, blocks, arms, labels)
    curve_section(document, blocks, arms, labels)
    efficiency_section(document, blocks, arms, labels)
    cross_section(document, blocks, labels)
    beside_section(document, blocks, arms, labels)
    measured_section(document, runs, blocks, labels)
    failure_section(document, blocks, quantities, arms, labels)
    provenance_section(document, runs)
    pairs = (pair for kind in kinds for pair in splits(blocks, kind))
    method_section(document, [*quantities.values(), *(q for pair in pairs for q in pair)], found, summed)
    return document


@uncollected()
def write(document: Document, folder: Path) -> Path:
    """Write report.html, report.md, and beside them a folder, data, with the CSV and the pictures; returns the page's path.

    Each file is written whole or not at all. What an earlier report has left in data is deleted, unless it was changed since;
    what others put there stays. OSError where the folder cannot be written, or has a report.html that no report has written.
    """
    if (folder / "report.html").exists() and not (folder / FOLDER / LISTING).exists():
        raise FileExistsError(errno.EEXIST, "its report.html is not one of a study")
    tables = {f"{name}.csv": comma_separated(part) for name, part in document.data().items()}
    with refilled(folder / FOLDER, tables | standing_alone(document)):
        whole(folder / "report.md", as_markdown(document))
        whole(folder / "report.html", as_html(document))
    return folder / "report.html"
