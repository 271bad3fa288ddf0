"""Section on all measures: every figure of the rows is shown, with an interval of what is possible."""

from __future__ import annotations

import pytest

from tests.report_tables import figures, single_rows, table
from tests.study_rows import discriminator_rows, game_rows, has_discriminator, payload, row
from turinglearn.bias import mean_interval
from turinglearn.report import compose
from turinglearn.report.render.report_html import as_html


def test_every_figure_of_the_rows_is_shown(rows, document):
    found = table(document, "measured-discriminator")
    assert {c["measure"] for c in found} == {"excess_log_loss", "calibration_slope", "bayes_log_loss"}
    line = next(
        c
        for c in found
        if (c["discriminator"], c["measure"]) == ("svm", "calibration_slope") and "(n = 200, d = 2," in c["setting"]
    )
    expected = mean_interval(figures(rows, "discriminator", "svm", "calibration_slope", 200, 2))
    assert [float(line[k]) for k in ("mean", "low", "high")] == [expected.value, expected.low, expected.high]
    assert line["replicates"] == "6 seeds"
    best = [c for c in found if c["discriminator"] == ""]
    assert [(c["measure"], float(c["mean"]), c["low"]) for c in best] == [("bayes_log_loss", 0.54, "")] * 4
    assert {c["measure"] for c in table(document, "measured-game")} == {"energy_distance"}
    assert "The same everywhere: rounds 500." in document.data()["measured-game"].caption
    assert {c["measure"] for c in table(document, "measures") if not c["definition"]} == set()


def test_figures_of_ones_own_functions_are_plain_numbers():
    rows = [
        row(payload("discriminator", "one", "pair", "neural", seeds=[seed]), {"score_low": 1.0 + seed, "score[a]": 2.0 + seed})
        for seed in (0, 1)
    ]
    means = {c["measure"]: c["mean"] for c in table(compose(rows), "measured-discriminator")}
    assert means == {"score_low": "1.5", "score[a]": "2.5"}


def test_a_figure_of_one_seed_has_the_interval_of_its_cell():
    found = table(compose(single_rows()), "measured-discriminator")
    line = next(c for c in found if (c["discriminator"], c["measure"]) == ("svm", "calibration_slope"))
    assert float(line["high"]) - float(line["mean"]) == pytest.approx(0.04)
    assert line["replicates"] == "20 training sets"


def test_figures_of_games_stand_beside_those_of_the_truth():
    rows = game_rows(seeds=3)
    for each in rows:
        if each["payload"]["kind"] == "truth":
            each["figures"] |= {"floor": 0.002, "entropy": 2.5, "entropy_se": 0.1}
        elif has_discriminator(each, "svm"):
            each["figures"] |= {"log_density": -3.0, "reverse_kl": 0.1 * each["payload"]["seeds"][0]}
    beside = {(c["discriminator"], c["measure"]): c["of the truth"] for c in table(compose(rows), "measured-game")}
    assert {measure: beside["svm", measure] for measure in ("energy_distance", "log_density", "reverse_kl")} == {
        "energy_distance": "0.002",
        "log_density": "-2.5",
        "reverse_kl": "",
    }


def test_intervals_of_shares_and_counts_end_where_nothing_is_possible():
    rows = game_rows(seeds=3)
    for each in rows:
        if each["payload"]["kind"] == "game" and len(each["payload"]["seeds"]) == 1:
            seed = each["payload"]["seeds"][0]
            each["figures"] |= {"modes": 8, "modes_captured": 8 - (seed == 0), "high_quality": 1 - 0.5 * (seed == 0)}
            each["figures"] |= {"off_support": 0.1 * (seed == 0)}
    found = compose(rows)
    ends = {c["measure"]: (float(c["low"]), float(c["high"])) for c in table(found, "measured-game")}
    assert ends["modes_captured"][1] == 8
    assert ends["high_quality"][1] == 1
    assert ends["off_support"][0] == 0
    assert all(0 <= float(c["low"]) <= float(c["high"]) <= 1 for c in table(found, "cross-examination"))
    assert "The same everywhere: modes 8, rounds 500." in found.data()["measured-game"].caption


def test_a_long_table_of_figures_is_closed_at_first():
    html, short = (as_html(compose(discriminator_rows(seeds=3, dimensions=dimensions))) for dimensions in ((2, 3, 4, 8), (2,)))
    for page, closed in ((html, True), (short, False)):
        section = page[page.index('<h2 id="measured">') : page.index("measures.csv")]
        assert ("<details>" in section) == closed
        assert "calibration_slope" in section


def test_seconds_stand_beside_what_was_reached(rows, document):
    line = next(c for c in table(document, "cost") if (c["discriminator"], c["measure"]) == ("svm", "energy_distance"))
    assert float(line["seconds"]) == 2.5
    expected = mean_interval(figures(rows, "game", "svm", "energy_distance"))
    assert [float(line[k]) for k in ("mean", "low", "high")] == [expected.value, expected.low, expected.high]
