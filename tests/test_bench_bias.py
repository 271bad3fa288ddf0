"""The bias benchmarks on a tiny budget: their figures, their pages, and that a stopped run goes on."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks" / "bias"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"bias_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answer():
    return loaded("first_answer")


def test_errors_are_in_the_units_of_the_problem(answer):
    """Half their squared length is the divergence of Gaussians, to second order."""
    for problem, (law, mean, covariance) in answer.PROBLEMS.items():
        x = law.sample(200_000, 0)
        assert np.sum(np.square(answer.errors_of(x, problem))) < 1e-2, problem
        assert len(mean) == law.dimension == len(covariance)
    shifted = answer.PROBLEMS["normal, d 1"][0].sample(200_000, 0) + 0.2  # a tenth of its standard deviation
    assert np.sum(np.square(answer.errors_of(shifted, "normal, d 1"))) == pytest.approx(0.01, rel=0.1)


def test_squared_bias_is_over_distinct_seeds(answer):
    e = np.random.default_rng(0).standard_normal((4, 3))
    expected = np.mean([e[s] @ e[t] for s in range(4) for t in range(4) if s != t])
    assert answer._pairs(e) == pytest.approx(expected)


def test_planted_verdicts(answer):
    """A judge with a bias, one without, and one whose seeds scatter too widely to say."""
    rng, found = np.random.default_rng(1), {}
    kinds = {"logistic": (1.0, 0.05), "forest": (0.0, 0.01), "boosting": (0.0, 3.0), answer.CONTROL: (0.0, 0.01)}
    for judge, (bias, spread) in kinds.items():
        for signal in answer.SIGNALS:
            for problem in answer.PROBLEMS:
                found[judge, signal, problem] = bias + spread * rng.standard_normal((10, 2))
    decided = answer.verdicts(found, dict.fromkeys(answer.PROBLEMS, 0.01), 10)
    for problem in answer.PROBLEMS:
        assert decided["logistic", problem][1] == "true"
        assert decided["forest", problem][1] == "false"
        assert decided["boosting", problem][1] == "undecided"
    assert len(decided) == 3 * len(answer.PROBLEMS)


def test_a_stopped_run_goes_on(answer, tmp_path, monkeypatch, capsys):
    out = tmp_path / "answer.csv"
    monkeypatch.setattr(answer, "ROUNDS", 2)
    monkeypatch.setattr(answer, "JUDGES", {name: answer.JUDGES[name] for name in (answer.CONTROL, "logistic")})
    monkeypatch.setattr(answer, "PROBLEMS", {"normal, d 1": answer.PROBLEMS["normal, d 1"]})
    monkeypatch.setattr(answer, "ProcessPoolExecutor", InTurn)
    for seeds in ("2", "4"):
        monkeypatch.setattr(sys, "argv", ["first_answer.py", "--seeds", seeds, "--out", str(out)])
        assert answer.main() == 0
        with out.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 2 * 3 * int(seeds) == len({tuple(row[k] for k in answer.FIELDS[:4]) for row in rows})
    assert all(row["status"] == "ok" and len(json.loads(row["errors"])) == 2 for row in rows)
    page = out.with_suffix(".md").read_text()
    assert "24 done, 0 failed" in page
    assert "| logistic | **" in page
    assert "100.0% of 12" in page
    capsys.readouterr()


def test_a_failure_is_a_row(answer, monkeypatch):
    monkeypatch.setitem(answer.JUDGES, "broken", lambda: 1 / 0)
    row = answer.play(("broken", "weights", "banana", 0))
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


def test_coverage_runs_on_a_tiny_budget(tmp_path, monkeypatch, capsys):
    coverage = loaded("coverage")
    monkeypatch.setattr(sys, "argv", ["coverage.py", "--simulations", "2", "--out", str(tmp_path / "coverage.md")])
    assert coverage.main() == 0
    page = (tmp_path / "coverage.md").read_text()
    assert "squared bias | 20 sets, 1 run | smooth" in page
    assert "energy distance: variance" in page
    capsys.readouterr()
