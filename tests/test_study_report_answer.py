"""The first screen of a report: settings that can be told apart, intervals that hold, words that mean what they say."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.study_rows import JUDGES, failing, game_rows, judge_rows, payload, row
from turinglearn.report import compose
from turinglearn.report.contrasts import contrasts, summaries
from turinglearn.report.document import Paragraph, Statements, comma_separated
from turinglearn.report.estimates import blocks_of, primary
from turinglearn.report.labels import Labels
from turinglearn.report.rows import read
from turinglearn.study import read_specification

SPECIFICATIONS = Path(__file__).parent.parent / "benchmarks" / "bias"


@pytest.mark.parametrize("name", ["smoke", "headline"])
def test_no_two_settings_of_a_study_have_one_name(name):
    cells = read_specification(SPECIFICATIONS / f"{name}.toml").cells
    blocks = blocks_of(read(row(cell.payload()) for cell in cells))
    labels = Labels(blocks)
    found = Counter((block.kind, labels.of(block)) for block in blocks)
    assert len(found) > 5
    assert [each for each, count in found.items() if count > 1] == []


# ------------------------------------------------------------------------------------------------ intervals over settings
def judged(differences, errors=None):
    """Rows of two judges whose biases differ by so much (settings, seeds); errors: their own, of 30 training sets."""
    rows = []
    for (i, s), difference in np.ndenumerate(differences):
        for arm, bias in (("neural", 0.0), ("forest", difference)):
            figures = {"excess_log_loss_bias": float(bias)}
            if errors is not None:
                figures["excess_log_loss_bias_se"] = float(errors[i]) if arm == "forest" else 0.0
            rows.append(row(payload("judge", f"p{i}", "pair", arm, seeds=[s], budget={"sets": 30}), figures))
    return rows


def summary(rows, arm="forest"):
    """What the first screen says of an arm beside the network, over all settings."""
    blocks = blocks_of(read(rows))
    found = contrasts(blocks, {"judge": primary(blocks, "judge")}, "neural")
    return next(s for s in summaries(found) if s.arm == arm)


def coverage(studies, truth):
    """How often the interval over settings holds the true mean, and whether all of them are finite."""
    means = [summary(rows).mean for rows in studies]
    assert all(np.isfinite([m.low, m.high]).all() for m in means)
    return np.mean([m.low <= truth <= m.high for m in means])


@pytest.mark.parametrize("shared", [0.0, 1.0], ids=["each setting errs by itself", "all settings err alike"])
def test_the_interval_over_settings_holds_for_cells_of_one_seed(shared):
    rng, count, errors = np.random.default_rng(0), 200, np.array([0.5, 1.0, 2.0, 1.0])
    alike, alone = rng.standard_t(29, (count, 1)), rng.standard_t(29, (count, 4))
    noise = errors * (shared * alike + (1 - shared) * alone)
    found = coverage([judged((0.3 + each)[:, None], errors) for each in noise], 0.3)
    assert found >= 0.92
    assert found <= 0.98 or not shared  # no wider than it must be


@pytest.mark.parametrize("shared", [0.0, 1.0], ids=["each setting errs by itself", "all settings err alike"])
def test_the_interval_over_settings_holds_for_few_seeds(shared):
    rng, count, truths = np.random.default_rng(1), 200, np.linspace(-1, 2, 6)
    noise = shared * rng.normal(size=(count, 1, 3)) + (1 - shared) * rng.normal(size=(count, 6, 3))
    assert 0.91 <= coverage([judged(truths[:, None] + each) for each in noise], truths.mean()) <= 0.985


def test_settings_that_agree_by_chance_are_no_less_uncertain():
    found = summary(judged(np.array([[0.1], [0.1]]), errors=[0.5, 0.1])).mean
    assert found.standard_error == pytest.approx(0.3)
    assert found.high - found.value == pytest.approx(2.0452 * 0.3, rel=1e-4)


def test_over_settings_a_failure_counts_as_the_worst():
    rows = failing(judge_rows(sizes=(200,)))
    found = summary(rows)
    without = summary([each for each in rows if each["status"] == "ok"])
    assert found.failed == 2
    assert found.mean.value > without.mean.value


# --------------------------------------------------------------------------------------------------------------- replicates
def comparisons(document):
    """The table of comparisons as dictionaries."""
    part = document.data()["comparisons"].whole
    return [dict(zip(part.columns, cells, strict=True)) for cells in part.rows]


def said(document):
    """The sentences of the first screen: over all settings, and of each comparison."""
    return [sentence for block in document.blocks if isinstance(block, Statements) for sentence in block.sentences]


def test_what_is_counted_is_what_is_tested_over():
    rows, seeds = judged(np.array([[0.1], [0.2]]), errors=[0.5, 0.1]), judged(np.full((2, 3), 0.1))
    for found, expected in ((rows, "30 training sets"), (seeds, "3 seeds")):
        document = compose(found)
        assert {c["replicates"] for c in comparisons(document)} == {expected}
        assert len(said(document)) == 3
        assert all(expected in text for _, text in said(document))


def test_where_settings_differ_the_counts_are_a_range():
    fewer = judge_rows(seeds=3, sizes=(200,), dimensions=(2,)) + judge_rows(seeds=6, sizes=(200,), dimensions=(8,))
    assert any("nats, 3 to 6 seeds." in text for _, text in said(compose(fewer)))


# ---------------------------------------------------------------------------------------------------------- words of verdicts
@pytest.mark.parametrize(
    ("differences", "verdict", "told"),
    [
        ([9, 9], "true", "higher in 2 of 2 settings"),
        ([-9, -9], "false", "lower in 2 of 2 settings"),
        ([0, 0], "undecided", "undecided in 2 of 2 settings"),
        ([-9, -9, 0], "false in 2 of 3", "lower in 2, undecided in 1 of 3 settings"),
        ([9, 0, 0], "true in 1 of 3", "higher in 1, undecided in 2 of 3 settings"),
        ([9, -9, 0], "depends", "higher in 1, lower in 1, undecided in 1 of 3 settings"),
        ([9, -9], "depends", "higher in 1, lower in 1 of 2 settings"),
        ([9], "true", "higher in the one setting"),
        ([0], "undecided", "undecided in the one setting"),
    ],
)
def test_only_what_points_both_ways_depends(differences, verdict, told):
    rows = judged(np.array(differences, dtype=float)[:, None], errors=np.ones(len(differences)))
    found, sentence = said(compose(rows))[0]
    assert (found, told in sentence) == (verdict, True)


def test_an_interval_without_0_says_why_it_is_undecided():
    rows = judged(np.array([[2.2], [0.1], [0.2], [9.0]]), errors=np.ones(4))
    found = {c["difference"]: c for c in comparisons(compose(rows))}
    assert found[2.2]["low"] > 0
    assert found[2.2]["p"] < 0.05 < found[2.2]["adjusted p"]
    assert {d: c["why undecided"] for d, c in found.items()} == {2.2: "adjusted p > 0.05", 0.1: "", 0.2: "", 9.0: ""}


def test_the_words_are_explained_and_none_has_two_meanings():
    text = " ".join(block.text for block in compose(judge_rows()).blocks if isinstance(block, Paragraph))
    for part in ("true: the bias is higher", "false: it is lower", "any wrong verdict", "interval is by itself, not adjusted"):
        assert part in text.replace("True", "true")
    assert "false verdict" not in text


# ---------------------------------------------------------------------------------------------------------- unequal budgets
def test_budgets_that_are_not_the_controls_are_in_the_sentences():
    rows = judge_rows(seeds=3, judges={arm: JUDGES[arm] for arm in ("neural", "forest", "svm")}, sizes=(200,))
    for each in rows:
        forest, hard = each["payload"]["discriminator"] == "forest", "dimension=8" in each["payload"]["recipes"]["problem"]
        each["payload"]["budget"] |= {"steps": 200 if forest and hard else 4_000} | ({"samples_per_fit": 50} if forest else {})
    found = said(compose(rows))
    assert len(found) == 2 + 4
    for _, text in found:
        summed = "Mean difference" in text
        assert ("Unequal budgets" in text) == ("neural by forest" in text)
        if "forest" in text and summed:
            assert "Unequal budgets in 2 of 2 settings: samples per fit 50 against the usual; samples per fit 50" in text
        if "forest" in text and (summed or "d = 8" in text):
            assert text.endswith("samples per fit 50 against the usual, steps 200 against 4,000.")


def test_equal_budgets_need_no_word():
    rows = judge_rows(seeds=3)
    for each in rows:
        each["payload"]["budget"] |= {"steps": 4_000, "samples_per_fit": 50}
    assert not [text for _, text in said(compose(rows)) if "budget" in text]


def test_runs_with_and_without_a_budget_are_of_two_settings():
    with_one, without = judge_rows(seeds=3, sizes=(200,), dimensions=(2,)), judge_rows(seeds=3, sizes=(200,), dimensions=(2,))
    for each in with_one:
        each["payload"]["budget"]["samples_per_fit"] = 50
    blocks = blocks_of(read(with_one + without))
    assert len(blocks) == 2
    assert {len(seeds) for block in blocks for seeds in block.arms.values()} == {3}


# ------------------------------------------------------------------------------------------------- the table of comparisons
def shown(rows):
    """The columns of comparisons on the page, those of the file, and the caption."""
    part = compose(rows).data()["comparisons"]
    written = next(csv.reader(io.StringIO(comma_separated(part))))
    assert list(part.whole.columns) == written
    assert {len(row) for row in part.rows} == {len(part.columns)}
    return list(part.columns), written, part.caption


def test_the_table_shows_what_varies_and_the_file_has_all():
    plain, written, caption = shown(judge_rows(seeds=3))
    assert plain == [
        *("raises it?", "setting", "discriminator", "difference", "low", "high", "adjusted p", "p", "why undecided")
    ]
    assert {"control", "of", "cells", "replicates", "failed", "failures as the worst"} == set(written) - set(plain)
    assert caption.endswith("the discriminator less neural: of judge cells the bias in log-loss, nats, 3 seeds.")
    failed, whole, caption = shown(failing(judge_rows(seeds=6)))
    assert whole == written
    assert set(failed) - set(plain) == {"failed", "failures as the worst", "replicates"}
    assert "nats, 5 to 6 seeds" in caption


def test_kinds_of_cells_are_told_apart_where_their_settings_are_not():
    judges = judge_rows(seeds=4, sizes=(200,), dimensions=(2,))
    games = game_rows(seeds=4)
    assert "cells" not in shown(judges + games)[0]
    for each in judges + games:
        each["payload"] = {k: v for k, v in each["payload"].items() if k not in ("generator", "signal", "objective")}
        each["payload"] |= {"problem": "one", "budget": {}, "recipes": {"problem": "one"}}
    assert "cells" in shown(judges + games)[0]
