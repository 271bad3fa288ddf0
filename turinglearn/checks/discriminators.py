"""Requirements of every discriminator: declared types, batches that it accepts, randomness, and scoring without effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np

from turinglearn.arrays import namespace
from turinglearn.checks.samples import N, close, copied, on_host, read_only, seeded, watch_global_randomness
from turinglearn.checks.suite import Capability, Case, NotApplicable, expect, requirement
from turinglearn.contract import differentiate, score_samples, start, update
from turinglearn.game import Game
from turinglearn.game.packing import fold
from turinglearn.objectives import Logistic
from turinglearn.protocols import Array, Batch, Discriminator, Generator, Losses, PlayerError, Rng, Samples, Scores

__all__ = ["HAS_START", "REQUIREMENTS", "SEVERAL_FEATURES", "observe", "play", "skip_if_refused", "teach", "teach_more"]

HAS_START = Capability("it has no start", lambda case: hasattr(case.player, "start"))
SEVERAL_FEATURES = Capability("its samples have a single feature", lambda case: case.samples.x[0].size > 1)
_SCORES_ALONE = Capability("it declares batch_coupled", lambda case: not getattr(case.player, "batch_coupled", False))
_REFITS = Capability("it does not declare refits", lambda case: bool(getattr(case.player, "refits", False)))


def teach(
    case: Case[Discriminator],
    player: Discriminator | None = None,
    *,
    real: Batch | None = None,
    fake: Batch | None = None,
    seed: int = 1,
) -> Discriminator:
    """Start a discriminator on real samples and update it once; by default a fresh one."""
    discriminator = case.fresh() if player is None else player
    real, fake = real or case.samples.real(), fake or case.samples.fake()
    start(discriminator, real, seeded(seed))
    update(discriminator, real, fake, seeded(seed + 1))
    return discriminator


def teach_more(case: Case[Discriminator], discriminator: Discriminator) -> None:
    """Update a discriminator once, on other samples."""
    update(discriminator, case.samples.real(seed=3), case.samples.fake(seed=3), seeded(9))


def observe(case: Case[Discriminator], discriminator: Discriminator) -> Array:
    """Return its scores of real samples and fakes."""
    return score_samples(discriminator, case.samples.both()).values


def _call_all(discriminator: Discriminator, batch: Batch) -> None:
    """Call every method that scores a batch: `score_samples`, and `vjp` where it exists."""
    scores = score_samples(discriminator, batch)
    if hasattr(discriminator, "vjp"):
        _, pullback = differentiate(discriminator, batch)
        pullback(namespace(scores.values).ones_like(scores.values))


@contextmanager
def skip_if_refused(what: str) -> Iterator[None]:
    """Skip the check if the player raises ValueError: it may refuse what the contract leaves open."""
    try:
        yield
    except (ValueError, PlayerError) as error:
        if isinstance(_first_cause(error), ValueError):
            raise NotApplicable(f"it refuses {what}: {error}") from error
        raise


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


# --------------------------------------------------------------------------------------------------------------- basics
@requirement(basic=True)
def declares_its_score_type(case: Case[Discriminator]) -> None:
    """`score_type` is a type of evidence, and flags such as `refits` are True or False."""
    player = case.fresh()
    score_type = player.score_type
    expect(
        isinstance(score_type, type) and issubclass(score_type, Scores),
        f"{case.name}.score_type is {score_type!r}; expected Scores, LogRatio or LogOdds. Import the type from "
        "turinglearn.protocols.",
    )
    for flag in ("refits", "batch_coupled"):
        value = getattr(player, flag, False)
        expect(
            isinstance(value, bool | np.bool_),
            f"{case.name}.{flag} is {value!r}; expected True or False. Make it an attribute or a property.",
        )
    criterion = getattr(player, "criterion", Logistic())
    missing = [name for name in ("score_type", "default_generator_loss", "value", "slopes") if not hasattr(criterion, name)]
    expect(
        not missing,
        f"{case.name}.criterion is {criterion!r}, which lacks {' and '.join(missing)}; expected a DiscriminatorObjective. "
        "Choose one from turinglearn.objectives, or leave the attribute out.",
    )


@requirement(basic=True)
def scores_every_sample(case: Case[Discriminator]) -> None:
    """After an update, `score_samples` returns one finite number per sample, of the type in `score_type`."""
    discriminator = teach(case)
    smallest = 2 if getattr(discriminator, "batch_coupled", False) else 1  # a score may depend on other samples of the batch
    for n in (N, smallest, 8 * N):
        score_samples(discriminator, case.samples.both(n))


@requirement(basic=True)
def scoring_changes_nothing(case: Case[Discriminator]) -> None:
    """`score_samples` returns the same scores for the same samples, whatever was scored in between."""
    discriminator, batch = teach(case), case.samples.both()
    before = on_host(score_samples(discriminator, copied(batch)).values)
    score_samples(discriminator, case.samples.fake(2 * N, seed=5))
    after = score_samples(discriminator, copied(batch)).values
    expect(
        close(after, before),
        f"{case.name}.score_samples returned other scores for the same samples in a second call; expected the same scores. "
        "Draw no random numbers in score_samples, and learn only in update.",
    )


# -------------------------------------------------------------------------------------------------------------- batches
@requirement(capability=HAS_START)
def scores_before_the_first_update(case: Case[Discriminator]) -> None:
    """Scores are finite between `start` and the first update too, as simultaneous games require."""
    discriminator = case.fresh()
    start(discriminator, case.samples.real(), seeded(1))
    _call_all(discriminator, case.samples.both())


@requirement()
def does_not_modify_batches(case: Case[Discriminator]) -> None:
    """`start`, `update`, `score_samples` and `vjp` do not modify the batches that they are passed."""
    for method, batches in _batches_passed(case, copied):
        changed = [what for what, now, before in batches if not _equal(now, before)]
        expect(
            not changed,
            f"{case.name}.{method} modified the {' and the '.join(changed)} samples that it was passed; expected them "
            "unchanged, since the other player uses them too. Work on a copy: x = batch.x.copy().",
        )


@requirement("does_not_modify_batches")
def accepts_read_only_arrays(case: Case[Discriminator]) -> None:
    """Batches may be read-only."""
    for _ in _batches_passed(case, read_only):
        pass


def _batches_passed(
    case: Case[Discriminator], make: Callable[[Batch], Batch]
) -> Iterator[tuple[str, list[tuple[str, Batch, Batch]]]]:
    """Yield the name of each method, and the batches that it was passed, after the call and before."""
    discriminator = case.fresh()
    real, fake, both = case.samples.real(), case.samples.fake(), case.samples.both()
    passed = make(real)
    start(discriminator, passed, seeded(1))
    yield "start", [("real", passed, real)]
    passed, passed_fake = make(real), make(fake)
    update(discriminator, passed, passed_fake, seeded(2))
    yield "update", [("real", passed, real), ("fake", passed_fake, fake)]
    passed = make(both)
    _call_all(discriminator, passed)
    yield "vjp" if hasattr(discriminator, "vjp") else "score_samples", [("scored", passed, both)]


def _equal(a: Batch, b: Batch) -> bool:
    return a.x.shape == b.x.shape and bool(np.array_equal(a.x, b.x))


@requirement()
def accepts_single_precision(case: Case[Discriminator]) -> None:
    """Batches may be float32, as those of networks are."""
    real, fake, both = (
        b.map(lambda a: np.asarray(a, np.float32)) for b in (case.samples.real(), case.samples.fake(), case.samples.both())
    )
    _call_all(teach(case, real=real, fake=fake), both)


@requirement()
def accepts_tuples(case: Case[Discriminator]) -> None:
    """Events may have several axes: in a game with packing, batches hold tuples of samples, (n / m, m, *event)."""
    with skip_if_refused("tuples"):
        discriminator = teach(case, real=fold(case.samples.real(2 * N), 2), fake=fold(case.samples.fake(2 * N), 2))
    _call_all(discriminator, fold(case.samples.both(2 * N), 2))


@requirement()
def accepts_conditions(case: Case[Discriminator]) -> None:
    """Batches may have conditions, (n, c), in every method."""
    condition = seeded(3).integers(0, 2, (N, 2)).astype(float)
    real, fake, both = (Batch(b.x, condition) for b in (case.samples.real(), case.samples.fake(), case.samples.both()))
    before = condition.copy()
    with skip_if_refused("conditions"):
        discriminator = teach(case, real=real, fake=fake)
    _call_all(discriminator, both)
    expect(
        np.array_equal(condition, before),
        f"{case.name} modified the conditions that it was passed; expected them unchanged, since the generator uses them too. "
        "Work on a copy.",
    )


@requirement()
def accepts_small_batches(case: Case[Discriminator]) -> None:
    """A batch may be small; a discriminator that needs more samples raises ValueError."""
    with skip_if_refused("four samples of each class"):
        discriminator = teach(case, real=case.samples.real(4), fake=case.samples.fake(4))
        score_samples(discriminator, case.samples.both(4))


@requirement(capability=SEVERAL_FEATURES)
def accepts_constant_features(case: Case[Discriminator]) -> None:
    """A feature may be constant, as in tables and images; scores and gradients are still finite."""

    def with_constant(batch: Batch) -> Batch:
        x = np.array(batch.x).reshape(batch.n, -1)
        x[:, -1] = 1.0
        return Batch(x.reshape(batch.x.shape))

    discriminator = teach(case, real=with_constant(case.samples.real()), fake=with_constant(case.samples.fake()))
    _call_all(discriminator, with_constant(case.samples.both()))


# ------------------------------------------------------------------------------------------------- one sample by itself
@requirement(capability=_SCORES_ALONE)
def scores_in_any_order(case: Case[Discriminator]) -> None:
    """The order of a batch does not matter: shuffled samples have the same scores, shuffled."""
    discriminator, batch, order = teach(case), case.samples.both(), seeded(4).permutation(N)
    scores, shuffled = (score_samples(discriminator, b).values for b in (batch, Batch(batch.x[order])))
    expect(
        close(shuffled, scores[order]),
        f"{case.name}.score_samples returned other scores when the order of the samples changed; expected the same scores, in "
        "the new order. Score each row by itself.",
    )


@requirement(capability=_SCORES_ALONE)
def scores_each_sample_by_itself(case: Case[Discriminator]) -> None:
    """A score does not depend on the rest of the batch, unless `batch_coupled` is True."""
    discriminator, batch = teach(case), case.samples.both()
    scores = score_samples(discriminator, copied(batch)).values
    for n in (1, 5):
        part = score_samples(discriminator, Batch(np.array(batch.x[:n]))).values
        expect(
            close(part, scores[:n]),
            f"{case.name}.score_samples returned other scores for the first {n} of {N} samples when they were scored alone; "
            "expected the same scores. Compute statistics in update, not in score_samples, or set batch_coupled = True.",
        )


# ------------------------------------------------------------------------------------------- randomness, start, refits
@requirement()
def draws_only_from_rng(case: Case[Discriminator]) -> None:
    """The same state of `rng` gives the same discriminator: all randomness comes from it."""
    first, second = (observe(case, teach(case)) for _ in range(2))
    expect(
        close(first, second),
        f"{case.name} has other scores after the same updates with the same rng; expected the same scores. Draw all random "
        "numbers from the rng that start and update are passed.",
    )


@requirement()
def does_not_use_global_randomness(case: Case[Discriminator]) -> None:
    """The global random generators of NumPy, Python and torch are not used."""
    with watch_global_randomness() as used:
        discriminator = teach(case)
        score_samples(discriminator, case.samples.both())
    expect(
        not used,
        f"{case.name} drew from {' and '.join(used)}, which the whole program shares; expected it not to. Draw from the rng "
        "that start and update are passed.",
    )


@requirement("draws_only_from_rng", capability=HAS_START)
def start_resets(case: Case[Discriminator]) -> None:
    """`start` begins a new game: nothing that was learned before remains."""
    used = teach(case, real=case.samples.fake(), fake=case.samples.real(), seed=7)
    again, new = (observe(case, teach(case, player)) for player in (used, case.fresh()))
    expect(
        close(again, new),
        f"{case.name} has other scores after start and an update if it was used before; expected those of a new one, since "
        "start begins a new game. Reset everything learned, and every count of updates, in start.",
    )


@requirement("draws_only_from_rng", "start_resets", capability=_REFITS)
def refits_from_scratch(case: Case[Discriminator]) -> None:
    """Each update is a fit from scratch, independent of earlier ones, as `refits = True` declares."""
    discriminator = teach(case, real=case.samples.fake(seed=3), fake=case.samples.real(seed=3))
    update(discriminator, case.samples.real(), case.samples.fake(), seeded(2))
    twice, once = (observe(case, d) for d in (discriminator, teach(case)))
    expect(
        close(twice, once),
        f"{case.name} has other scores after two updates than after the second alone, though refits is True; expected a fit "
        "from scratch. Discard the earlier fit in update, or leave refits out.",
    )


class _FixedGenerator:
    """A generator that does not learn; its proposals are drawn from these samples."""

    feedback_type: type = Losses

    def __init__(self, fakes: Array) -> None:
        self.fakes = fakes

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        return Samples(rng.choice(self.fakes, n), condition)

    def update(self, samples: Samples, feedback: Losses) -> None:
        pass


@requirement()
def plays_a_game(case: Case[Discriminator]) -> None:
    """It plays a game of two rounds against a generator that does not learn."""
    play(case, _FixedGenerator(case.samples.fakes), case.fresh())


def play(case: Case[Generator] | Case[Discriminator], generator: Generator, discriminator: Discriminator) -> None:
    """Play two rounds of a game, compute all figures of each, and draw samples."""
    game = Game(generator, discriminator, batch_size=N, samples_per_fit=N, random_state=0)
    for r in islice(game.rounds(case.samples.real(4 * N).x), 2):
        r.figures()
    game.sample(N)


REQUIREMENTS = (
    declares_its_score_type,
    scores_every_sample,
    scoring_changes_nothing,
    scores_before_the_first_update,
    scores_in_any_order,
    scores_each_sample_by_itself,
    does_not_modify_batches,
    accepts_read_only_arrays,
    accepts_single_precision,
    accepts_tuples,
    accepts_conditions,
    accepts_small_batches,
    accepts_constant_features,
    draws_only_from_rng,
    does_not_use_global_randomness,
    start_resets,
    refits_from_scratch,
    plays_a_game,
)
