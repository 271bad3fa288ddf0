"""Estimates over seeds: means, learned distributions, and the samples that stand for them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.report_tables import figures, samples, table
from tests.study_rows import game_rows, interval, kept_sample, payload, row
from turinglearn.bias import mean_interval, split_energy
from turinglearn.report import compose
from turinglearn.report.analysis import blocks, distributions
from turinglearn.report.render.report_html import as_html


def test_the_plane_has_means_over_seeds(rows, document):
    line = next(
        c
        for c in table(document, "plane-discriminator-squared_bias")
        if c["discriminator"] == "svm" and c["setting"] == "correlated (n = 200, d = 2, KL = 0.5)"
    )
    for column, name in (("bias", "squared_bias"), ("variance", "variance")):
        expected = mean_interval(figures(rows, "discriminator", "svm", name, 200, 2))
        assert [float(line[k]) for k in (column, f"{column} low", f"{column} high")] == [
            expected.value,
            expected.low,
            expected.high,
        ]


@pytest.mark.parametrize("first", [0, 1])
def test_the_interval_of_a_figure_that_one_seed_has_is_that_seeds_own(first):
    seeds = [interval("calibration_slope", 0.8, 0.05), {"calibration_slope": None, "calibration_slope_low": None}]
    rows = [
        row(
            payload("discriminator", "one", "pair(kl=0.5)", "neural", seeds=[seed]),
            seeds[(seed + first) % 2] | {"squared_bias": 1.0},
        )
        for seed in (0, 1)
    ]
    (line,) = (c for c in table(compose(rows), "measured-discriminator") if c["measure"] == "calibration_slope")
    assert (line["mean"], line["low"], line["high"]) == ("0.8", str(0.8 - 0.1), "0.9")


def test_a_report_on_many_samples_says_which_rows_it_compares(monkeypatch, rows):
    assert "Each learned distribution is represented by 24 rows that its run keeps, the real one by 200." in as_html(
        compose(rows)
    )
    for name, value in {"_REAL": 0, "_LEARNED": 0, "_LEAST_REAL": 50, "_LEAST_LEARNED": 8}.items():
        monkeypatch.setattr(blocks, name, value)
    page = as_html(compose(rows))
    assert "Each learned distribution is represented by 8 of the 24 rows that its run keeps, the real one by 50 of 200." in page
    line = next(c for c in table(compose(rows), "plane-game-distribution_bias") if c["discriminator"] == "svm")
    truth = next(each for each in rows if each["payload"]["kind"] == "truth")["figures"]
    found = split_energy([x[:8] for x in samples(rows, "svm")], np.array(truth["x"])[:50])
    assert float(line["bias"]) == found.bias.value


def test_learned_distributions_are_split_by_their_kept_samples(rows, document):
    truth = next(each for each in rows if each["payload"]["kind"] == "truth")["figures"]
    real = np.array(truth["x"])
    for arm in ("neural", "svm"):  # replicas of one cell, and a cell for each seed
        line = next(c for c in table(document, "plane-game-distribution_bias") if c["discriminator"] == arm)
        expected = split_energy(samples(rows, arm), real)
        assert float(line["bias"]) == expected.bias.value
        assert float(line["bias low"]) == expected.bias.low
        assert float(line["variance high"]) == expected.variance.high
    biases = [split_energy(samples(rows, arm), real).bias.value for arm in ("svm", "neural")]
    line = next(c for c in table(document, "comparisons") if (c["cells"], c["discriminator"]) == ("game", "svm"))
    assert float(line["difference"]) == pytest.approx(biases[0] - biases[1], abs=1e-12)


def test_of_several_real_samples_the_largest_counts():
    rows = game_rows()
    few, more = (
        row(payload("truth", "gaussian", "gaussian(mean=(1.0, -1.0))", budget={"kept": n}), kept_sample(x[:n]))
        for x in [np.random.default_rng(5).normal((1, -1), 1, (900, 2))]
        for n in (150, 900)
    )
    truth = np.array(more["figures"]["x"])
    for each in ([few, *rows, more], [more, *rows, few]):
        line = next(c for c in table(compose(each), "plane-game-distribution_bias") if c["discriminator"] == "svm")
        assert float(line["bias"]) == split_energy(samples(rows, "svm"), truth).bias.value


def test_a_distance_to_a_real_sample_is_found_once(monkeypatch, rows):
    asked, found = [], distributions.cdist
    monkeypatch.setattr(distributions, "cdist", lambda x, y: asked.append((x.tobytes(), len(y))) or found(x, y))
    compose(rows)
    real = [x for x, count in asked if count == 200]
    assert len(real) == len(set(real)) == 16  # three arms with six seeds each, of which two have failed
