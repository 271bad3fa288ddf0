"""Gradient penalties of a discriminator on steep scores.

With g = dr/dx at some points, a penalty P = mean of p(|g|) has the slopes v = dP/dg, and its gradient in the parameters is
that of <v, g> with v held fixed, which is the sum of dr along v: one tangent pass, and its backward pass. Derivatives are
those in the standardised features that the network sees; conditions are constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from turinglearn.arrays import like, namespace
from turinglearn.nn.network import Network
from turinglearn.nn.validation import expect, is_real
from turinglearn.protocols import Array, InputError, Rng

__all__ = ["R1", "R2", "GradientPenalty", "Penalty", "add_penalty", "check_penalties"]


class Penalty(Protocol):
    """Penalty on the gradient of the scores: the points where it is taken, and its value."""

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """Return the points (n, features + conditions), from real and fake rows of the same width."""
        ...

    def value(self, g: Array) -> Array:
        """Return P for g (n, features)."""
        ...

    def slopes(self, g: Array) -> Array:
        """Return dP/dg (n, features)."""
        ...


@dataclass(frozen=True)
class _Squared:
    weight: float

    def __post_init__(self) -> None:
        _check_weight(self)

    def value(self, g: Array) -> Array:
        """Return weight / 2 times the mean of ``|g|^2``."""
        return self.weight / 2 * namespace(g).sum(g * g) / g.shape[0]

    def slopes(self, g: Array) -> Array:
        """Return weight g / n."""
        return g * (self.weight / g.shape[0])


@dataclass(frozen=True)
class R1(_Squared):
    """Penalty ``weight / 2 E |g|^2`` at real samples.

    Parameters
    ----------
    weight : float
        Weight, 0 or more.

    References
    ----------
    Mescheder, Geiger & Nowozin (2018), "Which training methods for GANs do actually converge?", eq. 9.
    """

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """Return the real rows."""
        return real


@dataclass(frozen=True)
class R2(_Squared):
    """Penalty ``weight / 2 E |g|^2`` at fake samples.

    With `R1` and the relativistic criterion it makes the game of Huang et al. (2024).

    Parameters
    ----------
    weight : float
        Weight, 0 or more.

    References
    ----------
    Mescheder, Geiger & Nowozin (2018), "Which training methods for GANs do actually converge?", eq. 10.

    Huang, Gokaslan, Kuleshov & Tompkin (2024), "The GAN is dead; long live the GAN! A modern GAN baseline".
    """

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """Return the fake rows."""
        return fake


@dataclass(frozen=True)
class GradientPenalty:
    """Penalty ``weight E (|g| - 1)^2`` at random mixtures of a real and a fake sample.

    A mixture has the condition of its real sample. Where g = 0 the gradient is taken to be 0.

    Parameters
    ----------
    weight : float
        Weight, 0 or more.

    References
    ----------
    Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville (2017), "Improved training of Wasserstein GANs", eq. 3.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        _check_weight(self)

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """Return e x + (1 - e) y, e uniform for each pair; raise a ValueError unless there are as many real as fake rows."""
        if real.shape[0] != fake.shape[0]:
            raise InputError(
                f"{self!r} mixes pairs, but got {real.shape[0]} real and {fake.shape[0]} fake samples; expected equal numbers. "
                "Show the discriminator as many of the one as of the other, or choose R1 and R2."
            )
        e = like(rng.random((real.shape[0], 1)), real)
        mixed = fake[:, :features] + e * (real[:, :features] - fake[:, :features])
        return namespace(real).concat((mixed, real[:, features:]), axis=1)

    def value(self, g: Array) -> Array:
        """Return weight times the mean of ``(|g| - 1)^2``."""
        return self.weight * namespace(g).mean((_length(g) - 1) ** 2)

    def slopes(self, g: Array) -> Array:
        """Return ``2 weight (1 - 1 / |g|) g / n``."""
        length, xp = _length(g), namespace(g)
        flat = xp.astype(length == 0, g.dtype)  # there g = 0, whatever it is multiplied by
        return g * ((length - 1) / (length + flat)) * (2 * self.weight / g.shape[0])


def add_penalty(network: Network, penalty: Penalty, real: Array, fake: Array, features: int, rng: Rng) -> None:
    """Add the penalty's gradient in the parameters to the gradient of the network.

    Parameters
    ----------
    network : Network
        The discriminator's network.
    penalty : Penalty
        The penalty.
    real, fake : Array of shape (n, features + conditions)
        Inputs of the network, of each kind.
    features : int
        Number of columns that are not conditions.
    rng : numpy.random.Generator
        Source of random points and dropout masks.
    """
    x = penalty.points(real, fake, features, rng)
    r, tape = network.forward(x, True, rng)
    xp = namespace(r)
    one = xp.ones_like(r)
    g = network.backward_inputs(tape, one)[:, :features]
    v = xp.concat((penalty.slopes(g), xp.zeros_like(x[:, features:])), axis=1)
    _, tangent_tape = network.tangent(tape, v)
    network.backward_tangent(tangent_tape, one, add=True)


def check_penalties(owner: str, penalties: Sequence[Penalty], network: Network) -> None:
    """Raise a ValueError that names the owner unless these are penalties that make sense for its network."""
    good = isinstance(penalties, tuple | list) and all(hasattr(p, "points") and not isinstance(p, type) for p in penalties)
    if not good:
        raise InputError(f"{owner}(penalties={penalties!r}): expected a tuple of penalties, such as (R1(1.0),).")
    if penalties and network.coupled:
        layers = " and ".join(dict.fromkeys(repr(layer) for layer in network.layers if layer.coupled))
        raise InputError(
            f"{owner}(penalties={penalties!r}): a penalty acts on the gradient of each sample's score, but with {layers} a "
            "score depends on the rest of its batch. Leave the one or the other out; LayerNorm() and SpectralNorm() go with "
            "penalties."
        )


def _length(g: Array) -> Array:
    xp = namespace(g)
    length: Array = xp.sqrt(xp.sum(g * g, axis=1, keepdims=True))
    return length


def _check_weight(penalty: _Squared | GradientPenalty) -> None:
    expect(penalty, is_real(penalty.weight) and penalty.weight >= 0, "weight", "a weight from 0 on, such as 1.0")
