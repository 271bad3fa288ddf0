"""A store with cells of all kinds, and its report."""

from __future__ import annotations

import pytest

from tests.study_rows import everything
from turinglearn.report import compose


@pytest.fixture(scope="session")
def rows():
    return everything()


@pytest.fixture(scope="session")
def document(rows):
    return compose(rows, title="A study")
