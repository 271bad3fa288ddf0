"""Requirements of every generator: its proposals, the feedback that it learns from, and randomness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import to_numpy
from turinglearn.checks.discriminators import HAS_START, SEVERAL_FEATURES, play, skip_if_refused
from turinglearn.checks.feedback import compatible_signal, make_feedback, target_losses
from turinglearn.checks.samples import N, arrays_in, close, on_host, seeded, watch_global_randomness
from turinglearn.checks.suite import BrokenContract, Capability, Case, NotApplicable, expect, requirement
from turinglearn.contract import draw_samples, propose, start, update
from turinglearn.protocols import Array, Batch, Generator, IncompatiblePlayers, PlayerError

__all__ = ["REQUIREMENTS", "observe", "teach", "teach_more"]

_UPDATES, _INTERVAL, _FALL = 300, 20, 0.1  # updates at most, updates between two looks, and the relative fall of the loss

_SAMPLE = Capability("it has no sample: its proposals are its distribution", lambda case: hasattr(case.player, "sample"))


# ------------------------------------------------------------------------------------------------------------- teaching
def teach(case: Case[Generator], player: Generator | None = None, *, example: Batch | None = None, seed: int = 1) -> Generator:
    """Start a generator and update it once; by default a fresh one."""
    generator = case.fresh() if player is None else player
    example = case.samples.real() if example is None else example
    start(generator, example, seeded(seed))
    teach_more(case, generator, example, seed)
    return generator


def teach_more(case: Case[Generator], generator: Generator, example: Batch | None = None, seed: int = 1) -> None:
    """Let a generator propose once and update it."""
    example = case.samples.real() if example is None else example
    samples = propose(generator, N, seeded(seed + 1), example)
    update(generator, samples, make_feedback(case, generator, samples, example))


def observe(case: Case[Generator], generator: Generator, example: Batch | None = None) -> Array:
    """Return its proposals for one state of `rng`."""
    return propose(generator, N, seeded(50), case.samples.real() if example is None else example).x


# --------------------------------------------------------------------------------------------------------------- basics
@requirement(basic=True)
def declares_its_feedback_type(case: Case[Generator]) -> None:
    """`feedback_type` is a type that a signal makes; `population`, where it exists, is an integer from 1 on."""
    player = case.fresh()
    kind = player.feedback_type
    expect(
        isinstance(kind, type),
        f"{case.name}.feedback_type is {kind!r}; expected a type of feedback, such as Losses, Gradients, Weights or Leaves. "
        "Import it from turinglearn.protocols.",
    )
    try:
        compatible_signal(player, case.teachers)
    except IncompatiblePlayers as error:
        names = " or ".join(type(teacher).__name__ for teacher in case.teachers)
        raise BrokenContract(
            f"{case.name}.feedback_type is {kind.__name__}, but no signal makes it from {names}: {error} Expected a type that "
            "a signal makes. Pass discriminator=, one that there is a signal from."
        ) from error
    population = getattr(player, "population", 1)
    expect(
        isinstance(population, int | np.integer) and population >= 1,
        f"{case.name}.population is {population!r}; expected the number of candidates that share a proposal, an integer from 1 "
        "on. Leave it out where there is one candidate.",
    )


@requirement(basic=True)
def proposes_as_many_as_asked(case: Case[Generator]) -> None:
    """`propose` returns n finite samples, shaped like the real ones, in `Samples`, for any n that its population allows."""
    generator, example = case.fresh(), case.samples.real()
    start(generator, example, seeded(1))
    for n in (N, N + 1, max(2, int(getattr(generator, "population", 2)))):
        propose(generator, n, seeded(2), case.samples.real(n))


@requirement(basic=True)
def accepts_feedback(case: Case[Generator]) -> None:
    """`update` accepts its own samples with feedback of the type in `feedback_type`, and it can propose again."""
    observe(case, teach(case))


@requirement(basic=True)
def proposing_changes_nothing(case: Case[Generator]) -> None:
    """Proposals do not depend on earlier ones: the same state of `rng` gives the same samples."""
    generator, example = teach(case), case.samples.real()
    propose(generator, N, seeded(8), example)
    first = on_host(observe(case, generator))
    propose(generator, N, seeded(9), example)
    expect(
        close(observe(case, generator), first),
        f"{case.name}.propose returned other samples for the same state of rng after another proposal; expected the same, "
        "since a generator learns only in update. Draw from the rng of propose, and change nothing there.",
    )


# ------------------------------------------------------------------------------------------------------------ proposals
@requirement()
def accepts_conditions(case: Case[Generator]) -> None:
    """With conditions, (n, c), it proposes, learns and samples, and returns them unchanged with its samples."""
    condition = seeded(3).integers(0, 2, (N, 2)).astype(float)
    example, before = Batch(case.samples.real().x, condition), condition.copy()
    generator = case.fresh()
    with skip_if_refused("conditions"):
        start(generator, example, seeded(1))
    teach_more(case, generator, example)
    draw_samples(generator, N, seeded(2), example)
    expect(
        np.array_equal(condition, before),
        f"{case.name} modified the conditions that it was passed; expected them unchanged, since the discriminator uses them "
        "too. Work on a copy.",
    )


@requirement(capability=_SAMPLE)
def sample_is_reproducible(case: Case[Generator]) -> None:
    """`sample` returns n finite samples of the learned distribution, the same for the same state of `rng`."""
    generator = teach(case)
    first, second = (on_host(draw_samples(generator, 2 * N, seeded(4), case.samples.real(2 * N))) for _ in range(2))
    expect(
        close(second, first),
        f"{case.name}.sample returned other samples for the same state of rng; expected the same. Draw from the rng of sample, "
        "and change nothing there.",
    )
    draw_samples(generator, 1, seeded(4), case.samples.real(1))


@requirement(capability=HAS_START)
def accepts_events_of_any_shape(case: Case[Generator]) -> None:
    """Events may have several axes: samples have the shape of those in the example of `start`, unless there is one shape."""
    x = case.samples.real(2 * N).x
    example = Batch(x.reshape((N, 2, *x.shape[1:])))
    with skip_if_refused("events of another shape"):
        generator = case.fresh()
        start(generator, example, seeded(1))
        _skip_if_of_one_shape(generator, x.shape[1:])
        observe(case, teach(case, example=example), example)


def _skip_if_of_one_shape(generator: Generator, shape: tuple[int, ...]) -> None:
    """Skip the check if the generator, started on events of another shape, makes events of this one, as a simulator does."""
    try:
        made = tuple(generator.propose(N, seeded(2)).x.shape[1:])
    except PlayerError as error:
        if error.__cause__ is None:  # the generator has checked the shape itself
            raise NotApplicable(f"it makes events of one shape: {error}") from error
        raise
    if made == shape:
        raise NotApplicable(f"it makes events of one shape, {shape}, whatever the example")


@requirement(capability=SEVERAL_FEATURES)
def accepts_constant_features(case: Case[Generator]) -> None:
    """A feature may be constant in all real samples; proposals are still finite."""
    x = np.array(case.samples.real().x).reshape(N, -1)
    x[:, -1] = 1.0
    example = Batch(x.reshape(case.samples.real().x.shape))
    observe(case, teach(case, example=example), example)


@requirement()
def accepts_single_precision(case: Case[Generator]) -> None:
    """The example may be float32, as that of networks is."""
    example = case.samples.real().map(lambda a: np.asarray(a, np.float32))
    observe(case, teach(case, example=example), example)


# ------------------------------------------------------------------------------------------------------------- feedback
@requirement()
def does_not_modify_feedback(case: Case[Generator]) -> None:
    """`update` modifies neither the samples nor the feedback that it is passed."""
    for what, now, before in _arrays_passed(case, writeable=True):
        expect(
            np.array_equal(now, before),
            f"{case.name}.update modified the {what} that it was passed; expected them unchanged, since records and replays "
            "hold them too. Work on a copy.",
        )


@requirement("does_not_modify_feedback")
def accepts_read_only_feedback(case: Case[Generator]) -> None:
    """Samples and feedback may be read-only."""
    for _ in _arrays_passed(case, writeable=False):
        pass


def _arrays_passed(case: Case[Generator], *, writeable: bool) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the arrays that an update was passed, after it and before."""
    generator, example = case.fresh(), case.samples.real()
    start(generator, example, seeded(1))
    samples = propose(generator, N, seeded(2), example)
    feedback = make_feedback(case, generator, samples, example)
    passed = [("samples", samples.x), *(("feedback", array) for array in arrays_in(feedback))]
    before = [on_host(array) for _, array in passed]
    for _, array in passed:
        if isinstance(array, np.ndarray) and not writeable:
            array.flags.writeable = False
    update(generator, samples, feedback)
    for (what, array), earlier in zip(passed, before, strict=True):
        yield what, np.asarray(to_numpy(array), dtype=float), earlier


@requirement()
def lowers_its_loss(case: Case[Generator]) -> None:
    """It learns: its mean distance from a target, one and a half standard deviations from the real mean, falls."""
    generator, example = case.fresh(), case.samples.real()
    start(generator, example, seeded(1))

    def loss() -> float:
        return float(target_losses(draw_samples(generator, 8 * N, seeded(60), case.samples.real(8 * N)), example).mean())

    first = now = loss()
    for k in range(_UPDATES):
        teach_more(case, generator, seed=100 + k)
        if k % _INTERVAL == _INTERVAL - 1:
            now = loss()
            if now <= (1 - _FALL) * first:
                return
    expect(
        False,
        f"{case.name} had a mean loss of {first:.3f} before {_UPDATES} updates and of {now:.3f} after them, with feedback that "
        f"leads to one fixed target; expected a fall by {_FALL:.0%}. Descend the feedback: change the sign of a step that "
        "ascends, or make it longer.",
    )


# ---------------------------------------------------------------------------------------------------- randomness, start
@requirement()
def draws_only_from_rng(case: Case[Generator]) -> None:
    """The same states of `rng` give the same generator and samples: all randomness comes from it."""
    first, second = (on_host(observe(case, teach(case))) for _ in range(2))
    expect(
        close(second, first),
        f"{case.name} proposed other samples after the same updates with the same rng; expected the same. Draw all random "
        "numbers from the rng that start, propose and sample are passed.",
    )


@requirement()
def does_not_use_global_randomness(case: Case[Generator]) -> None:
    """The global random generators of NumPy, Python and torch are not used."""
    with watch_global_randomness() as used:
        observe(case, teach(case))
    expect(
        not used,
        f"{case.name} drew from {' and '.join(used)}, which the whole program shares; expected it not to. Draw from the rng "
        "that start, propose and sample are passed.",
    )


@requirement("draws_only_from_rng", capability=HAS_START)
def start_resets(case: Case[Generator]) -> None:
    """`start` begins a new game: nothing that was learned before remains."""
    used = teach(case, example=case.samples.fake(), seed=7)
    teach_more(case, used, case.samples.fake(), seed=8)
    again, new = (on_host(observe(case, teach(case, player))) for player in (used, case.fresh()))
    expect(
        close(again, new),
        f"{case.name} proposes other samples after start and an update if it was used before; expected those of a new one, "
        "since start begins a new game. Reset everything learned, and every count of updates, in start.",
    )


@requirement()
def plays_a_game(case: Case[Generator]) -> None:
    """It plays a game of two rounds against a discriminator that it can learn from."""
    generator = case.fresh()
    play(case, generator, compatible_signal(generator, case.opponents).discriminator)


REQUIREMENTS = (
    declares_its_feedback_type,
    proposes_as_many_as_asked,
    accepts_feedback,
    proposing_changes_nothing,
    sample_is_reproducible,
    accepts_conditions,
    accepts_events_of_any_shape,
    accepts_constant_features,
    accepts_single_precision,
    does_not_modify_feedback,
    accepts_read_only_feedback,
    lowers_its_loss,
    draws_only_from_rng,
    does_not_use_global_randomness,
    start_resets,
    plays_a_game,
)
