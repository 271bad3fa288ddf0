"""What a worker does with a cell: play it, and measure. The same payload gives the same figures, whoever plays it and when.

The one exception is a cell whose game is given seconds instead of rounds, to compare judges at equal time.
"""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.bias import Pair, divergences, errors_of, log_odds_of
from turinglearn.game import Game
from turinglearn.metrics import energy_distance
from turinglearn.streams import Streams
from turinglearn.study.cells import Cell
from turinglearn.study.measures import GENUINE, METRICS, Figures, Learned, examined, figure, interval_figures, kept
from turinglearn.study.recipes import make, read

__all__ = ["execute"]

_OPTIONS = ("batch_size", "samples_per_fit", "discriminator_steps", "generator_steps")
_DRAWS = 2**15  # for what the Bayes rule does on a pair


def execute(payload: Mapping[str, Any]) -> Figures:
    """The figures of the cell that a payload describes, by the kind of the cell:

    - "judge": what `turinglearn.bias.errors_of` finds; an interval x is the figures x, x_low, x_high and x_se. squared_bias,
      squared_bias_clipped_2, _4, _8; variance, variance_sets, variance_runs; excess_log_loss, excess_log_loss_bias,
      excess_log_loss_variance; calibration_error, calibration_slope, None if a fit says the same everywhere; jsd_error,
      jsd_error_in_sample. Of the Bayes rule: bayes_kl, bayes_jsd, bayes_accuracy, bayes_log_loss.
    - "game": rounds, and what `turinglearn.study.measures` finds; of replica i each is called "name@i".
    - "truth": of the problem, entropy and entropy_se, floor, the energy distance between two of its own samples, and x,
      many rows of a third one: the noise of it goes into the bias of learned laws.

    Whatever is wrong with the cell is raised.
    """
    cell = Cell.of(payload)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody reads them here; figures tell
        return {"judge": _judge, "game": _game, "truth": _truth}[cell.kind](cell)


# ---------------------------------------------------------------------------------------------------------------- judges
def _judge(cell: Cell) -> Figures:
    pair = _made(cell, "problem")
    found = errors_of(log_odds_of(_made(cell, "discriminator"), pair, **dict(cell.budget), random_state=cell.seeds[0]))
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
    figures = {name: value for kind, each in intervals.items() for name, value in interval_figures(kind, each).items()}
    parts = {"variance_sets": found.variance.sets, "variance_runs": found.variance.runs}
    clipped = {f"squared_bias_clipped_{level:g}": value for level, value in found.clipped.items()}
    bayes = {f"bayes_{name}": getattr(best, name).value for name in ("kl", "jsd", "accuracy", "log_loss")}
    return figures | parts | {name: figure(value) for name, value in (clipped | bayes).items()}


# ----------------------------------------------------------------------------------------------------------------- games
def _game(cell: Cell) -> Figures:
    budget, problem = dict(cell.budget), _problem(cell)
    many = len(cell.seeds) > 1
    options: dict[str, Any] = {name: budget[name] for name in _OPTIONS if name in budget}
    game = Game(
        _made(cell, "generator"),
        _made(cell, "discriminator"),
        objective=_made(cell, "objective"),
        signal=_made(cell, "signal"),
        subsample=budget.get("rows"),
        replicas=len(cell.seeds) if many else None,
        random_state=cell.seeds[0],
        **options,
    )
    deque(_rounds(game, problem, budget), maxlen=0)
    found = [_measured(cell, each, problem, seed) for each, seed in zip(game.replicas or (game,), cell.seeds, strict=True)]
    if not many:
        return found[0]
    return {f"{name}@{i}": value for i, figures in enumerate(found) for name, value in figures.items()}


def _rounds(game: Game, problem: Any, budget: dict[str, Any]) -> Iterator[Any]:
    """As many as there are to be, or as many as there is time for, at least one."""
    if "rounds" in budget:
        yield from islice(game.rounds(problem), budget["rounds"])
        return
    end = time.perf_counter() + budget["seconds"]
    for record in game.rounds(problem):
        yield record
        if time.perf_counter() >= end:
            return


def _measured(cell: Cell, game: Game, problem: Any, seed: int) -> Figures:
    budget, streams = dict(cell.budget), Streams(seed)
    rows, draws = budget.get("rows"), budget["draws"]
    learned = Learned(
        problem,
        np.asarray(to_numpy(game.sample(draws)), dtype=float).reshape(draws, -1),
        problem.sample(draws, streams("study/genuine")),  # the same for all players
        game.generator,
        None if rows is None else problem.draw(rows, Streams(seed)("subsample")).x,  # as the game has drawn them
    )
    figures: Figures = {"rounds": game.index}
    for name in cell.metrics:
        figures |= METRICS[name](learned)
    judges = {
        name: (make("discriminator", read(text), allow_imports=True), streams(f"study/examiner/{name}"))
        for name, text in cell.examiners
    }
    return figures | examined(learned, judges) | kept(learned.sample, budget["kept"])


# --------------------------------------------------------------------------------------------------------------- problems
def _truth(cell: Cell) -> Figures:
    budget, problem, streams = dict(cell.budget), _problem(cell), Streams(cell.seeds[0])
    x, y = (problem.sample(budget["draws"], streams(role)) for role in ("study/genuine", "study/other"))
    surprise = -problem.log_density(x)
    error = surprise.std(ddof=1) / np.sqrt(len(x))
    figures: Figures = {"entropy": figure(surprise.mean()), "entropy_se": figure(error), "floor": energy_distance(x, y)}
    rows = min(budget["kept"], GENUINE // x.shape[1])
    return figures | kept(problem.sample(rows, streams("study/kept")), rows, GENUINE)


def _problem(cell: Cell) -> Any:
    """The law to be learned; of a pair the genuine one."""
    made = _made(cell, "problem")
    return made.p if isinstance(made, Pair) else made


def _made(cell: Cell, factor: str) -> Any:
    """The specification's reader has asked whether players may be imported."""
    return make(factor, read(dict(cell.recipes)[factor]), allow_imports=True)
