"""How far a game is from its equilibrium: what either player would still win by a best response."""

from __future__ import annotations

from collections.abc import Callable, Sized
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from turinglearn.arrays import in_one_precision
from turinglearn.contract import deploy, examine, name_of, propose, start, update
from turinglearn.discriminators import as_discriminator
from turinglearn.game import Game
from turinglearn.generators import as_generator
from turinglearn.metrics.inputs import whole
from turinglearn.objectives import Logistic
from turinglearn.packing import fold, unfold
from turinglearn.protocols import Array, Batch, IncompatiblePlayers, LogOdds, PlayerError, Rng, Source
from turinglearn.signals import bridge
from turinglearn.sources import ArraySource, as_source, draw
from turinglearn.streams import Streams, as_seed

__all__ = ["DualityGap", "duality_gap"]

_ENDLESS = 20_000  # rows drawn from a source without length
_BATCH = 256
_LOOKS = 20  # how often a response is tried on the rows that choose among its stages


@dataclass(frozen=True, slots=True)
class DualityGap:
    """Values of the minimax game V = E log D(genuine) + E log(1 - D(counterfeit)), in nats; -log 4 at equilibrium.

    value: V of the two players as they are.
    best_judge: V of the best discriminator found against the generator; 2 JSD(p, q) - log 4 for the best of all.
    best_generator: V of the best generator found against the discriminator.
    gap: best_judge - best_generator; 0 at equilibrium but for the noise of the rows measured on, above 0 elsewhere. In a packed
        game all three are of tuples.
    """

    value: float
    best_judge: float
    best_generator: float

    @property
    def gap(self) -> float:
        """best_judge - best_generator."""
        return self.best_judge - self.best_generator


@dataclass(frozen=True)
class _Table:
    """What responses are played at: genuine rows to learn from, and those by which to "choose" and on which to "measure"."""

    fit: ArraySource
    kept: dict[str, Batch]
    batch: int
    pack: int
    streams: Streams

    def shown(self, genuine: Batch, fake: Batch) -> tuple[Batch, Batch]:
        """What the judge sees: both in one precision, folded where the game is packed."""
        x, y = in_one_precision(genuine.x, fake.x)
        return fold(Batch(x, genuine.given), self.pack), fold(Batch(y, fake.given), self.pack)

    def value(self, judge: Any, generator: Any, use: str) -> float:
        """V on the rows kept for this use and as many counterfeits of the learned law, of the same noise each time."""
        genuine, noise = self.kept[use], Streams(self.streams.seed)(use)
        real, fake = self.shown(genuine, _counterfeits(generator, genuine, noise))
        return -float(Logistic().value(examine(judge, real).values, examine(judge, fake).values))


def duality_gap(
    game: Game,
    data: Any,
    given: Array | None = None,
    *,
    discriminator: Any = None,
    generator: Any = None,
    rounds: int = 500,
    random_state: Any = None,
) -> DualityGap:
    """Duality gap of a game that was played, from best responses that start where its players stand.

    Each player in turn responds, `rounds` updates long, to the other one frozen; the responders are copies, and the game is
    left as it was. A judge that is refitted from scratch responds by one fit to all rows. A response is chosen among its
    stages, the player as it is included, on rows of its own, and measured on others, so that neither training nor choice
    flatters it. One that falls short of the best makes the gap too small: it is a lower bound, but for sampling noise.

    data: genuine samples that no player has seen, (N, *event), or a source; half of them to learn from, a quarter to choose, a
    quarter to measure; given: their conditions, (N, c). discriminator, generator: fresh players to respond with, of any
    kind that `Game` takes; None for copies of the game's own. A frozen judge answers a generator without bounds: where its
    log-odds still rise away from the data, best_generator falls with `rounds` as long as the generator can follow. Compare
    games at the same rounds and responders. Players must be copyable by copy.deepcopy. RuntimeError before the first round;
    IncompatiblePlayers for judges that say no log-odds; ValueError for bad data.

    Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann & Krause, "A Domain Agnostic Measure for Monitoring and Evaluating
    GANs", NeurIPS 2019.
    """
    if game.index == 0:
        raise RuntimeError("No round has been played, so there is no gap to measure. Play at least one: next(game.rounds(X)).")
    rounds, streams = whole(rounds, "rounds"), Streams(as_seed(random_state))
    judge, forger = _copy(game.discriminator), _copy(game.generator)  # frozen: the game's own are never even asked
    new_judge = _copy(judge if discriminator is None else as_discriminator(discriminator))
    new_forger = _copy(forger if generator is None else as_generator(generator))
    for player in (judge, new_judge):
        if not issubclass(player.says, LogOdds):
            raise IncompatiblePlayers(
                f"{name_of(player)} says {player.says.__name__}, but the value of the minimax game needs log-odds. "
                "Play with a judge that says them, such as NeuralDiscriminator()."
            )
    table = _deal(as_source(data, given), game.pack, getattr(new_forger, "population", 1), streams)
    example = table.kept["choose"]
    if discriminator is not None:
        start(new_judge, fold(example, table.pack), streams("discriminator/start"))
    if generator is not None:
        start(new_forger, example, streams("generator/start"))
    best_judge = _best_judge(table, forger, judge, new_judge, rounds)
    best_forger = _best_generator(table, judge, forger, new_forger, rounds)
    played = ((judge, forger), (best_judge, forger), (judge, best_forger))
    return DualityGap(*(table.value(d, g, "measure") for d, g in played))


def _best_judge(table: _Table, generator: Any, present: Any, responder: Any, rounds: int) -> Any:
    """The best judge found by ascent on V against the frozen generator."""
    refits = getattr(responder, "refits", False)
    n = len(table.fit) // table.pack * table.pack if refits else table.batch

    def step() -> None:
        genuine = draw(table.fit, n, table.streams("real"))
        fake = _counterfeits(generator, genuine, table.streams("generator"))
        update(responder, *table.shown(genuine, fake), table.streams("discriminator"))

    def worth(judge: Any) -> float:
        return table.value(judge, generator, "choose")

    return _best_stage(step, 1 if refits else rounds, worth, present, responder)


def _best_generator(table: _Table, judge: Any, present: Any, responder: Any, rounds: int) -> Any:
    """The best generator found by descent against the frozen judge."""
    signal = bridge(responder, judge)

    def step() -> None:
        genuine = draw(table.fit, table.batch, table.streams("real"))
        fake = propose(responder, table.batch, table.streams("generator"), genuine)
        genuine, shown = table.shown(genuine, fake)
        lesson = signal(shown, genuine, table.streams("signal"))
        update(responder, fake, unfold(lesson.feedback, table.pack, fake))

    def worth(generator: Any) -> float:
        return -table.value(judge, generator, "choose")

    return _best_stage(step, rounds, worth, present, responder)


def _best_stage(step: Callable[[], None], rounds: int, worth: Callable[[Any], float], present: Any, responder: Any) -> Any:
    """The stage of the responder that is worth the most, or the present player where none is worth more."""
    best, most = present, worth(present)
    for i in range(1, rounds + 1):
        step()
        if i % max(1, rounds // _LOOKS) == 0 or i == rounds:
            now = worth(responder)
            if now > most:
                best, most = _copy(responder), now
    return best


def _counterfeits(generator: Any, genuine: Batch, rng: Rng) -> Batch:
    return Batch(deploy(generator, genuine.n, rng, genuine), genuine.given)


def _deal(source: Source, pack: int, population: int, streams: Streams) -> _Table:
    """The data, shuffled: half to learn from, a quarter to choose by, a quarter to measure on."""
    size = len(source) if isinstance(source, Sized) else _ENDLESS
    unit = pack * population if pack > 1 else 1  # a tuple must not mix the candidates of a populated proposal
    quarter = size // 4 // unit * unit
    if quarter < 2:
        raise ValueError(
            f"data has {size} rows; expected at least {4 * max(2, unit)}: half to learn from, a quarter to choose by, a "
            "quarter to measure on, in whole tuples where the game is packed. Give more genuine samples."
        )
    hand = draw(source, size, streams("deal"))
    choose, measure, fit = (_rows(hand, a, b) for a, b in ((0, quarter), (quarter, 2 * quarter), (2 * quarter, size)))
    batch = min(_BATCH, fit.n) // unit * unit or unit
    return _Table(ArraySource(fit.x, fit.given), {"choose": choose, "measure": measure}, batch, pack, streams)


def _rows(batch: Batch, a: int, b: int) -> Batch:
    return Batch(batch.x[a:b, ...], None if batch.given is None else batch.given[a:b, ...])


def _copy(player: Any) -> Any:
    """A player of its own, so that the measured game stays as it is."""
    try:
        return deepcopy(player)
    except Exception as error:
        raise PlayerError(
            f"{name_of(player)} cannot be copied by copy.deepcopy ({type(error).__name__}: {error}); expected one that can, "
            "since a response must not change the game. Drop what it holds open, or define __deepcopy__."
        ) from error
