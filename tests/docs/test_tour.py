"""The tour runs as it stands on its page, on a tiny budget."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import DOCS, REPOSITORY, blocks, run, shortened

TOUR = DOCS / "tour.rst"


def commands():
    return [line.removeprefix("$ ") for block in blocks(TOUR, "console") for line in block.splitlines() if line]


def call(arguments, folder):
    """The command as it was installed, where it was; it finds this copy of the package."""
    installed = shutil.which("turinglearn", path=str(Path(sys.executable).parent))
    command = [installed] if installed else [sys.executable, "-m", "turinglearn"]
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_tour_has_code_and_at_most_ten_commands():
    assert blocks(TOUR, "python")
    assert 5 <= len(commands()) <= 10
    assert all(command.startswith("turinglearn ") for command in commands())
    assert {command.split()[1] for command in commands()} >= {"fit", "sample", "score", "players"}


@pytest.mark.slow
def test_the_tour_runs(tmp_path):
    done = run(["-W", "error", "-c", shortened("\n".join(blocks(TOUR, "python")))], tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"train.csv", "test.csv", "mixture"}

    for command in commands():
        done = call(shlex.split(shortened(command))[1:], tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert {path.name for path in tmp_path.iterdir()} >= {"model", "other", "svm", "fake.csv"}
    assert len((tmp_path / "fake.csv").read_text(encoding="utf-8").splitlines()) == 1001
