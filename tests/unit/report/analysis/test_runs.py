"""Rows that a study leaves when its specification changes, and rows that none leaves: what a report makes of them."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from tests.study_rows import discriminator_rows, game_rows, has_discriminator, row
from turinglearn.report import compose
from turinglearn.report.render.document import Paragraph, comma_separated
from turinglearn.report.render.report_html import as_html


def copied(rows):
    return json.loads(json.dumps(rows, default=float))


def rewritten(rows, change):
    """Copies with other payloads, and so with other identities."""
    for each in copied(rows):
        change(each["payload"])
        yield row(each["payload"], each["figures"], each["status"], each["error"], each["seconds"])


def table(document, name):
    return list(csv.DictReader(StringIO(comma_separated(document.data()[name]))))


def first_line(document):
    return next(block.text for block in document.parts if isinstance(block, Paragraph))


def test_a_name_of_several_recipes_is_several_discriminators():
    old = copied(discriminator_rows(seeds=4))

    def more_trees(payload):
        if payload["discriminator"]["name"] == "forest":
            payload["discriminator"]["recipe"] = "forest(n_estimators=500)"

    new = list(rewritten(old, more_trees))
    changed = [each for each in new if has_discriminator(each, "forest")]
    for each in changed:
        each["figures"]["excess_log_loss_bias"] += 10
    arms = {c["discriminator"] for c in table(compose([*old, *changed]), "comparisons")}
    assert {"forest = forest", "forest = forest(n_estimators=500)", "svm"} <= arms
    biases = {
        c["discriminator"]: float(c["bias"])
        for c in table(compose([*old, *changed]), "plane-discriminator-excess_log_loss_bias")
    }
    assert biases["forest = forest(n_estimators=500)"] == pytest.approx(biases["forest = forest"] + 10)
    assert "left out" not in first_line(compose([*old, *changed]))


def test_a_problem_of_several_recipes_is_several_problems():
    old = copied(game_rows(seeds=3))

    def elsewhere(payload):
        payload["problem"]["recipe"] = "gaussian(mean=(9.0, 9.0))"

    new = [
        each for each in rewritten(old, elsewhere) if each["payload"]["discriminator"] is None or has_discriminator(each, "svm")
    ]
    for each in new:
        if each["payload"]["kind"] == "truth":
            each["figures"]["x"] = [[a + 9, b + 9] for a, b in each["figures"]["x"]]
    lines = {
        (c["setting"], c["discriminator"]): c["bias"] for c in table(compose([*old, *new]), "plane-game-distribution_bias")
    }
    alone = {c["discriminator"]: c["bias"] for c in table(compose(old), "plane-game-distribution_bias")}
    of_old = {arm: bias for (setting, arm), bias in lines.items() if "(9.0, 9.0)" not in setting}
    assert of_old == alone
    assert len(lines) == len(alone) + 1


def test_of_two_cells_that_differ_in_nothing_reported_the_later_one_counts_and_one_that_failed_never():
    rows = copied(discriminator_rows(seeds=3, sizes=(200,), dimensions=(2,)))
    more = list(rewritten(rows, lambda payload: payload["cross_examiners"].update(new="logistic")))
    for each in more:
        each["started"] = "2026-01-02T00:00:00+00:00"
        each["figures"]["excess_log_loss_bias"] = 7.0
    more[0] |= {"status": "crashed", "figures": {}}
    for both in ([*rows, *more], [*more, *rows]):
        document = compose(both)
        assert f" {len(rows)} runs are left out, since other cells have the same players, budget and seed." in first_line(
            document
        )
        means = {c["discriminator"]: float(c["bias"]) for c in table(document, "plane-discriminator-excess_log_loss_bias")}
        lost = more[0]["payload"]["discriminator"]["name"]
        assert {arm for arm, bias in means.items() if bias == pytest.approx(7.0)} == set(means) - {lost}
        assert means[lost] == pytest.approx((14.0 + rows[0]["figures"]["excess_log_loss_bias"]) / 3)


def test_names_that_are_empty_or_reserved_stay_apart():
    rows = copied(discriminator_rows(seeds=2) + game_rows(seeds=3))
    for each in rows:
        names, discriminator = {"svm": "real", "logistic": "Bayes rule", "forest": ""}, each["payload"]["discriminator"]
        if discriminator is not None:
            discriminator["name"] = names.get(discriminator["name"], discriminator["name"])
        each["payload"]["problem"]["name"] = ""
    document = compose(rows)
    assert {"real", "Bayes rule", "''"} <= {c["discriminator"] for c in table(document, "comparisons")}
    points = table(document, "real-beside-fake")
    assert {(c["sample"], c["learned from"]) for c in points} == {
        ("real", ""), ("learned", "real"), ("learned", "''"), ("learned", "neural")
    }  # fmt: skip
    best = {c["measure"] for c in table(document, "measured-discriminator") if c["discriminator"] == ""}
    assert best == {"bayes_log_loss"}
    assert as_html(document)


@pytest.mark.parametrize("kind", ["a/b", "<b>", ""])
def test_a_cell_of_an_unknown_kind_is_refused(kind):
    rows = copied(discriminator_rows(seeds=1))
    rows[0]["payload"]["kind"] = kind
    with pytest.raises(ValueError, match=r"is not a cell of a study\. Use the rows of a study"):
        compose(rows)


def test_parameters_without_a_truth_or_a_bound_are_left_out():
    rows = copied(game_rows(seeds=3))
    for each in rows:
        if each["payload"]["kind"] == "game":
            each["figures"] = {n: v for n, v in each["figures"].items() if not n.startswith("truth[mean 0]")}
            each["figures"] |= {n: 0.0 for n in each["figures"] if n.startswith("bound[mean 1]")}
    assert "efficiency" not in compose(rows).data()


def test_a_figure_that_is_far_too_large_stops_no_report():
    rows = copied(game_rows(seeds=4))
    for each in rows:
        for name in list(each["figures"]):
            if name.startswith("estimate[mean 0]"):
                each["figures"][name] *= 1e40 if each["payload"]["seeds"][0] == 1 or name.endswith("@1") else 1
    assert as_html(compose(rows))


def test_a_mean_by_seed_is_one_of_settings_with_the_same_seeds():
    rows = [
        each
        for each in copied(discriminator_rows(seeds=10, dimensions=(2,)))
        if each["payload"]["budget"]["n"] == 200 or each["payload"]["seeds"][0] < 2
    ]
    lines = [c for c in table(compose(rows), "comparisons") if c["discriminator"] == "svm"]
    (said,) = (text for text in as_html(compose(rows)).split("<li") if "by svm raises" in text and "Mean difference" in text)
    expected = sum(float(c["difference"]) for c in lines) / len(lines)
    assert f"Mean difference over 2 settings: {expected:+.3g}".replace("-", "\N{MINUS SIGN}") in said
    assert "with probability" not in said
    text = as_html(compose(rows))
    assert "Mean difference over settings where no seed has a difference in all of them" in text
    assert "Mean difference over settings, by seed" not in text
    assert "Probability that a seed has less" not in text


def test_a_mean_of_fewer_seeds_than_there_are_says_so():
    rows = copied(game_rows(seeds=3))
    for each in rows:
        if has_discriminator(each, "svm"):
            seed = each["payload"]["seeds"][0]
            each["figures"]["reverse_kl"] = None if seed == 1 else 0.1 * (1 + seed)
    (line,) = (c for c in table(compose(rows), "measured-game") if c["measure"] == "reverse_kl")
    assert line["replicates"] == "2 of 3 seeds"


def test_where_nothing_can_be_tested_no_verdict_is_explained():
    rows = copied(discriminator_rows(seeds=2, sizes=(200,), dimensions=(2,)))
    for each in rows:
        if not has_discriminator(each, "neural"):
            each |= {"status": "error", "figures": {}, "error": "ValueError: no"}
    said = [block.text for block in compose(rows).parts if isinstance(block, Paragraph)]
    assert "The control is neural. None of the 3 comparisons could be tested; the table says why." in said
    assert not any("Holm" in text for text in said[:3])


@pytest.mark.parametrize("lacking", ["bound[mean 0]", "truth[mean 0]", "estimate[mean 0]"])
def test_a_run_that_lacks_a_parameter_stops_no_report(lacking):
    rows = copied(game_rows(seeds=6))
    first = next(each for each in rows if has_discriminator(each, "svm"))
    whole = {c["discriminator"]: c for c in table(compose(rows), "plane-game-parameters_bias")}
    for change in (lambda: first["figures"].update({lacking: None}), lambda: first["figures"].pop(lacking)):
        change()
        found = {c["discriminator"]: c for c in table(compose(rows), "plane-game-parameters_bias")}
        assert {arm for arm in whole if found[arm] != whole[arm]} == {"svm"}
        assert as_html(compose(rows))


def test_settings_without_the_control_are_counted():
    rows = [
        each
        for each in copied(discriminator_rows(seeds=3, dimensions=(2,)))
        if not has_discriminator(each, "neural") or each["payload"]["budget"]["n"] == 200
    ]
    said = " ".join(block.text for block in compose(rows).parts if isinstance(block, Paragraph))
    assert "The control is neural. It has no cell in 1 setting, where nothing is compared. True: " in said
    assert "every other discriminator in every setting with it, 3 comparisons" in said
    assert "It has no cell" not in as_html(compose(discriminator_rows(seeds=3)))


def test_discriminators_that_measured_other_parameters_are_not_compared():
    rows = copied(game_rows(seeds=3, kept=0))
    for each in rows:
        if has_discriminator(each, "svm"):
            each["figures"] = {name: v for name, v in each["figures"].items() if "mean 1" not in name}
        each["figures"].pop("x", None)
    lines = {c["discriminator"]: c for c in table(compose(rows), "comparisons")}
    assert lines["svm"]["why undecided"] == "the runs of the two have different parameters"
    assert lines["forest"]["difference"]
