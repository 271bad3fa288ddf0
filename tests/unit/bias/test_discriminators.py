"""Discriminators on pairs with known truth, and tuning with equal chances."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from turinglearn.bias import discriminator_bias, errors_of, fit_discriminator, log_odds_of, pair, tune
from turinglearn.discriminators import HandwrittenDiscriminator, NeuralDiscriminator
from turinglearn.protocols import Batch, LogOdds


class Planted:
    """Exact log-odds, an offset, and noise of its own for each fit, the same everywhere."""

    score_type, refits = LogOdds, True

    def __init__(self, truth, offset, noise):
        self.truth, self.offset, self.noise = truth, offset, noise

    def update(self, real, fake, rng):
        self.level = self.offset + self.noise * rng.standard_normal()

    def score_samples(self, batch):
        return LogOdds(self.truth.log_odds(batch.x) + self.level)


def test_planted_errors_are_recovered():
    truth = pair("shifted", 2, 0.5)
    found = discriminator_bias(Planted(truth, 0.8, 0.5), truth, 20, training_sets=20, fits=2, points=500)
    assert found.squared_bias.low <= 0.64 <= found.squared_bias.high
    assert found.variance.total.low <= 0.25 <= found.variance.total.high
    assert found.log_loss.total.value > 0
    assert found.jsd.value == pytest.approx(-2 * found.log_loss.total.value)
    assert found.calibration_slope.value == pytest.approx(1, abs=1e-4)  # an offset leaves the slope


def test_the_perfect_discriminator_has_no_errors():
    truth = pair("correlated", 3, 0.5)
    found = discriminator_bias(Planted(truth, 0.0, 0.0), truth, 50, training_sets=3, points=400)
    assert found.squared_bias.value == 0
    assert found.variance.total.value < 1e-20
    assert abs(found.log_loss.total.value) < 1e-12
    assert found.calibration_error.value < 1e-6
    assert 0 < found.clipped[8.0] < found.clipped[4.0] < found.clipped[2.0]  # this truth reaches far


@pytest.mark.parametrize(
    "discriminator", [DummyClassifier(), HistGradientBoostingClassifier()]
)  # 20 rows in a leaf, or no tree
def test_a_constant_fit_has_no_slope_and_all_other_figures(discriminator):
    truth = pair("shifted", 2, 2.0)
    found = discriminator_bias(discriminator, truth, 15, training_sets=4, points=200)
    assert np.all(np.isnan(astuple(found.calibration_slope)))
    assert found.squared_bias.value > 1
    assert abs(found.calibration_error.value) < 0.02
    assert np.all(np.isfinite([*astuple(found.calibration_error), *astuple(found.log_loss.total), *astuple(found.jsd)]))


def test_a_model_of_the_right_form_has_less_bias_than_a_linear_one():
    truth = pair("correlated", 4, 0.6)
    options = {"training_sets": 6, "points": 500}
    linear = discriminator_bias(LogisticRegression(), truth, 300, **options)
    quadratic = discriminator_bias(
        make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=500)), truth, 300, **options
    )
    assert quadratic.squared_bias.high < linear.squared_bias.low
    assert quadratic.log_loss.bias.value < linear.log_loss.bias.value
    assert quadratic.variance.total.value > linear.variance.total.value
    assert quadratic.jsd_in_sample.value > quadratic.jsd.value  # the rows of the fit flatter it


def test_every_discriminator_meets_the_same_sets_and_points():
    truth = pair("shifted", 2, 0.5)
    first, second = (
        log_odds_of(discriminator, truth, 30, training_sets=3, points=40)
        for discriminator in (LogisticRegression(), LogisticRegression(C=1e9))
    )
    np.testing.assert_array_equal(first.truth, second.truth)
    assert first.values.shape == (3, 1, 40)
    assert first.in_sample.shape == (3, 1)
    assert first.seconds > 0
    again = log_odds_of(LogisticRegression(), truth, 30, training_sets=3, points=40)
    np.testing.assert_array_equal(first.values, again.values)
    more = log_odds_of(LogisticRegression(), truth, 30, training_sets=4, points=40)
    np.testing.assert_array_equal(first.values, more.values[:3])


def test_a_network_takes_steps():
    truth = pair("shifted", 2, 2.0)
    real, fake = truth.draw(200, np.random.default_rng(0))
    discriminator = NeuralDiscriminator((16,), learning_rate=0.01)
    player = fit_discriminator(discriminator, real, fake, np.random.default_rng(1), steps=200, batch_size=50)
    assert not hasattr(discriminator, "network_")
    x = truth.points(500, np.random.default_rng(2))
    assert np.corrcoef(player.score_samples(Batch(x)).values, truth.log_odds(x))[0, 1] > 0.9


def test_scores_have_no_true_value():
    truth = pair("shifted", 1, 1.0)
    with pytest.raises(ValueError, match=r"is Scores, which has no true value .* calibrate it"):
        discriminator_bias(HandwrittenDiscriminator(lambda x: x[:, 0]), truth, 10)


def test_anything_but_a_pair_is_refused():
    truth = pair("shifted", 1, 1.0)
    with pytest.raises(ValueError, match=r"pair is a tuple; .* Give a Pair: see pair\(\)"):
        discriminator_bias(LogisticRegression(), (np.zeros((9, 1)), np.ones((9, 1))), n=50)
    with pytest.raises(ValueError, match="pair is a LogisticRegression"):
        discriminator_bias(truth, LogisticRegression(), n=50)


def test_errors_of_estimates():
    truth = pair("shifted", 1, 1.0)
    estimates = log_odds_of(LogisticRegression(), truth, 50, training_sets=4, points=100)
    assert (
        errors_of(estimates).squared_bias.value
        == discriminator_bias(LogisticRegression(), truth, 50, training_sets=4, points=100).squared_bias.value
    )


# --------------------------------------------------------------------------------------------------------------- tuning
def test_tuning_finds_the_better_setting_in_as_many_trials():
    truth = pair("shifted", 2, 0.3)
    real, fake = (batch.x for batch in truth.draw(150, np.random.default_rng(0)))
    found = tune(DecisionTreeClassifier(), {"min_samples_leaf": [1, 20, 40]}, real, fake, trials=4)
    assert sorted(trial.settings.get("min_samples_leaf", 1) for trial in found.trials) == [1, 20, 40]  # 1 is its own
    assert found.trials[0].settings == {}
    assert found.discriminator.min_samples_leaf in (20, 40)
    assert min(trial.log_loss for trial in found.trials) < found.trials[0].log_loss
    assert not hasattr(found.discriminator, "tree_")
    again = tune(DecisionTreeClassifier(), {"min_samples_leaf": [1, 20, 40]}, real, fake, trials=4)
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in found.trials]


def test_lists_give_as_many_trials_as_they_can():
    real, fake = (batch.x for batch in pair("shifted", 1, 1.0).draw(40, np.random.default_rng(0)))
    space = {"max_depth": [None, 1, 2], "min_samples_leaf": [1, 5]}
    for trials in (2, 3, 5, 6, 50):
        found = tune(DecisionTreeClassifier(), space, real, fake, trials=trials, folds=2, random_state=trials)
        tried = {(t.settings.get("max_depth"), t.settings.get("min_samples_leaf", 1)) for t in found.trials}
        assert len(found.trials) == len(tried) == min(trials, 6)


class Counted(DecisionTreeClassifier):
    fits = 0

    def fit(self, *args, **options):
        Counted.fits += 1
        return super().fit(*args, **options)


def test_a_parameter_that_the_discriminator_does_not_have_is_named_before_anything_is_fitted():
    real, fake = (batch.x for batch in pair("shifted", 1, 1.0).draw(40, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="Invalid parameter 'max_deep'"):
        tune(Counted(), {"max_deep": randint(1, 5)}, real, fake, trials=3, folds=2)
    assert Counted.fits == 0
    tune(Counted(), {"max_depth": randint(1, 5)}, real, fake, trials=3, folds=2)
    assert Counted.fits == 6


def test_distributions_are_drawn_from_and_failures_count_as_bad():
    real, fake = (batch.x for batch in pair("shifted", 1, 1.0).draw(40, np.random.default_rng(0)))
    found = tune(DecisionTreeClassifier(), {"max_depth": randint(-3, 3)}, real, fake, trials=6, folds=2)
    assert {trial.settings.get("max_depth") for trial in found.trials[1:]} <= set(range(-3, 3))
    for trial in found.trials[1:]:
        assert (trial.log_loss == np.inf) == (trial.settings["max_depth"] < 1)
    with pytest.raises(ValueError, match="All 1 trials of DecisionTreeClassifier"):
        tune(DecisionTreeClassifier(max_depth=-1), {}, real, fake, trials=3, folds=2)
