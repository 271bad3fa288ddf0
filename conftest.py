"""Rule for doctests of optional libraries: they are skipped, with what is missing, where the library is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

OPTIONAL = ("torch",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip each doctest that imports an optional library which is not installed."""
    missing = [library for library in OPTIONAL if find_spec(library) is None]
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            source = "".join(example.source for example in item.dtest.examples)
            for library in missing:
                if f"import {library}" in source:
                    item.add_marker(pytest.mark.skip(reason=f"needs {library}, which is not installed"))
