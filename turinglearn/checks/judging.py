"""What every discriminator must keep: the types it says, the batches it takes, and that asking it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from turinglearn.arrays import namespace, to_numpy
from turinglearn.checks.problem import N, close, copied, frozen, seeded, undisturbed
from turinglearn.checks.suite import Inapplicable, Subject, expect, rests_on
from turinglearn.contract import differentiate, examine, start, update
from turinglearn.game import Game
from turinglearn.objectives import Logistic
from turinglearn.packing import fold
from turinglearn.protocols import Array, Batch, Losses, PlayerError, Rng, Samples, Scores

__all__ = ["BASICS", "TRIALS", "go_on", "play", "refusable", "show", "taught"]

BASICS = 3  # how many of the trials all others rest on


def taught(s: Subject, player: Any = None, *, real: Batch | None = None, fake: Batch | None = None, seed: int = 1) -> Any:
    """A judge that was started on genuine samples and updated once; a fresh one, or the player that is given."""
    judge = s.fresh() if player is None else player
    real, fake = real or s.problem.real(), fake or s.problem.fake()
    start(judge, real, seeded(seed))
    update(judge, real, fake, seeded(seed + 1))
    return judge


def go_on(s: Subject, judge: Any) -> None:
    """One update on other samples."""
    update(judge, s.problem.real(seed=3), s.problem.fake(seed=3), seeded(9))


def show(s: Subject, judge: Any) -> Any:
    """What it says of samples of both kinds."""
    return examine(judge, s.problem.both()).values


def ask(judge: Any, batch: Batch) -> None:
    """Everything that a judge can be asked of a batch: its scores, and where it has them their slopes."""
    scores = examine(judge, batch)
    if hasattr(judge, "vjp"):
        _, pullback = differentiate(judge, batch)
        pullback(namespace(scores.values).ones_like(scores.values))


@contextmanager
def refusable(what: str) -> Iterator[None]:
    """A player may refuse what its contract leaves open, by a ValueError: the check does not apply then."""
    try:
        yield
    except (ValueError, PlayerError) as error:
        if isinstance(_root(error), ValueError):
            raise Inapplicable(f"it refuses {what}: {error}") from error
        raise


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


# --------------------------------------------------------------------------------------------------------------- basics
def declares_what_it_says(s: Subject) -> None:
    """`says` is a type of evidence, and remarks such as `refits` are True or False."""
    player = s.fresh()
    says = player.says
    expect(
        isinstance(says, type) and issubclass(says, Scores),
        f"{s.who}.says is {says!r}; expected Scores, LogRatio or LogOdds. Import the type from turinglearn.protocols.",
    )
    for remark in ("refits", "batch_coupled"):
        value = getattr(player, remark, False)
        expect(
            isinstance(value, bool | np.bool_),
            f"{s.who}.{remark} is {value!r}; expected True or False. Make it an attribute or a property.",
        )
    criterion = getattr(player, "criterion", Logistic())
    lacking = [name for name in ("makes", "partner", "value", "slopes") if not hasattr(criterion, name)]
    expect(
        not lacking,
        f"{s.who}.criterion is {criterion!r}, without {' and '.join(lacking)}; expected a DiscriminatorObjective. "
        "Choose one of turinglearn.objectives, or leave the attribute out.",
    )


def gives_a_score_for_each_sample(s: Subject) -> None:
    """After an update `examine` gives a finite number for each sample, of the type in `says`, however many there are."""
    judge = taught(s)
    least = 2 if getattr(judge, "batch_coupled", False) else 1  # a batch of one has no rest to depend on
    for n in (N, least, 8 * N):
        examine(judge, s.problem.both(n))


def changes_nothing_when_asked(s: Subject) -> None:
    """`examine` says the same of the same samples again, whatever it was asked in between."""
    judge, batch = taught(s), s.problem.both()
    before = np.array(to_numpy(examine(judge, copied(batch)).values))
    examine(judge, s.problem.fake(2 * N, seed=5))
    after = examine(judge, copied(batch)).values
    expect(
        close(after, before),
        f"{s.who}.examine said something else of the same samples when it was asked again; expected the same, since being "
        "asked must change nothing. Draw no random numbers in examine, and learn in update alone.",
    )


# -------------------------------------------------------------------------------------------------------------- batches
def judges_before_it_learns(s: Subject) -> None:
    """Between `start` and the first update `examine` gives finite scores too: a simultaneous game asks for them."""
    judge = s.fresh()
    if not hasattr(judge, "start"):
        raise Inapplicable("it has no start, so it may need an update first")
    start(judge, s.problem.real(), seeded(1))
    ask(judge, s.problem.both())


def leaves_batches_alone(s: Subject) -> None:
    """`start`, `update`, `examine` and `vjp` write to no batch that they are handed."""
    for method, batches in _handed(s, copied):
        changed = [what for what, now, before in batches if not _same(now, before)]
        expect(
            not changed,
            f"{s.who}.{method} changed the {' and the '.join(changed)} samples that it was handed; expected them as they were, "
            "for other players see them too. Work on a copy: x = batch.x.copy().",
        )


@rests_on("leaves_batches_alone")
def takes_read_only_arrays(s: Subject) -> None:
    """Batches may be read-only."""
    for _ in _handed(s, frozen):
        pass


def _handed(s: Subject, make: Any) -> Iterator[tuple[str, list[tuple[str, Batch, Batch]]]]:
    """Each method that is handed batches, and these after it was called, beside what they were."""
    judge = s.fresh()
    real, fake, both = s.problem.real(), s.problem.fake(), s.problem.both()
    shown = make(real)
    start(judge, shown, seeded(1))
    yield "start", [("genuine", shown, real)]
    shown, forged = make(real), make(fake)
    update(judge, shown, forged, seeded(2))
    yield "update", [("genuine", shown, real), ("counterfeit", forged, fake)]
    asked = make(both)
    ask(judge, asked)
    yield "vjp" if hasattr(judge, "vjp") else "examine", [("judged", asked, both)]


def _same(a: Batch, b: Batch) -> bool:
    return a.x.shape == b.x.shape and bool(np.array_equal(a.x, b.x))


def takes_single_precision(s: Subject) -> None:
    """Batches may be float32, as those of networks are."""
    real, fake, both = (Batch(b.x.astype(np.float32)) for b in (s.problem.real(), s.problem.fake(), s.problem.both()))
    ask(taught(s, real=real, fake=fake), both)


def takes_tuples(s: Subject) -> None:
    """Events may have several axes: in a game with packing a judge sees tuples of samples, (n / m, m, *event)."""
    with refusable("tuples"):
        judge = taught(s, real=fold(s.problem.real(2 * N), 2), fake=fold(s.problem.fake(2 * N), 2))
    ask(judge, fold(s.problem.both(2 * N), 2))


def takes_conditions(s: Subject) -> None:
    """Batches may carry conditions, (n, c), in every method."""
    told = seeded(3).integers(0, 2, (N, 2)).astype(float)
    real, fake, both = (Batch(b.x, told) for b in (s.problem.real(), s.problem.fake(), s.problem.both()))
    before = told.copy()
    with refusable("conditions"):
        judge = taught(s, real=real, fake=fake)
    ask(judge, both)
    expect(
        np.array_equal(told, before),
        f"{s.who} changed the conditions that it was handed; expected them as they were, for the generator is told them too. "
        "Work on a copy.",
    )


def takes_few_samples(s: Subject) -> None:
    """A batch may be small; a judge that needs more says so by a ValueError."""
    with refusable("four samples of each kind"):
        judge = taught(s, real=s.problem.real(4), fake=s.problem.fake(4))
        examine(judge, s.problem.both(4))


def takes_constant_features(s: Subject) -> None:
    """A feature may be the same in all samples, as in tables and pictures; scores and slopes are finite all the same."""

    def flattened(batch: Batch) -> Batch:
        x = batch.x.copy().reshape(batch.n, -1)
        x[:, -1] = 1.0
        return Batch(x.reshape(batch.x.shape))

    if s.problem.real().x[0].size < 2:
        raise Inapplicable("its samples have a single feature")
    judge = taught(s, real=flattened(s.problem.real()), fake=flattened(s.problem.fake()))
    ask(judge, flattened(s.problem.both()))


# ------------------------------------------------------------------------------------------------- one sample by itself
def judges_in_any_order(s: Subject) -> None:
    """The order of a batch does not matter: shuffled samples get the same scores, shuffled."""
    judge, batch, order = _single(s), s.problem.both(), seeded(4).permutation(N)
    scores, shuffled = (examine(judge, b).values for b in (batch, Batch(batch.x[order])))
    expect(
        close(shuffled, scores[order]),
        f"{s.who}.examine gave samples other scores when their order changed; expected the same ones, in the new order. "
        "Judge each row by itself.",
    )


def judges_each_sample_by_itself(s: Subject) -> None:
    """A score does not depend on the rest of the batch, unless `batch_coupled` says so."""
    judge, batch = _single(s), s.problem.both()
    scores = examine(judge, copied(batch)).values
    for n in (1, 5):
        part = examine(judge, Batch(batch.x[:n].copy())).values
        expect(
            close(part, scores[:n]),
            f"{s.who}.examine gave the first {n} of {N} samples other scores when they were alone; expected the same. "
            "Take statistics in update, not in examine, or set batch_coupled = True.",
        )


def _single(s: Subject) -> Any:
    if getattr(s.player, "batch_coupled", False):
        raise Inapplicable("it says batch_coupled")
    return taught(s)


# ----------------------------------------------------------------------------------------------- randomness, forgetting
def draws_from_rng_alone(s: Subject) -> None:
    """The same state of `rng` makes the same judge: all randomness comes from it."""
    first, second = (show(s, taught(s)) for _ in range(2))
    expect(
        close(first, second),
        f"{s.who} learned something else from the same samples and the same rng; expected the same. Draw all random numbers "
        "from the rng that start and update are handed.",
    )


def leaves_global_randomness_alone(s: Subject) -> None:
    """The random numbers of numpy.random, random and torch, which others use, are not drawn from."""
    with undisturbed() as disturbed:
        judge = taught(s)
        examine(judge, s.problem.both())
    expect(
        not disturbed,
        f"{s.who} drew from {' and '.join(disturbed)}, which all the program shares; expected it left alone. "
        "Draw from the rng that start and update are handed.",
    )


@rests_on("draws_from_rng_alone")
def start_forgets(s: Subject) -> None:
    """`start` begins anew: nothing of an earlier game is left."""
    if not hasattr(s.player, "start"):
        raise Inapplicable("it has no start, and learns on from where it stood")
    again = taught(s, real=s.problem.fake(), fake=s.problem.real(), seed=7)
    told, anew = (show(s, taught(s, player)) for player in (again, s.fresh()))
    expect(
        close(told, anew),
        f"{s.who} judges otherwise after start and an update than a new one does; expected the same, since start begins a "
        "game. Put everything learned, and every count of updates, back in start.",
    )


@rests_on("draws_from_rng_alone", "start_forgets")
def refits_from_scratch(s: Subject) -> None:
    """Where `refits` is True each update is a fit from scratch: earlier ones leave no trace."""
    if not getattr(s.player, "refits", False):
        raise Inapplicable("it learns on: refits is not True")
    judge = taught(s, real=s.problem.fake(seed=3), fake=s.problem.real(seed=3))
    update(judge, s.problem.real(), s.problem.fake(), seeded(2))
    again, once = (show(s, j) for j in (judge, taught(s)))
    expect(
        close(again, once),
        f"{s.who} judges otherwise after two updates than after the second alone, though it says refits = True; expected a "
        "fit from scratch. Forget the earlier fit in update, or leave refits out.",
    )


class _Forger:
    """A generator that never learns: the counterfeits of the problem."""

    learns_from = Losses

    def __init__(self, fakes: Array) -> None:
        self.fakes = fakes

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        return Samples(rng.choice(self.fakes, n), given)

    def update(self, samples: Samples, feedback: Losses) -> None:
        pass


def plays(s: Subject) -> None:
    """It plays a game of two rounds against a generator that learns nothing."""
    play(s, _Forger(s.problem.fakes), s.fresh())


def play(s: Subject, generator: Any, discriminator: Any) -> None:
    """Two rounds of a game, all figures read, and some samples."""
    game = Game(generator, discriminator, batch_size=N, samples_per_fit=N, random_state=0)
    for r in islice(game.rounds(s.problem.real(4 * N).x), 2):
        r.figures()
    game.sample(N)


TRIALS = (
    declares_what_it_says,
    gives_a_score_for_each_sample,
    changes_nothing_when_asked,
    judges_before_it_learns,
    judges_in_any_order,
    judges_each_sample_by_itself,
    leaves_batches_alone,
    takes_read_only_arrays,
    takes_single_precision,
    takes_tuples,
    takes_conditions,
    takes_few_samples,
    takes_constant_features,
    draws_from_rng_alone,
    leaves_global_randomness_alone,
    start_forgets,
    refits_from_scratch,
    plays,
)
