"""Every classifier of scikit-learn and of other libraries, with small sizes, and the checks that each is known to fail."""

from __future__ import annotations

import inspect
import warnings
from importlib import import_module
from importlib.util import find_spec

from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import all_estimators

SMALL = {"n_estimators": 10, "max_iter": 30, "Cs": 3, "thresholds": 5, "cv": 2}
MEMBERS = [("a", GaussianNB()), ("b", LogisticRegression())]
MADE_OF = {
    "ClassifierChain": [LogisticRegression()],
    "FixedThresholdClassifier": [LogisticRegression()],
    "MultiOutputClassifier": [LogisticRegression()],
    "OneVsOneClassifier": [LogisticRegression()],
    "OneVsRestClassifier": [LogisticRegression()],
    "OutputCodeClassifier": [LogisticRegression()],
    "SelfTrainingClassifier": [LogisticRegression()],
    "StackingClassifier": [MEMBERS],
    "TunedThresholdClassifierCV": [GaussianNB()],
    "VotingClassifier": [MEMBERS],
}
OTHERS = {
    "xgboost.XGBClassifier": {"n_estimators": 10, "n_jobs": 1},
    "xgboost.XGBRFClassifier": {"n_estimators": 10, "n_jobs": 1},
    "lightgbm.LGBMClassifier": {"n_estimators": 10, "n_jobs": 1, "verbose": -1},
    "catboost.CatBoostClassifier": {"iterations": 10, "verbose": False, "allow_writing_files": False, "thread_count": 1},
    "imblearn.ensemble.BalancedBaggingClassifier": {"n_estimators": 5},
    "imblearn.ensemble.BalancedRandomForestClassifier": {"n_estimators": 10},
    "imblearn.ensemble.EasyEnsembleClassifier": {"n_estimators": 2},
    "imblearn.ensemble.RUSBoostClassifier": {"n_estimators": 5},
    "interpret.glassbox.ExplainableBoostingClassifier": {"outer_bags": 2, "max_rounds": 50, "n_jobs": 1},
}


LEVEL = {"log_odds_have_no_prior": "it rebalances the classes in its own way, so that its level is unknown"}
MEMORY = {"log_odds_have_no_prior": "it memorises its rows, and is far too sure of others"}
OUTPUTS = {"scores_every_sample": "it predicts several outputs at once"}

KNOWN = {
    "BalancedBaggingClassifier": LEVEL,
    "BalancedRandomForestClassifier": LEVEL,
    "CatBoostClassifier": {"can_be_saved": "skops does not know it"},
    "ClassifierChain": OUTPUTS,
    "DecisionTreeClassifier": MEMORY,
    "DummyClassifier": {"scores_real_samples_higher": "it looks at no feature"},
    "EasyEnsembleClassifier": LEVEL,
    "ExtraTreeClassifier": MEMORY,
    "LabelPropagation": MEMORY,
    "LabelSpreading": MEMORY,
    "MultiOutputClassifier": OUTPUTS,
    "NuSVC": {"log_odds_have_no_prior": "it cannot be fitted where three rows of one class overlap with one of the other"},
    "QuadraticDiscriminantAnalysis": {"accepts_constant_features": "its covariance matrix must have full rank"},
    "RUSBoostClassifier": LEVEL,
    "TunedThresholdClassifierCV": {"can_be_saved": "it holds a function, its measure of balanced accuracy"},
}


def every_classifier():
    """Return an instance of each classifier of scikit-learn by name; meta-estimators have simple classifiers inside."""
    found = {}
    for name, kind in all_estimators(type_filter="classifier"):
        options = {option: value for option, value in SMALL.items() if option in inspect.signature(kind).parameters}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of deprecated ones
            found[name] = kind(*MADE_OF.get(name, ()), **options)
    return found


def others():
    """Return an instance of each installed classifier of other libraries by name."""
    found = {}
    for path, options in OTHERS.items():
        module, _, name = path.rpartition(".")
        if find_spec(module.partition(".")[0]) is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = getattr(import_module(module), name)(**options)
    return found
