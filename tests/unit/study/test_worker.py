"""The worker: every kind of cell, its figures against the functions they come from, and the same ones again."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from turinglearn import Game
from turinglearn.bias import discriminator_bias, divergences, pair
from turinglearn.bias.cross_examination import balanced_accuracy
from turinglearn.datasets import gaussian, ring
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage
from turinglearn.recipes import read
from turinglearn.streams import Streams
from turinglearn.study import read_specification
from turinglearn.study.cells import Cell, by_seed, versions_of
from turinglearn.study.factors import CellKind, Level
from turinglearn.study.figures import check_declared
from turinglearn.study.measures import METRICS, kept
from turinglearn.study.worker import execute

RECIPES = {
    "problem": "ring(sigma=0.1)",
    "generator": "neural(hidden=(8,), latent_dim=2)",
    "discriminator": "neural(hidden=(8,))",
    "signal": "usual",
    "objective": "usual",
}
BUDGET = {"rounds": 4, "rows": 60, "draws": 100, "kept": 16, "batch_size": 20}


def level(recipe):
    return Level(recipe, read(recipe))


def game(seeds=(0,), budget=(), cross_examiners=(), **recipes):
    """A cell of a small game; its names are its recipes."""
    chosen = {factor: level(recipe) for factor, recipe in (RECIPES | recipes).items()}
    amounts = {name: value for name, value in (BUDGET | dict(budget)).items() if value is not None}
    return Cell(
        CellKind.GAME,
        **chosen,
        seeds=seeds,
        budget=tuple(sorted(amounts.items())),
        metrics=tuple(METRICS),
        cross_examiners=cross_examiners,
        versions=versions_of({}),
    )


def discriminator(recipe="logistic"):
    """A cell of a discriminator on a pair."""
    problem, scored = level("pair(dimension=2, family='shifted', kl=0.5)"), level(recipe)
    budget = (("batch_size", 16), ("fits", 2), ("n", 30), ("points", 80), ("steps", 5), ("training_sets", 4))
    return Cell(CellKind.DISCRIMINATOR, problem, None, scored, None, None, (3,), budget, (), (), versions_of({}))


def truth():
    return replace(game(), kind=CellKind.TRUTH, budget=(("draws", 100), ("kept", 20)))


GAUSSIAN = {
    "problem": "gaussian(covariance=((2.0, 0.5), (0.5, 1.0)), mean=(1.0, -1.0))",
    "generator": "mixture(n_components=1)",
}
CELLS = {
    "discriminator": discriminator(),
    "neural discriminator": discriminator("neural(hidden=(8,))"),
    "game": game(cross_examiners=(("line", "logistic"),)),
    "replicas": game(seeds=(4, 5, 6)),
    "endless": game(budget={"rows": None}),
    "smoothed": game(discriminator="forest(n_estimators=5)", signal="smoothed(probes=4)"),
    "gaussian": game(**GAUSSIAN, discriminator="logistic"),
    "pair": game(problem="pair(dimension=3, family='correlated', kl=0.4)"),
    "bits": game(problem="bits(probabilities=(0.5, 0.2))", objective="reverse_kl"),
    "truth": truth(),
}


@pytest.mark.parametrize("name", CELLS)
def test_figures_are_finite_numbers_or_none_and_the_same_each_time(name):
    cell = CELLS[name]
    found = execute(cell.payload())
    assert found
    for _, figures in by_seed(cell.payload(), found):
        check_declared(figures)
    assert all(isinstance(key, str) and (value is None or np.isfinite(value).all()) for key, value in found.items())
    np.random.seed(99)  # noqa: NPY002  # nothing depends on what was drawn before
    again = execute(json.loads(json.dumps(cell.payload())))
    assert json.dumps(found) == json.dumps(again)


def test_another_process_finds_the_same_figures():
    names = ("neural discriminator", "replicas", "smoothed")
    code = (
        "import sys, json; from turinglearn.study.worker import execute; "
        "print(json.dumps([execute(p) for p in json.loads(sys.stdin.read())]))"
    )
    asked = json.dumps([CELLS[name].payload() for name in reversed(names)])
    done = subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[::-1] == [execute(CELLS[name].payload()) for name in names]


def test_a_discriminator_has_the_figures_of_its_bias_and_those_of_the_bayes_rule():
    found, truth = execute(CELLS["discriminator"].payload()), pair("shifted", 2, 0.5)
    expected = discriminator_bias(LogisticRegression(), truth, 30, training_sets=4, fits=2, points=80, random_state=3)
    assert found["squared_bias"] == expected.squared_bias.value
    assert found["squared_bias_low"] == expected.squared_bias.low
    assert found["variance_high"] == expected.variance.total.high
    assert found["variance_fits"] == expected.variance.fits
    assert found["excess_log_loss_bias_se"] == expected.log_loss.bias.standard_error
    assert found["squared_bias_clipped_4"] == expected.clipped[4.0]
    assert found["bayes_kl"] == 0.5
    assert found["bayes_accuracy"] == divergences(truth, draws=2**15).accuracy.value
    assert not any("second" in name for name in found)


def test_a_discriminator_that_says_the_same_everywhere_has_no_slope_and_all_other_figures():
    budget = dict(discriminator().budget) | {"n": 8}  # boosting takes 20 rows in a leaf
    found = execute(replace(discriminator("boosting"), budget=tuple(sorted(budget.items()))).payload())
    assert {name for name, value in found.items() if value is None} == {
        f"calibration_slope{end}" for end in ("", "_low", "_high", "_se")
    }


def test_a_game_is_that_of_its_seed_and_measured_on_fresh_samples():
    distribution, found = ring(sigma=0.1), execute(game(seeds=(2,)).payload())
    players = NeuralGenerator(2, (8,)), NeuralDiscriminator((8,))
    played = Game(*players, subsample=60, batch_size=20, random_state=2)
    assert len(list(islice(played.rounds(distribution), 4))) == 4
    x, y = played.sample(100), distribution.sample(100, Streams(2)("study/genuine"))
    assert found["rounds"] == 4
    assert found["energy_distance"] == energy_distance(x, y)
    assert found["modes_captured"] == mode_coverage(x, distribution.modes, 0.1).captured
    assert found["log_density"] == distribution.log_density(x).mean()
    np.testing.assert_allclose(found["x"], x[:16], rtol=1e-4)


def test_a_replica_has_the_figures_of_its_seed_alone():
    together = dict(by_seed(CELLS["replicas"].payload(), execute(CELLS["replicas"].payload())))
    assert list(together) == [4, 5, 6]
    for seed, figures in together.items():
        alone = execute(game(seeds=(seed,)).payload())
        assert figures.keys() == alone.keys()
        assert figures["energy_distance"] == pytest.approx(alone["energy_distance"], rel=1e-3)


def test_a_gaussian_is_compared_with_the_truth_and_with_maximum_likelihood_on_its_own_rows():
    found = execute(CELLS["gaussian"].payload())
    distribution = gaussian([1.0, -1.0], [[2.0, 0.5], [0.5, 1.0]])
    rows = distribution.draw(60, Streams(0)("subsample")).x
    generator = MixtureGenerator(1)
    played = Game(generator, LogisticRegression(), subsample=60, batch_size=20, random_state=0)
    assert len(list(islice(played.rounds(distribution), 4))) == 4
    drawn = played.draw_batches(distribution)
    assert {tuple(row) for row in drawn.to_score.x} <= {tuple(row) for row in rows}
    assert [found[f"truth[mean {i}]"] for i in (0, 1)] == [1.0, -1.0]
    assert found["truth[covariance 0 1]"] == 0.5
    assert found["control[mean 1]"] == pytest.approx(rows[:, 1].mean())
    assert found["control[covariance 0 1]"] == pytest.approx(np.mean(np.prod(rows - rows.mean(axis=0), axis=1)))
    assert found["estimate[mean 0]"] == generator.coefficients_[0, 0, 0]
    assert found["estimate[covariance 1 1]"] == generator.covariances_[0, 1, 1]
    assert found["bound[mean 0]"] == pytest.approx(math.sqrt(2 / 60))
    assert found["bound[covariance 0 0]"] == pytest.approx(2 * math.sqrt(2 / 60))  # sqrt(2 / n) of the variance
    y = distribution.sample(100, Streams(0)("study/genuine"))
    assert found["kl"] == (distribution.log_density(y) - generator.log_density(y)).mean()


def test_measures_that_do_not_apply_give_no_figures():
    found = execute(CELLS["pair"].payload())
    assert "energy_distance" in found
    assert not [name for name in found if name.startswith(("modes", "kl", "estimate", "control", "balanced_accuracy"))]


def test_what_is_impossible_under_the_truth_has_a_share_and_no_density():
    found = execute(CELLS["bits"].payload())
    assert (found["log_density"], found["off_support"]) == (None, 1.0)


def test_a_cross_examiner_is_a_fresh_discriminator_on_held_out_halves():
    found = execute(CELLS["game"].payload())
    played = Game(NeuralGenerator(2, (8,)), NeuralDiscriminator((8,)), subsample=60, batch_size=20, random_state=0)
    assert len(list(islice(played.rounds(ring(sigma=0.1)), 4))) == 4
    streams = Streams(0)
    y = ring(sigma=0.1).sample(100, streams("study/genuine"))
    expected = balanced_accuracy(LogisticRegression(), y, played.sample(100), streams("study/examiner/line"))
    assert found["balanced_accuracy[line]"] == expected


def test_a_game_with_seconds_plays_for_as_long():
    found = execute(game(budget={"rounds": None, "seconds": 0.05}).payload())
    assert found["rounds"] >= 1
    longer = execute(game(budget={"rounds": None, "seconds": 1.0}).payload())
    assert longer["rounds"] > found["rounds"]


def test_a_problem_by_itself_has_its_entropy():
    cell = replace(truth(), problem=level("gaussian(covariance=((4.0,),), mean=(0.0,))"), budget=(("draws", 4000), ("kept", 5)))
    found = execute(cell.payload())
    assert found["entropy"] == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 4), abs=4 * found["entropy_se"])
    assert abs(found["floor"]) < 0.02
    assert np.shape(found["x"]) == (5, 1)


@pytest.mark.parametrize(("d", "rows"), [(1, 4096), (2, 4096), (4, 2048), (100, 81)])
def test_many_rows_of_a_problem_by_itself_are_kept(tmp_path, d, rows):
    """More than are drawn to be measured, where there is room, and those of the distribution."""
    path = tmp_path / "study.toml"
    path.write_text(
        f"[[game]]\nproblems = \"pair(family='shifted', dimension={d}, kl=0.5)\"\n"
        'generators = "neural"\ndiscriminators = "neural"\nrounds = 1\n'
    )
    (cell,) = (cell for cell in read_specification(path).cells if cell.kind == "truth")
    x = np.array(execute(cell.payload())["x"])
    assert x.shape == (rows, d)
    assert len(np.unique(x[:, 0])) > 0.9 * rows
    distribution = pair("shifted", d, 0.5).p
    assert abs(energy_distance(x, distribution.sample(4000, 1))) < 0.01 * d**0.5


def test_a_kept_sample_comes_back_to_five_digits_and_stays_small():
    x = np.random.default_rng(0).normal(size=(100, 20)) * np.logspace(-8, 8, 20)
    np.testing.assert_allclose(kept(x, 30)["x"], x[:25], rtol=1e-4)  # 512 numbers at most
    np.testing.assert_allclose(kept(x, 30, 900)["x"], x[:30], rtol=1e-4)
    assert kept(x, 0) == {}


def test_what_is_wrong_with_a_cell_is_raised():
    with pytest.raises(ValueError, match="There is no problem called 'rung'"):
        execute(game(problem="rung").payload())
    with pytest.raises(Exception, match="n_neighbors"):
        execute(game(discriminator="sklearn.neighbors.KNeighborsClassifier(n_neighbors=0)", signal="smoothed").payload())
