"""The commands of a study: what they say, how they end, and a driver that is killed at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.study_driver import plan_of, trusted
from tests.study_plans import lasting, plan
from turinglearn.cli import study
from turinglearn.study import Inline, StudyProblem
from turinglearn.study.store import Store, StoreProblem
from turinglearn.study.writer import Writer

REPOSITORY = Path(__file__).parents[3]
CELLS = [{"seed": i, "wait": 0.05, "act": "fail" if i % 5 == 4 else None} for i in range(24)]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "plan_of", plan_of)
    monkeypatch.setattr(study, "check_trusted", trusted)
    Path("cells.json").write_text(json.dumps(CELLS))
    return tmp_path


def said(*arguments):
    return CliRunner().invoke(study.app, list(map(str, arguments)))


def driver(*arguments):
    """A driver in a process of its own, as a shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.study_driver", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(count, path, process):
    """Wait for so many finished cells."""
    while process.poll() is None:
        try:
            with Store(path) as store:
                if len(store.finished()) >= count:
                    return
        except StoreProblem:  # not there yet
            pass
        time.sleep(0.02)


def test_run_status_resume_export(here):
    done = said("run", "cells.json", "--engine", "inline")
    assert done.stdout == "cells.sqlite: 24 of 24 cells done, 4 error.\n", done.stderr
    assert done.exit_code == 0
    again = said("run", "cells.json", "--workers", 2, "--json")  # nothing is left, so nothing starts
    assert json.loads(again.stdout)["ok"] == 20
    looked = said("status", "cells.sqlite")
    assert looked.stdout.startswith("cells.sqlite: 24 of 24 cells done, 4 error. No driver is at work.\n")
    assert "error cell-000004: ArithmeticError: no such number: <object object at 0x...>\n" in looked.stdout
    figures = json.loads(said("status", "cells.sqlite", "--json").stdout)
    assert figures == {
        "store": "cells.sqlite", "cells": 24, "done": 24, "ok": 20, "error": 4, "timeout": 0, "crashed": 0, "running": False
    }  # fmt: skip
    assert said("export", "cells.sqlite", "cells.csv").stdout == "cells.csv: 24 cells.\n"
    assert said("resume", "cells.sqlite").exit_code == 0


@pytest.mark.usefixtures("here")
def test_mistakes_are_one_line():
    for arguments, line in (
        (("status", "none.sqlite"), "The store none.sqlite does not exist."),
        (("resume", "none.sqlite"), "The store none.sqlite does not exist."),
        (("run", "none.json"), "No such file"),
        (("run", "."), "Is a directory"),
        (("run", "cells.json", "--scheduler", "tcp://x:1", "--workers", "2"), "--scheduler names a Dask cluster"),
        (("run", "cells.json", "--engine", "inline", "--workers", "2"), "--engine inline plays one cell after another"),
        (("run", "cells.json", "--workers", "0"), "workers=0: expected at least 1"),
    ):
        done = said(*arguments)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: ")
        assert line in done.stderr
        assert done.stderr.count("\n") == 1
        if "run" not in arguments:
            assert json.loads(said(*arguments, "--json").stderr)["error"]
    with Writer(Path("cells.sqlite")):
        done = said("run", "cells.json")
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert "Another driver is at work on cells.sqlite" in done.stderr
        assert said("status", "cells.sqlite").exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("number", "engine"), [(signal.SIGINT, "inline"), (signal.SIGINT, "processes"), (signal.SIGTERM, "processes")]
)
def test_signals_end_a_run_in_one_line_and_resume_ends_it_as_if_nothing_had_been(number, engine):
    run = driver("run", "cells.json", "--engine", engine)
    until(3, Path("cells.sqlite"), run)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert "of 24 cells done" in out
    assert err == "Stopped; finished cells are in the store. To go on: turinglearn study resume cells.sqlite\n"
    with Store(Path("cells.sqlite")) as store:
        before = {row.identity: row.started for row in store.rows()}
    assert 3 <= len(before) < 24
    assert said("resume", "cells.sqlite", "--engine", "inline").exit_code == 0
    with Store(Path("cells.sqlite")) as store:
        after = {row.identity: row.started for row in store.rows()}
    assert len(after) == 24
    assert {identity: after[identity] for identity in before} == before  # no finished cell ran again


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_drivers_and_workers_that_are_killed_change_nothing():
    path, rng, kills = Path("cells.sqlite"), random.Random(0), 0
    assert said("run", "cells.json", "--store", "undisturbed.sqlite", "--engine", "inline").exit_code == 0
    run = driver("run", "cells.json", "--workers", 2)
    for goal in (1, 8, 14):
        until(goal, path, run)
        time.sleep(rng.uniform(0.0, 0.1))
        run.kill()
        run.communicate()
        kills += run.returncode == -signal.SIGKILL
        run = driver("resume", path, "--workers", 2)
    until(18, path, run)
    for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    assert run.communicate(timeout=120)[0] == "cells.sqlite: 24 of 24 cells done, 4 error.\n"
    assert kills >= 2
    assert lasting(path) == lasting(Path("undisturbed.sqlite"))


def rows_of(path):
    with Store(path) as store:
        return {row.identity: (row.status, row.started, row.figures) for row in store.rows()}


def unready(here, monkeypatch):
    """A study of six cells of which two have failed, but would not any more; and its rows."""
    monkeypatch.setenv("STUDY_MARK", str(here / "mark"))
    Path("cells.json").write_text(json.dumps([{"seed": i, "act": "unready" if i < 2 else None, "wait": 0.1} for i in range(6)]))
    assert said("run", "cells.json", "--engine", "inline").stdout == "cells.sqlite: 6 of 6 cells done, 2 error.\n"
    (here / "mark").touch()
    return rows_of(Path("cells.sqlite"))


@pytest.mark.parametrize("command", [("run", "cells.json"), ("resume", "cells.sqlite")])
def test_failed_cells_are_played_again_where_that_is_asked_for(here, monkeypatch, command):
    before = unready(here, monkeypatch)
    assert said(*command, "--engine", "inline").stdout == "cells.sqlite: 6 of 6 cells done, 2 error.\n"
    assert rows_of(Path("cells.sqlite")) == before
    done = said(*command, "--engine", "inline", "--retry")
    assert (done.stdout, done.stderr) == (
        "cells.sqlite: 6 of 6 cells done, none failed.\n",
        "Playing 2 failed cells once more.\n",
    )
    after = rows_of(Path("cells.sqlite"))
    assert {identity for identity in before if after[identity] != before[identity]} == {"cell-000000", "cell-000001"}
    assert json.loads(said(*command, "--engine", "inline", "--retry", "--json").stdout)["retried"] == 0
    assert rows_of(Path("cells.sqlite")) == after


def test_a_part_of_a_study_retries_only_its_own(here, monkeypatch):
    unready(here, monkeypatch)
    cells = json.loads(Path("cells.json").read_text())
    Path("cells.json").write_text(json.dumps(cells[:1]))
    done = said("run", "cells.json", "--engine", "inline", "--retry")
    assert (done.stdout, done.stderr) == ("cells.sqlite: 6 of 6 cells done, 1 error.\n", "Playing 1 failed cell once more.\n")


@pytest.mark.slow
def test_a_driver_that_is_killed_while_it_retries_loses_nothing(here, monkeypatch):
    before = unready(here, monkeypatch)
    run = driver("resume", "cells.sqlite", "--retry", "--workers", 1)
    while run.poll() is None and rows_of(Path("cells.sqlite")) == before:
        time.sleep(0.005)
    run.kill()
    run.communicate()
    kept = rows_of(Path("cells.sqlite"))
    assert kept.keys() == before.keys()
    assert {i: row for i, row in kept.items() if before[i][0] == "ok"} == {i: r for i, r in before.items() if r[0] == "ok"}
    assert any(kept[i] != before[i] for i in kept)
    done = said("resume", "cells.sqlite", "--engine", "inline", "--retry")
    assert done.stdout == "cells.sqlite: 6 of 6 cells done, none failed.\n"


def test_a_retry_that_cannot_begin_loses_nothing(here, monkeypatch):
    before = unready(here, monkeypatch)

    def away(self):
        raise StudyProblem("There is no scheduler.")

    monkeypatch.setattr(Inline, "__enter__", away)
    assert said("resume", "cells.sqlite", "--engine", "inline", "--retry").exit_code == 1
    assert rows_of(Path("cells.sqlite")) == before


def test_what_a_store_says_does_not_command_the_terminal(here):
    Path("cells.json").write_text(json.dumps([{"seed": 0, "act": "escape"}]))
    said("run", "cells.json", "--engine", "inline")
    (_, line) = said("status", "cells.sqlite").stdout.splitlines()
    assert line.endswith("ValueError: \N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}")


def test_a_specification_is_filtered_run_and_reported(tmp_path, monkeypatch):
    """The whole way with real cells: what cannot meet is named, one filter selects, and the report is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        "seeds = 1\n[problems]\nline = \"pair(family='shifted', dimension=1, kl=0.5)\"\n"
        '[[discriminator]]\nproblems = "line"\ndiscriminators = ["logistic", "forest(n_estimators=3)"]\n'
        "n = 30\ntraining_sets = 3\npoints = 20\n"
        '[[game]]\nproblems = "line"\ngenerators = "neural(hidden=(4,))"\ndiscriminators = "forest(n_estimators=3)"\n'
        'signals = ["exact", "smoothed"]\nrounds = 2\nrows = 50\ndraws = 20\n'
    )
    done = CliRunner().invoke(study.app, ["run", "study.toml", "--engine", "inline", "--only", "discriminator=logistic"])
    assert done.exit_code == 0, done.output
    assert "left out: " in done.output
    found = CliRunner().invoke(study.app, ["status", "study.sqlite", "--json"])
    assert json.loads(found.stdout)["done"] == 1
    done = CliRunner().invoke(study.app, ["report", "study.sqlite"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "study-report" / "report.md").read_text()
    assert text.startswith("# study\n")
    assert "logistic" in text
    (tmp_path / "titled.toml").write_text('title = "Shown <b>here</b>"\n' + (tmp_path / "study.toml").read_text())
    done = said("run", "titled.toml", "--store", "study.sqlite", "--engine", "inline", "--only", "discriminator=logistic")
    assert done.exit_code == 0, done.output
    for more, title in (((), "Shown &lt;b&gt;here&lt;/b&gt;"), (("--title", "Asked for"), "Asked for")):
        assert said("report", "study.sqlite", *more).exit_code == 0
        assert (tmp_path / "study-report" / "report.md").read_text().startswith(f"# {title}\n")
    done = CliRunner().invoke(study.app, ["run", "study.toml", "--only", "discriminator=svm"])
    assert done.exit_code == 1
    assert "svm" in done.output


def test_a_report_that_cannot_be_written_says_where_and_what_to_do(tmp_path):
    with Writer(tmp_path / "s.sqlite") as writer:
        writer.begin(plan(None))
    (tmp_path / "file").write_text("hi")
    found = CliRunner().invoke(study.app, ["report", str(tmp_path / "s.sqlite"), "--out", str(tmp_path / "file")])
    assert found.exit_code == 1
    assert "cannot be written to" in found.stderr
    assert "Choose another folder with --out." in found.stderr
    assert (tmp_path / "file").read_text() == "hi"
    other = tmp_path / "other"
    other.mkdir()
    (other / "report.html").write_text("mine")
    found = CliRunner().invoke(study.app, ["report", str(tmp_path / "s.sqlite"), "--out", str(other)])
    assert found.exit_code == 1
    assert "its report.html is not the report of a study. Choose another folder with --out." in found.stderr
    assert [(path.name, path.read_text()) for path in other.iterdir()] == [("report.html", "mine")]


def test_what_a_cell_said_is_cut_where_it_is_long(here, monkeypatch):
    said("run", "cells.json", "--engine", "inline")
    monkeypatch.setattr(study, "_LONGEST", 20)
    lines = [line.partition(": ")[2] for line in said("status", "cells.sqlite").stdout.splitlines()[1:]]
    assert {len(line) for line in lines} == {20}
    assert all(line.endswith("…") for line in lines)


def test_ctrl_c_before_there_is_a_store_is_one_line(here, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "plan_of", interrupted)
    done = said("run", "cells.json")
    assert (done.exit_code, done.stderr) == (130, "Stopped.\n")
    assert not Path("cells.sqlite").exists()
