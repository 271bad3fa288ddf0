"""Files that are written whole or not at all."""

from __future__ import annotations

import os

import pytest

from turinglearn.data.atomic import partial_target, write_atomic


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_made_and_replaced_in_one_step(tmp_path, durable):
    path = tmp_path / "file.txt"
    for content in (b"old", b"new"):
        write_atomic(path, lambda file, content=content: file.write(content), durable=durable)
        assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_failure_changes_nothing_and_leaves_nothing(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        (partial,) = (each for each in tmp_path.iterdir() if each != path)
        assert partial_target(partial) == "file.txt"
        raise ArithmeticError("no more")

    with pytest.raises(ArithmeticError, match="no more"):
        write_atomic(path, fail)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_failed_replacement_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    def refuse(*_):
        raise PermissionError("not here")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="not here"):
        write_atomic(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "none" / "file.txt", lambda file: file.write(b"new"))


def test_partial_files_are_known_by_their_names(tmp_path):
    assert partial_target(tmp_path / "a.csv.0123abcd.partial") == "a.csv"
    assert partial_target(tmp_path / "a.csv") is None
    assert partial_target(tmp_path / ".0123abcd.partial") is None
