"""Saving a fitted learner as a folder, and loading it."""

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
from turinglearn.persistence.codec import Attachments, NotSerializableError, decode, encode
from turinglearn.persistence.estimators import estimator_bytes, read_estimator
from turinglearn.persistence.folder import CorruptModelError, read, write

__all__ = ["load", "save"]

_ARRAYS, _ESTIMATORS = "arrays.safetensors", "estimator-{}.skops"
_PLAYERS = ("generator", "discriminator")


class _MissingPlayerError(ValueError):
    """Error for a player that the folder does not hold and that was not passed."""


def save(learner: TuringLearner, path: str | os.PathLike[str]) -> None:
    """Write a fitted learner into a folder, completely or not at all; a model that is there is replaced in one step.

    Players with functions or torch modules are saved without these, and must be passed to `load` again.

    Parameters
    ----------
    learner : TuringLearner
        The fitted learner.
    path : str or path-like
        The folder; it is created if needed.

    Raises
    ------
    NotSerializableError
        If another part of the learner cannot be saved without code; the message names it.
    FileExistsError
        If the folder holds other things than a model.
    TypeError
        If the first argument is not a learner.
    """
    if not isinstance(learner, TuringLearner):
        raise TypeError(
            f"save expects a fitted TuringLearner, but was passed a {type(learner).__name__}. Save a Game by its own state() "
            "and restore(state), for example with pickle; or let TuringLearner(generator, discriminator) play it."
        )
    check_is_fitted(learner, "game_")
    attachments = Attachments()
    parameters, missing = {}, {}
    for name, value in learner.get_params(deep=False).items():
        part = Attachments()
        try:
            parameters[name] = encode(value, name, part)
        except NotSerializableError as error:
            if name not in _PLAYERS:
                raise
            missing[name] = str(error)
        else:
            attachments.arrays |= part.arrays
            attachments.estimators |= part.estimators
    document = {
        "versions": _versions(),
        "parameters": parameters,
        "missing": missing,
        "players": _player_types(learner),
        "state": encode(learner.state(), "learner", attachments),
    }
    document, files = _to_files(document, attachments)
    write(Path(path), document, files)


def load(
    path: str | os.PathLike[str],
    *,
    generator: object = None,
    discriminator: object = None,
    trusted: Iterable[str] = (),
) -> TuringLearner:
    """Load a learner from the folder that `save` wrote, ready to sample, to discriminate and to play on.

    Nothing in the folder is run.

    Parameters
    ----------
    path : str or path-like
        The folder.
    generator, discriminator : player, optional
        The players, made as for the saved learner, if the folder lacks them because they hold functions or modules.
    trusted : iterable of str, default=()
        Full names of further types that estimators may hold, besides those that are known to be safe.

    Returns
    -------
    TuringLearner
        The learner.

    Raises
    ------
    ModelNotFoundError
        If the path does not hold a model.
    CorruptModelError
        If the model is damaged, of a later version, or holds types that are not trusted.
    ValueError
        If a player that the folder lacks was not passed.
    """
    path = Path(path)
    document, files = read(path)
    players: dict[str, Any] = {"generator": generator, "discriminator": discriminator}
    passed = {name: player for name, player in players.items() if player is not None}
    parameters, state = _decoded(path, document, files, tuple(trusted), passed)
    try:
        learner = TuringLearner(**parameters, **passed)
        learner.restore(state)
        if (types := _player_types(learner)) != document["players"]:
            raise ValueError(f"it was saved with {document['players']}, and these are {types}")
    except Exception as error:  # of any type: players are user code
        raise CorruptModelError(
            f"{path} does not fit the players ({_summary(error)}). Pass them as they were for the learner that was saved."
        ) from error
    return learner


def _decoded(
    path: Path, document: dict[str, Any], files: dict[str, bytes], trusted: tuple[str, ...], passed: Container[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters, except for players that are passed, and the state."""
    try:
        for name, why in document["missing"].items():
            if name not in passed:
                raise _MissingPlayerError(
                    f"The model in {path} was saved without its {name}, since {why} Pass it: load(path, {name}=...)."
                )
        nodes = {name: node for name, node in document["parameters"].items() if name not in passed}
        attachments = _from_files(path, document["estimators"], files, trusted, passed)
        return {name: decode(node, attachments) for name, node in nodes.items()}, decode(document["state"], attachments)
    except (CorruptModelError, ImportError, _MissingPlayerError):  # ImportError: a library that must be installed first
        raise
    except Exception as error:  # JSON, safetensors and skops raise many types for what they did not write
        raise CorruptModelError(
            f"{path} cannot be read ({_summary(error)}). It was written by another program or another version."
        ) from error


def _to_files(document: dict[str, Any], attachments: Attachments) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the document with the keys of its estimators, and the data files of its attachments."""
    from safetensors.numpy import save as tensors

    files = {_ARRAYS: tensors(attachments.arrays)}
    for number, (key, estimator) in enumerate(attachments.estimators.items()):
        files[_ESTIMATORS.format(number)] = estimator_bytes(key, estimator)
    return {**document, "estimators": list(attachments.estimators)}, files


def _from_files(
    path: Path, keys: list[str], files: dict[str, bytes], trusted: tuple[str, ...], passed: Container[str]
) -> Attachments:
    """Return the attachments in the data files, except for estimators of players that are passed."""
    from safetensors.numpy import load as tensors

    arrays = {name: np.array(value) for name, value in tensors(files[_ARRAYS]).items()}
    needed = {key: _ESTIMATORS.format(i) for i, key in enumerate(keys) if key.partition(".")[0] not in passed}
    estimators = {key: read_estimator(path, files[name], trusted) for key, name in needed.items()}
    return Attachments(arrays, estimators)


def _player_types(learner: TuringLearner) -> dict[str, str]:
    """Return the names of the players' classes: the state of one class is not valid for another."""
    return {name: type(getattr(learner.game_, name)).__qualname__ for name in _PLAYERS}


def _summary(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"


def _versions() -> dict[str, str]:
    libraries = {"numpy": np, "scikit-learn": sklearn, "scipy": scipy}
    return {"python": platform.python_version(), **{name: library.__version__ for name, library in libraries.items()}}
