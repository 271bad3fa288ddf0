"""What a player is, what players exchange, and the errors.

A player needs no base class. A generator proposes samples and learns from feedback; a discriminator learns to tell genuine
from counterfeit and says, for each sample, how genuine it looks. The type of what is said (evidence) and the type of what
can be learned from (feedback) decide which players can meet: `turinglearn.signals.bridge` turns the one into the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = Any  # an array of NumPy, torch, CuPy or any library of the array API standard
Rng = np.random.Generator
Pullback = Callable[[Array], Array]  # dL/dscores (n,) -> dL/dx (n, *event); used at most once, before the next update

__all__ = [
    "Array",
    "Batch",
    "Cells",
    "Discriminator",
    "EvidenceWarning",
    "Generator",
    "Gradients",
    "IncompatiblePlayers",
    "LogOdds",
    "LogRatio",
    "Losses",
    "PlayerError",
    "Pullback",
    "Rng",
    "Samples",
    "Scores",
    "Source",
    "Weights",
]


# ------------------------------------------------------------------------------------------------------- what is judged
@dataclass(frozen=True, slots=True)
class Batch:
    """What a discriminator may see.

    x is (n, *event). given, (n, c), is the condition that both players were told; it travels with x, always. In a game with
    packing a judge sees tuples: x is (n / m, m, *event) and given (n / m, m, c).
    """

    x: Array
    given: Array | None = None

    @property
    def n(self) -> int:
        """How many samples there are."""
        return int(self.x.shape[0]) if hasattr(self.x, "shape") else len(self.x)


@dataclass(frozen=True, slots=True)
class Samples(Batch):
    """A proposal. context is the generator's own record of how x came about; good until its next update."""

    context: Any = None


# ------------------------------------------------------------------------------------------------------------- evidence
@dataclass(frozen=True, slots=True)
class Scores:
    """One number per sample, (n,), higher means more genuine. Order and slope only: critics, votes, handwritten judges."""

    values: Array


class LogRatio(Scores):
    """log p(x)/q(x) plus an unknown constant: relativistic critics."""

    __slots__ = ()


class LogOdds(LogRatio):
    """log p(x)/q(x), p the genuine law and q the counterfeits': finite, corrected by the class masses of the fit."""

    __slots__ = ()


# ------------------------------------------------------------------------------------------------------------- feedback
@dataclass(frozen=True, slots=True)
class Losses:
    """l_i, the loss of each sample, (n,)."""

    values: Array


@dataclass(frozen=True, slots=True)
class Gradients:
    """d(sum of l_i)/dx, shaped like x. It is the SUM: a generator that descends the mean loss divides by n."""

    values: Array


@dataclass(frozen=True, slots=True)
class Weights:
    """Importance weights of the samples, (n,), self-normalised to mean 1."""

    values: Array


@dataclass(frozen=True, slots=True)
class Cells:
    """The leaves that genuine samples fall into, whole numbers (n, trees), and these samples."""

    values: Array
    real: Batch


# -------------------------------------------------------------------------------------------------------------- players
class Source(Protocol):
    """Where genuine data come from. A finite source also says how many samples it holds, by `len`."""

    def draw(self, n: int, rng: Rng) -> Batch:
        """n genuine samples; a finite source draws without replacement."""
        ...


class Generator(Protocol):
    """A player that makes counterfeits.

    `learns_from` is `Losses`, `Gradients`, `Weights` or `Cells`; it belongs to the instance, so one class can offer several
    ways of learning. Optional capabilities, one method each, asked for by `hasattr` on the instance:

    - ``start(example: Batch, rng)``: shapes, scales and initial parameters, before the first round;
    - ``sample(n, rng, given=None) -> x``: the learned law, where it is not the law of the proposals;
    - ``population``: how many candidates share a proposal, in order; where the game is packed, each fills whole tuples.
    """

    learns_from: type

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n counterfeits; under the conditions `given`, (n, c), where the game has conditions."""
        ...

    def update(self, samples: Samples, feedback: Any) -> None:
        """One step that makes the losses of samples like these smaller."""
        ...


class Discriminator(Protocol):
    """A player that tells genuine samples from counterfeits.

    `says` is `Scores`, `LogRatio` or `LogOdds`. Optional capabilities and remarks:

    - ``start(example: Batch, rng)``: shapes, scales and initial parameters, before the first round;
    - ``vjp(batch) -> (Scores, Pullback)``: the evidence with its exact gradient in x;
    - ``cells(batch) -> (n, trees)``: whole numbers, the leaf of each sample in each tree of a forest;
    - ``criterion``: the `turinglearn.objectives.DiscriminatorObjective` that it descends;
    - ``refits = True``: each update is a fit from scratch, so that it wants more samples and fewer rounds;
    - ``remembers = True``: what it says of counterfeits is of all that it has ever seen, the first counting as the latest;
    - ``batch_coupled = True``: a score depends on the rest of the batch, so that probing sample by sample means nothing.
    """

    says: type[Scores]

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Learn from genuine and counterfeit samples."""
        ...

    def examine(self, batch: Batch) -> Scores:
        """The evidence on each sample."""
        ...


# --------------------------------------------------------------------------------------------------------------- errors
class IncompatiblePlayers(TypeError):
    """No honest way leads from what the discriminator says to what the generator learns from."""


class PlayerError(RuntimeError):
    """A player broke its contract: it raised, or gave something else than it owes."""


class EvidenceWarning(UserWarning):
    """What a judge says has been worth nothing for many rounds; a game warns of it once."""
