"""One adversarial loop for all players."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import count
from typing import Any, Protocol

from turinglearn.arrays import like
from turinglearn.contract import draw_samples, start
from turinglearn.data.sources import ArraySource, as_source, check_kind, condition_like, draw, share
from turinglearn.discriminators import as_discriminator
from turinglearn.game.batches import BatchSampler, RoundBatches, length
from turinglearn.game.checkpoint import check_state, get_state, options_of, rollback_on_error, set_state
from turinglearn.game.display import PlayersDisplay
from turinglearn.game.fusion import FusedGame, FusionPlan
from turinglearn.game.monitor import EvidenceMonitor
from turinglearn.game.packing import fold
from turinglearn.game.records import LazyRealScores, Played, Round
from turinglearn.game.replay import ReplayBuffer
from turinglearn.game.schedule import Schedule, positive_integer
from turinglearn.game.simultaneous import SimultaneousRound
from turinglearn.game.step import Players, propose_like, score_fakes, update_discriminator, update_generator
from turinglearn.generators import as_generator
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective, Logistic
from turinglearn.protocols import Array, Batch, LogOdds, Source
from turinglearn.signals import Estimator, make_signal
from turinglearn.streams import Streams, as_seed

__all__ = ["Game", "PlainRound", "RoundStrategy"]

_EXAMPLE = 10_000  # real samples that players see before the first round, at most


class RoundStrategy(Protocol):
    """A way to compute a round: plain, simultaneous or fused. It is chosen when a game starts."""

    fused: bool

    def matches(self, batches: RoundBatches) -> bool:
        """Return whether it can go on, with the players as they are and such batches."""
        ...

    def play(self, batches: RoundBatches) -> Played:
        """Play a round."""
        ...


class PlainRound:
    """One round in full: any generator against any discriminator."""

    fused = False

    def __init__(self, players: Players) -> None:
        self.players = players

    def matches(self, batches: RoundBatches) -> bool:
        """Return whether it can go on: always."""
        return True

    def play(self, batches: RoundBatches) -> Played:
        """Update the discriminator k times, then the generator on fresh fakes."""
        p, rng, pack = self.players, self.players.streams, self.players.schedule.pack
        for real in batches.to_fit:  # k ascent steps on D
            fake = propose_like(p.generator, real, rng("generator"))
            update_discriminator(p.discriminator, real, fake, rng("discriminator"), pack=pack, mix=p.mix)
        scored = []
        for _ in range(p.schedule.generator_steps or 1):
            fake = propose_like(p.generator, batches.to_score, rng("generator"))  # fresh: D was never fitted to them
            scored.append(score_fakes(p.signal, fake, batches.to_score, rng("signal"), pack=pack))  # evidence -> feedback
            update_generator(p.generator, fake, scored[-1].feedback, pack=pack)  # one descent step on G
        fitted_to_these = getattr(p.discriminator, "refits", False) and p.buffer is None
        return Played(scored[-1], first=scored[0].scores if fitted_to_these else None)


class Game(PlayersDisplay):
    """A generator and a discriminator, and the rounds that they play.

    The players are used as they are, not cloned: they start from scratch in the first round, and hold what they have learned
    after the last. Give each game players of its own. Each role has a random stream of its own, so that changing one player
    never changes the draws of the other, and a seed gives the same run, bit for bit, on the same libraries.

    Parameters
    ----------
    generator, discriminator
        Players (see `turinglearn.protocols`), or what `as_generator` and `as_discriminator` adapt: an estimator with `fit` and
        `sample`; a scikit-learn classifier, an nn.Module; a name of ``turinglearn players``, such as "mixture(n_components=3)".
    objective : GeneratorObjective, str or None
        The loss that the generator descends, from `turinglearn.objectives`, or its name; None for the one that goes with the
        discriminator's criterion.
    signal : Exact, Smoothed, Student, ImportanceWeights, str or None
        How evidence becomes feedback, from `turinglearn.signals`, or its name; None for the usual way.
    schedule : Schedule or None
        Sizes of batches, steps, packing, replay; its options can also be passed here by name, such as ``batch_size=128``.
    fuse : bool or None
        Whether rounds are computed in one piece, which gives the same numbers up to rounding and takes less time: None where
        possible, which is for two plain networks of the core on NumPy or torch; True to raise a ValueError elsewhere.
    random_state : int, numpy generator or None
        The seed; None for fresh entropy. The seed in use is the attribute `seed`.
    **options
        Options of `Schedule`.

    Attributes
    ----------
    index : int
        Number of rounds played.
    fused : bool
        Whether the latest round was computed in one piece.

    Examples
    --------
    >>> from itertools import islice
    >>> import numpy as np
    >>> from turinglearn import Game
    >>> from turinglearn.discriminators import NeuralDiscriminator
    >>> from turinglearn.generators import NeuralGenerator
    >>> X = np.random.default_rng(0).normal([3, -1], [1, 2], (1000, 2))
    >>> game = Game(NeuralGenerator(), NeuralDiscriminator(), batch_size=128, random_state=0)
    >>> history = [r.figures() for r in islice(game.rounds(X), 20)]
    >>> game.sample(5).shape
    (5, 2)
    """

    def __init__(
        self,
        generator: object,
        discriminator: object,
        *,
        objective: GeneratorObjective | str | None = None,
        signal: Estimator | str | None = None,
        schedule: Schedule | None = None,
        fuse: bool | None = None,
        random_state: object = None,
        **options: object,
    ) -> None:
        if schedule is not None and options:
            raise TypeError(f"Give a schedule or the option {next(iter(options))!r}, not both: Schedule has the option too.")
        self.generator, self.discriminator = as_generator(generator), as_discriminator(discriminator)
        schedule = Schedule.from_options(options) if schedule is None else schedule
        self.schedule = schedule.settled(self.generator, self.discriminator)
        replayed = schedule.replay is not None or getattr(self.discriminator, "fits_on_history", False)
        self.signal = make_signal(self.generator, self.discriminator, objective, signal, replayed=replayed)
        usual = Logistic() if issubclass(self.discriminator.score_type, LogOdds) else None
        self.criterion: DiscriminatorObjective | None = getattr(self.discriminator, "criterion", usual)
        self.fuse, self.monitor = fuse, EvidenceMonitor(self.discriminator, self.signal.objective)
        self.buffer = None if schedule.replay is None else ReplayBuffer(schedule.replay)
        # a tuple must not mix the candidates of a populated proposal
        candidates = getattr(self.generator, "population", 1) if schedule.pack > 1 else 1
        refits = getattr(self.discriminator, "refits", False)
        self._sampler = BatchSampler(self.schedule, refits=refits, candidates=candidates)
        self.seed, self.index = as_seed(random_state), 0
        self.strategy: RoundStrategy | None = None
        self._real_scores: LazyRealScores | None = None
        self._shared: tuple[Source, Source] | None = None  # a source, and the rows of it that this seed draws
        self._checked: Source | None = None
        self._take_streams(Streams(self.seed))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "strategy": None, "_checked": None}  # buffers are views, and a copied view is not one

    def __repr__(self) -> str:
        estimator = "" if self.signal.estimator is None else f", signal={self.signal.estimator!r}"
        chosen = f"objective={self.signal.objective!r}{estimator}, index={self.index}"
        return f"Game({self.generator!r}, {self.discriminator!r}, {chosen})"

    # --------------------------------------------------------------------------------------------------------- the loop
    def rounds(self, data: object, condition: object = None) -> Iterator[Round]:
        """Play for as long as the caller asks: ``for r in islice(game.rounds(X), 500)``.

        Called again, the game goes on where it stood, on these or on other rows of the same shape; what players took from the
        first ones, such as their units, stays, and so does the dtype of samples.

        Parameters
        ----------
        data : array of shape (N, *event), or source
            Real samples, taken in a random order, each once in a pass; or a source with `draw(n, rng) -> Batch`, which is
            first asked for 10,000 samples, or all that it has, as an example of shapes and scales.
        condition : array of shape (N, c), or None
            One condition per row.

        Yields
        ------
        Round
            The record of each round.

        Raises
        ------
        ValueError
            For data that cannot be played on.
        """
        real = as_source(data, condition)
        self.check(real)
        return (self.play(real) for _ in count())

    def play(self, real: Source) -> Round:
        """Play one round with a source, as `turinglearn.data.sources.as_source` makes it of arrays."""
        if not hasattr(real, "draw"):
            raise TypeError(
                f"play takes a source, with draw(n, rng), but was given a {type(real).__name__}. For an array: "
                "next(game.rounds(X))."
            )
        return self.play_batches(self.draw_batches(real))

    def play_batches(self, batches: RoundBatches) -> Round:
        """Play one round on real samples that `draw_batches` drew."""
        if self.strategy is None or not self.strategy.matches(batches):  # at the start, or where a player's parts were replaced
            self.strategy = _choose_strategy(self.players, batches, self.fuse)
        return self.record(self.strategy.play(batches), batches)

    def check(self, real: Source) -> None:
        """Raise ValueError for data of another kind than the game began with, or too few for its schedule."""
        if self.index > 0 and isinstance(real, ArraySource):
            check_kind(self._seen, real)
        self._sampler.sizes(self._own_rows(real))
        self._checked = real

    def draw_batches(self, real: Source) -> RoundBatches:
        """Draw the real samples of the next round; before the first one, start the players."""
        if real is not self._checked:
            self.check(real)
        rows = self._own_rows(real)
        if self.index == 0:
            self._start(rows)
        if self._real_scores is not None:
            self._real_scores.expire()
        batches = self._sampler.sample(rows, self.streams("real"))
        if not isinstance(real, ArraySource):  # the kind of its samples shows only now
            check_kind(self._seen, batches.to_score)
        return batches

    def record(self, played: Played, batches: RoundBatches) -> Round:
        """Count a round that was played, and return its record."""
        self.index += 1
        real = fold(batches.to_score, self.schedule.pack)
        self._real_scores = LazyRealScores(self.discriminator, real, played.real_scores)
        round_ = Round(self.index, played.feedback, self.signal.objective, self.criterion, self._real_scores, played.first)
        self.monitor.look(round_)
        return round_

    @property
    def fused(self) -> bool:
        """True if the latest round was computed in one piece."""
        return self.strategy is not None and self.strategy.fused

    # ------------------------------------------------------------------------------------------------------ what it has
    def sample(self, n_samples: int, condition: object = None) -> Array:
        """Draw samples (n_samples, *event) of what was learned, in the library and dtype of the real data.

        condition, (n_samples, c), is needed where the game was played under conditions.
        """
        _check_played(self, "nothing to sample")
        n = positive_integer("n_samples", n_samples)
        seen = Batch(self._seen.x, condition_like(condition, n, self._seen))
        return like(draw_samples(self.generator, n, self.streams("sample"), seen), self._seen.x)

    def state(self) -> dict[str, Any]:
        """Return all that the game and its players have learned after at least one round: themselves, not copies."""
        _check_played(self, "no state")
        return {
            "index": self.index,
            "seed": self.seed,
            "options": options_of(self.players),
            "streams": self.streams.opened,
            "batches": self._sampler.index.state(),
            "seen": self._seen,
            "generator": get_state(self.generator),
            "discriminator": get_state(self.discriminator),
            "replay": None if self.buffer is None else get_state(self.buffer),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, in a game made with the same players and options: as if it had never been left.

        The seed is that of the state. Raises ValueError, and leaves all as it was, for what is not a state, for the state of a
        game made with other options, players or parameters of players (functions compare as equal), and for one that a player
        refuses.
        """
        check_state(state, options_of(self.players))
        with rollback_on_error(*self.checkpointed()):
            try:
                self._restore(copy.deepcopy(state))
            except Exception as error:
                raise ValueError(
                    f"The state cannot be restored ({type(error).__name__}: {error}). Give what `state` returned of a game "
                    "that was made with the same players."
                ) from error

    def checkpointed(self) -> tuple[object, ...]:
        """Return all that restoring a state changes."""
        return self, self._sampler.index, self.generator, self.discriminator, *filter(None, [self.buffer])

    def _restore(self, state: dict[str, Any]) -> None:
        self.index, self.seed, self._seen = state["index"], state["seed"], state["seen"]
        self._take_streams(Streams(self.seed, state["streams"]))
        self._sampler.index.restore(state["batches"])
        set_state(self.generator, state["generator"])
        set_state(self.discriminator, state["discriminator"])
        if self.buffer is not None:
            set_state(self.buffer, state["replay"])

    def _take_streams(self, streams: Streams) -> None:
        """Take these random streams, and forget what belonged to the ones before."""
        self.streams = streams
        self.players = Players(self.generator, self.discriminator, self.signal, self.schedule, streams, self.buffer)
        self.strategy = self._real_scores = self._shared = self._checked = None

    def _start(self, real: Source) -> None:
        """Let the players see shapes, scales and dtypes of real data, and draw their initial parameters."""
        pack = self.schedule.pack
        example = draw(real, int(min(_EXAMPLE, length(real))) // pack * pack, self.streams("start"))
        start(self.generator, example, self.streams("generator/start"))
        start(self.discriminator, fold(example, pack), self.streams("discriminator/start"))
        if self.buffer is not None:
            self.buffer.start()
        self._seen = example.take(slice(0, 0))

    def _own_rows(self, real: Source) -> Source:
        """Return the source itself, or the share of its rows that is this game's own."""
        if self.schedule.subsample is None:
            return real
        if self._shared is None or self._shared[0] is not real:
            self._shared = real, share(real, self.schedule.subsample, Streams(self.seed)("subsample"))
        return self._shared[1]


def _choose_strategy(players: Players, batches: RoundBatches, fuse: bool | None) -> RoundStrategy:
    """Return the strategy for these started players; ValueError where rounds must be fused and cannot be."""
    plan = FusionPlan.build([players], batches) if fuse is not False else None
    if plan is not None:
        return FusedGame(plan)
    if fuse:
        raise ValueError(
            "fuse=True, but these rounds cannot be computed in one piece: that takes two plain networks of the core, with "
            "affine layers and ReLU, on NumPy or torch, without packing, replay, simultaneous steps, conditions or paired "
            "losses. Leave fuse out."
        )
    return SimultaneousRound(players) if players.schedule.simultaneous else PlainRound(players)


def _check_played(game: Game, lacking: str) -> None:
    """Raise RuntimeError before the first round, when there is nothing to sample, or no state."""
    if game.index == 0:
        raise RuntimeError(f"No round has been played, so there is {lacking}. Play at least one: next(game.rounds(X)).")
