"""Worker of a study: it plays a cell and measures the result. The same payload always gives the same figures.

The one exception is a cell whose game has seconds instead of rounds, to compare discriminators at equal time.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.bias import Pair, divergences, errors_of, log_odds_of
from turinglearn.bias.pairs import Distribution
from turinglearn.game import Game, Replicas, Round, Rounds, Schedule
from turinglearn.metrics import energy_distance
from turinglearn.protocols import Source
from turinglearn.recipes import read
from turinglearn.registry import make
from turinglearn.streams import Streams
from turinglearn.study.cells import Cell, replica_figures
from turinglearn.study.factors import CellKind
from turinglearn.study.figures import check_declared
from turinglearn.study.measures import METRICS, REAL, Figures, Learned, cross_examined, figure, interval_figures, kept

__all__ = ["execute"]

_FITTING = ("n", "training_sets", "fits", "points", "steps", "batch_size")  # options of `log_odds_of`, in a budget
_DRAWS = 2**15  # for the figures of the Bayes rule on a pair


def execute(payload: Mapping[str, Any]) -> Figures:
    """Play the cell that a payload describes, and return its figures.

    All figures are declared in `turinglearn.study.figures`.

    - A discriminator: the figures of `turinglearn.bias.errors_of`, with their intervals, and those of the Bayes rule.
    - A game: the number of rounds, and the metrics of `turinglearn.study.measures`; those of the replica i are called "name@i".
    - A truth: of a problem, the entropy, the energy distance between two of its own samples, and many rows of a third one,
      whose noise enters the bias of learned distributions.

    Parameters
    ----------
    payload : mapping
        Payload of a `turinglearn.study.Cell`.

    Returns
    -------
    dict of str to Figure
        Figures by name.

    Raises
    ------
    ValueError
        If the payload does not describe a cell. Exceptions of players are passed on.
    """
    cell = Cell.of(payload)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the figures show what the warnings are about
        found = _PLAYED[cell.kind](cell)
    for figures in found:
        check_declared(figures)
    return replica_figures(found)


# ----------------------------------------------------------------------------------------------------------------
# discriminators
def _discriminator(cell: Cell) -> list[Figures]:
    """Return the figures of a discriminator on a pair."""
    pair, budget = cast(Pair, _made(cell, "problem")), dict(cell.budget)
    options: dict[str, Any] = {name: budget[name] for name in _FITTING if name in budget}
    found = errors_of(log_odds_of(_made(cell, "discriminator"), pair, **options, random_state=cell.seeds[0]))
    best = divergences(pair, draws=_DRAWS)
    intervals = {
        "squared_bias": found.squared_bias,
        "variance": found.variance.total,
        "excess_log_loss": found.log_loss.total,
        "excess_log_loss_bias": found.log_loss.bias,
        "excess_log_loss_variance": found.log_loss.variance,
        "calibration_error": found.calibration_error,
        "calibration_slope": found.calibration_slope,
        "jsd_error": found.jsd,
        "jsd_error_in_sample": found.jsd_in_sample,
    }
    figures = {name: value for key, each in intervals.items() for name, value in interval_figures(key, each).items()}
    parts = {"variance_training_sets": found.variance.training_sets, "variance_fits": found.variance.fits}
    clipped = {f"squared_bias_clipped_{level:g}": value for level, value in found.clipped.items()}
    bayes = {f"bayes_{name}": getattr(best, name).value for name in ("kl", "jsd", "accuracy", "log_loss")}
    return [figures | parts | {name: figure(value) for name, value in (clipped | bayes).items()}]


# ----------------------------------------------------------------------------------------------------------------- games
def _game(cell: Cell) -> list[Figures]:
    """Return the figures of each replica of a game."""
    budget, problem = dict(cell.budget), _problem(cell)
    options: dict[str, Any] = {name: budget[name] for name in Schedule.names() if name in budget}
    options |= {factor: _made(cell, factor) for factor in ("generator", "discriminator", "objective", "signal")}
    options |= {"subsample": budget.get("rows"), "random_state": cell.seeds[0]}
    if len(cell.seeds) == 1:
        game = Game(**options)
        deque(_rounds(game, problem, budget), maxlen=0)
        return [_measured(cell, game, problem, cell.seeds[0])]
    replicas = Replicas(**options, n_replicas=len(cell.seeds))
    deque(_rounds(replicas, problem, budget), maxlen=0)
    return [_measured(cell, each, problem, seed) for each, seed in zip(replicas.games, cell.seeds, strict=True)]


def _rounds(game: Game | Replicas, problem: Distribution, budget: Mapping[str, int | float]) -> Iterator[Round | Rounds]:
    """Yield as many rounds as the budget has, or as there is time for, at least one."""
    if "rounds" in budget:
        yield from islice(game.rounds(problem), int(budget["rounds"]))
        return
    end = time.perf_counter() + budget["seconds"]
    for record in game.rounds(problem):
        yield record
        if time.perf_counter() >= end:
            return


def _measured(cell: Cell, game: Game, problem: Distribution, seed: int) -> Figures:
    """Return the figures of a generator after its game."""
    budget, streams = dict(cell.budget), Streams(seed)
    rows, draws, kept_rows = budget.get("rows"), int(budget["draws"]), int(budget["kept"])
    learned = Learned(
        problem,
        np.asarray(to_numpy(game.sample(draws)), dtype=float).reshape(draws, -1),
        problem.sample(draws, streams("study/genuine")),  # the same for all players
        game.generator,
        None if rows is None else to_numpy(cast(Source, problem).draw(int(rows), Streams(seed)("subsample")).x),  # the game's
    )
    figures: Figures = {"rounds": game.index}
    for name in cell.metrics:
        figures |= METRICS[name](learned)
    discriminators = {
        name: (make("discriminator", read(text)), streams(f"study/examiner/{name}")) for name, text in cell.cross_examiners
    }
    return figures | cross_examined(learned, discriminators) | kept(learned.sample, kept_rows)


# --------------------------------------------------------------------------------------------------------------- problems
def _truth(cell: Cell) -> list[Figures]:
    """Return the figures of a problem by itself."""
    budget, problem, streams = dict(cell.budget), _problem(cell), Streams(cell.seeds[0])
    x, y = (problem.sample(int(budget["draws"]), streams(role)) for role in ("study/genuine", "study/other"))
    surprise = -problem.log_density(x)
    error = surprise.std(ddof=1) / np.sqrt(len(x))
    figures: Figures = {"entropy": figure(surprise.mean()), "entropy_se": figure(error), "floor": energy_distance(x, y)}
    rows = min(int(budget["kept"]), REAL // x.shape[1])
    return [figures | kept(problem.sample(rows, streams("study/kept")), rows, REAL)]


def _problem(cell: Cell) -> Distribution:
    """Return the distribution to be learned, which of a pair is the real one."""
    made = _made(cell, "problem")
    return made.p if isinstance(made, Pair) else cast(Distribution, made)


def _made(cell: Cell, factor: str) -> object:
    """Make the object of a factor. Whether players may be imported is checked before, where a plan is read."""
    return make(factor, cell.levels[factor].recipe)


_PLAYED: Mapping[CellKind, Callable[[Cell], list[Figures]]] = {
    CellKind.DISCRIMINATOR: _discriminator,
    CellKind.GAME: _game,
    CellKind.TRUTH: _truth,
}
