"""The command `turinglearn check`: what it says of players, and of mistakes."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from tests.broken_players import DISCRIMINATORS
from turinglearn.cli import main as cli
from turinglearn.cli.main import app
from turinglearn.registry import make, role_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of players."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(cli._out, "_width", 250)  # a console keeps the width that its terminal had when it was made
    (tmp_path / "my_players.py").write_text(
        "from tests.broken_players import *\n"
        "from tests.broken_players import Uncorrected, Climbs\n"
        "discriminator = SoundDiscriminator(label='made here')\n"
        "def made(floor=1.0):\n    return SoundDiscriminator(floor=floor)\n"
    )
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    yield tmp_path
    sys.modules.pop("my_players", None)


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.mark.parametrize(
    "text",
    [
        "my_players:SoundDiscriminator",
        "my_players.SoundDiscriminator(floor=0.5)",
        "my_players:SoundGenerator",
        "my_players:discriminator",
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


def test_the_command_fails_with_the_message_and_the_reason_of_what_is_not_required(here):
    done = run("my_players:Uncorrected")
    assert done.exit_code == 1
    assert "log_odds_have_no_prior" in done.stdout
    text = " ".join(done.stdout.split())
    assert "Subtract the log-ratio of the class masses of the fit" in text
    assert "Not required, since it has no vjp, so its gradients are estimated: vjp_agrees_with_score_samples, " in text
    assert "1 failed" in done.stdout.splitlines()[-1]
    assert run("my_players:Climbs").exit_code == 1


def test_the_command_writes_json(here):
    results = json.loads(run("my_players:SoundDiscriminator", "--json").stdout)
    required = {name for name in DISCRIMINATORS.values() if "vjp" not in name and "pullback" not in name}
    assert {entry["name"] for entry in results} == required
    assert {tuple(entry) for entry in results} == {("name", "status", "message", "description")}


@pytest.mark.parametrize("arguments", [["torch", "--role", "generator"], ["torch", "--role", "discriminator"], ["evolved"]])
def test_names_that_need_arguments_are_checked_on_an_example_of_the_shape_of_the_table(here, arguments):
    pytest.importorskip("torch" if "torch" in arguments else "cmaes")
    pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    (here / "table.csv").write_text("a,b,c\n" + "\n".join(f"{1000 + i},{i % 7},{i % 3}" for i in range(90)))
    done = run(*arguments, "--on", "table.csv")
    assert done.exit_code == 0, done.output


def test_the_command_tries_players_on_a_table(here):
    pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    (here / "table.csv").write_text("a,b,c\n" + "\n".join(f"{i},{i % 7},{i % 3}" for i in range(90)))
    assert run("my_players:SoundDiscriminator", "--on", "table.csv").exit_code == 0
    (here / "texts.csv").write_text("a,b\n1,x\n2,y\n")
    assert "contains values that are not numbers" in run("my_players:SoundDiscriminator", "--on", "texts.csv").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neural"], "'neural' is a generator and a discriminator. Say which: --role generator"),
        (["svm", "--role", "critic"], "--role critic: expected generator or discriminator"),
        (["my_players:Nobody2"], "my_players has no Nobody2"),
        (["no_such_module:Discriminator"], "no_such_module.Discriminator cannot be imported: No module named"),
        (["broken_module:Discriminator"], "broken_module raised ZeroDivisionError when it was imported"),
        (["my_players:SoundDiscriminator(roof=1)"], "my_players.SoundDiscriminator has no option 'roof'"),
        (["my_players:SoundDiscriminator(1)"], "is not a recipe; expected a name, with options as literals"),
        (["my_players:discriminator(floor=1)"], "my_players.discriminator is not a class"),
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
    assert make("discriminator", "my_players.discriminator").label == "made here"
