"""The schedule of a game: sizes of batches, steps of each player, packing, replay."""

from __future__ import annotations

import difflib
import numbers
from dataclasses import dataclass, fields, replace

from turinglearn.game.replay import Replay
from turinglearn.protocols import Discriminator, Generator, Gradients

__all__ = ["Schedule", "Sizes", "positive_integer"]

_BATCH, _FIT = 256, 1000  # the usual sizes, where the data are large enough
_STEPS_PER_FIT = 5  # of a generator that learns by gradients, in small steps, from a discriminator that is refitted


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of samples in a round.

    Parameters
    ----------
    fits : tuple of int
        Real samples, and as many fakes, for each update of the discriminator.
    scored : int
        Fakes per step of the generator, and real samples to compare them with.
    """

    fits: tuple[int, ...]
    scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The options of a game, apart from its players. They are frozen; each is named here, and taken from here everywhere.

    Parameters
    ----------
    batch_size : int or None
        Fakes per generator step; None for 256, or half of the data if that is less.
    samples_per_fit : int or None
        Real samples, and as many fakes, per update of the discriminator; None for the batch size, and for 1,000 where the
        discriminator is refitted from scratch.
    discriminator_steps : int
        Updates of the discriminator in a round: the k of Goodfellow et al. (2014).
    generator_steps : int or None
        Updates of the generator in a round; None for 1, and for 5 where the discriminator is refitted from scratch and the
        generator learns from gradients, in small steps: larger ones would count the same evidence five times.
    simultaneous : bool
        Both players learn from the same fakes, which are scored before the discriminator's update.
    pack : int
        Number of samples that the discriminator sees at once (Lin et al. 2018). batch_size and samples_per_fit must be
        multiples of it.
    replay : Replay or None
        Past fakes that the discriminator is shown again.
    subsample : int or None
        Number of rows of the data, or of samples of a source, that the game plays on, drawn by its seed; None for all.

    Raises
    ------
    TypeError, ValueError
        For an option that cannot be used; the message names it.
    """

    batch_size: int | None = None
    samples_per_fit: int | None = None
    discriminator_steps: int = 1
    generator_steps: int | None = None
    simultaneous: bool = False
    pack: int = 1
    replay: Replay | None = None
    subsample: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "pack", "subsample"):
            value = getattr(self, name)
            if value is not None or name in ("discriminator_steps", "pack"):
                object.__setattr__(self, name, positive_integer(name, value))
        if self.replay is not None and not isinstance(self.replay, Replay):
            raise TypeError(f"replay={self.replay!r}: expected a Replay, such as turinglearn.game.Replay(), or None.")
        if not isinstance(self.simultaneous, bool):
            raise TypeError(f"simultaneous={self.simultaneous!r}: expected True or False.")
        if self.simultaneous and (self.discriminator_steps != 1 or self.generator_steps not in (None, 1)):
            raise ValueError(
                f"simultaneous=True is one step of each player on the same fakes, but discriminator_steps="
                f"{self.discriminator_steps} and generator_steps={self.generator_steps}. Leave both at 1."
            )

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the options."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def of(cls, holder: object) -> Schedule:
        """Return the schedule of an object that has some of the options as attributes."""
        return cls(**{name: getattr(holder, name) for name in cls.names() if hasattr(holder, name)})

    @classmethod
    def from_options(cls, options: dict[str, object]) -> Schedule:
        """Return the schedule with these options; TypeError for a name that is not one."""
        for name in options:
            if name not in cls.names():
                close = difflib.get_close_matches(name, cls.names(), n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"expected one of: {', '.join(cls.names())}."
                raise TypeError(f"A game has no option {name!r}; {remedy}")
        return cls(**options)  # type: ignore[arg-type]

    def settled(self, generator: Generator, discriminator: Discriminator) -> Schedule:
        """Return the schedule with the number of generator steps that suits these players."""
        if self.generator_steps is not None:
            return self
        small_steps = generator.feedback_type is Gradients
        refits = getattr(discriminator, "refits", False)
        return replace(self, generator_steps=_STEPS_PER_FIT if refits and small_steps and not self.simultaneous else 1)

    def sizes(self, n: float, *, refits: bool, candidates: int) -> Sizes:
        """Return the sizes of a round on n rows; ValueError where they do not fit.

        n: rows of the data, infinite for a source without end. refits: whether the discriminator is refitted from scratch.
        candidates: how many candidates of the generator share a batch.
        """
        unit = self.pack * candidates  # sizes are multiples of it: each candidate fills whole tuples
        shared = f"tuples of pack={self.pack}" + (f" and {candidates} candidates" if candidates > 1 else "")
        if unit > n:
            raise ValueError(
                f"The {n} rows of the data cannot be shared among {shared}: expected at least {unit}. Give more data, or "
                "choose a smaller pack."
            )
        batch = self.batch_size or _rounded(min(_BATCH, n / 2), unit)
        fit = self.samples_per_fit or batch
        if refits and not self.simultaneous and self.samples_per_fit is None:
            fit = _rounded(min(_FIT, max(n - batch, n / 2)), unit)
        for name, size in (("batch_size", batch), ("samples_per_fit", fit)):
            if size > n:
                raise ValueError(f"{name}={size} is more than the {n} rows of the data. Choose at most {n}, or leave it out.")
            if size % unit:
                multiple = max(1, size // unit) * unit
                raise ValueError(
                    f"{name}={size} cannot be shared among {shared}. Choose a multiple of {unit}, such as {multiple}."
                )
        if self.simultaneous and fit != batch:
            raise ValueError(
                f"simultaneous=True shows both players the same fakes, but samples_per_fit={fit} and "
                f"batch_size={batch}. Leave samples_per_fit out."
            )
        return Sizes(() if self.simultaneous else (fit,) * self.discriminator_steps, batch)


def positive_integer(name: str, value: object) -> int:
    """Return the value as an int, or raise ValueError."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: expected an integer, at least 1.")
    return int(value)


def _rounded(size: float, unit: int) -> int:
    """Round the size down to a multiple of unit, at least one."""
    return max(unit, int(size) // unit * unit)
