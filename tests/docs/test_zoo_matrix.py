"""The tables of classifiers as discriminators agree with the classifiers that are installed."""

from __future__ import annotations

import importlib.util

import pytest

from tests.documents import DOCS
from tests.every_classifier import KNOWN, every_classifier, others


@pytest.fixture(scope="module")
def command():
    """docs/zoo_matrix.py as a module."""
    specification = importlib.util.spec_from_file_location("zoo_matrix", DOCS / "zoo_matrix.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("classifiers", [every_classifier, others], ids=["scikit-learn", "other libraries"])
def test_the_tables_are_up_to_date(command, classifiers):
    found, text = classifiers(), (DOCS / "zoo_matrix.inc").read_text(encoding="utf-8")
    if f"Asked of {command.packages(found)}:" not in text:
        pytest.skip(f"the table was made with other versions than {command.packages(found) or 'none, which is installed'}")
    assert command.part(found) in text, "python docs/zoo_matrix.py writes it again"


def test_every_classifier_is_in_the_tables():
    text = (DOCS / "zoo_matrix.inc").read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"``{name}``" not in text] == []


def test_rows_of_known_classifiers(command):
    found = every_classifier()
    assert command.facts("SVC", found["SVC"])[:3] == ["yes", "`LogOdds`", "decisions"]
    plays, score_type, method, gradient, *_ = command.facts("LogisticRegression", found["LogisticRegression"])
    assert (plays, score_type, method, gradient) == ("yes", "`LogOdds`", "probabilities", "yes")
    assert command.facts("HistGradientBoostingClassifier", found["HistGradientBoostingClassifier"])[6] == "yes"  # NaN
    assert command.facts("GaussianNB", found["GaussianNB"])[5] == "yes"  # weights
    assert command.facts("ClassifierChain", found["ClassifierChain"])[0].startswith("no: ")


def test_the_command_writes_to_its_option_out(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "every_classifier", lambda: {"GaussianNB": every_classifier()["GaussianNB"]})
    monkeypatch.setattr(command, "others", dict)
    monkeypatch.setattr("sys.argv", ["zoo_matrix.py", "--out", str(tmp_path / "m.inc")])
    command.main()
    assert "* - ``GaussianNB``\n     - yes\n" in (tmp_path / "m.inc").read_text(encoding="utf-8")
