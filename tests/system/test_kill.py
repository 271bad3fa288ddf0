"""A fit from the command line that is killed: what is left loads or is nothing, and going on ends as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from turinglearn.cli.main import app
from turinglearn.persistence import load

pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
pytest.importorskip("skops", reason="needs skops, which is not installed")

REPOSITORY = Path(__file__).parents[2]


def fit(*arguments):
    return CliRunner().invoke(app, ["fit", "table.csv", "--out", "model", *arguments])


@pytest.fixture
def _table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"x": np.random.default_rng(0).normal(size=50)}).to_csv("table.csv", index=False)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.slow
def test_three_kills(tmp_path):
    """The benchmark in small: its exit code says whether every end equalled that of the undisturbed fit."""
    out = tmp_path / "kill.md"
    command = [sys.executable, "benchmarks/kill.py", "--kills", "3", "--rounds", "40", "--setups", "1", "--out", str(out)]
    run = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    row = out.read_text().strip().splitlines()[-1].strip("| ").split(" | ")
    assert (row[0], row[1], row[-1]) == ("network against network", "3", "3")


@pytest.mark.usefixtures("_table")
def test_nothing_to_resume_is_an_error_and_the_fit_can_be_begun():
    """Before the first save, and after one that was killed before its manifest was there."""
    for folder in (False, True):
        if folder:
            Path("model").mkdir()
            Path("model/arrays-0123456789abcdef.safetensors").write_bytes(b"cut")
            Path("model/manifest.json.01234567.partial").write_bytes(b"{")
        done = fit("--resume")
        assert done.exit_code == 1
        assert done.stderr == "Error: There is no model in model to resume: none was saved yet. Leave out --resume.\n"
    assert fit("--rounds", "2").exit_code == 0
    assert sorted(file.suffix for file in Path("model").iterdir()) == [".json", ".safetensors"]
    assert load("model").game_.index == 2


@pytest.mark.usefixtures("_table")
def test_a_damaged_model_is_not_gone_on_with_nor_overwritten():
    assert fit("--rounds", "2").exit_code == 0
    manifest = Path("model/manifest.json")
    manifest.write_bytes(manifest.read_bytes()[:-9])
    done = fit("--resume")
    assert done.exit_code == 1
    assert "is damaged: its checksum does not match" in done.stderr


@pytest.mark.usefixtures("_table")
def test_a_full_disk_ends_the_fit_in_one_line(monkeypatch):
    assert fit("--rounds", "2").exit_code == 0
    before = {file.name: file.read_bytes() for file in Path("model").iterdir()}

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = fit("--resume", "--rounds", "9", "--checkpoint-every", "5")
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: The model could not be saved in model: No space left on device. What was saved there before is intact. Make "
        "room, or choose another folder.\n"
    )
    assert {file.name: file.read_bytes() for file in Path("model").iterdir()} == before
