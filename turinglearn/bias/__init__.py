"""What replacing the discriminator does to what is judged and to what is learned."""

from __future__ import annotations

from turinglearn.bias.aggregates import Completion, completion, interquartile_mean, iqm_interval, probability_of_improvement
from turinglearn.bias.contrasts import holm, mean_interval, paired_interval, sign_flip_test
from turinglearn.bias.decomposition import LogLossSplit, VarianceComponents, excess_log_loss, squared_bias, variance
from turinglearn.bias.estimators import ParameterErrors, cramer_rao, parameter_errors, relative_efficiency
from turinglearn.bias.jackknife import jackknife
from turinglearn.bias.learned_laws import LawSplit, split_energy, split_mmd

__all__ = [
    "Completion",
    "LawSplit",
    "LogLossSplit",
    "ParameterErrors",
    "VarianceComponents",
    "completion",
    "cramer_rao",
    "excess_log_loss",
    "holm",
    "interquartile_mean",
    "iqm_interval",
    "jackknife",
    "mean_interval",
    "paired_interval",
    "parameter_errors",
    "probability_of_improvement",
    "relative_efficiency",
    "sign_flip_test",
    "split_energy",
    "split_mmd",
    "squared_bias",
    "variance",
]
