"""The command line: what it writes, what it says, how it ends."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from turinglearn.cli import main as cli
from turinglearn.cli.main import app
from turinglearn.metrics import energy_distance, mmd
from turinglearn.persistence import load
from turinglearn.registry import make, players

pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
pytest.importorskip("skops", reason="needs skops, which is not installed")

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A small table in the working folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80).round(3), "n": rng.integers(0, 9, 80), "t": rng.choice(["a", "b"], 80)})
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, 80), unit="D")
    frame.to_csv("table.csv", index=False)
    return "table.csv"


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def fit(table, *arguments, out="model"):
    return run("fit", table, "--out", out, "--random-state", 0, *arguments)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_warning_is_one_line(table, as_json):
    nearest = "sklearn.neighbors.KNeighborsClassifier(n_neighbors=1)"
    options = ("--generator", "mixture", "--discriminator", nearest, "--rounds", 40, *(["--json"] if as_json else []))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        done = fit(table, *options)
    assert done.exit_code == 0
    (line,) = done.stderr.splitlines()
    said = json.loads(line)["warning"] if as_json else line.removeprefix("Warning: ")
    assert said.startswith("KNeighborsClassifier has been too sure for 30 rounds")


def test_the_main_job(table):
    done = fit(table, "--rounds", 40)
    assert done.exit_code == 0
    assert done.stdout.startswith("model: 40 rounds in ")
    assert done.stderr == ""  # a pipe sees no progress bar
    for name in ("fake.csv", "fake.parquet"):
        drawn = run("sample", "model", "-n", 30, "--out", name, "--random-state", 1)
        assert drawn.stdout == f"{name}: 30 rows, 4 columns.\n"
    from_csv, from_parquet = pd.read_csv("fake.csv", parse_dates=["day"]), pd.read_parquet("fake.parquet")
    assert list(from_csv) == ["x", "n", "t", "day"]
    assert from_csv["n"].dtype == np.int64
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False)
    scored = run("score", "model", "table.csv", "--json")
    assert set(json.loads(scored.stdout)) == {"rows", "used", "energy_distance", "mmd"}
    assert "Squared energy distance" in run("score", "model", "table.csv").stdout


def test_samples_go_to_standard_output_without_a_file(table):
    fit(table, "--rounds", 2)
    lines = run("sample", "model", "-n", 5).stdout.splitlines()
    assert lines[0] == "x,n,t,day"
    assert len(lines) == 6
    assert run("sample", "model", "-n", 5).stdout.splitlines() != lines  # without a seed each run differs
    once, again = (run("sample", "model", "-n", 5, "--random-state", 3).stdout for _ in range(2))
    assert once == again


def test_a_score_is_the_measures_of_the_table_and_as_many_samples(table):
    fit(table, "--rounds", 2)
    report, learner, frame = json.loads(run("score", "model", table, "--json").stdout), load("model"), pd.read_csv(table)
    frame["day"] = pd.to_datetime(frame["day"])
    real, fake = learner.in_units(frame), learner.in_units(learner.sample(80, random_state=0))
    assert report["rows"] == report["used"] == 80
    assert report["energy_distance"] == pytest.approx(energy_distance(fake, real))
    assert report["energy_distance"] > 0.01  # two rounds teach little
    assert report["mmd"] == pytest.approx(mmd(fake, real))
    assert run("score", "model", table).stdout.endswith(", 80 rows.\n")


def test_of_a_large_table_a_score_uses_some_rows_from_all_over(table, monkeypatch):
    fit(table, "--rounds", 2)
    frame = pd.read_csv(table)
    pd.concat([frame] * 75).sort_values("x").to_csv("large.csv", index=False)
    whole = json.loads(run("score", "model", table, "--json").stdout)["energy_distance"]
    monkeypatch.setattr(cli, "_SCORED", 1500)  # a quarter: the first ones hold the smallest x only
    once, again = (run("score", "model", "large.csv", "--json").stdout for _ in range(2))
    assert once == again
    report = json.loads(once)
    assert (report["rows"], report["used"]) == (6000, 1500)
    assert report["energy_distance"] == pytest.approx(whole, abs=0.1)


def test_a_score_uses_at_most_5000_rows(table):
    fit(table, "--rounds", 2)
    pd.concat([pd.read_csv(table)] * 75).to_csv(Path(table).parent / "large.csv", index=False)
    assert run("score", "model", "large.csv").stdout.endswith(", 5000 of 6000 rows, drawn at random.\n")


@pytest.mark.parametrize("arguments", [("sample", "model", "-n", "50000"), ("sample", "model", "-n", "5"), ("players",)])
def test_a_reader_that_leaves_ends_the_command_quietly(table, arguments):
    """As in `turinglearn sample model | head -1`, both where the pipe breaks in the middle and where it does at the end."""
    fit(table, "--rounds", 2)
    reading, writing = os.pipe()
    os.close(reading)
    command, environment = [sys.executable, "-m", "turinglearn", *arguments], {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_reports_for_machines(table):
    report = json.loads(fit(table, "--rounds", 10, "--json").stdout)
    assert (report["model"], report["rounds"], report["finished"]) == ("model", 10, True)
    assert np.isfinite(report["distance"])
    assert {entry["role"] for entry in json.loads(run("players", "--json").stdout)} == {
        "generator",
        "discriminator",
        "signal",
        "objective",
        "problem",
    }
    failed = run("sample", "nowhere", "--json")
    assert json.loads(failed.stderr)["error"].startswith("nowhere does not exist")


@pytest.mark.parametrize("discriminator", ["svm", "sklearn.svm.SVC(C=10.0)", "forest", "sklearn.naive_bayes.GaussianNB"])
def test_discriminators_by_name(table, discriminator):
    assert fit(table, "--discriminator", discriminator, "--rounds", 2).exit_code == 0
    assert load("model").sample(3).shape == (3, 4)


@pytest.mark.parametrize("generator", ["neural(latent_dim=2)", "mixture(n_components=2)", "sklearn.mixture.GaussianMixture"])
def test_generators_by_name(table, generator):
    assert fit(table, "--generator", generator, "--rounds", 2).exit_code == 0


def test_the_package_is_the_command():
    command, environment = [sys.executable, "-m", "turinglearn", "players"], {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("players", "--json").stdout


def test_every_player_is_listed():
    text = CliRunner().invoke(app, ["players"], env={"COLUMNS": "200"}).stdout
    for entry in players():
        assert entry.name in text


# --------------------------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "nothere.csv", "--out", "m"], "nothere.csv does not exist"),
        (["fit", "table.txt", "--out", "m"], "table.txt ends in .txt; expected .csv or .parquet"),
        (["fit", "table.csv", "--out", "m", "--rounds", "0"], "rounds=0: expected an integer"),
        (["fit", "table.csv", "--out", "m", "--batch-size", "500"], "batch_size=500 is more than the 72 rows"),
        (
            ["fit", "table.csv", "--out", "m", "--discriminator", "oracle"],
            "There is no discriminator called 'oracle'; expected one of: ",
        ),
        (["fit", "table.csv", "--out", "m", "--discriminator", "sklearn.svm.svc"], "Did you mean sklearn.svm.SVC?"),
        (["fit", "table.csv", "--out", "m", "--discriminator", "sklearn.svm.SVC(D=1)"], "sklearn.svm.SVC has no option 'D'"),
        (
            ["fit", "table.csv", "--out", "m", "--discriminator", "sklearn.svm.SVC(C=open('x'))"],
            "is not a recipe; expected a name, with options",
        ),
        (["fit", "table.csv", "--out", "m", "--discriminator", "no.such.Thing"], "no.such.Thing cannot be imported"),
        (["fit", "table.csv", "--out", "m", "--discriminator", "sklearn.cluster.KMeans"], "KMeans is a clusterer"),
        (["fit", "table.csv", "--out", "m", "--generator", "sklearn.svm.SVC"], "SVC"),
        (["fit", "table.csv", "--out", "m", "--checkpoint-every", "0"], "--checkpoint-every 0: expected at least 1"),
        (["fit", "table.csv", "--out", "table.csv"], "table.csv is a file; expected a folder"),
        (["sample", "table.csv"], "table.csv is a file; expected the folder of a model"),
        (["sample", "m"], "m does not exist"),
        (["score", "m", "table.csv"], "m does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(table, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.output
    assert not Path("m").exists()


def test_options_that_cannot_change_are_refused(table):
    fit(table, "--rounds", 4)
    done = fit(table, "--resume", "--discriminator", "svm")
    assert done.exit_code == 1
    assert "--random-state, --discriminator cannot be changed with --resume" in done.stderr


def test_another_table_cannot_be_gone_on_with(table):
    fit(table, "--rounds", 4)
    pd.read_csv(table)[::-1].to_csv("other.csv", index=False)
    assert "X is not the data" in run("fit", "other.csv", "--out", "model", "--resume").stderr


# --------------------------------------------------------------------------------------------------------------- going on
def test_a_fit_that_was_parted_equals_one_that_was_not(table):
    """More rounds go on from the checkpoint, bit for bit, where rates and stages do not depend on their number."""
    options = ("--keep", "last", "--generator", "neural(latent_dim=3)")
    fit(table, "--rounds", 30, *options, out="whole")
    fit(table, "--rounds", 12, *options, "--checkpoint-every", 5, out="parted")
    assert run("fit", table, "--out", "parted", "--resume", "--rounds", 30).exit_code == 0
    whole, parted = load("whole"), load("parted")
    np.testing.assert_array_equal(whole.game_.generator.network_.parameters, parted.game_.generator.network_.parameters)
    pd.testing.assert_frame_equal(whole.sample(20), parted.sample(20))


@pytest.mark.parametrize("more", [(), ("--rounds", 6), ("--rounds", 3)])
def test_nothing_to_go_on_with_is_said_and_changes_nothing(table, more):
    fit(table, "--rounds", 6)
    before = {path: path.read_bytes() for path in Path("model").rglob("*") if path.is_file()}
    done = run("fit", table, "--out", "model", "--resume", *more)
    assert done.exit_code == 0
    assert done.stdout == "model has played 6 rounds already, so there was nothing to do; ask for more with --rounds.\n"
    assert {path: path.read_bytes() for path in Path("model").rglob("*") if path.is_file()} == before
    assert run("fit", table, "--out", "model", "--resume", "--rounds", 8).stdout.startswith("model: 8 rounds in ")


@pytest.mark.parametrize("played", [0, 1000])
def test_the_speed_on_a_terminal_is_that_of_the_rounds_played_now(played, monkeypatch):
    seen = io.StringIO()
    monkeypatch.setattr(cli, "_err", Console(file=seen, force_terminal=True, width=120))
    monkeypatch.setattr(cli, "time", SimpleNamespace(perf_counter=iter(range(100)).__next__))
    with cli._watched(False, 2000) as watch:
        for i in range(1, 31):  # one round a second
            watch(SimpleNamespace(index=played + i, accuracy=np.nan))
    assert re.findall(r"(\d+)/s", seen.getvalue())[-1] == "1"


def test_ctrl_c_finishes_the_round_saves_and_says_how_to_go_on(table):
    command = [sys.executable, "-m", "turinglearn", "fit", table, "--out", "model", "--rounds", "1000000"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    fitting = subprocess.Popen([*command, "--checkpoint-every", "5"], env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not Path("model/manifest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    fitting.send_signal(signal.SIGINT)
    _, said = fitting.communicate(timeout=60)
    assert fitting.returncode == 130
    assert "Finishing this round" in said
    assert f"turinglearn fit {table} --out model --resume" in said
    assert load("model").game_.index >= 5


def test_players_are_made_of_names_and_literals_only():
    assert make("discriminator", "sklearn.svm.SVC(C=2, gamma='auto')").C == 2
    for text in ("a b", "print('x')(1)", "sklearn.svm.SVC(2)", "", "sklearn.svm.SVC(", "lambda: 1"):
        with pytest.raises(ValueError, match=r"is not a recipe|There is no"):
            make("discriminator", text)


def test_a_model_is_not_replaced_by_a_new_one(table):
    fit(table, "--rounds", 2)
    before = load("model").sample(3, random_state=0)
    done = fit(table, "--rounds", 3)
    assert done.exit_code == 1
    assert "model holds a model already. Resume it with --resume, name another --out" in done.stderr
    pd.testing.assert_frame_equal(load("model").sample(3, random_state=0), before)
