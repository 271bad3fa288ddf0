"""The signal between two players: the usual one, or the one that was asked for."""

from __future__ import annotations

from typing import TypeGuard

from turinglearn.contract import name_of
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Discriminator, Generator, IncompatiblePlayers, Scores
from turinglearn.registry import resolve
from turinglearn.signals.signal import Estimator, Signal, feedback_types, signal_for

__all__ = ["make_signal"]


def make_signal(
    generator: Generator,
    discriminator: Discriminator,
    objective: GeneratorObjective | str | None = None,
    signal: Estimator | str | None = None,
    *,
    replayed: bool = False,
) -> Signal:
    """Bind the signal that turns the discriminator's evidence into the generator's feedback.

    Parameters
    ----------
    generator, discriminator : players
        The generator's `feedback_type` decides which signal serves it.
    objective : GeneratorObjective, str or None
        The loss that the generator descends, or its name, such as "hinge"; None for the one that goes with the discriminator's
        criterion and the feedback.
    signal : Exact, Smoothed, Student, ImportanceWeights, str or None
        How the feedback is estimated, or its name, such as "student"; None for the usual way.
    replayed : bool
        Whether the discriminator is shown past fakes too.

    Returns
    -------
    Signal
        The signal, bound to the discriminator.

    Raises
    ------
    IncompatiblePlayers
        Where no signal leads from this evidence to this feedback; the message has the remedy.
    TypeError
        For what is not an objective or not an estimator.
    ValueError
        For a name that does not exist.
    """
    g, d, wanted, score_type = name_of(generator), name_of(discriminator), generator.feedback_type, discriminator.score_type
    serving = signal_for(wanted)
    if serving is None:
        raise IncompatiblePlayers(
            f"{g}.feedback_type is {wanted!r}; expected {', '.join(feedback_types())}, from turinglearn.protocols, or a type "
            "of your own with a Signal that serves it."
        )
    if not (isinstance(score_type, type) and issubclass(score_type, Scores)):
        raise IncompatiblePlayers(
            f"{d}.score_type is {score_type!r}; expected Scores, LogRatio or LogOdds, from turinglearn.protocols."
        )
    loss, estimator = _loss(objective), _estimator(signal)
    if estimator is not None and estimator.serves is not wanted:
        raise IncompatiblePlayers(
            f"signal={signal!r} makes {estimator.serves.__name__.lower()}, but {g} learns from {wanted.__name__.lower()}. "
            "Leave signal out, or choose a generator or an update rule that learns from them."
        )
    return serving.bind(generator, discriminator, loss, estimator, replayed=replayed)


def _loss(objective: object) -> GeneratorObjective | None:
    """Return the objective, found by its name if it is a text."""
    loss = resolve("objective", objective)
    if loss is None or _is_objective(loss):
        return loss
    raise TypeError(
        f"objective={objective!r}: expected a loss from turinglearn.objectives, such as NonSaturating(), or None for the "
        "usual one."
    )


def _estimator(signal: object) -> Estimator | None:
    """Return the estimator of the feedback, found by its name if it is a text."""
    estimator = resolve("signal", signal)
    if estimator is None or isinstance(estimator, Estimator):
        return estimator
    raise TypeError(
        f"signal={signal!r}: expected Exact(), Smoothed(), Student() or ImportanceWeights(), or None for the usual one."
    )


def _is_objective(loss: object) -> TypeGuard[GeneratorObjective]:
    return not isinstance(loss, type) and hasattr(loss, "requires")
