"""Estimators of scikit-learn and compatible libraries as bytes, by skops, which builds only types that are known to be safe.

Boosters of XGBoost and LightGBM are stored in these libraries' own formats inside the same file.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from turinglearn.persistence.codec import NotSerializableError
from turinglearn.persistence.folder import CorruptModelError

__all__ = ["estimator_bytes", "read_estimator"]

# Parts of fitted estimators that skops does not trust by itself: each is built from plain arrays, numbers and strings.
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
_MODULES = (  # all of whose classes are safe
    "sklearn.gaussian_process.kernels",
    "sklearn.metrics._dist_metrics",
    "sklearn.neural_network._stochastic_optimizers",
)


def estimator_bytes(key: str, estimator: object) -> bytes:
    """Return the estimator as bytes; raise `NotSerializableError`, with its key, if it could only be saved as code."""
    import skops.io

    try:
        content: bytes = skops.io.dumps(estimator)
        unknown = skops.io.get_untrusted_types(data=content)
    except Exception as error:  # of many types
        raise NotSerializableError(_reason(key, estimator, str(error))) from error
    functions = [name for name in unknown if not isinstance(_imported(name), type)]
    if functions:
        raise NotSerializableError(
            _reason(key, estimator, f"it holds {', '.join(functions)}, which cannot be imported as a class")
        )
    return content


def read_estimator(path: Path, content: bytes, trusted: Iterable[str]) -> object:
    """Return the estimator in these bytes; raise `CorruptModelError` for types neither known to be safe nor trusted."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > len(content):  # skops does not compress
            raise CorruptModelError(f"{path} holds an estimator that would grow when unpacked. Do not trust this folder.")
    unknown = skops.io.get_untrusted_types(data=content)
    strange = [name for name in unknown if not (_is_known(name) or name in trusted)]
    if strange:
        raise CorruptModelError(
            f"{path} holds objects of types that are not known to be safe: {', '.join(strange)}. If you trust whoever "
            f"wrote it: load(path, trusted={strange!r})."
        )
    estimator: object = skops.io.loads(content, trusted=unknown)
    return estimator


def _is_known(name: str) -> bool:
    """Return whether the type of this name is known to be safe."""
    module, _, _ = name.rpartition(".")
    found = _imported(name) if module in _MODULES else None
    return name in _CLASSES or (isinstance(found, type) and found.__module__ == module)


def _imported(name: str) -> object:
    """Return the object with a dotted name, or None."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None


def _reason(key: str, estimator: object, reason: str) -> str:
    kind = type(estimator)
    return (
        f"{key} is a {kind.__module__}.{kind.__name__}, which skops cannot write without code: {reason}. Choose parts of "
        "scikit-learn without functions of your own in them."
    )
