"""The report of a study: from the rows of its store alone, as HTML, Markdown and CSV, with the same bytes each time."""

from __future__ import annotations

import errno
import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turinglearn.report.analysis.blocks import blocks_of
from turinglearn.report.analysis.contrasts import contrasts, control_of, summaries
from turinglearn.report.analysis.estimates import primary, splits
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.runs import read_runs
from turinglearn.report.render.document import DATA, Report, comma_separated
from turinglearn.report.render.folder import LISTING, refilled, write_text
from turinglearn.report.render.markdown import as_markdown, picture_files
from turinglearn.report.render.report_html import as_html
from turinglearn.report.sections.answer import Coverage, answer
from turinglearn.report.sections.bias import curve_section, efficiency_section, plane_section
from turinglearn.report.sections.evidence import cross_section, failure_section, samples_section
from turinglearn.report.sections.measured import measured_section
from turinglearn.report.sections.methods import method_section
from turinglearn.report.sections.provenance import provenance_section
from turinglearn.study.schema import Row

__all__ = ["compose", "uncollected", "write"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch off the collector of reference cycles: a report makes none, and the collector would visit all rows repeatedly.

    Use it around everything that holds a large report, since the collector visits what is there when it comes back.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@uncollected()
def compose(
    rows: Iterable[Row | Mapping[str, Any]], *, title: str = "Study", control: str | None = None, planned: int | None = None
) -> Report:
    """Return the report on the rows of a store.

    Parameters
    ----------
    rows : iterable of Row or mapping
        Rows, such as those of ``Store.rows()``, or mappings with the same fields.
    title : str
        Title.
    control : str or None
        Label of the discriminator that the others are compared with. If None, of those with a row that ended well, the first
        neural network by label, or else the first of all.
    planned : int or None
        Number of cells of the whole study.

    Returns
    -------
    report : Report
        Report, for `write`.

    Raises
    ------
    ValueError
        If no row has the control, or if a row is not one of a study.
    """
    runs = read_runs(rows)
    blocks = blocks_of(runs)
    kinds = sorted({block.kind for block in blocks})
    quantities = {kind: quantity for kind in kinds if (quantity := primary(blocks, kind)) is not None}
    control = control_of(blocks, control) if blocks or control is not None else ""
    found = contrasts(blocks, quantities, control)
    summed = summaries(found)
    labels = Labels(block.setting for block in blocks)
    order = sorted({name for block in blocks for name in block.runs}, key=lambda name: (name != control, name))
    report = Report(title)
    counted = sum(len(each) for block in blocks for each in block.runs.values())
    duplicates = sum(run.discriminator is not None for run in runs) - counted
    lacking = sum(control not in block.runs for block in blocks if block.kind in quantities)
    answer(report, runs, found, summed, labels, Coverage(planned, duplicates, lacking))
    plane_section(report, blocks, order, labels)
    curve_section(report, blocks, order, labels)
    efficiency_section(report, blocks, order, labels)
    cross_section(report, blocks, labels)
    samples_section(report, blocks, order, labels)
    measured_section(report, runs, blocks, labels)
    failure_section(report, blocks, quantities, order, labels)
    provenance_section(report, runs)
    pairs = (pair for kind in kinds for pair in splits(blocks, kind))
    method_section(report, [*quantities.values(), *(quantity for pair in pairs for quantity in pair)], found, summed)
    return report


@uncollected()
def write(report: Report, folder: Path) -> Path:
    """Write report.html, report.md, and beside them the folder data with CSV files and pictures.

    Each file is written whole or not at all. Files that an earlier report left in data are removed, unless they were changed
    since; other people's files stay.

    Parameters
    ----------
    report : Report
        Report.
    folder : Path
        Folder to write to.

    Returns
    -------
    page : Path
        Path of report.html.

    Raises
    ------
    OSError
        If the folder cannot be written, or has a report.html that is not the report of a study.
    """
    if (folder / "report.html").exists() and not (folder / DATA / LISTING).exists():
        raise FileExistsError(errno.EEXIST, "its report.html is not the report of a study")
    tables = {f"{name}.csv": comma_separated(part) for name, part in report.data().items()}
    with refilled(folder / DATA, tables | picture_files(report)):
        write_text(folder / "report.md", as_markdown(report))
        write_text(folder / "report.html", as_html(report))
    return folder / "report.html"
