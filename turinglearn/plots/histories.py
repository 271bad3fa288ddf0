"""Plot of a game's history: losses and accuracy over the rounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from turinglearn.estimator import TuringLearner
from turinglearn.game import Game
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective
from turinglearn.plots.players import game_of
from turinglearn.plots.preparation import Floats
from turinglearn.plots.style import DASHED, LIGHT, Theme, new_figure, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["losses"]

_FIGURES = ("index", "generator_loss", "discriminator_loss", "accuracy")
_NEIGHBOURS = 20  # a curve is smoothed over this fraction of its length on either side

History = Sequence[Mapping[str, float]] | Mapping[str, Sequence[float]]


def losses(
    history: History | TuringLearner,
    objective: GeneratorObjective | Game | None = None,
    criterion: DiscriminatorObjective | None = None,
    *,
    title: str = "",
    theme: Theme = LIGHT,
) -> Figure:
    """Plot both losses and the accuracy of the discriminator over the rounds.

    Strong curves are running medians, faint ones the values of each round; values that are not finite are left out. Dashed
    lines are the values at equilibrium.

    Parameters
    ----------
    history : TuringLearner, dict of sequences, or sequence of dict
        Learner that was fitted, its ``history_``, or the ``figures()`` of some or all rounds of a game.
    objective : GeneratorObjective, Game or None
        Loss of the generator, for its equilibrium; or the game, which has both losses. A learner needs neither.
    criterion : DiscriminatorObjective or None
        Loss of the discriminator, for its equilibrium.
    title, theme : str, Theme
        Title, and colours: `LIGHT` or `DARK`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Losses to the left, accuracy to the right.

    Raises
    ------
    ValueError
        If the history has no rounds.
    """
    game = game_of(history) or game_of(objective)
    if game is not None:
        objective, criterion = game.signal.objective, criterion or game.criterion
    equilibria = tuple(
        math.nan if loss is None or isinstance(loss, Game) else loss.equilibrium for loss in (objective, criterion)
    )
    return _drawn(_columns(history), equilibria, title, theme)


def _drawn(columns: Sequence[Floats], equilibria: Sequence[float], title: str, theme: Theme) -> Figure:
    index, *player_losses, accuracy = columns
    figure = new_figure(5.2, 2.5, title, theme)
    left, right = figure.subplots(1, 2)
    players = (("generator", theme.fake), ("discriminator", theme.discriminator))
    for (label, colour), values, equilibrium in zip(players, player_losses, equilibria, strict=True):
        _curve(left, index, values, colour, label)
        _level(left, equilibrium, colour)
    _curve(right, index, accuracy, theme.discriminator, "")
    _level(right, 0.5, theme.discriminator)
    left.set_title("losses", fontsize=9, color=theme.ink)
    right.set_title("accuracy of the discriminator", fontsize=9, color=theme.ink)
    right.set_ylim(-0.02, 1.02)
    _fit_losses(left)
    for axes in (left, right):
        axes.set_xlabel("round")
        axes.locator_params(axis="x", nbins=4)
        style_axes(axes, theme)
    if left.lines:
        left.legend(
            fontsize=7.5, frameon=False, loc="upper right", ncols=2, handlelength=1.2, columnspacing=1, labelcolor=theme.ink
        )
    return figure


def _columns(history: History | TuringLearner) -> list[Floats]:
    """Return the figures that are drawn, each over the rounds."""
    found = history.history_ if isinstance(history, TuringLearner) else history
    if not found:
        raise ValueError("history is empty; expected figures of rounds. Keep them: [r.figures() for r in game.rounds(X)].")
    if isinstance(found, Mapping):
        return [np.asarray(found[name], dtype=float) for name in _FIGURES]
    return [np.array([row[name] for row in found], dtype=float) for name in _FIGURES]


def _curve(axes: Axes, index: Floats, values: Floats, colour: str, label: str) -> None:
    finite = np.isfinite(values)
    if finite.any():
        axes.plot(index[finite], values[finite], color=colour, linewidth=0.7, alpha=0.3)
        axes.plot(index[finite], _running_median(values[finite]), color=colour, linewidth=1.6, label=label)


def _running_median(values: Floats) -> Floats:
    """Return the median over neighbours on both sides, as many as there are at the ends; one wild round does not move it."""
    reach, n = len(values) // _NEIGHBOURS, len(values)
    widths = [min(i, n - 1 - i, reach) for i in range(n)]
    return np.array([np.median(values[i - w : i + w + 1]) for i, w in enumerate(widths)])


def _level(axes: Axes, value: float, colour: str) -> None:
    if math.isfinite(value):
        axes.axhline(value, color=colour, linewidth=1, linestyle=DASHED)


def _fit_losses(axes: Axes) -> None:
    """Set limits that hold the running medians and the equilibria, and leave room for the legend."""
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines if line.get_linewidth() >= 1]
    if drawn:
        low, high = min(y.min() for y in drawn), max(y.max() for y in drawn)
        room = high - low or 1.0
        axes.set_ylim(low - 0.15 * room, high + 0.4 * room)
