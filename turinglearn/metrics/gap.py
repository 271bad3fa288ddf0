"""Duality gap: what either player of a game could still win by a best response to the other."""

from __future__ import annotations

from collections.abc import Callable, Sized
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

from turinglearn.contract import draw_samples, name_of, score_samples, start
from turinglearn.data.sources import ArraySource, as_source, draw
from turinglearn.discriminators import as_discriminator
from turinglearn.game import Game
from turinglearn.game.packing import fold, present
from turinglearn.game.step import propose_like, score_fakes, update_discriminator, update_generator
from turinglearn.generators import as_generator
from turinglearn.metrics.inputs import SeedLike, whole
from turinglearn.objectives import Logistic
from turinglearn.protocols import (
    Array,
    Batch,
    Discriminator,
    Generator,
    IncompatiblePlayers,
    LogOdds,
    PlayerError,
    Rng,
    Source,
)
from turinglearn.signals import make_signal
from turinglearn.streams import Streams, as_seed

__all__ = ["DualityGap", "duality_gap"]

_ENDLESS = 20_000  # rows drawn from a source without length
_BATCH = 256
_EVALUATIONS = 20  # how often a response is evaluated on the rows that choose among its stages

Player = TypeVar("Player")


@dataclass(frozen=True, slots=True)
class DualityGap:
    """Values of the minimax game V = E log D(real) + E log(1 - D(fake)), in nats; -log 4 at equilibrium.

    In a packed game all values are of tuples.

    Attributes
    ----------
    value : float
        V of the two players as they are.
    best_discriminator : float
        V of the best discriminator found against the generator; 2 JSD(p, q) - log 4 for the best of all.
    best_generator : float
        V of the best generator found against the discriminator.
    gap : float
        best_discriminator - best_generator; 0 at equilibrium up to the noise of the rows measured on, above 0 elsewhere.
    """

    value: float
    best_discriminator: float
    best_generator: float

    @property
    def gap(self) -> float:
        """best_discriminator - best_generator."""
        return self.best_discriminator - self.best_generator


@dataclass(frozen=True)
class _Setup:
    """Real rows of the responses: those to learn from, those to "choose" a stage by, and those to "measure" it on."""

    fit: ArraySource
    held_out: dict[str, Batch]
    batch_size: int
    pack: int
    streams: Streams

    def value(self, discriminator: Discriminator, generator: Generator, use: str) -> float:
        """Return V on the rows held out for this use and as many fakes, with the same noise each time."""
        rows, noise = self.held_out[use], Streams(self.streams.seed)(use)
        real, fake = present(rows, _fakes_like(generator, rows, noise), self.pack)
        return -float(Logistic().value(score_samples(discriminator, real).values, score_samples(discriminator, fake).values))


def duality_gap(
    game: Game,
    data: Array | Source,
    condition: Array | None = None,
    *,
    discriminator: object = None,
    generator: object = None,
    rounds: int = 500,
    random_state: SeedLike = None,
) -> DualityGap:
    """Estimate the duality gap of a game that has been played.

    Each player in turn responds with `rounds` updates while the other one is frozen. Responses start where the players stand;
    they are copies, and the game is left as it was. A discriminator that refits from scratch responds by one fit to all rows.
    A response is chosen among its stages, including the player as it is, on rows of its own, and measured on others, so that
    neither training nor choice biases it. A response that falls short of the best makes the gap too small: the estimate is a
    lower bound, up to sampling noise.

    A frozen discriminator sets no bound to a generator: where its log-odds still rise away from the data, best_generator
    falls with `rounds` as long as the generator can follow. Compare games at the same rounds and responders.

    Parameters
    ----------
    game : Game
        The game, after at least one round. Its players must be copyable by copy.deepcopy.
    data : array of shape (N, *event) or source
        Held-out real samples: half to learn from, a quarter to choose by, a quarter to measure on.
    condition : array of shape (N, c) or None
        Their conditions.
    discriminator, generator : object
        Fresh players to respond with, of any kind that `Game` takes; None for copies of the game's own.
    rounds : int
        Number of updates of a response.
    random_state : int, numpy generator or None
        Seed; None for fresh entropy.

    Returns
    -------
    DualityGap

    Raises
    ------
    RuntimeError
        Before the first round.
    IncompatiblePlayers
        For discriminators whose evidence is not log-odds.
    ValueError
        For invalid data.
    PlayerError
        If a player cannot be copied.

    References
    ----------
    Grnarova, Levy, Lucchi, Perraudin, Goodfellow, Hofmann and Krause, "A Domain Agnostic Measure for Monitoring and Evaluating
    GANs", NeurIPS 2019.
    """
    if game.index == 0:
        raise RuntimeError("No round has been played, so there is no gap to measure. Play at least one: next(game.rounds(X)).")
    rounds, streams = whole(rounds, "rounds"), Streams(as_seed(random_state))
    return _gap(game, as_source(data, condition), discriminator, generator, rounds, streams)


def _gap(game: Game, source: Source, discriminator: object, generator: object, rounds: int, streams: Streams) -> DualityGap:
    """Estimate the gap with checked arguments."""
    frozen_discriminator, frozen_generator = _copy(game.discriminator), _copy(game.generator)
    new_discriminator = _copy(frozen_discriminator if discriminator is None else as_discriminator(discriminator))
    new_generator = _copy(frozen_generator if generator is None else as_generator(generator))
    _check_log_odds(frozen_discriminator)
    _check_log_odds(new_discriminator)
    setup = _set_up(source, game.schedule.pack, getattr(new_generator, "population", 1), streams)
    example = setup.held_out["choose"]
    if discriminator is not None:
        start(new_discriminator, fold(example, setup.pack), streams("discriminator/start"))
    if generator is not None:
        start(new_generator, example, streams("generator/start"))
    best_discriminator = _best_discriminator(setup, frozen_generator, frozen_discriminator, new_discriminator, rounds)
    best_generator = _best_generator(setup, frozen_discriminator, frozen_generator, new_generator, rounds)
    return DualityGap(
        setup.value(frozen_discriminator, frozen_generator, "measure"),
        setup.value(best_discriminator, frozen_generator, "measure"),
        setup.value(frozen_discriminator, best_generator, "measure"),
    )


def _check_log_odds(discriminator: Discriminator) -> None:
    """Raise IncompatiblePlayers unless the discriminator's evidence is log-odds."""
    if not issubclass(discriminator.score_type, LogOdds):
        raise IncompatiblePlayers(
            f"The evidence of {name_of(discriminator)} is {discriminator.score_type.__name__}; expected LogOdds, since the "
            "value of the minimax game needs log-odds. Use a discriminator that gives them, such as NeuralDiscriminator()."
        )


def _best_discriminator(
    setup: _Setup, generator: Generator, present: Discriminator, responder: Discriminator, rounds: int
) -> Discriminator:
    """Return the best discriminator found by ascent on V against the frozen generator."""
    refits = getattr(responder, "refits", False)
    n = len(setup.fit) // setup.pack * setup.pack if refits else setup.batch_size

    def step() -> None:
        real = draw(setup.fit, n, setup.streams("real"))
        fake = _fakes_like(generator, real, setup.streams("generator"))
        update_discriminator(responder, real, fake, setup.streams("discriminator"), pack=setup.pack)

    def value(discriminator: Discriminator) -> float:
        return setup.value(discriminator, generator, "choose")

    return _best_stage(step, 1 if refits else rounds, value, present, responder)


def _best_generator(
    setup: _Setup, discriminator: Discriminator, present: Generator, responder: Generator, rounds: int
) -> Generator:
    """Return the best generator found by descent on V against the frozen discriminator."""
    signal = make_signal(responder, discriminator)

    def step() -> None:
        real = draw(setup.fit, setup.batch_size, setup.streams("real"))
        fake = propose_like(responder, real, setup.streams("generator"))
        scored = score_fakes(signal, fake, real, setup.streams("signal"), pack=setup.pack)
        update_generator(responder, fake, scored.feedback, pack=setup.pack)

    def value(generator: Generator) -> float:
        return -setup.value(discriminator, generator, "choose")

    return _best_stage(step, rounds, value, present, responder)


def _best_stage(
    step: Callable[[], None], rounds: int, value: Callable[[Player], float], present: Player, responder: Player
) -> Player:
    """Return the stage of the responder with the largest value, or the present player if no stage has a larger one."""
    best, best_value = present, value(present)
    for i in range(1, rounds + 1):
        step()
        if i % max(1, rounds // _EVALUATIONS) == 0 or i == rounds:
            now = value(responder)
            if now > best_value:
                best, best_value = _copy(responder), now
    return best


def _fakes_like(generator: Generator, real: Batch, rng: Rng) -> Batch:
    """Draw as many fakes from the learned distribution as there are real samples, under the same conditions."""
    return Batch(draw_samples(generator, real.n, rng, real), real.condition)


def _set_up(source: Source, pack: int, population: int, streams: Streams) -> _Setup:
    """Shuffle the data: half to learn from, a quarter to choose by, a quarter to measure on."""
    size = len(source) if isinstance(source, Sized) else _ENDLESS
    unit = pack * population if pack > 1 else 1  # a tuple must not mix the candidates of a populated proposal
    quarter = size // 4 // unit * unit
    if quarter < 2:
        raise ValueError(
            f"data has {size} rows; expected at least {4 * max(2, unit)}: half to learn from, a quarter to choose by, a "
            "quarter to measure on, in whole tuples where the game is packed. Give more real samples."
        )
    rows = draw(source, size, streams("deal"))
    choose, measure, fit = rows.split((quarter, quarter, size - 2 * quarter))
    batch_size = min(_BATCH, fit.n) // unit * unit or unit
    return _Setup(ArraySource(fit.x, fit.condition), {"choose": choose, "measure": measure}, batch_size, pack, streams)


def _copy(player: Player) -> Player:
    """Return a copy of the player, so that the measured game stays as it is."""
    try:
        return deepcopy(player)
    except Exception as error:
        raise PlayerError(
            f"{name_of(player)} cannot be copied by copy.deepcopy ({type(error).__name__}: {error}); expected one that can, "
            "since a response must not change the game. Drop what it holds open, or define __deepcopy__."
        ) from error
