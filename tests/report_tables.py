"""Tables of a report as dictionaries, and the figures of the rows that they come from."""

from __future__ import annotations

import csv
import io
import math

import numpy as np

from tests.study_rows import discriminator_rows, has_discriminator
from turinglearn.report.render.document import comma_separated


def table(document, name):
    """A CSV of the report, as dictionaries."""
    return list(csv.DictReader(io.StringIO(comma_separated(document.data()[name]))))


def figures(rows, kind, arm, name, n=None, d=None):
    """One figure by seed, straight from the rows, nan where the row failed."""
    found = {}
    for each in rows:
        cell = each["payload"]
        if cell["kind"] != kind or not has_discriminator(each, arm) or n not in (None, cell["budget"].get("n")):
            continue
        if d is not None and cell["problem"]["varied"]["dimension"] != d:
            continue
        for i, seed in enumerate(cell["seeds"]):
            key = name if len(cell["seeds"]) == 1 else f"{name}@{i}"
            found[seed] = each["figures"].get(key, math.nan)
    return np.array([found[seed] for seed in sorted(found)])


def samples(rows, arm):
    """The samples that rows keep, by seed."""
    return [*figures(rows, "game", arm, "x")]


def single_rows(**options):
    """Cells of one seed, with enough training sets."""
    rows = discriminator_rows(seeds=1, **options)
    for each in rows:
        each["payload"]["budget"]["training_sets"] = 20
    return rows
