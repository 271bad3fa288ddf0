"""The command `turinglearn check`: what it says of players, and of mistakes."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from tests.broken_players import JUDGES
from turinglearn import cli
from turinglearn.catalogue import make, role_of
from turinglearn.cli import app


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of players."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(cli._out, "_width", 250)  # a console keeps the width that its terminal had when it was made
    (tmp_path / "my_players.py").write_text(
        "from tests.broken_players import *\n"
        "from tests.broken_players import Uncorrected, Climbs\n"
        "judge = SoundJudge(label='made here')\n"
        "def made(floor=1.0):\n    return SoundJudge(floor=floor)\n"
    )
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    yield tmp_path
    sys.modules.pop("my_players", None)


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.mark.parametrize(
    "text",
    [
        "my_players:SoundJudge",
        "my_players.SoundJudge(floor=0.5)",
        "my_players:SoundGenerator",
        "my_players:judge",
        "svm",
        "logistic",
    ],
)
def test_the_command_passes_sound_players(here, text):
    done = run(text)
    assert done.exit_code == 0, done.output
    assert "passed" in done.stdout
    assert " failed" not in done.stdout.splitlines()[-1]
    assert done.stdout.splitlines()[-1].startswith(f"{text}, a {'generator' if 'Gen' in text else 'discriminator'}: ")


def test_the_command_fails_with_the_message_and_the_reason_of_what_is_skipped(here):
    done = run("my_players:Uncorrected")
    assert done.exit_code == 1
    assert "takes_no_side_without_information" in done.stdout
    assert "Subtract the log-ratio of the class masses of the fit" in done.stdout
    assert "it offers no exact gradient: it has no vjp" in done.stdout
    assert "1 failed" in done.stdout.splitlines()[-1]
    assert run("my_players:Climbs").exit_code == 1


def test_the_command_writes_json(here):
    results = json.loads(run("my_players:SoundJudge", "--json").stdout)
    assert {entry["name"] for entry in results} == set(JUDGES.values())
    assert {tuple(entry) for entry in results} == {("name", "status", "message", "description")}


def test_the_command_tries_players_on_a_table(here):
    pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    (here / "table.csv").write_text("a,b,c\n" + "\n".join(f"{i},{i % 7},{i % 3}" for i in range(90)))
    assert run("my_players:SoundJudge", "--on", "table.csv").exit_code == 0
    (here / "texts.csv").write_text("a,b\n1,x\n2,y\n")
    assert "holds other things than numbers" in run("my_players:SoundJudge", "--on", "texts.csv").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neural"], "'neural' is a generator and a discriminator. Say which: --role generator"),
        (["svm", "--role", "judge"], "--role judge: expected generator or discriminator"),
        (["my_players:Nobody2"], "my_players has no Nobody2"),
        (["no_such_module:Judge"], "no_such_module.Judge cannot be imported: No module named"),
        (["broken_module:Judge"], "broken_module raised ZeroDivisionError when it was imported"),
        (["my_players:SoundJudge(roof=1)"], "my_players.SoundJudge has no option 'roof'"),
        (["my_players:SoundJudge(1)"], "expected a name, or a class with options"),
        (["my_players:judge(floor=1)"], "my_players.judge is no class"),
        (["math:pi"], "math:pi is neither a generator nor a discriminator"),
        (["sklearn.cluster.KMeans"], "KMeans is a clusterer"),
    ],
)
def test_mistakes_on_the_command_line_are_named(here, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_roles_are_known_by_name_or_by_what_a_player_has(here, monkeypatch):
    monkeypatch.syspath_prepend(str(here))
    assert role_of("sklearn.mixture.GaussianMixture") == "generator"
    assert role_of("my_players:SoundGenerator") == "generator"
    assert role_of("sklearn.svm.SVC(C=2)") == role_of("boosting") == role_of("my_players.made") == "discriminator"
    assert make("discriminator", "my_players:made(floor=2)").floor == 2
    assert make("discriminator", "my_players.judge").label == "made here"
