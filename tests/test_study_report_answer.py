"""The first screen of a report: settings that can be told apart, intervals that hold, words that mean what they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.study_rows import row
from turinglearn.report.estimates import blocks_of
from turinglearn.report.labels import Labels
from turinglearn.report.rows import read
from turinglearn.study import read_specification

SPECIFICATIONS = Path(__file__).parent.parent / "benchmarks" / "bias"


@pytest.mark.parametrize("name", ["smoke", "headline"])
def test_no_two_settings_of_a_study_have_one_name(name):
    cells = read_specification(SPECIFICATIONS / f"{name}.toml").cells
    blocks = blocks_of(read(row(cell.payload()) for cell in cells))
    labels = Labels(blocks)
    found = Counter((block.kind, labels.of(block)) for block in blocks)
    assert len(found) > 5
    assert [each for each, count in found.items() if count > 1] == []
