"""A fitted learner as a folder, and back."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from turinglearn.estimator import TuringLearner
from turinglearn.persistence.codec import Parcel, Unsavable, decode, encode
from turinglearn.persistence.folder import BrokenFolder, read, write

__all__ = ["load", "save"]

_ARRAYS, _ESTIMATORS = "arrays.safetensors", "estimator-{}.skops"
_PLAYERS = ("generator", "discriminator")

# What scikit-learn's fitted estimators hold, beyond what skops trusts by itself; each is built from plain arrays.
TRUSTED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.",
    "sklearn.metrics._dist_metrics.",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.tree._tree.Tree",
)


def save(learner: TuringLearner, path: str | os.PathLike[str]) -> None:
    """Write a fitted learner into the folder path, whole or not at all; a model that is there is replaced in one step.

    What a folder cannot hold without code is refused by name: `Unsavable`. Players with functions or torch modules are
    saved without these, and `load` is given them again. Raises FileExistsError for a folder of other things.
    """
    check_is_fitted(learner, "game_")
    parcel = Parcel()
    parameters, lacking = {}, {}
    for name, value in learner.get_params(deep=False).items():
        try:
            parameters[name] = encode(value, name, parcel)
        except Unsavable as error:
            if name not in _PLAYERS:
                raise
            lacking[name] = str(error)
    document = {
        "versions": _versions(),
        "parameters": parameters,
        "lacking": lacking,
        "state": encode(learner.state(), "learner", parcel),
    }
    document, files = _packed(document, parcel)
    write(Path(path), document, files)


def load(
    path: str | os.PathLike[str], *, generator: Any = None, discriminator: Any = None, trusted: Iterable[str] = ()
) -> TuringLearner:
    """The learner that was saved in the folder path, ready to sample, to judge, and to play on.

    Nothing in the folder is run. generator, discriminator: the players, made as they were for the learner that was saved,
    where the folder lacks them because they hold functions or modules. trusted: types of estimators, by their full names, that
    may be built beside those of scikit-learn. Raises `BrokenFolder` for what is no model, damaged, or of a later version.
    """
    path = Path(path)
    document, files = read(path)
    given = {"generator": generator, "discriminator": discriminator}
    try:
        parcel = _unpacked(path, document["estimators"], files, tuple(trusted))
        parameters = {name: decode(node, parcel) for name, node in document["parameters"].items()}
        state = decode(document["state"], parcel)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, ValueError) as error:
        if isinstance(error, BrokenFolder):
            raise
        raise BrokenFolder(f"{path} cannot be read: {error}. It was made by other hands, or by another version.") from error
    for name, why in document["lacking"].items():
        if given[name] is None:
            raise ValueError(f"The model in {path} was saved without its {name}, since {why} Pass it: load(path, {name}=...).")
    chosen = {name: player for name, player in given.items() if player is not None}
    learner = TuringLearner(**{**parameters, **chosen})
    try:
        learner.restore(state)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise BrokenFolder(
            f"{path} does not fit the players ({error}). Pass them as they were for the learner that was saved."
        ) from error
    return learner


def _packed(document: dict[str, Any], parcel: Parcel) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The document, and the data files of what JSON does not hold."""
    from safetensors.numpy import save as tensors

    files = {_ARRAYS: tensors(parcel.arrays)}
    for number, (key, estimator) in enumerate(parcel.estimators.items()):
        files[_ESTIMATORS.format(number)] = _estimator_bytes(key, estimator)
    return {**document, "estimators": list(parcel.estimators)}, files


def _estimator_bytes(key: str, estimator: BaseEstimator) -> bytes:
    import skops.io

    try:
        content: bytes = skops.io.dumps(estimator)
        skops.io.get_untrusted_types(data=content)
    except Exception as error:
        raise Unsavable(
            f"{key} is a {type(estimator).__module__}.{type(estimator).__name__}, which skops cannot write without code "
            f"({error}). Choose parts of scikit-learn without functions of your own in them."
        ) from error
    return content


def _unpacked(path: Path, keys: list[str], files: dict[str, bytes], trusted: tuple[str, ...]) -> Parcel:
    import skops.io
    from safetensors import SafetensorError
    from safetensors.numpy import load as tensors

    parcel = Parcel()
    try:
        parcel.arrays = {name: np.array(value) for name, value in tensors(files[_ARRAYS]).items()}
    except SafetensorError as error:
        raise BrokenFolder(f"The arrays in {path} cannot be read ({error}). Use a copy, or save the model anew.") from error
    for number, key in enumerate(keys):
        content = files[_ESTIMATORS.format(number)]
        unknown = skops.io.get_untrusted_types(data=content)
        strange = [t for t in unknown if t not in trusted and not _is_known(t)]
        if strange:
            raise BrokenFolder(
                f"{path} holds objects of types that are not known to be safe: {', '.join(strange)}. If you trust whoever "
                f"wrote it: load(path, trusted={strange!r})."
            )
        parcel.estimators[key] = skops.io.loads(content, trusted=unknown)
    return parcel


def _is_known(kind: str) -> bool:
    return any(kind.startswith(known) if known.endswith(".") else kind == known for known in TRUSTED)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{n: version(n) for n in ("numpy", "scikit-learn", "scipy")}}
