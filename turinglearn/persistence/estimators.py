"""Estimators of scikit-learn and its kin as bytes, and back: by skops, which builds only types that are known to be safe.

The boosters of XGBoost and LightGBM are trees in the text or bytes of these libraries' own formats, inside the same file.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from turinglearn.persistence.codec import Unsavable
from turinglearn.persistence.folder import BrokenFolder

__all__ = ["estimator_bytes", "read_estimator"]

# What fitted estimators hold, beyond what skops trusts by itself: each is built from plain arrays, numbers and texts.
_CLASSES = (
    "collections.OrderedDict",
    "imblearn.ensemble._bagging.BalancedBaggingClassifier",
    "imblearn.ensemble._easy_ensemble.EasyEnsembleClassifier",
    "imblearn.ensemble._forest.BalancedRandomForestClassifier",
    "imblearn.ensemble._weight_boosting.RUSBoostClassifier",
    "imblearn.over_sampling._random_over_sampler.RandomOverSampler",
    "imblearn.over_sampling._smote.base.SMOTE",
    "imblearn.pipeline.Pipeline",
    "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
    "interpret.glassbox._ebm._ebm.ExplainableBoostingClassifier",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRFClassifier",
)
_MODULES = (  # all classes that are defined in them
    "sklearn.gaussian_process.kernels",
    "sklearn.metrics._dist_metrics",
    "sklearn.neural_network._stochastic_optimizers",
)


def estimator_bytes(key: str, estimator: Any) -> bytes:
    """The estimator as bytes. Raises `Unsavable`, which names it, for what could only be saved as code."""
    import skops.io

    try:
        content: bytes = skops.io.dumps(estimator)
        unknown = skops.io.get_untrusted_types(data=content)
    except Exception as error:  # skops raises many kinds
        raise Unsavable(_why(key, estimator, str(error))) from error
    functions = [name for name in unknown if not isinstance(_found(name), type)]
    if functions:
        raise Unsavable(_why(key, estimator, f"it holds {', '.join(functions)}, which is no class that can be imported"))
    return content


def read_estimator(path: Path, content: bytes, trusted: Iterable[str]) -> Any:
    """The estimator in these bytes. Raises `BrokenFolder` for types that are neither known to be safe nor trusted."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > len(content):  # skops writes them as they are
            raise BrokenFolder(f"{path} holds an estimator that would grow when unpacked. Do not trust this folder.")
    unknown = skops.io.get_untrusted_types(data=content)
    strange = [name for name in unknown if not (_is_known(name) or name in trusted)]
    if strange:
        raise BrokenFolder(
            f"{path} holds objects of types that are not known to be safe: {', '.join(strange)}. If you trust whoever "
            f"wrote it: load(path, trusted={strange!r})."
        )
    return skops.io.loads(content, trusted=unknown)


def _is_known(name: str) -> bool:
    module, _, _ = name.rpartition(".")
    found = _found(name) if module in _MODULES else None
    return name in _CLASSES or (isinstance(found, type) and found.__module__ == module)


def _found(name: str) -> Any:
    """What can be imported under a dotted name; None for nothing."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None


def _why(key: str, estimator: Any, reason: str) -> str:
    kind = type(estimator)
    return (
        f"{key} is a {kind.__module__}.{kind.__name__}, which skops cannot write without code: {reason}. Choose parts of "
        "scikit-learn without functions of your own in them."
    )
