"""benchmarks/evidence.py on a tiny budget, and its figures on known evidence."""

from __future__ import annotations

import csv
import importlib.util
import sys

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import multivariate_normal

from tests.documents import REPOSITORY


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    spec = importlib.util.spec_from_file_location("bench_evidence", REPOSITORY / "benchmarks" / "evidence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(REPOSITORY / "benchmarks"))


def test_it_writes_its_page_and_every_number(bench, tmp_path, monkeypatch, capsys):
    budget = ["--training-sets", "2", "--rows", "40", "--points", "100", "--seeds", "2", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["evidence.py", *budget, "--out", str(tmp_path / "evidence.md")])
    monkeypatch.setattr(bench, "SAMPLES", 200)
    few = {"forest": bench.KNeighborsClassifier(3), "30-NN": bench.KNeighborsClassifier(9)}
    for players in ("FITTED_FAKES", "DISCRIMINATORS", "PLAYED"):  # the cheap ones
        cheap = {name: few.get(name, bench.KNeighborsClassifier(5)) for name in getattr(bench, players)}
        monkeypatch.setattr(bench, players, cheap)
    assert bench.main() == 0
    page = (tmp_path / "evidence.md").read_text()
    assert page in capsys.readouterr().out
    assert "2 training sets of 40 rows" in page
    with (tmp_path / "evidence.csv").open() as file:
        rows = list(csv.DictReader(file))
    parts = [row["part"] for row in rows]
    assert {part: parts.count(part) for part in parts} == {"of the fit": 8, "fresh": 8, "calibration": 32, "feedback": 30}


def test_the_pair_is_what_it_says(bench):
    x = np.random.default_rng(0).normal(size=(50, 4))
    p, q = multivariate_normal(np.zeros(4)), multivariate_normal(bench.SHIFT, np.diag(bench.SPREAD**2))
    np.testing.assert_allclose(bench.log_odds(x), p.logpdf(x) - q.logpdf(x))
    real, fake = bench.draw(200_000, np.random.default_rng(1))
    forward, backward = bench.divergences()
    assert bench.log_odds(real.x).mean() == pytest.approx(forward, abs=0.02)
    assert -bench.log_odds(fake.x).mean() == pytest.approx(backward, abs=0.02)
    assert max(forward, backward) <= 1


def test_slope_and_loss_of_known_evidence(bench):
    r = np.random.default_rng(0).normal(size=4000)
    for factor, shift in ((1.0, 0.0), (4.0, 0.3), (0.5, -1.0)):
        assert bench.calibration_slope(factor * r + shift, expit(r)) == pytest.approx(1 / factor)
    assert bench.log_loss(np.zeros(4000), expit(r)) == pytest.approx(np.log(2))
    assert bench.log_loss(r, expit(r)) < bench.log_loss(2 * r, expit(r))
    assert np.isnan(bench.calibration_slope(np.full(9, 0.3), np.full(9, 0.5)))
