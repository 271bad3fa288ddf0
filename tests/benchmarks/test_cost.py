"""benchmarks/cost.py on a small budget: direct calls are the same, and a round scores once for each generator update."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import cost as bench


@pytest.mark.parametrize(("learner", "answers"), [("losses", 1), ("gradients, Student()", 5), ("gradients, Smoothed()", 5)])
def test_the_discriminator_scores_once_for_each_update_of_the_generator(learner, answers):
    rounds, direct, predictions = bench.measure("30-NN", learner, 2)
    assert predictions == 1
    assert [name for name, *_ in bench.Recorded.calls] == ["fit"] + ["predict_proba"] * answers
    assert (rounds > 0).all()
    assert (direct > 0).all()


def test_every_call_is_repeated(monkeypatch):
    bench.Recorded.calls.clear()
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    discriminator = bench.Recorded(KNeighborsClassifier(3)).fit(X, y)
    discriminator.predict_proba(X[:5])
    seen = []
    monkeypatch.setattr(KNeighborsClassifier, "fit", lambda self, X, y: seen.append(("fit", len(X))))
    monkeypatch.setattr(KNeighborsClassifier, "predict_proba", lambda self, X: seen.append(("predict", len(X))))
    bench.Recorded.repeat()
    assert seen == [("fit", 40), ("predict", 5)]
