"""How a game went: losses and accuracy over the rounds, and in one dimension the densities with the judge's opinion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective
from turinglearn.plots.style import LIGHT, Theme, figure_of, plain
from turinglearn.protocols import Array

__all__ = ["density_panel", "losses"]

_FIGURES = ("index", "generator_loss", "discriminator_loss", "accuracy")
_NEIGHBOURS = 20  # a curve is smoothed over this share of its length on either side


def losses(
    history: Sequence[Mapping[str, float]] | Mapping[str, Sequence[float]],
    objective: GeneratorObjective | None = None,
    criterion: DiscriminatorObjective | None = None,
    *,
    title: str = "",
    theme: Theme = LIGHT,
) -> Any:
    """How a game went: both losses and the judge's accuracy, and dashed where they are at equilibrium.

    history: `Round.figures()` of some or all rounds, or `TuringLearner.history_`. objective, criterion: what the generator
    and the judge descended, for their equilibria. Figures that are not finite are not drawn. The strong curves are running
    medians.
    """
    if not history:
        raise ValueError("history is empty; expected figures of rounds. Keep them: [r.figures() for r in game.rounds(X)].")
    figures = history if isinstance(history, Mapping) else {name: [h[name] for h in history] for name in _FIGURES}
    index, *columns, accuracy = (np.asarray(figures[name], dtype=float) for name in _FIGURES)
    figure = figure_of(4.8, 2.5, title, theme)
    left, right = figure.subplots(1, 2)
    descents = (("generator", theme.counterfeit, objective), ("judge", theme.judge, criterion))
    for values, (label, colour, kind) in zip(columns, descents, strict=True):
        _curve(left, index, values, colour, label)
        _level(left, math.nan if kind is None else kind.equilibrium, colour)
    _curve(right, index, accuracy, theme.judge, "")
    _level(right, 0.5, theme.judge)
    left.set_title("losses", fontsize=9, color=theme.ink)
    right.set_title("accuracy of the judge", fontsize=9, color=theme.ink)
    right.set_ylim(-0.02, 1.02)
    _fit_losses(left)
    for axes in (left, right):
        axes.set_xlabel("round", fontsize=8)
        axes.locator_params(axis="x", nbins=4)
        plain(axes, theme)
    if left.lines:
        left.legend(
            fontsize=7.5, frameon=False, loc="upper right", ncols=2, handlelength=1.2, columnspacing=1, labelcolor=theme.ink
        )
    return figure


def _curve(axes: Any, index: Any, values: Any, colour: str, label: str) -> None:
    finite = np.isfinite(values)
    if finite.any():
        axes.plot(index[finite], values[finite], color=colour, linewidth=0.7, alpha=0.3)
        axes.plot(index[finite], _running_median(values[finite]), color=colour, linewidth=1.6, label=label)


def _running_median(values: Any) -> Any:
    """The median over neighbours on both sides, as many as there are at the ends: one wild round does not move it."""
    reach, n = len(values) // _NEIGHBOURS, len(values)
    widths = [min(i, n - 1 - i, reach) for i in range(n)]
    return np.array([np.median(values[i - w : i + w + 1]) for i, w in enumerate(widths)])


def _level(axes: Any, value: float, colour: str) -> None:
    if math.isfinite(value):
        axes.axhline(value, color=colour, linewidth=1, linestyle=(0, (4, 3)))


def _fit_losses(axes: Any) -> None:
    """Limits that hold the running medians and equilibria whole, and leave room for the legend."""
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines if line.get_linewidth() >= 1]
    if drawn:
        low, high = min(y.min() for y in drawn), max(y.max() for y in drawn)
        room = high - low or 1.0
        axes.set_ylim(low - 0.15 * room, high + 0.4 * room)


def density_panel(
    x: Array, p: Array, q: Array | None, D: Array, *, fake: Array | None = None, title: str = "", theme: Theme = LIGHT
) -> Any:
    """The genuine density p, the counterfeit density q, and below them the judge's D beside the best judge's p / (p + q).

    All are (n,), along x, which rises. D is the judge's probability that a sample is genuine: sigmoid of its log-odds. Where
    q is not known give None and counterfeits fake, (m,) or (m, 1): their histogram is drawn, and no best judge.
    """
    if (q is None) == (fake is None):
        raise ValueError("Give either the density q along x or counterfeits fake, whose histogram stands for it, not both.")
    x, p, D = (_along(x, v, name) for v, name in ((x, "x"), (p, "p"), (D, "D")))
    figure = figure_of(4.8, 3.6, title, theme)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.fill_between(x, p, color=theme.genuine, alpha=0.2, linewidth=0)
    above.plot(x, p, color=theme.genuine, linewidth=1.6, label="genuine p")
    if fake is not None:
        counterfeits = np.ravel(to_numpy(fake))
        edges = np.linspace(x[0], x[-1], 61)
        heights = np.histogram(counterfeits, edges)[0] / (len(counterfeits) * np.diff(edges))
        above.stairs(heights, edges, color=theme.counterfeit, linewidth=1.2, label="counterfeit q")
    else:
        q = _along(x, q, "q")
        above.plot(x, q, color=theme.counterfeit, linewidth=1.6, label="counterfeit q")
        total = p + q
        best = np.divide(p, total, out=np.full(len(x), np.nan), where=total > 0)
        below.plot(x, best, color=theme.ink, linewidth=1, linestyle=(0, (1, 1.5)), label="p / (p + q)")
    below.plot(x, D, color=theme.judge, linewidth=1.6, label="judge's D")
    below.axhline(0.5, color=theme.grey, linewidth=0.8, linestyle=(0, (4, 3)))
    below.set(ylim=(-0.03, 1.03), xlim=(x[0], x[-1]), xlabel="x")
    above.set(ylabel="density")
    above.set_ylim(bottom=0)
    below.set(ylabel="probability\nof genuine")
    for axes in (above, below):
        plain(axes, theme)
        axes.legend(
            fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.4, labelcolor=theme.ink
        )
    return figure


def _along(x: Array, values: Array, name: str) -> Any:
    values = np.asarray(to_numpy(values), dtype=float)
    if values.shape != np.shape(x) or values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name} has shape {values.shape}, x has {np.shape(x)}; expected (n,) with n >= 2 for both.")
    return values
