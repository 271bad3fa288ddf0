"""The benchmark of every classifier on a tiny budget: its table is written, and a run that was stopped goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sklearn.utils import all_estimators

from turinglearn.discriminators import ClassifierDiscriminator

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_table_of_the_zoo_is_written_and_a_stopped_run_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import zoo

    arguments = ["zoo.py", "--only", "GaussianNB", "ClassifierChain", "text and lists", "--rounds", "2", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--seeds", "1"])
    assert zoo.main() == 0
    first = (tmp_path / "zoo.csv").read_text().splitlines()
    assert len(first) == 4
    monkeypatch.setattr(sys, "argv", [*arguments, "--seeds", "2"])
    assert zoo.main() == 0
    rows = (tmp_path / "zoo.csv").read_text().splitlines()
    assert rows[:4] == first
    assert len(rows) == 7
    page = (tmp_path / "zoo.md").read_text()
    assert "Of 3 classifiers 2 play and 1 are refused; 0 failed" in page
    assert "| GaussianNB | LogOdds | " in page
    assert "refused: ClassifierChain predicts several outputs" in page


@pytest.mark.filterwarnings("ignore:Class PassiveAggressiveClassifier is deprecated:FutureWarning")
def test_the_table_of_the_zoo_names_every_classifier(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import zoo_discriminators

    assert {name for name, _ in all_estimators(type_filter="classifier")} <= set(zoo_discriminators.discriminators())
    for recipe, make in zoo_discriminators.discriminators().values():
        assert hasattr(make(), "fit") or isinstance(make(), ClassifierDiscriminator), recipe
