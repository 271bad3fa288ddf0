"""One adversarial loop for all players."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from turinglearn.arrays import in_one_precision, like, namespace
from turinglearn.contract import deploy, propose, start, update
from turinglearn.dealing import Dealer, length, rows
from turinglearn.discriminators import as_discriminator
from turinglearn.generators import as_generator
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective, Logistic
from turinglearn.packing import fold, unfold
from turinglearn.protocols import Array, Batch, Gradients, LogOdds, Samples, Source
from turinglearn.replay import Replay
from turinglearn.replicas import Table
from turinglearn.rounds import Round, Rounds, Testimony
from turinglearn.signals import Derivative, ImportanceWeights, Lesson, bridge, means_of
from turinglearn.sources import ArraySource, as_source, check_kind, check_told, draw, share
from turinglearn.state import check_state, options_of, recall, remember, unharmed
from turinglearn.streams import Streams, as_seed
from turinglearn.watch import Watch

__all__ = ["Game"]

_EXAMPLE = 10_000  # how many genuine samples players see before the first round, at most


class Game:
    """A generator and a discriminator, and the rounds that they play.

    The players are used as they are, not cloned: they start anew in the first round, and hold what they have learned after
    the last. Give each game players of its own: another game starts the same ones anew, and what they knew is lost. Each role
    has a random stream of its own, so that changing one player never changes the draws of the other, and a seed gives the same
    run, bit for bit, on the same libraries.

    Parameters
    ----------
    generator, discriminator
        Players (see `turinglearn.protocols`), or what `as_generator` and `as_discriminator` adapt: an estimator with `fit` and
        `sample`; a scikit-learn classifier, an nn.Module.
    objective : GeneratorObjective or None
        What the generator descends, from `turinglearn.objectives`; None for the partner of the judge's criterion.
    signal : Exact, Smoothed, Student, ImportanceWeights or None
        How evidence becomes feedback, from `turinglearn.signals`; None for the cheapest honest way.
    batch_size : int or None
        Counterfeits per generator step; None for 256, or half of the data if that is less.
    samples_per_fit : int or None
        Genuine samples, and as many counterfeits, per update of the judge; None for the batch size, and for 1,000 where
        the judge is refitted from scratch.
    discriminator_steps : int
        Updates of the judge in a round: the k of Goodfellow et al. (2014).
    generator_steps : int or None
        Updates of the generator in a round; None for 1, and for 5 where the judge is refitted from scratch and the generator
        learns from gradients, in small steps: one that leaps would count the same evidence five times.
    simultaneous : bool
        Both players learn from the same counterfeits, judged before the judge's update.
    pack : int
        How many samples the judge sees at once (Lin et al. 2018). batch_size and samples_per_fit must be multiples of it.
    replay : Replay or None
        Past counterfeits that the judge is shown again.
    subsample : int or None
        How many rows of the data, or samples of a source, this game plays on, drawn by its seed; None for all of them.
    replicas : int or None
        How many independent games of these players to play side by side, with seeds random_state, random_state + 1 and so on
        and rows of their own where there is a subsample: `replicas[i]` is the game that seed makes alone. Two plain networks
        of the core, affine layers with ReLU on NumPy or torch, play them on a leading axis, as many at a time as pays, unless
        the game is packed, simultaneous, conditional or relativistic; all others play in turn.
    random_state : int, numpy generator or None
        The seed; None for fresh entropy. The seed in use is the attribute `seed`.

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
        generator: Any,
        discriminator: Any,
        *,
        objective: GeneratorObjective | None = None,
        signal: Derivative | ImportanceWeights | None = None,
        batch_size: int | None = None,
        samples_per_fit: int | None = None,
        discriminator_steps: int = 1,
        generator_steps: int | None = None,
        simultaneous: bool = False,
        pack: int = 1,
        replay: Replay | None = None,
        subsample: int | None = None,
        replicas: int | None = None,
        random_state: Any = None,
    ) -> None:
        copies = [copy.deepcopy((generator, discriminator)) for _ in range((_count("replicas", replicas) or 1) - 1)]
        self.generator, self.discriminator = as_generator(generator), as_discriminator(discriminator)
        replayed = replay is not None or getattr(self.discriminator, "remembers", False)
        self.signal = bridge(self.generator, self.discriminator, objective, signal, replayed=replayed)
        self._refits = getattr(self.discriminator, "refits", False)
        self.batch_size = _count("batch_size", batch_size)
        self.samples_per_fit = _count("samples_per_fit", samples_per_fit)
        self.discriminator_steps = _count("discriminator_steps", discriminator_steps)
        self.generator_steps = _count("generator_steps", generator_steps) or self._usual_generator_steps(simultaneous)
        self.simultaneous, self.pack, self.replay = simultaneous, _count("pack", pack) or 1, replay
        self.subsample = _count("subsample", subsample)
        self._shared: tuple[Source, Source] | None = None
        self.seed = as_seed(random_state)
        self.streams = Streams(self.seed)
        self.index = 0
        usual = Logistic() if issubclass(self.discriminator.says, LogOdds) else None
        self.criterion: DiscriminatorObjective | None = getattr(self.discriminator, "criterion", usual)
        self._testimony: Testimony | None = None
        self._watch = Watch(self.discriminator, self.signal.objective)
        self._check_schedule()
        self._dealer = self._own_dealer()
        options: dict[str, Any] = {
            "objective": objective,
            "signal": signal,
            "batch_size": batch_size,
            "samples_per_fit": samples_per_fit,
            "discriminator_steps": discriminator_steps,
            "generator_steps": generator_steps,
            "simultaneous": simultaneous,
            "pack": pack,
            "subsample": subsample,
        }
        players = [] if replicas is None else [(self.generator, self.discriminator), *copies]
        self.replicas = tuple(
            Game(*pair, **options, replay=copy.deepcopy(replay), random_state=self.seed + i) for i, pair in enumerate(players)
        )
        for game in self.replicas:
            game._watch.told = self._watch.told
        self._table = Table(self.replicas or [self])

    def __repr__(self) -> str:
        means = means_of(self.signal)
        signal = f", signal={means!r}" if means else ""
        many = f", replicas={len(self.replicas)}" if self.replicas else ""
        chosen = f"objective={self.signal.objective!r}{signal}{many}, index={self.index}"
        return f"Game({self.generator!r}, {self.discriminator!r}, {chosen})"

    # --------------------------------------------------------------------------------------------------------- the loop
    def rounds(self, data: Any, given: Array | None = None) -> Iterator[Any]:
        """Play for as long as somebody asks: ``for r in islice(game.rounds(X), 500)``.

        data: genuine samples (N, *event), dealt in a random order, each once in a pass; or a source with
        `draw(n, rng) -> Batch`, which is first asked for 10,000 samples, or all that it has, as an example of shapes and
        scales. given: one condition per row, (N, c). Yields a `Round`, or `Rounds` where there are replicas.
        Called again, the game goes on where it stood, on these or on other rows of the same shape; what players took from
        the first ones, such as their units, stays, and so does the dtype of samples. Raises ValueError for data that cannot be
        played on.
        """
        real = as_source(data, given)
        for game in self.replicas or (self,):
            game._check_kind(real)
        self._dealer.sizes(self._own(real))
        return self._rounds(real)

    def _rounds(self, real: Source) -> Iterator[Any]:
        while True:
            yield self.play(real)

    def play(self, real: Source) -> Any:
        """One round with a source, as `as_source` makes it of arrays: a `Round`, or the `Rounds` of replicas."""
        if not hasattr(real, "draw"):
            raise TypeError(
                f"play takes a source, with draw(n, rng), but was given a {type(real).__name__}. For an array: "
                "next(game.rounds(X))."
            )
        if self.replicas:
            return self._play_together(real)
        return self._play(self._deal(real))

    def _play(self, dealt: list[Batch]) -> Round:
        *to_fit, to_judge = dealt
        if self.simultaneous:
            return self._play_simultaneously(to_judge)
        fused = self._table.play([dealt])
        if fused is not None:  # two networks of the core: the same round in one piece
            return self._record(fused[0], to_judge)
        for genuine in to_fit:  # k ascent steps on D
            self._teach_judge(genuine, self._propose(genuine))
        first: Lesson | None = None
        for _ in range(self.generator_steps):
            fake = self._propose(to_judge)  # fresh: D was never fitted to them
            lesson = self._judge(fake, to_judge)  # evidence -> what this generator can use
            self._teach_generator(fake, lesson)  # one descent step on G
            first = first or lesson
        return self._record(lesson, to_judge, first)

    def _play_together(self, real: Source) -> Rounds:
        """A round of every replica, fused where that is possible."""
        dealt = [game._deal(real) for game in self.replicas]
        fused = self._table.play(dealt)
        if fused is None:
            played = [game._play(hand) for game, hand in zip(self.replicas, dealt, strict=True)]
        else:
            played = [game._record(lesson, hand[-1]) for game, lesson, hand in zip(self.replicas, fused, dealt, strict=True)]
        self.index += 1
        return Rounds(tuple(played), self.index)

    def _play_simultaneously(self, genuine: Batch) -> Round:
        fake = self._propose(genuine)
        lesson = self._judge(fake, genuine)  # before D's update: it was never fitted to these
        record = self._record(lesson, genuine)
        record.testimony.ask(record.index)
        self._teach_judge(genuine, fake)
        self._teach_generator(fake, lesson)
        return record

    def sample(self, n: int, given: Any = None) -> Array:
        """n samples (n, *event) of what the generator has learned, in the library and dtype of the genuine data.

        given: one condition per sample, (n, c), where the game was played under conditions. Replicas give (R, n, *event).
        """
        if self.replicas:
            parts = [game.sample(n, given) for game in self.replicas]
            return namespace(parts[0]).stack(parts)
        if self.index == 0:
            raise RuntimeError(
                "No round has been played, so there is nothing to sample. Play at least one: next(game.rounds(X))."
            )
        n, rng = _count("n", n) or 1, self.streams("sample")
        told = Batch(self._seen.x, check_told(given, n, self._seen))
        return like(deploy(self.generator, n, rng, told), self._seen.x)

    def state(self) -> dict[str, Any]:
        """All that the game and its players have learned after at least one round: themselves, not copies."""
        if self.replicas:
            return {"index": self.index, "seed": self.seed, "replicas": [game.state() for game in self.replicas]}
        if self.index == 0:
            raise RuntimeError("No round has been played, so there is no state. Play at least one: next(game.rounds(X)).")
        return {
            "index": self.index,
            "seed": self.seed,
            "options": options_of(self),
            "streams": self.streams.opened,
            "deck": self._dealer.deck.state(),
            "seen": self._seen,
            "generator": remember(self.generator),
            "discriminator": remember(self.discriminator),
            "replay": None if self.replay is None else remember(self.replay),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, in a game made with the same players and options: as if it had never been left.

        The seed is that of the state. Raises ValueError, and leaves all as it was, for what is no state, for one of a game made
        with other options, players or parameters of players (functions compare as equal), and for one that a player refuses.
        """
        check_state(self, state)
        with unharmed(*self._remembering()):
            try:
                self._take(copy.deepcopy(state))
            except Exception as error:
                raise ValueError(
                    f"The state cannot be restored ({type(error).__name__}: {error}). Give what `state` returned of a game "
                    "that was made with the same players."
                ) from error

    def _remembering(self) -> list[Any]:
        """All that is changed by restoring."""
        parts = [self, self._dealer.deck, self.generator, self.discriminator]
        parts += [] if self.replay is None else [self.replay]
        return parts + [part for game in self.replicas for part in game._remembering()]

    def _take(self, state: dict[str, Any]) -> None:
        self.index, self.seed = state["index"], state["seed"]
        if self.replicas:
            for game, part in zip(self.replicas, state["replicas"], strict=True):
                game._take(part)
            return
        self.streams, self._seen = Streams(self.seed, state["streams"]), state["seen"]
        self._shared = self._testimony = None  # the rows that another seed drew
        self._dealer.deck.restore(state["deck"])
        recall(self.generator, state["generator"])
        recall(self.discriminator, state["discriminator"])
        if self.replay is not None:
            recall(self.replay, state["replay"])

    def _propose(self, genuine: Batch) -> Samples:
        """Counterfeits, as many as there are genuine samples and under the same conditions."""
        return propose(self.generator, genuine.n, self.streams("generator"), genuine)

    def _teach_judge(self, genuine: Batch, fake: Samples) -> None:
        genuine, shown = self._shown(genuine, fake)
        if self.replay is not None:
            shown = self.replay.mix(shown, self.streams("replay"))
        update(self.discriminator, genuine, shown, self.streams("discriminator"))

    def _judge(self, fake: Samples, genuine: Batch) -> Lesson:
        genuine, shown = self._shown(genuine, fake)
        return self.signal(shown, genuine, self.streams("signal"))

    def _shown(self, genuine: Batch, fake: Batch) -> tuple[Batch, Batch]:
        """What a judge sees: tuples where the game is packed, both in one precision, which would give counterfeits away."""
        x, y = in_one_precision(genuine.x, fake.x)
        return fold(Batch(x, genuine.given), self.pack), fold(Batch(y, fake.given), self.pack)

    def _check_schedule(self) -> None:
        if self.replay is not None and not hasattr(self.replay, "mix"):
            raise TypeError(f"replay={self.replay!r}: expected a Replay, such as turinglearn.replay.Replay(), or None.")
        if not isinstance(self.simultaneous, bool):
            raise TypeError(f"simultaneous={self.simultaneous!r}: expected True or False.")
        if self.simultaneous and (self.discriminator_steps, self.generator_steps) != (1, 1):
            raise ValueError(
                f"simultaneous=True is one step of each player on the same counterfeits, but discriminator_steps="
                f"{self.discriminator_steps} and generator_steps={self.generator_steps}. Leave both at 1."
            )

    def _own_dealer(self) -> Dealer:
        # a tuple must not mix the candidates of a populated proposal
        candidates = getattr(self.generator, "population", 1) if self.pack > 1 else 1
        fits, simultaneous = self.discriminator_steps or 1, self.simultaneous
        return Dealer(self.batch_size, self.samples_per_fit, fits, self._refits, simultaneous, self.pack, candidates)

    def _usual_generator_steps(self, simultaneous: bool) -> int:
        return 5 if self._refits and self.generator.learns_from is Gradients and not simultaneous else 1

    def _teach_generator(self, fake: Samples, lesson: Lesson) -> None:
        update(self.generator, fake, unfold(lesson.feedback, self.pack, fake))

    def _record(self, lesson: Lesson, genuine: Batch, first: Lesson | None = None) -> Round:
        self.index += 1
        # the judge was fitted to the generator of the first lesson, and with replay to others too
        fitted = None if first is None or not self._refits or self.replay is not None else first.scores
        self._testimony = Testimony(self.discriminator, fold(genuine, self.pack), fitted)
        record = Round(self.index, lesson, self.signal.objective, self.criterion, self._testimony)
        self._watch.look(record)
        return record

    # ----------------------------------------------------------------------------------------------------- genuine data
    def _start(self, real: Source) -> None:
        """Players see shapes, scales and dtypes of genuine data, and draw their initial parameters."""
        real = self._own(real)
        size = int(min(_EXAMPLE, length(real))) // self.pack * self.pack
        example = draw(real, size, self.streams("start"))
        start(self.generator, example, self.streams("generator/start"))
        start(self.discriminator, fold(example, self.pack), self.streams("discriminator/start"))
        if self.replay is not None:
            self.replay.start()
        self._seen = rows(example, 0, 0)

    def _deal(self, real: Source) -> list[Batch]:
        """Genuine samples for each fit of the judge and, last, for judging: what a round begins with."""
        self._check_kind(real)
        if self.index == 0:
            self._start(real)
        if self._testimony is not None:
            self._testimony.close()
        dealt = self._dealer.deal(self._own(real), self.streams("real"))
        if not isinstance(real, ArraySource):  # only its samples tell what it draws
            check_kind(self._seen, dealt[-1])
        return dealt

    def _check_kind(self, real: Source) -> None:
        """A game goes on with the kind of data that it began with."""
        if self.index > 0 and isinstance(real, ArraySource):
            check_kind(self._seen, real)

    def _own(self, real: Source) -> Source:
        """The source itself, or the share of its rows that is this game's own."""
        if self.subsample is None:
            return real
        if self._shared is None or self._shared[0] is not real:
            self._shared = real, share(real, self.subsample, Streams(self.seed)("subsample"))
        return self._shared[1]


def _count(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: expected an integer, at least 1.")
    return int(value)
