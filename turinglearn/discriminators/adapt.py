"""Conversion of a user's model to a discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from turinglearn.arrays import is_module
from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.discriminators.classifiers.inputs import estimator_type, make_compatible
from turinglearn.discriminators.classifiers.outputs import is_classifier
from turinglearn.discriminators.torch_module import TorchDiscriminator
from turinglearn.protocols import Discriminator
from turinglearn.registry import resolve

if TYPE_CHECKING:
    import torch

__all__ = ["as_discriminator"]


def as_discriminator(player: object) -> Discriminator:
    """Return the player as a discriminator.

    Parameters
    ----------
    player : discriminator, torch.nn.Module or classifier
        A discriminator, with ``update`` and ``score_samples``, is returned unchanged. A torch module becomes a
        `TorchDiscriminator`. A classifier with ``fit`` and ``predict_proba``, ``decision_function`` or ``predict`` becomes a
        `ClassifierDiscriminator`; if it takes no negative numbers, a MinMaxScaler or a KBinsDiscretizer is put before it. A
        text is a name with options: ``"svm"``, ``"sklearn.svm.SVC(C=10)"``.

    Returns
    -------
    Discriminator
        The player itself or its adapter.

    Raises
    ------
    TypeError
        If the player is anything else.
    ValueError
        For a name that does not exist, or options that it does not take.
    """
    player = resolve("discriminator", player)
    if isinstance(player, type):
        raise TypeError(f"{player.__name__} is a class; expected an instance. Write {player.__name__}(...).")
    if hasattr(player, "update") and hasattr(player, "score_samples"):
        if not hasattr(player, "score_type"):
            raise TypeError(
                f"{type(player).__name__} has no `score_type`; expected Scores, LogRatio or LogOdds, from "
                "turinglearn.protocols."
            )
        discriminator: Discriminator = player
        return discriminator
    if is_module(player):
        return TorchDiscriminator(cast("torch.nn.Module", player))
    kind = estimator_type(player)
    if kind in ("regressor", "clusterer", "outlier_detector", "transformer", "density_estimator"):
        raise TypeError(
            f"{type(player).__name__} is a {kind.replace('_', ' ')}; a discriminator learns to tell two classes apart. Choose "
            "a classifier, such as RandomForestClassifier(), or turn its output into a score for "
            "HandwrittenDiscriminator(score)."
        )
    if is_classifier(player):
        return ClassifierDiscriminator(make_compatible(player))
    raise TypeError(
        f"{player!r} is not a discriminator: expected `update(real, fake, rng)` and `score_samples(batch)`, or a classifier "
        "with `fit` and `predict_proba`. A handwritten score goes through HandwrittenDiscriminator(score)."
    )
