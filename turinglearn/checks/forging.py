"""What every generator must keep: what it proposes, what it learns from, and that proposing teaches it nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from turinglearn.arrays import flat, like, to_numpy
from turinglearn.checks.judging import play, refusable
from turinglearn.checks.problem import N, close, seeded, undisturbed
from turinglearn.checks.suite import Inapplicable, Subject, expect, rests_on
from turinglearn.contract import deploy, propose, start, update
from turinglearn.discriminators import KernelSVMDiscriminator
from turinglearn.protocols import Batch, Gradients, Losses, Samples, Weights

__all__ = ["BASICS", "TRIALS", "go_on", "show", "taught"]

BASICS = 4  # how many of the trials all others rest on
_UPDATES, _LOOK, _FALL = 300, 20, 0.1  # how often it may learn, how often we look, and by what share its loss must fall
_FEEDBACK = ("Losses", "Gradients", "Weights", "Cells")


# ------------------------------------------------------------------------------------------------- how one is taught
def taught(s: Subject, player: Any = None, *, example: Batch | None = None, seed: int = 1) -> Any:
    """A generator that was started and updated once; a fresh one, or the player that is given."""
    generator = s.fresh() if player is None else player
    example = s.problem.real() if example is None else example
    start(generator, example, seeded(seed))
    go_on(s, generator, example, seed)
    return generator


def go_on(s: Subject, generator: Any, example: Batch | None = None, seed: int = 1) -> None:
    """One proposal and one update."""
    example = s.problem.real() if example is None else example
    samples = propose(generator, N, seeded(seed + 1), example)
    update(generator, samples, feedback(s, generator, samples, example))


def show(s: Subject, generator: Any) -> Any:
    """What it proposes, for one state of rng."""
    return propose(generator, N, seeded(50), s.problem.real()).x


def losses(s: Subject, x: Any, example: Batch) -> Any:
    """Half the mean square of z = (x - t) / spread, (n,): t is one and a half spreads from the mean of genuine samples."""
    return (_places(x, example) ** 2).mean(axis=1) / 2


def feedback(s: Subject, generator: Any, samples: Samples, example: Batch) -> Any:
    """Feedback of the kind that the generator learns from, for the losses above."""
    values, kind = losses(s, samples.x, example), generator.learns_from
    if kind is Losses:
        return Losses(like(values, samples.x))
    if kind is Weights:
        w = np.exp(values.min() - values)
        return Weights(like(w / w.mean(), samples.x))
    if kind is Gradients:
        z = _places(samples.x, example)
        return Gradients(like((z / z.shape[1] / _spread(example)).reshape(tuple(samples.x.shape)), samples.x))
    raise Inapplicable(f"it learns from {kind.__name__}, which the checks do not make")


def _places(x: Any, example: Batch) -> Any:
    spread = _spread(example)
    return (flat(x) - flat(example.x).mean(axis=0)) / spread - 1.5


def _spread(example: Batch) -> Any:
    spread = flat(example.x).std(axis=0)
    return np.where(spread > 0, spread, 1.0)


# --------------------------------------------------------------------------------------------------------------- basics
def declares_what_it_learns_from(s: Subject) -> None:
    """`learns_from` is a type of feedback; `population`, where there is one, is a whole number from 1 on."""
    player = s.fresh()
    kind = player.learns_from
    expect(
        isinstance(kind, type) and kind.__name__ in _FEEDBACK,
        f"{s.who}.learns_from is {kind!r}; expected Losses, Gradients or Weights. Import it from turinglearn.protocols.",
    )
    population = getattr(player, "population", 1)
    expect(
        isinstance(population, int | np.integer) and population >= 1,
        f"{s.who}.population is {population!r}; expected how many candidates share a proposal, a whole number from 1 on. "
        "Leave it out where there is one candidate.",
    )


def proposes_as_many_as_asked(s: Subject) -> None:
    """`propose` gives n finite samples, shaped like the genuine ones, in `Samples`, for any n that its population allows."""
    generator, example = s.fresh(), s.problem.real()
    start(generator, example, seeded(1))
    for n in (N, N + 1, max(2, int(getattr(generator, "population", 2)))):
        propose(generator, n, seeded(2), s.problem.real(n))


def takes_feedback(s: Subject) -> None:
    """`update` takes its own samples with feedback of the type in `learns_from`, and it can propose again."""
    show(s, taught(s))


def learns_nothing_by_proposing(s: Subject) -> None:
    """Proposing changes nothing that was learned: the same state of `rng` gives the same samples again."""
    generator, example = taught(s), s.problem.real()
    propose(generator, N, seeded(8), example)
    first = np.array(to_numpy(show(s, generator)))
    propose(generator, N, seeded(9), example)
    expect(
        close(show(s, generator), first),
        f"{s.who}.propose gave other samples for the same state of rng after another proposal; expected the same, since only "
        "update may teach. Draw from the rng of propose, and change nothing there.",
    )


# ------------------------------------------------------------------------------------------------------------ proposals
def passes_conditions_on(s: Subject) -> None:
    """Told conditions, (n, c), it proposes under them and gives them back unchanged, learns, and samples under them."""
    told = seeded(3).integers(0, 2, (N, 2)).astype(float)
    example, before = Batch(s.problem.real().x, told), told.copy()
    generator = s.fresh()
    with refusable("conditions"):
        start(generator, example, seeded(1))
    go_on(s, generator, example)
    deploy(generator, N, seeded(2), example)
    expect(
        np.array_equal(told, before),
        f"{s.who} changed the conditions that it was told; expected them as they were, for the judge is told them too. "
        "Work on a copy.",
    )


def samples_what_it_learned(s: Subject) -> None:
    """`sample`, where there is one, gives n finite samples of the learned law, the same for the same state of `rng`."""
    if not hasattr(s.player, "sample"):
        raise Inapplicable("it has no sample: its proposals are its law")
    generator = taught(s)
    first, second = (np.array(to_numpy(deploy(generator, 2 * N, seeded(4), s.problem.real(2 * N)))) for _ in range(2))
    expect(
        close(second, first),
        f"{s.who}.sample gave other samples for the same state of rng; expected the same. Draw from the rng of sample, and "
        "change nothing there.",
    )
    deploy(generator, 1, seeded(4), s.problem.real(1))


def makes_events_of_any_shape(s: Subject) -> None:
    """Events may have several axes: samples have those of the example in `start`."""
    if not hasattr(s.player, "start"):
        raise Inapplicable("it has no start, so it makes events of one shape")
    x = s.problem.real(2 * N).x
    example = Batch(x.reshape(N, 2, *x.shape[1:]))
    with refusable("events of another shape"):
        show_under(s, taught(s, example=example), example)


def show_under(s: Subject, generator: Any, example: Batch) -> Any:
    """What it proposes beside an example of another kind."""
    return propose(generator, N, seeded(50), example).x


def takes_constant_features(s: Subject) -> None:
    """A feature may be the same in all genuine samples; proposals are finite all the same."""
    x = s.problem.real().x.copy().reshape(N, -1)
    if x.shape[1] < 2:
        raise Inapplicable("its samples have a single feature")
    x[:, -1] = 1.0
    example = Batch(x.reshape(s.problem.real().x.shape))
    show_under(s, taught(s, example=example), example)


def takes_single_precision(s: Subject) -> None:
    """The example may be float32, as that of networks is."""
    example = Batch(s.problem.real().x.astype(np.float32))
    show_under(s, taught(s, example=example), example)


# -------------------------------------------------------------------------------------------------------------- lessons
def leaves_lessons_alone(s: Subject) -> None:
    """`update` writes neither to the samples nor to the feedback that it is handed."""
    for what, now, before in _handed(s, freeze=False):
        expect(
            np.array_equal(now, before),
            f"{s.who}.update changed the {what} that it was handed; expected them as they were, for records and replays hold "
            "them too. Work on a copy.",
        )


@rests_on("leaves_lessons_alone")
def takes_read_only_lessons(s: Subject) -> None:
    """Samples and feedback may be read-only."""
    for _ in _handed(s, freeze=True):
        pass


def _handed(s: Subject, *, freeze: bool) -> Iterator[tuple[str, Any, Any]]:
    """What an update was handed, after it and before."""
    generator, example = s.fresh(), s.problem.real()
    start(generator, example, seeded(1))
    samples = propose(generator, N, seeded(2), example)
    told = feedback(s, generator, samples, example)
    before = [np.array(to_numpy(a)) for a in (samples.x, told.values)]
    for a in (samples.x, told.values):
        if freeze and isinstance(a, np.ndarray):
            a.flags.writeable = False
    update(generator, samples, told)
    yield "samples", to_numpy(samples.x), before[0]
    yield "feedback", to_numpy(told.values), before[1]


def lowers_its_loss(s: Subject) -> None:
    """It learns: taught to be near a place, one and a half spreads from the genuine mean, its mean loss falls by a tenth."""
    generator, example = s.fresh(), s.problem.real()
    start(generator, example, seeded(1))

    def loss() -> float:
        return float(losses(s, deploy(generator, 8 * N, seeded(60), s.problem.real(8 * N)), example).mean())

    first = now = loss()
    for k in range(_UPDATES):
        go_on(s, generator, seed=100 + k)
        if k % _LOOK == _LOOK - 1:
            now = loss()
            if now <= (1 - _FALL) * first:
                return
    expect(
        False,
        f"{s.who} had a mean loss of {first:.3f} before {_UPDATES} updates and of {now:.3f} after them, all on the same simple "
        f"loss; expected a fall by {_FALL:.0%}. Descend the feedback: turn the sign of a step that climbs, or make it longer.",
    )


# ----------------------------------------------------------------------------------------------- randomness, forgetting
def draws_from_rng_alone(s: Subject) -> None:
    """The same states of `rng` make the same generator and the same samples: all randomness comes from it."""
    first, second = (np.array(to_numpy(show(s, taught(s)))) for _ in range(2))
    expect(
        close(second, first),
        f"{s.who} proposed other samples after the same lessons, with the same rng; expected the same. Draw all random numbers "
        "from the rng that start, propose and sample are handed.",
    )


def leaves_global_randomness_alone(s: Subject) -> None:
    """The random numbers of numpy.random, random and torch, which others use, are not drawn from."""
    with undisturbed() as disturbed:
        show(s, taught(s))
    expect(
        not disturbed,
        f"{s.who} drew from {' and '.join(disturbed)}, which all the program shares; expected it left alone. "
        "Draw from the rng that start, propose and sample are handed.",
    )


@rests_on("draws_from_rng_alone")
def start_forgets(s: Subject) -> None:
    """`start` begins anew: nothing of an earlier game is left."""
    if not hasattr(s.player, "start"):
        raise Inapplicable("it has no start, and learns on from where it stood")
    again = taught(s, example=s.problem.fake(), seed=7)
    go_on(s, again, s.problem.fake(), seed=8)
    told, anew = (np.array(to_numpy(show(s, taught(s, player)))) for player in (again, s.fresh()))
    expect(
        close(told, anew),
        f"{s.who} proposes otherwise after start and an update than a new one does; expected the same, since start begins a "
        "game. Put everything learned, and every count of updates, back in start.",
    )


def plays(s: Subject) -> None:
    """It plays a game of two rounds against a support vector machine."""
    play(s, s.fresh(), KernelSVMDiscriminator())


TRIALS = (
    declares_what_it_learns_from,
    proposes_as_many_as_asked,
    takes_feedback,
    learns_nothing_by_proposing,
    samples_what_it_learned,
    passes_conditions_on,
    makes_events_of_any_shape,
    takes_constant_features,
    takes_single_precision,
    leaves_lessons_alone,
    takes_read_only_lessons,
    lowers_its_loss,
    draws_from_rng_alone,
    leaves_global_randomness_alone,
    start_forgets,
    plays,
)
