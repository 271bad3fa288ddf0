"""Every classifier of scikit-learn, small, and what each is known to fail of the contract suite, with the reason."""

from __future__ import annotations

import inspect
import warnings

from sklearn.utils import all_estimators

SMALL = {"n_estimators": 10, "max_iter": 30, "Cs": 3}

NEGATIVE = {"gives_a_score_for_each_sample": "it refuses negative numbers"}
FAR = "it says NaN where no row of the fit is near"

KNOWN = {
    "AdaBoostClassifier": {
        "takes_no_side_without_information": "its probabilities are softened votes, whatever the shares of the classes"
    },
    "CategoricalNB": NEGATIVE,
    "ComplementNB": NEGATIVE,
    "DummyClassifier": {"scores_genuine_samples_higher": "it looks at no feature"},
    "LabelPropagation": {"takes_single_precision": FAR, "takes_tuples": FAR},
    "LabelSpreading": {"takes_single_precision": FAR, "takes_tuples": FAR},
    "MultinomialNB": NEGATIVE,
    "NuSVC": {"takes_no_side_without_information": "it cannot be fitted where the rows of both kinds are the same"},
    "QuadraticDiscriminantAnalysis": {"takes_constant_features": "its covariance matrix must have full rank"},
    "RadiusNeighborsClassifier": {"gives_a_score_for_each_sample": "it refuses rows that are far from all others"},
}


def every_classifier():
    """An instance of each classifier of scikit-learn that needs no argument, by name."""
    found = {}
    for name, kind in all_estimators(type_filter="classifier"):
        parameters = inspect.signature(kind).parameters
        needed = [p for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        if not needed and name != "SelfTrainingClassifier":  # whose estimator is None, but must be given
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of some that will go
                found[name] = kind(**{option: value for option, value in SMALL.items() if option in parameters})
    return found
