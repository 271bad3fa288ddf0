"""Evidence into feedback. A signal is bound to its judge; `bridge` binds the cheapest honest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from turinglearn import objectives
from turinglearn.arrays import like, namespace, to_numpy
from turinglearn.contract import cells, check_values, examine, name_of
from turinglearn.derivatives import Derivative, Exact, Smoothed, Student
from turinglearn.objectives import (
    DiscriminatorObjective,
    ForwardKL,
    GeneratorObjective,
    LinearLoss,
    NonSaturating,
    ReverseKL,
)
from turinglearn.protocols import (
    Array,
    Batch,
    Cells,
    Discriminator,
    Generator,
    Gradients,
    IncompatiblePlayers,
    LogOdds,
    LogRatio,
    Losses,
    Rng,
    Scores,
    Weights,
)

__all__ = [
    "CellSignal",
    "Derivative",
    "Exact",
    "GradientSignal",
    "ImportanceWeights",
    "Lesson",
    "LossSignal",
    "Signal",
    "Smoothed",
    "Student",
    "WeightSignal",
    "bridge",
    "effective_sample_size",
]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Feedback for the generator, and the evidence that it came from."""

    feedback: Any
    scores: Scores
    reference: Array | None


class Signal(Protocol):
    """Evidence into feedback: what a judge says of counterfeits, turned into what a generator learns from."""

    @property
    def discriminator(self) -> Discriminator:
        """The judge that it is bound to."""
        ...

    @property
    def objective(self) -> GeneratorObjective:
        """What the generator descends."""
        ...

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> Lesson:
        """The lesson that the judge gives on these counterfeits; it was fitted to neither batch."""
        ...


@dataclass(frozen=True)
class LossSignal:
    """The loss of each counterfeit, for generators that need no derivative of the judge."""

    discriminator: Discriminator
    objective: GeneratorObjective

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> Lesson:
        """Losses l(r_i)."""
        scores = examine(self.discriminator, fake)
        reference = _reference(self, real)
        losses = self.objective.losses(scores.values, reference)
        check_values(type(self.objective).__name__, "losses", losses, (fake.n,))
        return Lesson(Losses(losses), scores, reference)


@dataclass(frozen=True)
class GradientSignal:
    """The gradient of the summed losses in x: dl/dr dr/dx."""

    discriminator: Discriminator
    objective: GeneratorObjective
    derivative: Derivative

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> Lesson:
        """Gradients, in the library and on the device of the counterfeits."""
        scores, pullback = self.derivative.vjp(self.discriminator, fake, real, rng)
        reference = _reference(self, real)
        slopes = self.objective.slopes(scores.values, reference)
        check_values(f"The slope of {type(self.objective).__name__}", "values", slopes, (fake.n,))
        gradient = like(pullback(slopes), fake.x)
        what = f"{name_of(self.discriminator)} (through {type(self.derivative).__name__})"
        check_values(what, "gradients", gradient, tuple(fake.x.shape))
        return Lesson(Gradients(gradient), scores, reference)


@dataclass(frozen=True)
class ImportanceWeights:
    """w_i proportional to exp(r_i)^damping, mean 1. Hjelm et al. (2018), with tempering as in Del Moral et al. (2006).

    Where the judge is so sure that few samples would carry all the weight, the exponent is lowered until the effective
    sample size (sum w)^2 / sum w^2 is at least this share of the batch. damping: the exponent at most, in (0, 1].
    least_effective: that share, in [0, 1).
    """

    damping: float = 1.0
    least_effective: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.damping <= 1:
            raise ValueError(f"ImportanceWeights(damping={self.damping}): expected an exponent in (0, 1].")
        if not 0 <= self.least_effective < 1:
            raise ValueError(
                f"ImportanceWeights(least_effective={self.least_effective}): expected a share of the batch in [0, 1)."
            )

    def weights(self, r: Any) -> Any:
        """Weights (n,) of mean 1 from log-ratios r (n,)."""
        r = r - r.max()
        exponent, n = self.damping, len(r)
        if effective_sample_size(np.exp(exponent * r)) < self.least_effective * n:
            low, high = 0.0, exponent
            for _ in range(40):  # the effective sample size falls with the exponent: bisect
                exponent = (low + high) / 2
                if effective_sample_size(np.exp(exponent * r)) < self.least_effective * n:
                    high = exponent
                else:
                    low = exponent
            exponent = low
        w = np.exp(exponent * r)
        return w / w.mean()


@dataclass(frozen=True)
class WeightSignal:
    """Importance weights, for generators that are refitted to weighted samples: a step down KL(p || q)."""

    discriminator: Discriminator
    objective: GeneratorObjective
    importance: ImportanceWeights

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> Lesson:
        """Weights, in the library and on the device of the counterfeits."""
        scores = examine(self.discriminator, fake)
        w = self.importance.weights(np.asarray(to_numpy(scores.values), dtype=float))
        xp = namespace(fake.x)
        return Lesson(Weights(w if xp is np else like(w, fake.x)), scores, None)


@dataclass(frozen=True)
class CellSignal:
    """The leaves of genuine samples that the judge was not fitted to, for generators that are fitted to leaves.

    Such a generator descends no loss: the objective is only recorded.
    """

    discriminator: Discriminator
    objective: GeneratorObjective

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> Lesson:
        """Cells of the genuine samples, and what the judge says of the counterfeits."""
        scores = examine(self.discriminator, fake)
        reference = _reference(self, real)
        return Lesson(Cells(cells(self.discriminator, real), real), scores, reference)


def effective_sample_size(w: Array) -> float:
    """(sum w)^2 / sum w^2: how many equally weighted samples are worth as much. Kong (1992)."""
    w = np.asarray(to_numpy(w), dtype=float)
    return float(w.sum() ** 2 / (w**2).sum())


def bridge(
    generator: Generator,
    discriminator: Discriminator,
    objective: GeneratorObjective | None = None,
    signal: Derivative | ImportanceWeights | None = None,
    *,
    replayed: bool = False,
) -> Signal:
    """The cheapest honest signal from what the discriminator says to what the generator learns from.

    Gradients are exact where the judge offers them and those of students elsewhere; weights need log p/q, cells a judge that
    has them, losses need nothing.
    objective: None for the loss that goes with the judge's criterion and the generator's way of learning. signal: None, or
    `Exact`, `Smoothed`, `Student` for gradients, `ImportanceWeights` for weights. Raises `IncompatiblePlayers`, with the
    remedy, where no honest way leads from the one player to the other.
    """
    g, d, says, wanted = name_of(generator), name_of(discriminator), discriminator.says, generator.learns_from
    if wanted not in (Losses, Gradients, Weights, Cells):
        raise IncompatiblePlayers(
            f"{g}.learns_from is {wanted!r}; expected Losses, Gradients, Weights or Cells, from turinglearn.protocols."
        )
    if not (isinstance(says, type) and issubclass(says, Scores)):
        raise IncompatiblePlayers(f"{d}.says is {says!r}; expected Scores, LogRatio or LogOdds, from turinglearn.protocols.")
    _check_instance("signal", signal, "vjp", "Exact(), Smoothed(), Student() or ImportanceWeights()")
    _check_instance("objective", objective, "reads", "a loss from turinglearn.objectives, such as NonSaturating()")
    if wanted is Cells:
        _check_cells(g, discriminator, objective, signal)
    objective = objective if objective is not None else _usual_objective(generator, discriminator)
    if wanted is Weights:
        _check_weights(g, d, says, objective, replayed)
    if not issubclass(says, objective.reads):
        raise IncompatiblePlayers(
            f"{type(objective).__name__} reads {objective.reads.__name__}, but {d} says {says.__name__}. Choose a loss that "
            f"reads these ({_losses_for(says)}), or a judge that says {objective.reads.__name__}."
        )
    if signal is not None and (wanted is Losses or isinstance(signal, ImportanceWeights) != (wanted is Weights)):
        raise IncompatiblePlayers(
            f"signal={signal!r} makes {'weights' if isinstance(signal, ImportanceWeights) else 'gradients'}, but {g} learns "
            f"from {wanted.__name__.lower()}. Leave signal out, or choose a generator or an update rule that learns from them."
        )
    if wanted is Cells:
        return CellSignal(discriminator, objective)
    if wanted is Losses:
        return LossSignal(discriminator, objective)
    if wanted is Weights:
        importance = signal if isinstance(signal, ImportanceWeights) else ImportanceWeights()
        return WeightSignal(discriminator, objective, importance)
    exact = hasattr(discriminator, "vjp")
    usual = Exact() if exact else Student()
    derivative = usual if signal is None or isinstance(signal, ImportanceWeights) else signal
    if isinstance(derivative, Exact) and not exact:
        raise IncompatiblePlayers(
            f"{g} learns from gradients, but {d} offers only scores. Estimate them: Game(..., signal=Student()), or Smoothed()."
        )
    if not isinstance(derivative, Exact) and getattr(discriminator, "batch_coupled", False):
        raise IncompatiblePlayers(
            f"{derivative!r} probes sample by sample, but a score of {d} depends on its whole batch. "
            "Give the judge an exact gradient (vjp), or leave out its batch-coupled layers."
        )
    return GradientSignal(discriminator, objective, derivative)


def means_of(signal: Signal) -> Derivative | ImportanceWeights | None:
    """By what a signal makes feedback of evidence; None where losses are enough."""
    means: Derivative | ImportanceWeights | None = getattr(signal, "derivative", None) or getattr(signal, "importance", None)
    return means


def _losses_for(says: type[Scores]) -> str:
    """The losses of the package that a generator can descend where its judge says this."""
    kinds = [getattr(objectives, name) for name in objectives.__all__]
    return ", ".join(k.__name__ for k in kinds if isinstance(getattr(k, "reads", None), type) and issubclass(says, k.reads))


def _reference(signal: Signal, real: Batch) -> Array | None:
    return examine(signal.discriminator, real).values if signal.objective.compares else None


def _check_instance(name: str, thing: Any, capability: str, expected: str) -> None:
    weights = name == "signal" and isinstance(thing, ImportanceWeights)
    known = thing is None or weights or hasattr(thing, capability)
    if not known or isinstance(thing, type):
        raise TypeError(f"{name}={thing!r}: expected {expected}, or None for the usual one.")


def _usual_objective(generator: Generator, discriminator: Discriminator) -> GeneratorObjective:
    if generator.learns_from is Weights:
        return ForwardKL()
    criterion: DiscriminatorObjective | None = getattr(discriminator, "criterion", None)
    if criterion is not None:
        return criterion.partner
    if issubclass(discriminator.says, LogOdds):
        return NonSaturating()
    return ReverseKL() if issubclass(discriminator.says, LogRatio) else LinearLoss()


def _check_cells(g: str, discriminator: Discriminator, objective: Any, signal: Any) -> None:
    if not hasattr(discriminator, "cells"):
        raise IncompatiblePlayers(
            f"{g} learns from cells, the leaves of genuine samples, but {name_of(discriminator)} has none. Choose a forest, "
            "such as RandomForestClassifier or ExtraTreesClassifier, or a generator that learns from scores."
        )
    for name, given in (("objective", objective), ("signal", signal)):
        if given is not None:
            raise IncompatiblePlayers(
                f"{g} learns from cells and descends no loss, but {name}={given!r} was chosen. Leave {name} out."
            )


def _check_weights(g: str, d: str, says: type[Scores], objective: GeneratorObjective, replayed: bool) -> None:
    if not issubclass(says, LogRatio):
        raise IncompatiblePlayers(
            f"{g} learns from weights e^r, which need r = log p/q, but {d} says {says.__name__}, which are an order only. "
            "Choose a judge that says log-odds, or an update rule that learns from losses or gradients."
        )
    if not isinstance(objective, ForwardKL):
        raise IncompatiblePlayers(
            f"{g} learns from weights, which always descend KL(p || q), but the objective is {type(objective).__name__}. "
            "Leave objective out, or pass ForwardKL()."
        )
    if replayed:
        raise IncompatiblePlayers(
            f"{g} learns from weights, which need log p/q of its present samples, but with replay, or where it remembers, "
            f"{d} says log p/q_fit, q_fit being the mixture with past counterfeits. Leave replay or incremental out, or learn "
            "from losses or gradients."
        )
