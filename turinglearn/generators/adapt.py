"""Whatever a user brings as a generator, adapted where it is not one yet."""

from __future__ import annotations

from typing import Any

from turinglearn.arrays import is_module
from turinglearn.generators.refitted import RefittedGenerator
from turinglearn.protocols import Generator

__all__ = ["as_generator"]


def as_generator(player: Any) -> Generator:
    """The player as a generator.

    One with `propose` and `update` is returned as it is; anything with `fit` and `sample`, such as a Gaussian mixture of
    scikit-learn, becomes a `RefittedGenerator`. A torch module needs `TorchGenerator(module, latent_dim=...)`, since nobody
    else knows its noise. Raises TypeError for anything else.
    """
    if isinstance(player, type):
        raise TypeError(f"{player.__name__} is a class; expected an instance. Write {player.__name__}(...).")
    if hasattr(player, "propose") and hasattr(player, "update"):
        if not hasattr(player, "learns_from"):
            raise TypeError(
                f"{type(player).__name__} has no `learns_from`; expected Losses, Gradients, Weights or Cells, "
                "from turinglearn.protocols."
            )
        generator: Generator = player
        return generator
    if is_module(player):
        raise TypeError(
            f"{type(player).__name__} is a torch module, whose noise has a dimension that only you know. "
            "Wrap it: TorchGenerator(module, latent_dim=...)."
        )
    if hasattr(player, "fit") and hasattr(player, "sample"):
        return RefittedGenerator(player)
    raise TypeError(
        f"{player!r} is no generator: expected `propose(n, rng, given=None)` and `update(samples, feedback)`, or an estimator "
        "with `fit` and `sample`. Handwritten simulators go through EvolvedGenerator(simulate, bounds)."
    )
