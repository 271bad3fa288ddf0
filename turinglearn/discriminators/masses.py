"""How much each class weighs in the fit of a classifier: its log-odds carry the ratio, which the evidence must not."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import ComplementNB

__all__ = ["log_mass_ratio"]

_REBALANCING = ("auto_class_weights", "class_weights", "is_unbalance", "sampling_strategy", "scale_pos_weight")


def log_mass_ratio(fitted: Any, counts: tuple[int, int]) -> float:
    """log(M₁/M₀) for the effective masses of the genuine (1) and the counterfeit class (0) in the fit of a classifier.

    counts are the rows of the classes, (counterfeit, genuine). Class weights multiply them, where "balanced" makes them
    equal; priors that the classifier was told replace them. The search goes to the estimator that sets the level: the
    last step of a pipeline, the best of a search, the final one of a stack, the base of an ensemble. Raises ValueError
    where members of a vote disagree, and for parameters that rebalance in ways only their library knows; where there are as
    many counterfeits as genuine rows, those that make the classes equal change nothing.
    """
    name = type(fitted).__name__
    found = [_masses(estimator, np.asarray(counts, dtype=float)) for estimator in _levels(fitted)]
    ratios = [np.log(genuine / fake) if fake > 0 and genuine > 0 else np.nan for fake, genuine in found]
    if not np.all(np.isfinite(ratios)):
        raise ValueError(
            f"{name} gives a class no weight at all; expected positive class weights and priors. "
            "Leave the class out of its class_weight (the weight is then 1), or choose a positive one."
        )
    if np.ptp(ratios) > 1e-9:
        raise ValueError(
            f"The members of {name} weigh the classes differently, so its level is unknown; expected one class_weight "
            "for all. Give them the same one, or find the level on held-out rows: "
            "ClassifierDiscriminator(..., calibrate='platt')."
        )
    return float(ratios[0])


def _levels(estimator: Any) -> list[Any]:
    """The estimators whose class weights set the level of the log-odds, and whatever resamples before them."""
    settings = _settings(estimator)
    if "class_weight" in settings or isinstance(estimator, CalibratedClassifierCV):  # calibration weighs by counts
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
    elif settings.get("estimator") is not None:
        inner = [settings["estimator"]]
    else:
        return [estimator]
    return [level for member in inner for level in _levels(member)]


def _masses(estimator: Any, counts: Any) -> Any:
    """(counterfeit, genuine) masses in the fit of one estimator."""
    settings = _settings(estimator)
    for name in _REBALANCING:
        value = settings.get(name)
        if value is None or value is False or (value is not True and np.isscalar(value) and value == 1):
            continue
        if counts[0] != counts[1] or not _equalises(estimator, value):
            raise ValueError(
                f"{type(estimator).__name__}({name}={value!r}) rebalances the classes in its own way, so its level is "
                "unknown; expected class_weight, or none. Find the level on held-out rows: "
                "ClassifierDiscriminator(..., calibrate='platt')."
            )
    if settings.get("probability"):  # a support vector machine's own calibration weighs by counts
        return counts
    if isinstance(estimator, ComplementNB):  # it never looks at its class_prior where there are two classes
        return np.ones(2)
    priors = settings.get("class_prior") if settings.get("priors") is None else settings["priors"]
    if priors is not None and not isinstance(priors, str):
        return np.asarray(priors, dtype=float)
    weight = settings.get("class_weight")
    if isinstance(weight, str) or priors == "uniform" or settings.get("fit_prior") is False:
        return np.ones(2)
    return counts if weight is None else counts * [weight.get(0, 1), weight.get(1, 1)]


def _equalises(estimator: Any, value: Any) -> bool:
    """Whether this way of rebalancing leaves classes of one size as they are: by a name, such as "auto", not by numbers.

    What cleans the borders (imbalanced-learn's `clean-sampling`) takes rows from the classes as it finds them.
    """
    return (value is True or isinstance(value, str)) and getattr(estimator, "_sampling_type", "") != "clean-sampling"


def _settings(estimator: Any) -> dict[str, Any]:
    settings = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else getattr(estimator, "__dict__", {})
    return dict(settings)
