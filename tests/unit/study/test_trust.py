"""A store from elsewhere: resume runs no other code unless it is allowed to, and names what it would run."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from turinglearn.cli.study import app
from turinglearn.study import Job, Limits, Plan, Writer, read_specification
from turinglearn.study.specification import FUNCTION

TEXT = """\
[[discriminator]]
problems = "pair(family='shifted', dimension=1, kl=0.5)"
discriminators = ["logistic", "strange.Discriminator"]
n = 20
training_sets = 3
points = 10
"""
CODE = """\
from pathlib import Path
from sklearn.linear_model import LogisticRegression as Discriminator
Path("imported").touch()
def boom(payload):
    Path("run").touch()
    return {}
"""


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store that no driver has ended, whose players are somebody's, in a folder where their code is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("strange.py").write_text(CODE)
    Path("study.toml").write_text(TEXT)
    begun(Path("study.sqlite"), read_specification("study.toml", allow_imports=True).plan())
    Path("imported").unlink()  # by the specification, whose user has allowed it
    del sys.modules["strange"]
    yield Path("study.sqlite")
    sys.modules.pop("strange", None)


def begun(path, plan):
    with Writer(path) as writer:
        writer.begin(plan)


def resumed(*arguments, engine=("--engine", "inline")):
    return CliRunner().invoke(app, ["resume", *map(str, arguments), *engine])


def refused(done):
    """The one error; nothing was run, and nothing imported."""
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert not Path("run").exists()
    assert not Path("imported").exists()
    with sqlite3.connect("study.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM outcome").fetchone() == (0,)
    connection.close()
    return done.stderr


def test_a_function_that_is_not_the_packages_own_is_refused(store):
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE run SET function = 'strange:boom'")
    connection.close()
    for allowed in ([], ["--allow-imports"]):
        said = refused(resumed(store, *allowed))
        assert "'strange:boom'; expected 'turinglearn.study.worker:execute'" in said


def test_players_that_are_imported_are_refused_unless_they_are_allowed(store):
    said = refused(resumed(store))
    asked = CliRunner().invoke(app, ["run", "study.toml"]).stderr
    assert "strange.Discriminator is not a discriminator of the registry" in said
    assert said.partition("strange.Discriminator")[2] == asked.partition("strange.Discriminator")[2]  # as for a specification
    done = resumed(store, "--allow-imports")
    assert (done.exit_code, done.stdout) == (0, "study.sqlite: 2 of 2 cells done, none failed.\n"), done.output


def test_a_cross_examiner_is_a_player_too(store):
    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM job WHERE payload LIKE '%strange.Discriminator%'")
        ((payload,),) = connection.execute("SELECT payload FROM job").fetchall()
        payload = json.dumps(json.loads(payload) | {"cross_examiners": {"mine": "strange.Discriminator"}})
        connection.execute("UPDATE job SET payload = ?", (payload,))
    connection.close()
    assert "strange.Discriminator is not a discriminator" in refused(resumed(store))


@pytest.mark.parametrize("payload", [{}, {"problem": 3}, {"kind": "discriminator", "problem": {"recipe": ["x"]}}])
def test_what_is_not_a_cell_is_refused(store, payload):
    store.unlink()
    begun(store, Plan([Job("a" * 64, payload)], FUNCTION, Limits(1.0, 2**20)))
    assert "'aaaaaaaaaaaa' is not a cell of a study" in refused(resumed(store))


@pytest.mark.parametrize("engine", [("--engine", "inline"), ("--workers", "1")])
def test_players_are_found_in_the_current_folder(tmp_path, monkeypatch, engine):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", str(tmp_path))])
    Path("foreign.py").write_text(CODE)
    Path("study.toml").write_text(TEXT.replace("strange", "foreign"))
    try:
        done = CliRunner().invoke(app, ["run", "study.toml", "--allow-imports", *engine])
        assert (done.exit_code, done.stdout) == (0, "study.sqlite: 2 of 2 cells done, none failed.\n"), done.output
        with sqlite3.connect("study.sqlite") as connection:
            connection.execute(
                "DELETE FROM outcome WHERE identity IN (SELECT identity FROM job WHERE payload LIKE '%foreign%')"
            )
        connection.close()
        sys.modules.pop("foreign", None)
        sys.path.remove(str(tmp_path))
        done = resumed("study.sqlite", "--allow-imports", engine=engine)
        assert (done.exit_code, done.stdout) == (0, "study.sqlite: 2 of 2 cells done, none failed.\n"), done.output
    finally:
        sys.modules.pop("foreign", None)
