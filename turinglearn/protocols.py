"""Protocols of players, the values that players exchange, and the errors.

A player needs no base class. A generator proposes samples and learns from feedback. A discriminator learns to tell real
samples from fakes and scores how real each sample looks. Two types decide which players can meet: the evidence that the
discriminator gives (`Scores`, `LogRatio` or `LogOdds`) and the feedback that the generator learns from (`Losses`,
`Gradients`, `Weights` or `Leaves`). `turinglearn.signals.make_signal` turns the one into the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import Array, concat, like, namespace, take_rows, to_numpy

__all__ = [
    "Array",
    "Batch",
    "Discriminator",
    "EvidenceWarning",
    "Feedback",
    "Generator",
    "Gradients",
    "IncompatiblePlayers",
    "InputError",
    "Leaves",
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

Rng = np.random.Generator
Pullback = Callable[[Array], Array]  # dL/dscores (n,) -> dL/dx (n, *event); used at most once, before the next update


# ------------------------------------------------------------------------------------------------------------- samples
@dataclass(frozen=True, slots=True)
class Batch:
    """Samples as a discriminator sees them, with their conditions.

    The condition travels with its sample, always: rows are taken, joined, split and mapped here and nowhere else.

    Parameters
    ----------
    x : Array of shape (n, *event)
        The samples. In a game with packing a discriminator sees tuples of m samples, (n / m, m, *event).
    condition : Array of shape (n, c), or None
        The condition of each sample, which both players know; in a game with packing (n / m, m, c).
    """

    x: Array
    condition: Array | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.x.shape[0]) if hasattr(self.x, "shape") else len(self.x)

    def map(self, function: Callable[[Array], Array]) -> Batch:
        """Apply a function to the samples and to their conditions."""
        return Batch(function(self.x), None if self.condition is None else function(self.condition))

    def take(self, rows: slice | NDArray[np.integer]) -> Batch:
        """Return these rows: a view for a slice, a copy for an array of row numbers."""
        if isinstance(rows, slice):
            return Batch(self.x[rows, ...], None if self.condition is None else self.condition[rows, ...])
        return Batch(take_rows(self.x, rows), None if self.condition is None else take_rows(self.condition, rows))

    def split(self, sizes: Iterable[int]) -> list[Batch]:
        """Return consecutive parts of these sizes."""
        return [self.take(slice(start, stop)) for start, stop in pairwise(accumulate(sizes, initial=0))]

    def concat(self, other: Batch) -> Batch:
        """Return the samples of both, in the library of the first."""
        both = None if self.condition is None or other.condition is None else concat(self.condition, other.condition)
        return Batch(concat(self.x, other.x), both)

    def matrix(self) -> NDArray[Any]:
        """Return a NumPy matrix (n, features) of its own: events flattened, the condition as further columns."""
        x = to_numpy(self.x).reshape(self.n, -1)
        if self.condition is None:
            return x.copy()
        return np.concatenate((x, to_numpy(self.condition).reshape(self.n, -1)), axis=1)


@dataclass(frozen=True, slots=True)
class Samples(Batch):
    """A proposal of a generator.

    Parameters
    ----------
    x, condition
        As in `Batch`.
    context : object
        The generator's own record of how x came about; valid until its next update.
    """

    context: Any = None


# ------------------------------------------------------------------------------------------------------------ evidence
@dataclass(frozen=True, slots=True)
class Scores:
    """One number per sample, (n,); higher means more real.

    Only order and slope have a meaning: critics, votes, handwritten discriminators.
    """

    values: Array


class LogRatio(Scores):
    """log p(x)/q(x) plus an unknown constant: relativistic critics."""

    __slots__ = ()


class LogOdds(LogRatio):
    """log p(x)/q(x), with p the distribution of real samples and q that of fakes.

    Finite, and corrected for the class weights of the fit.
    """

    __slots__ = ()


# ------------------------------------------------------------------------------------------------------------ feedback
@dataclass(frozen=True, slots=True)
class Feedback:
    """Base of what a generator learns from: one value per sample, (n, ...).

    A new kind of feedback is a subclass, with a signal that serves it (`turinglearn.signals.Signal`).
    """

    values: Array

    def unpack(self, m: int, fake: Batch) -> Self:
        """Return the feedback of tuples of m samples as that of their members: each answers for its whole tuple."""
        return self if m == 1 else type(self)(namespace(self.values).repeat(self.values, m))


class Losses(Feedback):
    """Loss of each sample, (n,)."""

    __slots__ = ()


class Gradients(Feedback):
    """Gradient of the SUM of the losses in x, shaped like x: a generator that descends the mean loss divides by n."""

    __slots__ = ()

    def unpack(self, m: int, fake: Batch) -> Self:
        """Return the gradient for each member; the sum over members counts each tuple m times."""
        values = self.values if m == 1 else m * namespace(self.values).reshape(self.values, tuple(fake.x.shape))
        return type(self)(like(values, fake.x))


class Weights(Feedback):
    """Importance weight of each sample, (n,), normalised to mean 1."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Leaves(Feedback):
    """Leaves that real samples fall into, integers (n, trees), and these samples."""

    real: Batch

    def unpack(self, m: int, fake: Batch) -> Self:
        """Return the leaves of each real sample."""
        if m == 1:
            return self
        members = self.real.map(lambda a: namespace(a).reshape(a, (-1, *a.shape[2:])))
        return type(self)(namespace(self.values).repeat(self.values, m, axis=0), members)


# ------------------------------------------------------------------------------------------------------------- players
class Source(Protocol):
    """A source of real samples. A finite source also has a length."""

    def draw(self, n: int, rng: Rng) -> Batch:
        """Draw n real samples; a finite source draws without replacement."""
        ...


class Generator(Protocol):
    """A player that makes fakes.

    `feedback_type` is `Losses`, `Gradients`, `Weights`, `Leaves` or another subclass of `Feedback`. It belongs to the
    instance, so that one class can offer several ways of learning. Optional capabilities, one method each, asked for by
    `hasattr` on the instance:

    - ``start(example: Batch, rng)`` sets shapes, scales and initial parameters, before the first round;
    - ``sample(n, rng, condition=None) -> x`` draws from the learned distribution, where it is not that of the proposals;
    - ``population`` is the number of candidates that share a proposal, in order; in a packed game each fills whole tuples.
    """

    @property
    def feedback_type(self) -> type[Feedback]:
        """Type of what it learns from."""
        ...

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n fakes, under the conditions (n, c) where the game has conditions."""
        ...

    def update(self, samples: Samples, feedback: Any) -> None:
        """Take one step that lowers the losses of samples like these."""
        ...


class Discriminator(Protocol):
    """A player that tells real samples from fakes.

    `score_type` is `Scores`, `LogRatio` or `LogOdds`. Optional capabilities and flags:

    - ``start(example: Batch, rng)`` sets shapes, scales and initial parameters, before the first round;
    - ``vjp(batch) -> (Scores, Pullback)`` gives the evidence with its exact gradient in x;
    - ``apply(batch) -> (n, trees)`` gives the leaf of each sample in each tree of a forest, as integers;
    - ``criterion`` is the `turinglearn.objectives.DiscriminatorObjective` that it descends;
    - ``refits = True``: each update is a fit from scratch, so that it wants more samples and fewer rounds;
    - ``fits_on_history = True``: its scores of fakes refer to all fakes so far, the first counting as much as the latest;
    - ``batch_coupled = True``: a score depends on the rest of the batch, so that probing sample by sample has no meaning.
    """

    @property
    def score_type(self) -> type[Scores]:
        """Type of its evidence."""
        ...

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Learn from real samples and fakes."""
        ...

    def score_samples(self, batch: Batch) -> Scores:
        """Return the evidence on each sample."""
        ...


# -------------------------------------------------------------------------------------------------------------- errors
class IncompatiblePlayers(TypeError):
    """No signal leads from the discriminator's evidence to the generator's feedback."""


class InputError(ValueError):
    """A player refuses its parameters or its data; the message names them. The contract passes it on as it is."""


class PlayerError(RuntimeError):
    """A player broke its contract: it raised an error, or returned something else than it must."""


class EvidenceWarning(UserWarning):
    """A discriminator's evidence has been worth nothing for many rounds; a game warns of it once."""
