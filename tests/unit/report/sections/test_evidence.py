"""Sections on evidence: parameters, cross-examination, and what leaving failures out hides."""

from __future__ import annotations

import numpy as np
import pytest

from tests.report_tables import figures, table
from tests.study_rows import failing, game_rows
from turinglearn.bias import completion, mean_interval, parameter_errors, relative_efficiency
from turinglearn.report import compose


def test_completion_is_that_of_turinglearn_bias(rows, document):
    line = next(c for c in table(document, "completion") if (c["cells"], c["discriminator"]) == ("discriminator", "forest"))
    found = []
    for d in (2, 8):
        for n in (200, 800):
            each = {
                arm: figures(rows, "discriminator", arm, "excess_log_loss_bias", n, d)
                for arm in ("forest", "neural", "svm", "logistic")
            }
            found.append(completion(each["forest"], max(np.nanmax(v) for v in each.values())))
    for column, name in (("completion", "rate"), ("failures left out", "dropped"), ("failures as the worst", "imputed")):
        assert float(line[column]) == pytest.approx(np.mean([getattr(c, name) for c in found]), rel=1e-12)
    assert int(line["ok"]) + int(line["error"]) + int(line["timeout"]) + int(line["crashed"]) == int(line["runs"]) == 24


def test_completion_of_games_is_known_where_only_all_seeds_together_have_a_bias():
    rows = failing(game_rows(), every=1)
    found = {c["discriminator"]: c for c in table(compose(rows), "completion")}
    energy = figures(rows, "game", "svm", "energy_distance").mean()
    assert float(found["svm"]["completion"]) == 1
    assert found["svm"]["of"] == "distance of the learned distribution, bias and variance together"
    for column in ("failures left out", "failures as the worst"):
        assert float(found["svm"][column]) == pytest.approx(energy)
        assert found["forest"][column] == ""  # no run of it ended
    assert float(found["forest"]["completion"]) == 0


@pytest.mark.parametrize("seeds", [6, 10])
def test_parameters_stand_beside_their_bounds(seeds):
    rows = game_rows(seeds=seeds)
    line = next(c for c in table(compose(rows), "efficiency") if (c["parameter"], c["discriminator"]) == ("mean 0", "neural"))
    learned, control, truth = (
        figures(rows, "game", "neural", f"{k}[mean 0]")[:, None] for k in ("estimate", "control", "truth")
    )
    expected = parameter_errors((learned - truth) / 0.05, np.zeros(1)).rmse[0]
    assert float(line["rmse over bound"]) == pytest.approx(expected.value, rel=1e-12)
    assert float(line["rmse over bound high"]) == pytest.approx(expected.high, rel=1e-12)
    if seeds < 10:
        assert line["relative efficiency"] == line["relative efficiency high"] == ""
        return
    beside = relative_efficiency(learned - truth, control - truth, np.zeros(1))[0]
    assert float(line["relative efficiency"]) == pytest.approx(beside.value, rel=1e-12)


def test_cross_examination_has_means_over_seeds(rows, document):
    line = next(
        c for c in table(document, "cross-examination") if (c["learned from"], c["cross-examiner"]) == ("neural", "logistic")
    )
    expected = mean_interval(figures(rows, "game", "neural", "balanced_accuracy[logistic]"))
    assert [float(line[k]) for k in ("accuracy", "low", "high")] == [expected.value, expected.low, expected.high]
