"""Plot of the scores of a discriminator over the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from turinglearn.plots.players import Scored, game_of, samples_of, scores_at
from turinglearn.plots.preparation import Floats, sample_array, subsample
from turinglearn.plots.scales import padded
from turinglearn.plots.style import LIGHT, Theme, new_figure, style_axes
from turinglearn.protocols import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["discriminator_surface"]

_GRID = 120  # points per side
_POINTS = 500


def discriminator_surface(
    discriminator: Scored, real: Array, fake: Array | None = None, *, title: str = "", theme: Theme = LIGHT
) -> Figure:
    """Plot the scores of a discriminator over the plane, with real samples and fakes on it.

    The score 0 is white, and a line where scores change their sign. At most 500 samples of each kind are drawn, chosen at
    random but the same each time. Colours end at the 98th percentile of the absolute scores.

    Parameters
    ----------
    discriminator : Game, TuringLearner, Discriminator, classifier or callable
        Discriminator, or what has one: a game, a learner, a discriminator with ``score_samples``, a fitted classifier with
        ``decision_function``, or a function from points (n, 2) to scores (n,). Higher means more real.
    real : array (n, 2)
        Real samples.
    fake : array (m, 2) or None
        Fakes. If None, a game or a learner draws as many as there are real samples.
    title, theme : str, Theme
        Title, and colours: `LIGHT` or `DARK`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Surface with samples, and the bar of its colours.

    Raises
    ------
    ValueError
        If samples do not have two features, scores are not finite, or there are no fakes.
    """
    if fake is None and game_of(discriminator) is None:
        raise ValueError("There are no fakes. Pass fake, or a Game or TuringLearner, which draws them.")
    real = sample_array(real, "real")
    fake = sample_array(samples_of(discriminator, len(real)) if fake is None else fake, "fake")
    if real.shape[1:] != (2,) or fake.shape[1:] != (2,):
        raise ValueError(f"real has shape {real.shape}, fake {fake.shape}; expected (n, 2): the surface is over a plane.")
    both = np.concatenate((real, fake))
    low, high = padded(np.quantile(both, 0.005, axis=0), np.quantile(both, 0.995, axis=0), 0.15)
    across, up = (np.linspace(a, b, _GRID) for a, b in zip(low, high, strict=True))
    scores = scores_at(discriminator, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2))
    return _drawn(scores.reshape(_GRID, _GRID), across, up, (real, fake), title, theme)


def _drawn(surface: Floats, across: Floats, up: Floats, samples: tuple[Floats, Floats], title: str, theme: Theme) -> Figure:
    most = float(np.quantile(np.abs(surface), 0.98)) or 1.0
    figure = new_figure(4.6, 3.4, title, theme)
    axes = figure.subplots()
    filled = axes.imshow(
        surface,
        extent=(across[0], across[-1], up[0], up[-1]),
        origin="lower",
        aspect="auto",
        cmap="PuOr",
        vmin=-most,
        vmax=most,
        interpolation="bilinear",
        alpha=0.85,
    )
    if surface.min() < 0 < surface.max():
        axes.contour(across, up, surface, [0.0], colors=[LIGHT.ink], linewidths=1)
    for x, (side, colour), mark in zip(samples, LIGHT.sides.items(), ("o", "x"), strict=True):
        width = 0 if mark == "o" else 0.8
        horizontal, vertical = subsample(x, _POINTS).T
        axes.scatter(horizontal, vertical, s=7, marker=mark, color=colour, label=side, rasterized=True, linewidths=width)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    style_axes(axes, theme)
    axes.set_facecolor(LIGHT.paper)  # colours of scores are the same in both themes
    bar = figure.colorbar(filled, ax=axes, ticks=[-most, 0, most], format="%.2g", pad=0.02, extend="both")
    bar.ax.tick_params(labelsize=7.5, colors=theme.ink)
    bar.set_label("score: fake  <  0  <  real", fontsize=8, color=theme.ink)
    legend = axes.legend(fontsize=7.5, frameon=True, loc="upper right", handletextpad=0.2, labelcolor=LIGHT.ink)
    legend.get_frame().set(facecolor=LIGHT.paper, edgecolor="none", alpha=0.8)
    return figure
