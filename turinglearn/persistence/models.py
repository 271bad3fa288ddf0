"""A fitted learner as a folder, and back."""

from __future__ import annotations

import os
import platform
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.utils.validation import check_is_fitted

from turinglearn.estimator import TuringLearner
from turinglearn.persistence.codec import Parcel, Unsavable, decode, encode
from turinglearn.persistence.estimators import estimator_bytes, read_estimator
from turinglearn.persistence.folder import BrokenFolder, read, write

__all__ = ["load", "save"]

_ARRAYS, _ESTIMATORS = "arrays.safetensors", "estimator-{}.skops"
_PLAYERS = ("generator", "discriminator")


class _Lacking(ValueError):
    """A player that must be passed."""


def save(learner: TuringLearner, path: str | os.PathLike[str]) -> None:
    """Write a fitted learner into the folder path, whole or not at all; a model that is there is replaced in one step.

    What a folder cannot hold without code is refused by name: `Unsavable`. Players with functions or torch modules are
    saved without these, and `load` is given them again. Raises FileExistsError for a folder of other things, TypeError for what
    is no learner.
    """
    if not isinstance(learner, TuringLearner):
        raise TypeError(
            f"save keeps a fitted TuringLearner, but was given a {type(learner).__name__}. A Game is kept by its own state() "
            "and restore(state), for example with pickle; or let TuringLearner(generator, discriminator) play it."
        )
    check_is_fitted(learner, "game_")
    parcel = Parcel()
    parameters, lacking = {}, {}
    for name, value in learner.get_params(deep=False).items():
        part = Parcel()
        try:
            parameters[name] = encode(value, name, part)
        except Unsavable as error:
            if name not in _PLAYERS:
                raise
            lacking[name] = str(error)
        else:
            parcel.arrays |= part.arrays
            parcel.estimators |= part.estimators
    document = {
        "versions": _versions(),
        "parameters": parameters,
        "lacking": lacking,
        "kinds": _kinds(learner),
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
    passed = {name: player for name, player in given.items() if player is not None}
    parameters, state = _decoded(path, document, files, tuple(trusted), passed)
    try:
        learner = TuringLearner(**parameters, **passed)
        learner.restore(state)
        if (kinds := _kinds(learner)) != document["kinds"]:
            raise ValueError(f"it was saved with {document['kinds']}, and these are {kinds}")
    except Exception as error:  # of any kind, from players of any make
        raise BrokenFolder(
            f"{path} does not fit the players ({_said(error)}). Pass them as they were for the learner that was saved."
        ) from error
    return learner


def _decoded(
    path: Path, document: dict[str, Any], files: dict[str, bytes], trusted: tuple[str, ...], passed: Container[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters but for the players that are passed, and the state."""
    try:
        for name, why in document["lacking"].items():
            if name not in passed:
                raise _Lacking(
                    f"The model in {path} was saved without its {name}, since {why} Pass it: load(path, {name}=...)."
                )
        nodes = {name: node for name, node in document["parameters"].items() if name not in passed}
        parcel = _unpacked(path, document["estimators"], files, trusted, passed)
        return {name: decode(node, parcel) for name, node in nodes.items()}, decode(document["state"], parcel)
    except (BrokenFolder, ImportError, _Lacking):  # ImportError: a library that must be installed first
        raise
    except Exception as error:  # JSON, safetensors and skops raise many kinds for what they did not write
        raise BrokenFolder(
            f"{path} cannot be read ({_said(error)}). It was made by other hands, or by another version."
        ) from error


def _packed(document: dict[str, Any], parcel: Parcel) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The document, and the data files of what JSON does not hold."""
    from safetensors.numpy import save as tensors

    files = {_ARRAYS: tensors(parcel.arrays)}
    for number, (key, estimator) in enumerate(parcel.estimators.items()):
        files[_ESTIMATORS.format(number)] = estimator_bytes(key, estimator)
    return {**document, "estimators": list(parcel.estimators)}, files


def _unpacked(path: Path, keys: list[str], files: dict[str, bytes], trusted: tuple[str, ...], passed: Container[str]) -> Parcel:
    """What the data files hold, by key, but for estimators of players that are passed."""
    from safetensors.numpy import load as tensors

    arrays = {name: np.array(value) for name, value in tensors(files[_ARRAYS]).items()}
    needed = {key: _ESTIMATORS.format(i) for i, key in enumerate(keys) if key.partition(".")[0] not in passed}
    estimators = {key: read_estimator(path, files[name], trusted) for key, name in needed.items()}
    return Parcel(arrays, estimators)


def _kinds(learner: TuringLearner) -> dict[str, str]:
    """The classes of the players, which take up no other's state."""
    return {name: type(getattr(learner.game_, name)).__qualname__ for name in _PLAYERS}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"


def _versions() -> dict[str, str]:
    libraries = {"numpy": np, "scikit-learn": sklearn, "scipy": scipy}
    return {"python": platform.python_version(), **{name: library.__version__ for name, library in libraries.items()}}
