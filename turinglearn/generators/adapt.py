"""Adapter: anything that can serve as a generator, made one."""

from __future__ import annotations

from typing import TypeGuard

from turinglearn.arrays import is_module
from turinglearn.generators.refitted import Model, RefittedGenerator
from turinglearn.protocols import Generator
from turinglearn.registry import resolve

__all__ = ["as_generator"]


def as_generator(player: object) -> Generator:
    """Return the player as a generator.

    Parameters
    ----------
    player : object
        A generator, with `propose` and `update`, is returned as it is. A model with `fit` and `sample`, such as a Gaussian
        mixture of scikit-learn, becomes a `RefittedGenerator`. A text is a name with options: ``"mixture(n_components=3)"``.

    Returns
    -------
    Generator

    Raises
    ------
    TypeError
        For anything else. A torch module needs ``TorchGenerator(module, latent_dim=...)``, since the dimension of its noise
        must be named.
    ValueError
        For a name that does not exist, or options that it does not take.
    """
    player = resolve("generator", player)
    if isinstance(player, type):
        raise TypeError(f"{player.__name__} is a class; expected an instance. Write {player.__name__}(...).")
    if _is_generator(player):
        if not hasattr(player, "feedback_type"):
            raise TypeError(
                f"{type(player).__name__} has no `feedback_type`; expected Losses, Gradients, Weights or Leaves, "
                "from turinglearn.protocols."
            )
        return player
    if is_module(player):
        raise TypeError(
            f"{type(player).__name__} is a torch module, whose dimension of noise only you know. "
            "Wrap it: TorchGenerator(module, latent_dim=...)."
        )
    if _is_model(player):
        return RefittedGenerator(player)
    raise TypeError(
        f"{player!r} is not a generator: expected `propose(n, rng, condition=None)` and `update(samples, feedback)`, or an "
        "estimator with `fit` and `sample`. Handwritten simulators go through EvolvedGenerator(simulate, bounds)."
    )


def _is_generator(player: object) -> TypeGuard[Generator]:
    return hasattr(player, "propose") and hasattr(player, "update")


def _is_model(player: object) -> TypeGuard[Model]:
    return hasattr(player, "fit") and hasattr(player, "sample")
