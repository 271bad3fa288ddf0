"""Class weights in the fit of a classifier: its log-odds contain their ratio, which must not be part of the evidence."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import ComplementNB

from turinglearn.contract import name_of
from turinglearn.discriminators.common import FloatArray
from turinglearn.protocols import InputError

__all__ = ["log_class_prior_ratio"]

_REBALANCING = ("auto_class_weights", "class_weights", "is_unbalance", "sampling_strategy", "scale_pos_weight")


def log_class_prior_ratio(fitted: object, counts: tuple[int, int]) -> float:
    """Return log(M₁/M₀) for the effective weights of the real (1) and the fake class (0) in the fit of a classifier.

    `counts` are the numbers of (fake, real) rows. Class weights multiply them, "balanced" makes them equal, and priors among
    the classifier's parameters replace them. The weights are those of the estimator that sets the level: the last step of a
    pipeline, the best one of a search, the final one of a stack, the base of an ensemble. ValueError is raised if the members
    of a vote disagree, or for parameters that rebalance in a way that is specific to their library; parameters that equalise
    the classes do no harm where the counts are equal already.
    """
    name = name_of(fitted)
    found = [_class_weights(estimator, np.asarray(counts, dtype=float)) for estimator in _level_setters(fitted)]
    ratios = [np.log(real / fake) if fake > 0 and real > 0 else np.nan for fake, real in found]
    if not np.all(np.isfinite(ratios)):
        raise InputError(
            f"{name} gives a class no weight at all; expected positive class weights and priors. "
            "Leave the class out of its class_weight (the weight is then 1), or choose a positive one."
        )
    if np.ptp(ratios) > 1e-9:
        raise InputError(
            f"The members of {name} weight the classes differently, so its level is unknown; expected one class_weight "
            "for all. Give them the same one, or find the level on held-out rows: "
            "ClassifierDiscriminator(..., calibrate='platt')."
        )
    return float(ratios[0])


def _level_setters(estimator: object) -> list[object]:
    """Return the estimators whose class weights set the level of the log-odds, and the resamplers before them."""
    parameters = _parameters(estimator)
    if "class_weight" in parameters or isinstance(estimator, CalibratedClassifierCV):  # calibration weights by counts
        return [estimator]
    if hasattr(estimator, "best_estimator_"):
        inner = [estimator.best_estimator_]
    elif hasattr(estimator, "steps"):
        *before, last = (step for _, step in estimator.steps)
        inner = [*(step for step in before if hasattr(step, "fit_resample")), last]
    elif hasattr(estimator, "final_estimator_"):
        inner = [estimator.final_estimator_]
    elif isinstance(estimator, VotingClassifier):
        inner = estimator.estimators_
    elif parameters.get("estimator") is not None:
        inner = [parameters["estimator"]]
    else:
        return [estimator]
    return [setter for member in inner for setter in _level_setters(member)]


def _class_weights(estimator: object, counts: FloatArray) -> FloatArray:
    """Return the (fake, real) weights in the fit of one estimator, (2,)."""
    parameters = _parameters(estimator)
    for name in _REBALANCING:
        value = parameters.get(name)
        if value is None or value is False or (value is not True and np.isscalar(value) and value == 1):
            continue
        if counts[0] != counts[1] or not _equalises(estimator, value):
            raise InputError(
                f"{name_of(estimator)}({name}={value!r}) rebalances the classes in its own way, so its level is "
                "unknown; expected class_weight, or none. Find the level on held-out rows: "
                "ClassifierDiscriminator(..., calibrate='platt')."
            )
    if parameters.get("probability"):  # a support vector machine's own calibration weights by counts
        return counts
    if isinstance(estimator, ComplementNB):  # it ignores its class_prior if there are two classes
        return np.ones(2)
    priors = parameters.get("class_prior") if parameters.get("priors") is None else parameters["priors"]
    if priors is not None and not isinstance(priors, str):
        return np.asarray(priors, dtype=float)
    weight = parameters.get("class_weight")
    if isinstance(weight, str) or priors == "uniform" or parameters.get("fit_prior") is False:
        return np.ones(2)
    return counts if weight is None else counts * [weight.get(0, 1), weight.get(1, 1)]


def _equalises(estimator: object, value: object) -> bool:
    """Return whether this parameter leaves classes of equal size unchanged: a name, such as "auto", does; numbers may not.

    Samplers of imbalanced-learn that clean the borders remove rows from classes of any size.
    """
    module = sys.modules.get("imblearn.under_sampling.base")
    cleans = module is not None and isinstance(estimator, module.BaseCleaningSampler)
    return (value is True or isinstance(value, str)) and not cleans


def _parameters(estimator: object) -> dict[str, Any]:
    parameters = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else getattr(estimator, "__dict__", {})
    return dict(parameters)
