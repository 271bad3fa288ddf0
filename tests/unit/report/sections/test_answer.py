"""The first screen of a report: settings with names that differ, intervals that hold, words that mean what they say."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.study_rows import DISCRIMINATORS, discriminator_rows, failing, game_rows, has_discriminator, level, payload, row
from turinglearn.report import compose
from turinglearn.report.analysis.blocks import blocks_of
from turinglearn.report.analysis.contrasts import contrasts, summaries
from turinglearn.report.analysis.estimates import primary
from turinglearn.report.analysis.labels import Labels
from turinglearn.report.analysis.runs import read_runs
from turinglearn.report.render.document import Paragraph, Statements, comma_separated
from turinglearn.study import read_specification
from turinglearn.study.factors import CellKind

SPECIFICATIONS = Path(__file__).parents[4] / "benchmarks" / "bias"


@pytest.mark.parametrize("name", ["smoke", "headline"])
def test_no_two_settings_of_a_study_have_one_name(name):
    cells = read_specification(SPECIFICATIONS / f"{name}.toml").cells
    blocks = blocks_of(read_runs(row(cell.payload()) for cell in cells))
    labels = Labels(block.setting for block in blocks)
    found = Counter((block.kind, labels.of(block.setting)) for block in blocks)
    assert len(found) > 5
    assert [each for each, count in found.items() if count > 1] == []


# ------------------------------------------------------------------------------------------------ intervals over settings
def scored(differences, errors=None):
    """Rows of two discriminators whose biases differ by so much (settings, seeds); errors: their own, of 30 training sets."""
    rows = []
    for (i, s), difference in np.ndenumerate(differences):
        for arm, bias in (("neural", 0.0), ("forest", difference)):
            figures = {"excess_log_loss_bias": float(bias)}
            if errors is not None:
                figures["excess_log_loss_bias_se"] = float(errors[i]) if arm == "forest" else 0.0
            rows.append(row(payload("discriminator", f"p{i}", "pair", arm, seeds=[s], budget={"training_sets": 30}), figures))
    return rows


def summary(rows, arm="forest"):
    """What the first screen says of an arm beside the network, over all settings."""
    blocks = blocks_of(read_runs(rows))
    found = contrasts(blocks, {CellKind.DISCRIMINATOR: primary(blocks, CellKind.DISCRIMINATOR)}, "neural")
    return next(s for s in summaries(found) if s.discriminator == arm)


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
    found = coverage([scored((0.3 + each)[:, None], errors) for each in noise], 0.3)
    assert found >= 0.92
    assert found <= 0.98 or not shared  # no wider than it must be


@pytest.mark.parametrize("shared", [0.0, 1.0], ids=["each setting errs by itself", "all settings err alike"])
def test_the_interval_over_settings_holds_for_few_seeds(shared):
    rng, count, truths = np.random.default_rng(1), 200, np.linspace(-1, 2, 6)
    noise = shared * rng.normal(size=(count, 1, 3)) + (1 - shared) * rng.normal(size=(count, 6, 3))
    assert 0.91 <= coverage([scored(truths[:, None] + each) for each in noise], truths.mean()) <= 0.985


def test_settings_that_agree_by_chance_are_no_less_uncertain():
    found = summary(scored(np.array([[0.1], [0.1]]), errors=[0.5, 0.1])).mean
    assert found.standard_error == pytest.approx(0.3)
    assert found.high - found.value == pytest.approx(2.0452 * 0.3, rel=1e-4)


def test_over_settings_a_failure_counts_as_the_worst():
    rows = failing(discriminator_rows(sizes=(200,)))
    found = summary(rows)
    without = summary([each for each in rows if each["status"] == "ok"])
    assert found.failed == 2
    assert found.mean.value > without.mean.value


# --------------------------------------------------------------------------------------------------------------- replicates
def comparisons(document):
    """The table of comparisons as dictionaries."""
    part = document.data()["comparisons"].complete
    return [dict(zip(part.columns, cells, strict=True)) for cells in part.rows]


def said(document):
    """The sentences of the first screen: over all settings, and of each comparison."""
    statements = (each for part in document.parts if isinstance(part, Statements) for each in part.statements)
    return [(each.answer, each.text) for each in statements]


def test_what_is_counted_is_what_is_tested_over():
    rows, seeds = scored(np.array([[0.1], [0.2]]), errors=[0.5, 0.1]), scored(np.full((2, 3), 0.1))
    for found, expected in ((rows, "30 training sets"), (seeds, "3 seeds")):
        document = compose(found)
        assert {c["replicates"] for c in comparisons(document)} == {expected}
        assert len(said(document)) == 3
        assert all(expected in text for _, text in said(document))


def test_where_settings_differ_the_counts_are_a_range():
    fewer = discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,)) + discriminator_rows(
        seeds=6, sizes=(200,), dimensions=(8,)
    )
    assert any("nats, 3 to 6 seeds." in text for _, text in said(compose(fewer)))


# ---------------------------------------------------------------------------------------------------------- words of verdicts
@pytest.mark.parametrize(
    ("differences", "verdict", "condition"),
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
def test_only_what_points_both_ways_depends(differences, verdict, condition):
    rows = scored(np.array(differences, dtype=float)[:, None], errors=np.ones(len(differences)))
    found, sentence = said(compose(rows))[0]
    assert (found, condition in sentence) == (verdict, True)


def test_an_interval_without_0_says_why_it_is_undecided():
    rows = scored(np.array([[2.2], [0.1], [0.2], [9.0]]), errors=np.ones(4))
    found = {c["difference"]: c for c in comparisons(compose(rows))}
    assert found[2.2]["low"] > 0
    assert found[2.2]["p"] < 0.05 < found[2.2]["adjusted p"]
    assert {d: c["why undecided"] for d, c in found.items()} == {2.2: "adjusted p > 0.05", 0.1: "", 0.2: "", 9.0: ""}


def test_the_words_are_explained_and_none_has_two_meanings():
    text = " ".join(block.text for block in compose(discriminator_rows()).parts if isinstance(block, Paragraph))
    for part in ("true: the bias is higher", "false: it is lower", "any wrong verdict", "Intervals are not adjusted"):
        assert part in text.replace("True", "true")
    assert "false verdict" not in text


# ---------------------------------------------------------------------------------------------------------- unequal budgets
def test_budgets_that_are_not_the_controls_are_in_the_sentences():
    rows = discriminator_rows(
        seeds=3, discriminators={arm: DISCRIMINATORS[arm] for arm in ("neural", "forest", "svm")}, sizes=(200,)
    )
    for each in rows:
        forest, hard = has_discriminator(each, "forest"), each["payload"]["problem"]["varied"]["dimension"] == 8
        each["payload"]["budget"] |= {"steps": 200 if forest and hard else 4_000} | ({"samples_per_fit": 50} if forest else {})
    found = said(compose(rows))
    assert len(found) == 2 + 4
    for _, text in found:
        summed = "Mean difference" in text
        assert ("Unequal budgets" in text) == ("neural by forest" in text)
        if "forest" in text and summed:
            assert "Unequal budgets in 2 of 2 settings: samples per fit 50 against the default; samples per fit 50" in text
        if "forest" in text and (summed or "d = 8" in text):
            assert text.endswith("samples per fit 50 against the default, steps 200 against 4,000.")


def test_equal_budgets_need_no_word():
    rows = discriminator_rows(seeds=3)
    for each in rows:
        each["payload"]["budget"] |= {"steps": 4_000, "samples_per_fit": 50}
    assert not [text for _, text in said(compose(rows)) if "budget" in text]


def test_runs_with_and_without_a_budget_are_of_two_settings():
    with_one, without = (
        discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,)),
        discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,)),
    )
    for each in with_one:
        each["payload"]["budget"]["samples_per_fit"] = 50
    blocks = blocks_of(read_runs(with_one + without))
    assert len(blocks) == 2
    assert {len(seeds) for block in blocks for seeds in block.runs.values()} == {3}


# ------------------------------------------------------------------------------------------------- the table of comparisons
def shown(rows):
    """The columns of comparisons on the page, those of the file, and the caption."""
    part = compose(rows).data()["comparisons"]
    written = next(csv.reader(io.StringIO(comma_separated(part))))
    assert list(part.complete.columns) == written
    assert {len(row) for row in part.rows} == {len(part.columns)}
    return list(part.columns), written, part.caption


def test_the_table_shows_what_varies_and_the_file_has_all():
    plain, written, caption = shown(discriminator_rows(seeds=3))
    assert plain == [
        *("raises it?", "setting", "discriminator", "difference", "low", "high", "adjusted p", "p", "why undecided")
    ]
    assert {"control", "of", "cells", "replicates", "failed", "failures as the worst"} == set(written) - set(plain)
    assert caption.endswith("the discriminator minus neural: of discriminator cells the bias in log-loss, nats, 3 seeds.")
    failed, whole, caption = shown(failing(discriminator_rows(seeds=6)))
    assert whole == written
    assert set(failed) - set(plain) == {"failed", "failures as the worst", "replicates"}
    assert "nats, 5 to 6 seeds" in caption


def test_kinds_of_cells_are_shown_where_their_settings_do_not_differ():
    discriminators = discriminator_rows(seeds=4, sizes=(200,), dimensions=(2,))
    games = game_rows(seeds=4)
    assert "cells" not in shown(discriminators + games)[0]
    for each in discriminators + games:
        each["payload"] |= {"generator": None, "signal": None, "objective": None, "budget": {}, "problem": level("one")}
    assert "cells" in shown(discriminators + games)[0]
