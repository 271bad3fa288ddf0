"""benchmarks/frontier.py on a tiny budget: every discriminator plays, the record continues, and the page has its cells."""

from __future__ import annotations

import csv
import importlib.util
import sys
import time

import numpy as np
import pytest

from tests.documents import REPOSITORY


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    spec = importlib.util.spec_from_file_location("bench_frontier", REPOSITORY / "benchmarks" / "frontier.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    sys.path.remove(str(REPOSITORY / "benchmarks"))


def test_every_cell_has_an_arm_and_names_differ(bench):
    cells = bench.cells()
    names = [cell.name for cell in cells]
    assert len(set(names)) == len(names)
    assert {cell.part for cell in cells} == {"ring", "tries", "narrow", "digits"}
    assert all(bench.arm_of(cell).note for cell in cells)
    assert {cell.seed for cell in cells if cell.part == "ring"} == set(range(5))


def test_it_plays_keeps_and_goes_on(bench, tmp_path, monkeypatch, capsys):
    for module in (bench, sys.modules["frontier_page"]):
        monkeypatch.setattr(module, "POINTS", 500)
    chosen = ["ring/SVM/best/0", "ring/boosting/best/0", "tries/forest/best", "narrow/kNN/best/0", "digits/kNN/best/0"]
    tiny = ["frontier.py", "--seconds", "0.01", "--out", str(tmp_path), "--only"]
    monkeypatch.setattr(sys, "argv", tiny + chosen[:3])
    assert bench.main() == 0
    first = (tmp_path / "frontier.csv").read_text()
    monkeypatch.setattr(sys, "argv", tiny + chosen)
    assert bench.main() == 0
    assert (tmp_path / "frontier.csv").read_text().startswith(first)  # what was played is not played again
    with (tmp_path / "frontier.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {bench.name_of(row) for row in rows} == {name if name[-1].isdigit() else f"{name}/0" for name in chosen}
    assert all(int(row["fits"]) >= 1 and float(row["seconds"]) > 0 for row in rows)
    page = (tmp_path / "frontier.md").read_text()
    assert page in capsys.readouterr().out
    digits = next(row for row in rows if row["part"] == "digits")
    assert f"{100 * float(digits['svm_accuracy']):.1f}" in page


def test_bars(bench):
    good = {"modes": "8", "high_quality": ".9", "reverse_kl": ".05", "energy": "-.0001"}
    assert sys.modules["frontier_page"].passes(good)
    for worse in ({"modes": "7"}, {"high_quality": ".899"}, {"reverse_kl": ".051"}, {"energy": ".0031"}):
        assert not sys.modules["frontier_page"].passes(good | worse)


def test_the_rate_falls_with_the_clock(bench, monkeypatch):
    now = [5.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    rate = sys.modules["frontier_arms"].ClockDecay(0.1, 10)
    assert rate(0) == 0.1
    now[0] = 10.0
    assert rate(1) == pytest.approx(0.05)
    now[0] = 99.0
    assert rate(2) == 0


def test_noise_and_scales_fall_together_with_the_clock(bench, monkeypatch):
    now = [1.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    blur = sys.modules["frontier_arms"].Blur(10, (0.4, 0.1), (0.4, 1.0), (0.1, 0.25), begins=0.2, ends=0.6)
    x, rng = np.zeros((20_000, 2), dtype=np.float32), np.random.default_rng(0)
    for moment, noise, scales in ((1, 0.4, (0.4, 1.0)), (3, 0.4, (0.4, 1.0)), (5, 0.2, (0.2, 0.5)), (50, 0.1, (0.1, 0.25))):
        now[0] = moment
        assert blur.between(blur.wide, blur.narrow) == pytest.approx(scales)
        assert blur.blurred(x, rng).std() == pytest.approx(noise, rel=0.02)
    assert blur.blurred(x, rng).dtype == np.float32


def test_fresh_discriminators_tell_what_differs_and_only_that(bench):
    rng = np.random.default_rng(0)
    same = bench.fresh_discriminators(rng.normal(size=(300, 4)), rng.normal(size=(300, 4)), 0)
    apart = bench.fresh_discriminators(rng.normal(size=(300, 4)), 3 + rng.normal(size=(300, 4)), 0)
    assert all(abs(v - 0.5) < 0.08 for v in same.values())
    assert all(v > 0.95 for v in apart.values())
