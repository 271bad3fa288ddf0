"""Comparisons: their numbers are those of turinglearn.bias, and what cannot be tested is undecided."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student_t

from tests.report_tables import figures, table
from tests.study_rows import DISCRIMINATORS, discriminator_rows, failing, has_discriminator, payload, row
from turinglearn.bias import holm, paired_interval, probability_of_improvement
from turinglearn.report import compose
from turinglearn.report.render.document import Statements, format_cell
from turinglearn.report.render.report_html import as_html


def test_comparisons_are_paired_intervals_adjusted_by_holm(rows, document):
    found = table(document, "comparisons")
    assert len(found) == 14
    assert {c["control"] for c in found} == {"neural"}
    line = next(c for c in found if c["discriminator"] == "logistic" and "(n = 800, d = 8" in c["setting"])
    ours, theirs = (figures(rows, "discriminator", arm, "excess_log_loss_bias", 800, 8) for arm in ("logistic", "neural"))
    expected = paired_interval(ours, theirs)
    assert [float(line[k]) for k in ("difference", "low", "high")] == [expected.value, expected.low, expected.high]
    p = 2 * student_t.sf(abs(expected.value) / expected.standard_error, len(ours) - 1)
    assert float(line["p"]) == pytest.approx(p, rel=1e-12)
    adjusted = holm({i: float(c["p"]) for i, c in enumerate(found)})
    assert [float(c["adjusted p"]) for c in found] == list(adjusted.values())
    for c in found:
        verdict = "undecided" if float(c["adjusted p"]) > 0.05 else "true" if float(c["difference"]) > 0 else "false"
        assert c["raises it?"] == verdict


def test_a_failure_counts_twice(rows, document):
    line = next(
        c for c in table(document, "comparisons") if c["discriminator"] == "forest" and "(n = 200, d = 2" in c["setting"]
    )
    each = {
        arm: figures(rows, "discriminator", arm, "excess_log_loss_bias", 200, 2)
        for arm in ("forest", "neural", "svm", "logistic")
    }
    done = np.isfinite(each["forest"])
    assert (line["replicates"], line["failed"]) == (f"{done.sum()} seeds", str((~done).sum()))
    assert not done.all()
    dropped = paired_interval(each["forest"][done], each["neural"][done])
    worst = max(np.nanmax(v) for v in each.values())
    imputed = paired_interval(np.where(done, each["forest"], worst), each["neural"])
    assert (float(line["difference"]), float(line["failures as the worst"])) == (dropped.value, imputed.value)
    p = [2 * student_t.sf(abs(i.value) / i.standard_error, n - 1) for i, n in ((dropped, done.sum()), (imputed, len(done)))]
    assert float(line["p"]) == pytest.approx(max(p), rel=1e-12)


def test_the_summary_has_the_mean_over_settings_by_seed_and_the_probability_of_less():
    rows = discriminator_rows()
    shape = [(n, d) for d in (2, 8) for n in (200, 800)]
    ours, theirs = (
        np.array([figures(rows, "discriminator", arm, "excess_log_loss_bias", n, d) for n, d in shape])
        for arm in ("forest", "neural")
    )
    expected = paired_interval(ours.mean(axis=0), theirs.mean(axis=0))
    said = next(
        each.text
        for each in next(b for b in compose(rows).parts if isinstance(b, Statements)).statements
        if "forest" in each.text
    )
    assert f"Mean difference over 4 settings: +{format_cell(expected.value)} (95 % interval" in said
    assert f"{format_cell(expected.low)} to {format_cell(expected.high)}" in said
    assert f"with probability {probability_of_improvement(theirs, ours):.2f}" in said


def test_what_cannot_be_tested_is_left_undecided_and_out_of_the_family():
    document = compose(discriminator_rows(seeds=6) + discriminator_rows(seeds=1, dimensions=(3,), sizes=(200,)))
    found = table(document, "comparisons")
    lone = [c for c in found if c["replicates"] == "1 seed"]
    assert len(lone) == 3
    assert {(c["raises it?"], c["p"]) for c in lone} == {("undecided", "")}
    adjusted = holm({i: float(c["p"]) for i, c in enumerate(found) if c["p"]})
    assert [float(c["adjusted p"]) for c in found if c["p"]] == list(adjusted.values())


def test_cells_of_one_seed_are_compared_by_their_own_errors():
    rows = discriminator_rows(seeds=1)
    for each in rows:
        each["payload"]["budget"]["training_sets"] = 20
    found = [c for c in table(compose(rows), "comparisons") if c["discriminator"] == "logistic"]
    assert len(found) == 4
    error = math.hypot(0.005, 0.005)
    for c in found:
        d = float(c["difference"])
        assert float(c["p"]) == pytest.approx(2 * student_t.sf(abs(d) / error, 19), rel=1e-12)
        assert float(c["high"]) == pytest.approx(d + student_t.ppf(0.975, 19) * error, rel=1e-12)


def test_one_comparison_is_one():
    one = {name: DISCRIMINATORS[name] for name in ("neural", "forest")}
    (single, many) = (as_html(compose(discriminator_rows(3, discriminators, (200,), (2,)))) for discriminators in (one, None))
    assert "1 comparison that could be tested of 1." in single
    assert "3 comparisons that could be tested of 3." in many


def test_budgets_of_ones_own_are_compared_and_others_are_not():
    rows = discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,))
    for each in rows:
        each["payload"]["budget"]["steps"] = 10 if has_discriminator(each, "neural") else 20
    assert len(table(compose(rows), "comparisons")) == 3
    more = discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,))
    for each in more:
        each["payload"]["budget"]["steps"] = 20 if has_discriminator(each, "neural") else 40
    found = table(compose(rows + more), "comparisons")  # each of several budgets: only equal ones are compared
    assert {c["setting"] for c in found} == {"correlated (n = 200, d = 2, KL = 0.5, steps 20)"}


def test_seeds_that_change_nothing_decide_nothing():
    rows = [
        row(payload("discriminator", "p", "pair", arm, seeds=[s]), {"excess_log_loss_bias": b})
        for s in range(5)
        for arm, b in (("a", 0.1), ("b", 0.3))
    ]
    assert {c["raises it?"] for c in table(compose(rows), "comparisons")} == {"undecided"}


def test_the_control_is_chosen_or_a_network(rows):
    assert {c["control"] for c in table(compose(rows, control="svm"), "comparisons")} == {"svm"}
    with pytest.raises(ValueError, match=r"no discriminator 'nobody'.*Choose among: forest, logistic"):
        compose(rows, control="nobody")


@pytest.mark.parametrize(
    ("failed", "control"),
    [((), "neural"), (("neural",), "forest"), (("neural", "forest"), "logistic"), (("forest", "logistic"), "neural")],
)
def test_a_discriminator_that_never_finished_is_no_control_by_itself(failed, control):
    rows = discriminator_rows(seeds=3)
    for arm in failed:
        rows = failing(rows, every=1, arm=arm)
    assert {c["control"] for c in table(compose(rows), "comparisons")} == {control}
    assert {c["control"] for c in table(compose(rows, control="forest"), "comparisons")} == {"forest"}


def test_a_discriminator_without_any_figures_is_the_reason_of_its_comparison():
    found = table(compose(failing(discriminator_rows(seeds=1), every=1, arm="forest")), "comparisons")
    why = {line["why undecided"] for line in found if line["discriminator"] == "forest"}
    assert why == {"no run of forest ended with figures: see Failures and cost"}
