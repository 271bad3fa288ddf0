"""Whatever a user brings as a discriminator, adapted where it is not one yet."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import is_module
from turinglearn.discriminators.classifier import ClassifierDiscriminator
from turinglearn.discriminators.inputs import as_it_plays, kind_of
from turinglearn.discriminators.torch_module import TorchDiscriminator
from turinglearn.protocols import Discriminator

__all__ = ["as_discriminator"]


def as_discriminator(player: Any) -> Discriminator:
    """The player as a discriminator.

    One with `update` and `examine` is returned as it is; a torch module becomes a `TorchDiscriminator`; a classifier with
    `fit` and `predict_proba`, `decision_function` or `predict` becomes a `ClassifierDiscriminator`, after a MinMaxScaler or a
    KBinsDiscretizer where it takes no negative numbers. Raises TypeError for anything else.
    """
    if isinstance(player, type):
        raise TypeError(f"{player.__name__} is a class; expected an instance. Write {player.__name__}(...).")
    if hasattr(player, "update") and hasattr(player, "examine"):
        if not hasattr(player, "says"):
            raise TypeError(
                f"{type(player).__name__} has no `says`; expected Scores, LogRatio or LogOdds, from turinglearn.protocols."
            )
        discriminator: Discriminator = player
        return discriminator
    if is_module(player):
        return TorchDiscriminator(player)
    kind = kind_of(player)
    if kind in ("regressor", "clusterer", "outlier_detector", "transformer", "density_estimator"):
        raise TypeError(
            f"{type(player).__name__} is a {kind.replace('_', ' ')}; a judge learns to tell two classes apart. Choose a "
            "classifier, such as RandomForestClassifier(), or turn its output into a score for HandwrittenDiscriminator(score)."
        )
    voices = ("predict_proba", "decision_function", "predict")
    if hasattr(player, "fit") and any(hasattr(owner, voice) for owner in (player, type(player)) for voice in voices):
        return ClassifierDiscriminator(as_it_plays(player))  # some classifiers show their methods only once they are fitted
    raise TypeError(
        f"{player!r} is no discriminator: expected `update(real, fake, rng)` and `examine(batch)`, or a classifier with `fit` "
        "and `predict_proba`. A handwritten score goes through HandwrittenDiscriminator(score)."
    )
