"""The discriminators of benchmarks/zoo.py.

Every classifier of scikit-learn, and those of other libraries that are installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sklearn.utils import all_estimators

from turinglearn.discriminators import ClassifierDiscriminator

__all__ = ["LIBRARIES", "discriminators"]

LIBRARIES = ("xgboost-cpu", "lightgbm", "catboost", "imbalanced-learn", "interpret-core", "skorch")

# Recipes of classifiers that are made of others; all others are made without options.
MADE_OF = {
    "ClassifierChain": "ClassifierChain(LogisticRegression())",
    "FixedThresholdClassifier": "FixedThresholdClassifier(GaussianNB())",
    "MultiOutputClassifier": "MultiOutputClassifier(LogisticRegression())",
    "OneVsOneClassifier": "OneVsOneClassifier(GaussianNB())",
    "OneVsRestClassifier": "OneVsRestClassifier(GaussianNB())",
    "OutputCodeClassifier": "OutputCodeClassifier(GaussianNB())",
    "SelfTrainingClassifier": "SelfTrainingClassifier(GaussianNB())",
    "StackingClassifier": "StackingClassifier([('a', GaussianNB()), ('b', DecisionTreeClassifier(max_depth=4))])",
    "TunedThresholdClassifierCV": "TunedThresholdClassifierCV(GaussianNB(), cv=2, thresholds=10)",
    "VotingClassifier": "VotingClassifier([('a', GaussianNB()), ('b', DecisionTreeClassifier(max_depth=4))], voting='soft')",
}
MORE = {
    "VotingClassifier, hard": "VotingClassifier([('a', GaussianNB()), ('b', DecisionTreeClassifier(max_depth=4))])",
    "pipeline": "make_pipeline(StandardScaler(), PolynomialFeatures(3), LogisticRegression())",
    "search": "GridSearchCV(DecisionTreeClassifier(), {'max_depth': [2, 5]}, cv=3)",
    "SVC, probability": "SVC(probability=True)",
    "SVC, precomputed": "SVC(kernel='precomputed')",
    "text and lists": "Response()",
    "SGDClassifier, incremental": "ClassifierDiscriminator(SGDClassifier(loss='log_loss'), incremental=True)",
    "MLPClassifier, incremental": "ClassifierDiscriminator(MLPClassifier((64, 64)), incremental=True)",
    "GaussianNB, incremental": "ClassifierDiscriminator(GaussianNB(), incremental=True)",
    "GradientBoosting, incremental": "ClassifierDiscriminator(GradientBoostingClassifier(n_estimators=5), incremental=True)",
    "RandomForest, incremental": "ClassifierDiscriminator(RandomForestClassifier(5), incremental=True)",
    "HistGradientBoosting, incremental": "ClassifierDiscriminator(HistGradientBoostingClassifier(), incremental=True)",
    "LogisticRegression, incremental": "ClassifierDiscriminator(LogisticRegression(), incremental=True)",
}
NET = "NeuralNetClassifier(net(), criterion=CrossEntropyLoss, optimizer=Adam, lr=0.01, max_epochs=20, verbose=0)"
BRIEF = "iterations=100, verbose=False, allow_writing_files=False, thread_count=1"
ALONE = "n_jobs=1, verbose=-1"
OTHERS = {
    "XGBClassifier": "XGBClassifier(n_jobs=1)",
    "XGBRFClassifier": "XGBRFClassifier(n_jobs=1)",
    "XGBClassifier, incremental": "ClassifierDiscriminator(XGBClassifier(n_estimators=5, n_jobs=1), incremental=True)",
    "LGBMClassifier": f"LGBMClassifier({ALONE})",
    "LGBMClassifier, incremental": f"ClassifierDiscriminator(LGBMClassifier(n_estimators=5, {ALONE}), incremental=True)",
    "CatBoostClassifier": f"CatBoostClassifier({BRIEF})",
    "BalancedRandomForestClassifier": "BalancedRandomForestClassifier()",
    "BalancedBaggingClassifier": "BalancedBaggingClassifier()",
    "EasyEnsembleClassifier": "EasyEnsembleClassifier(2)",
    "RUSBoostClassifier": "RUSBoostClassifier()",
    "SMOTE in a pipeline": "make_resampling(SMOTE(), GaussianNB())",
    "TomekLinks in a pipeline": "make_resampling(TomekLinks(), GaussianNB())",
    "TomekLinks, calibrated": "ClassifierDiscriminator(make_resampling(TomekLinks(), GaussianNB()), calibrate='platt')",
    "ExplainableBoostingClassifier": "ExplainableBoostingClassifier(outer_bags=2, max_rounds=200, n_jobs=1)",
    "NeuralNetClassifier (skorch)": NET,
    "NeuralNetClassifier, incremental": f"ClassifierDiscriminator({NET}, incremental=True)",
}
FOUND_IN = {
    "xgboost": ("XGBClassifier", "XGBRFClassifier"),
    "lightgbm": ("LGBMClassifier",),
    "catboost": ("CatBoostClassifier",),
    "imblearn.ensemble": (
        "BalancedRandomForestClassifier",
        "BalancedBaggingClassifier",
        "EasyEnsembleClassifier",
        "RUSBoostClassifier",
    ),
    "imblearn.over_sampling": ("SMOTE",),
    "imblearn.under_sampling": ("TomekLinks",),
    "interpret.glassbox": ("ExplainableBoostingClassifier",),
    "skorch": ("NeuralNetClassifier",),
}


class Response:
    """A user's own classifier by the distance to the means of the classes; it uses lists, and labels as text."""

    def fit(self, X: Any, y: Any) -> Response:
        self.classes_ = ["0", "1"]
        self.means = [X[y == label].mean(axis=0) for label in (0, 1)]
        return self

    def predict_proba(self, X: Any) -> list[list[float]]:
        near = [1 / (((X - mean) ** 2).sum(axis=1) + 0.1) for mean in self.means]
        return [[float(a / (a + b)), float(b / (a + b))] for a, b in zip(*near, strict=True)]


@cache
def discriminators() -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return the recipe of each discriminator, and the function that makes it, by name."""
    names = _names()
    recipes = {name: MADE_OF.get(name, f"{name}()") for name, _ in all_estimators(type_filter="classifier")} | MORE
    recipes |= {name: recipe for name, recipe in OTHERS.items() if _can_be_made(recipe, names)}
    return {name: (recipe, _maker(recipe, names)) for name, recipe in recipes.items()}


def _maker(recipe: str, names: dict[str, Any]) -> Callable[[], Any]:
    return lambda: eval(recipe, names)


def _can_be_made(recipe: str, names: dict[str, Any]) -> bool:
    return set(compile(recipe, "recipe", "eval").co_names) <= names.keys() | {"incremental", "calibrate"}


def _names() -> dict[str, Any]:
    """Return the names that recipes may use."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    names: dict[str, Any] = dict(all_estimators(type_filter="classifier"))
    for thing in (GridSearchCV, make_pipeline, PolynomialFeatures, StandardScaler, ClassifierDiscriminator, Response):
        names[thing.__name__] = thing
    for module, wanted in FOUND_IN.items():
        if find_spec(module.partition(".")[0]) is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                names |= {name: getattr(import_module(module), name) for name in wanted}
    if "SMOTE" in names:
        names["make_resampling"] = import_module("imblearn.pipeline").make_pipeline
    if find_spec("torch") is not None:
        from torch import manual_seed
        from torch.nn import CrossEntropyLoss, Linear, ReLU, Sequential
        from torch.optim import Adam

        def net() -> Any:
            manual_seed(0)
            return Sequential(Linear(2, 32), ReLU(), Linear(32, 32), ReLU(), Linear(32, 2))

        names |= {"CrossEntropyLoss": CrossEntropyLoss, "Adam": Adam, "net": net}
    return names
