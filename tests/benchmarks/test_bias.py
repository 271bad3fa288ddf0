"""The bias benchmarks on a tiny budget: their figures, their pages, and that a stopped run goes on."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from turinglearn.datasets import gaussian
from turinglearn.protocols import Batch

FOLDER = Path(__file__).parents[2] / "benchmarks" / "bias"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"bias_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answer():
    return loaded("first_answer")


@pytest.fixture(scope="module")
def cells(answer):
    return sys.modules["first_answer_cells"]


@pytest.fixture(scope="module")
def answer_page(answer):
    return sys.modules["first_answer_page"]


def test_errors_are_in_the_units_of_the_problem(cells):
    """Half their squared length is the divergence of Gaussians, to second order."""
    for problem, (distribution, mean, covariance) in cells.PROBLEMS.items():
        x = distribution.sample(200_000, 0)
        assert np.sum(np.square(cells.errors_of(x, problem))) < 1e-2, problem
        assert len(mean) == distribution.dimension == len(covariance)
    shifted = cells.PROBLEMS["normal, d 1"][0].sample(200_000, 0) + 0.2  # a tenth of its standard deviation
    assert np.sum(np.square(cells.errors_of(shifted, "normal, d 1"))) == pytest.approx(0.01, rel=0.1)


def test_a_covariance_that_runs_away_can_be_averaged(cells, answer_page):
    _distribution, mean, covariance = cells.PROBLEMS["correlated, d 5"]
    for factor in (0.01, 0.9, 1.1, 100.0):
        x = gaussian(mean, factor * covariance).sample(200_000, 0)
        found = answer_page.logged(cells.errors_of(x, "correlated, d 5"))
        assert np.sum(found**2) == pytest.approx(5 * np.log(factor) ** 2 / 2, rel=0.1)


def test_squared_bias_is_over_distinct_seeds(answer_page):
    e = np.random.default_rng(0).standard_normal((4, 3))
    expected = np.mean([e[s] @ e[t] for s in range(4) for t in range(4) if s != t])
    assert answer_page._pairs(e) == pytest.approx(expected)


def test_planted_verdicts(cells, answer_page):
    """A discriminator with a bias, one without, and one whose seeds scatter too widely to say."""
    rng, found = np.random.default_rng(1), {}
    kinds = {"logistic": (1.0, 0.05), "forest": (0.0, 0.01), "boosting": (0.0, 3.0), cells.CONTROL: (0.0, 0.01)}
    for discriminator, (bias, spread) in kinds.items():
        for signal in cells.SIGNALS:
            for problem in cells.PROBLEMS:
                found[discriminator, signal, problem] = bias + spread * rng.standard_normal((10, 2))
    decided = answer_page.verdicts(found, dict.fromkeys(cells.PROBLEMS, 0.01), 10)
    for problem in cells.PROBLEMS:
        assert decided["logistic", problem][1] == "true"
        assert decided["forest", problem][1] == "false"
        assert decided["boosting", problem][1] == "undecided"
    assert len(decided) == 3 * len(cells.PROBLEMS)


def test_a_handwritten_discriminator_that_knows_p(cells):
    """Its evidence is the true log-odds where the fakes are Gaussian, and its gradient that of the evidence."""
    distribution, mean, covariance = cells.PROBLEMS["correlated, d 2"]
    fake = gaussian(mean + 1, 2 * covariance)
    discriminator = cells.KnowsP("correlated, d 2")
    discriminator.update(None, Batch(fake.sample(400_000, 0)), None)
    x = distribution.sample(50, 1)
    truth = distribution.log_density(x) - fake.log_density(x)
    scores, pullback = discriminator.vjp(Batch(x))
    np.testing.assert_allclose(scores.values, truth, atol=0.05)
    np.testing.assert_array_equal(scores.values, discriminator.score_samples(Batch(x)).values)
    slope = (np.linalg.inv(2 * covariance) @ (x - mean - 1).T - np.linalg.inv(covariance) @ (x - mean).T).T
    np.testing.assert_allclose(pullback(np.full(50, 2.0)), 2 * slope, atol=0.1)


def test_rounds_at_equal_time_follow_the_pace(answer):
    row = {"arm": "equal rounds", "discriminator": "forest", "signal": "losses", "problem": "banana"}
    rows = [{**row, "seconds": s} for s in ("4.0", "5.0", "60.0")] + [{**row, "arm": "equal time", "seconds": "1"}]
    assert answer.paces(rows) == {("forest", "losses", "banana"): 20}
    assert answer.paces([{**row, "seconds": "0.0001"}]) == {("forest", "losses", "banana"): answer.MOST}


def test_a_stopped_run_goes_on(answer, cells, answer_page, tmp_path, monkeypatch, capsys):
    out = tmp_path / "answer.csv"
    few = {name: cells.DISCRIMINATORS[name] for name in (cells.CONTROL, "logistic")}
    for module in (answer, cells, answer_page):
        monkeypatch.setattr(module, "DISCRIMINATORS", few)
        monkeypatch.setattr(module, "PROBLEMS", {"normal, d 1": cells.PROBLEMS["normal, d 1"]})
    monkeypatch.setattr(answer, "ROUNDS", 2)
    monkeypatch.setattr(answer, "MOST", 5)
    monkeypatch.setattr(cells, "TRIALS", 2)
    monkeypatch.setattr(answer, "ProcessPoolExecutor", InTurn)
    for seeds in ("2", "4"):
        monkeypatch.setattr(sys, "argv", ["first_answer.py", "--seeds", seeds, "--out", str(out)])
        assert answer.main() == 0
        with out.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 2 * 3 * 3 * int(seeds) == len({tuple(row[k] for k in answer.FIELDS[:5]) for row in rows})
    assert all(row["status"] == "ok" and len(json.loads(row["errors"])) == 2 for row in rows)
    assert {row["rounds"] for row in rows if row["arm"] == "equal rounds"} == {"2"}
    page = out.with_suffix(".md").read_text()
    assert page.count("36 cells done, 0 failed") == 2
    assert page.count("| logistic | **") == 2
    assert "100.0% of 12" in page
    assert set(json.loads((tmp_path / "answer_settings.json").read_text())) == {
        "network / normal, d 1",
        "logistic / normal, d 1",
    }
    capsys.readouterr()


def test_a_failure_is_a_row(cells, monkeypatch):
    monkeypatch.setitem(cells.DISCRIMINATORS, "broken", (lambda: 1 / 0, {}))
    row = cells.play(cells.Cell("equal rounds", "broken", "weights", "banana", 0), {}, 10)
    assert row["status"].startswith("ZeroDivisionError")
    assert row["errors"] == "[]"


class InTurn:
    """An executor that runs what it is given at once."""

    def __init__(self, workers):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(*arguments))
        return future

    map = staticmethod(map)


def test_coverage_runs_on_a_tiny_budget(tmp_path, monkeypatch, capsys):
    coverage = loaded("coverage")
    monkeypatch.setattr(coverage, "BLOCKS", 2)
    monkeypatch.setattr(sys, "argv", ["coverage.py", "--simulations", "2", "--out", str(tmp_path / "coverage.md")])
    assert coverage.main() == 0
    page = (tmp_path / "coverage.md").read_text()
    assert "squared bias | 20 training sets, 1 fit | smooth" in page
    assert "energy distance: variance" in page
    capsys.readouterr()


def test_every_interval_on_record_covers_as_often_as_the_bar():
    page = (FOLDER.parent / "results" / "bias_coverage.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")][2:]
    covered = {tuple(row[:3]): float(row[3]) for row in rows}
    assert len(covered) == len(rows) >= 33
    assert {what for what, rate in covered.items() if not 0.93 <= rate <= 1} == set()


@pytest.fixture(scope="module")
def discriminators():
    return loaded("discriminators")


def test_the_order_of_the_pilot_is_found_and_contradicted(discriminators):
    rng = np.random.default_rng(1)
    errors = {name: np.sqrt(bias) + 0.01 * rng.standard_normal((20, 50)) for name, bias in discriminators.PILOT.items()}
    assert all(apart and interval.value > 0 for _, _, interval, apart in discriminators.order(errors))
    errors["boosting"] = errors["logistic"] + 1
    contrary = {b for _, b, interval, apart in discriminators.order(errors) if apart and interval.value < 0}
    assert contrary == {"boosting"}


def test_discriminators_on_a_tiny_budget(discriminators, tmp_path, monkeypatch, capsys):
    few = {name: discriminators.DISCRIMINATORS[name] for name in ("logistic", "quadratic logistic")}
    for name, value in (
        ("DISCRIMINATORS", few),
        ("PILOT", {name: discriminators.PILOT[name] for name in few}),
        ("CALIBRATED", ("logistic",)),
        ("CURVES", {"n": (50, 100), "d": (2, 3), "KL": (0.1, 0.5)}),
        ("FITS", 2),
        ("ProcessPoolExecutor", InTurn),
    ):
        monkeypatch.setattr(discriminators, name, value)
    out, picture = tmp_path / "discriminators.csv", tmp_path / "images" / "discriminators.png"
    arguments = ["--training-sets", "3", "--out", str(out), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", ["discriminators.py", *arguments])
    assert discriminators.main() == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 + 3 * 2 * 2
    floor = {name: float(value) for name, value in rows[3].items() if name not in ("part", "discriminator", "seconds")}
    clipped, loss = [floor.pop(f"clipped_{level}") for level in (2, 4, 8)], floor.pop("log_loss")
    assert clipped[0] > clipped[1] > clipped[2] >= 0  # the truth reaches farther
    assert loss == pytest.approx(0.543, abs=0.01)
    assert abs(floor.pop("jsd_in_sample")) < 1  # its rows are few
    expected = {"n": discriminators.N, "d": 4, "KL": 0.67, "calibration_slope": 1}
    assert floor == pytest.approx(dict.fromkeys(floor, 0) | expected, abs=1e-9)
    for row in rows:
        assert float(row["jsd"]) == pytest.approx(-2 * float(row["excess_log_loss"]))
        assert float(row["log_loss"]) > float(row["excess_log_loss"]) > -1e-9
    assert float(rows[0]["calibration_error"]) != 0
    page = out.with_suffix(".md").read_text()
    assert "| logistic, calibrated | " in page
    assert (
        f"| {discriminators.BAYES} | 0.00 (0.00 to 0.00) | {clipped[1]:.2f} | 0.00: 0.00 + 0.00 | {loss:.3f} | 0.000 (" in page
    )
    table = [line for line in page.split("## The order")[0].splitlines() if line.startswith("|")]
    assert len(table) == 6
    assert {line.count("|") for line in table} == {13}
    assert "Of its 1 pairs" in page
    assert picture.stat().st_size > 10_000
    capsys.readouterr()
