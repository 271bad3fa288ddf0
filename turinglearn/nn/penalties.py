"""Gradient penalties: what a judge pays for steep scores.

With g = dr/dx at some points, a penalty P = mean of p(|g|) has the slopes v = dP/dg, and its gradient in the parameters is
that of <v, g> with v held fixed, which is the sum of dr along v: one tangent pass, and its reverse. Scores change with what the
network sees, standardised features; conditions are constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from turinglearn.arrays import like, namespace
from turinglearn.nn.network import Network
from turinglearn.nn.options import expect, is_real
from turinglearn.protocols import Array, Rng

__all__ = ["R1", "R2", "GradientPenalty", "Penalty", "add_penalty", "check_penalties"]


class Penalty(Protocol):
    """Where scores must not be steep, and what steepness costs."""

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """What the network sees there, (n, features and conditions), given genuine and counterfeit rows."""
        ...

    def value(self, g: Array) -> Array:
        """P for g, (n, features)."""
        ...

    def slopes(self, g: Array) -> Array:
        """dP/dg, (n, features)."""
        ...


@dataclass(frozen=True)
class _Squared:
    weight: float

    def __post_init__(self) -> None:
        _check_weight(self)

    def value(self, g: Array) -> Array:
        """weight / 2 times the mean of |g|^2."""
        return self.weight / 2 * namespace(g).sum(g * g) / g.shape[0]

    def slopes(self, g: Array) -> Array:
        """weight g / n."""
        return g * (self.weight / g.shape[0])


@dataclass(frozen=True)
class R1(_Squared):
    """weight / 2 E |g|^2 at genuine samples. Mescheder et al. (2018), eq. 9."""

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """The genuine rows."""
        return real


@dataclass(frozen=True)
class R2(_Squared):
    """weight / 2 E |g|^2 at counterfeit samples. Mescheder et al. (2018), eq. 10.

    With R1 and the relativistic criterion it makes the game of Huang et al. (2024).
    """

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """The counterfeit rows."""
        return fake


@dataclass(frozen=True)
class GradientPenalty:
    """weight E (|g| - 1)^2 at random mixtures of a genuine and a counterfeit sample. Gulrajani et al. (2017), eq. 3.

    A mixture has the condition of its genuine sample. Where g = 0 the gradient is taken to be 0.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        _check_weight(self)

    def points(self, real: Array, fake: Array, features: int, rng: Rng) -> Array:
        """e x + (1 - e) y, e uniform for each pair. Raises ValueError where there are no pairs."""
        if real.shape[0] != fake.shape[0]:
            raise ValueError(
                f"{self!r} mixes pairs, but got {real.shape[0]} genuine and {fake.shape[0]} counterfeit samples. Show the "
                "judge as many of the one as of the other, or choose R1 and R2."
            )
        e = like(rng.random((real.shape[0], 1)), real)
        mixed = fake[:, :features] + e * (real[:, :features] - fake[:, :features])
        return namespace(real).concat((mixed, real[:, features:]), axis=1)

    def value(self, g: Array) -> Array:
        """weight times the mean of (|g| - 1)^2."""
        return self.weight * namespace(g).mean((_length(g) - 1) ** 2)

    def slopes(self, g: Array) -> Array:
        """2 weight (1 - 1 / |g|) g / n."""
        length, xp = _length(g), namespace(g)
        flat = xp.astype(length == 0, g.dtype)  # there g = 0, whatever it is multiplied by
        return g * ((length - 1) / (length + flat)) * (2 * self.weight / g.shape[0])


def add_penalty(network: Network, penalty: Penalty, real: Array, fake: Array, features: int, rng: Rng) -> None:
    """Add the penalty's gradient in the parameters to the network's; real and fake are what the network sees of each kind."""
    x = penalty.points(real, fake, features, rng)
    r, tape = network.forward(x, True, rng)
    xp = namespace(r)
    one = xp.ones_like(r)
    g = network.backward_inputs(tape, one)[:, :features]
    v = xp.concat((penalty.slopes(g), xp.zeros_like(x[:, features:])), axis=1)
    _, motion = network.tangent(tape, v)
    network.reverse(motion, one, add=True)


def check_penalties(player: Any) -> None:
    """Raise ValueError where a started player has penalties that cannot be, or that its network gives no meaning."""
    name, penalties = type(player).__name__, player.penalties
    good = isinstance(penalties, tuple | list) and all(hasattr(p, "points") and not isinstance(p, type) for p in penalties)
    if not good:
        raise ValueError(f"{name}(penalties={penalties!r}): expected a tuple of penalties, such as (R1(1.0),).")
    if penalties and player.network_.coupled:
        layers = " and ".join(dict.fromkeys(repr(layer) for layer in player.network_.layers if layer.coupled))
        raise ValueError(
            f"{name}(penalties={penalties!r}): a penalty is about the gradient of each sample's score, but with {layers} a "
            "score depends on the rest of its batch. Leave the one or the other out; LayerNorm() and SpectralNorm() go with "
            "penalties."
        )


def _length(g: Array) -> Array:
    xp = namespace(g)
    return xp.sqrt(xp.sum(g * g, axis=1, keepdims=True))


def _check_weight(penalty: _Squared | GradientPenalty) -> None:
    expect(penalty, is_real(penalty.weight) and penalty.weight >= 0, "weight", "a weight from 0 on, such as 1.0")
