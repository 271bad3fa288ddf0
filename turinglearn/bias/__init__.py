"""Bias: the effect of the discriminator on evidence and on what a generator learns, measured where the truth is known."""

from __future__ import annotations

from turinglearn.bias.aggregates import Completion, completion, interquartile_mean, iqm_interval, probability_of_improvement
from turinglearn.bias.calibration import calibration_error, calibration_slope
from turinglearn.bias.contrasts import holm, mean_interval, paired_interval, sign_flip_test
from turinglearn.bias.cross_examination import CrossExamination, cross_examine
from turinglearn.bias.decomposition import LogLossSplit, VarianceComponents, excess_log_loss, squared_bias, variance
from turinglearn.bias.discriminators import DiscriminatorBias, Estimates, discriminator_bias, errors_of, log_odds_of
from turinglearn.bias.divergences import Divergences, divergences
from turinglearn.bias.estimators import ParameterErrors, cramer_rao, parameter_errors, relative_efficiency
from turinglearn.bias.jackknife import jackknife
from turinglearn.bias.learned_distributions import DistributionSplit, split_energy, split_mmd
from turinglearn.bias.pairs import FAMILIES, Distribution, Pair, pair
from turinglearn.bias.squared_mean import squared_mean_difference, squared_mean_interval, squared_mean_of_products
from turinglearn.bias.training import fit_discriminator
from turinglearn.bias.tuning import Trial, Tuned, tune

__all__ = [
    "FAMILIES",
    "Completion",
    "CrossExamination",
    "DiscriminatorBias",
    "Distribution",
    "DistributionSplit",
    "Divergences",
    "Estimates",
    "LogLossSplit",
    "Pair",
    "ParameterErrors",
    "Trial",
    "Tuned",
    "VarianceComponents",
    "calibration_error",
    "calibration_slope",
    "completion",
    "cramer_rao",
    "cross_examine",
    "discriminator_bias",
    "divergences",
    "errors_of",
    "excess_log_loss",
    "fit_discriminator",
    "holm",
    "interquartile_mean",
    "iqm_interval",
    "jackknife",
    "log_odds_of",
    "mean_interval",
    "pair",
    "paired_interval",
    "parameter_errors",
    "probability_of_improvement",
    "relative_efficiency",
    "sign_flip_test",
    "split_energy",
    "split_mmd",
    "squared_bias",
    "squared_mean_difference",
    "squared_mean_interval",
    "squared_mean_of_products",
    "tune",
    "variance",
]
