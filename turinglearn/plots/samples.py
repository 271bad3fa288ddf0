"""Plots of real samples beside fakes: histograms, points, images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from turinglearn.plots.players import Learned, samples_of
from turinglearn.plots.preparation import Floats, density, sample_array, subsample
from turinglearn.plots.scales import padded
from turinglearn.plots.style import LIGHT, Theme, new_figure, note_outside, style_axes, title_side
from turinglearn.protocols import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["real_beside_fake"]

_POINTS = 1000
_SIDE = 5  # images per side of a grid
_BINS = 40


def real_beside_fake(real: Array, fake: Array | Learned, *, title: str = "", theme: Theme = LIGHT) -> Figure:
    """Plot real samples beside fakes, on the same axes.

    Samples of one feature are drawn as histograms, of two features as points, and of more on the first principal components
    of the standardised real samples; images are drawn in a grid. Of more than 1,000 points or 25 images some are drawn at
    random, the same each time, and as many points of each kind. The axes are those of the real samples; where more than 1 %
    of the samples lie outside, their share is written.

    Parameters
    ----------
    real : array (n, features) or (n, height, width)
        Real samples.
    fake : array (m, features) or (m, height, width), Game or TuringLearner
        Fakes, or what has learned to make them; then as many are drawn as there are real samples.
    title, theme : str, Theme
        Title, and colours: `LIGHT` or `DARK`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Real samples to the left, fakes to the right.

    Raises
    ------
    ValueError
        If the samples have different shapes or are not finite.
    """
    real = sample_array(real, "real")
    fake = sample_array(samples_of(fake, len(real)), "fake")
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            f"real has samples of shape {real.shape[1:]}, fake of shape {fake.shape[1:]}. Pass samples of the same shape."
        )
    if real.ndim == 3:
        return _image_grids(real, fake, title, theme)
    if real.shape[1] == 1:
        return _histograms(real[:, 0], fake[:, 0], title, theme)
    if real.shape[1] == 2:
        return _scatter([(real, fake)], ["", ""], title, theme)
    return _principal_scatter(real, fake, title, theme)


def _image_grids(real: Floats, fake: Floats, title: str, theme: Theme) -> Figure:
    figure = new_figure(4.8, 2.55, title, theme)
    darkest = float(real.max())
    lightest = min(float(real.min()), darkest - 1e-12)
    for axes, x, side in zip(figure.subplots(1, 2, gridspec_kw={"wspace": 0.1}), (real, fake), theme.sides, strict=True):
        tiles = _tiled(subsample(x, _SIDE**2), lightest)
        axes.imshow(tiles, cmap="gray_r", vmin=lightest, vmax=darkest, interpolation="nearest")
        axes.set_axis_off()
        title_side(axes, side, theme)
    return figure


def _tiled(x: Floats, background: float) -> Floats:
    """Return up to 25 images (n, h, w) as one, in five rows, with a line of background between them."""
    n, h, w = x.shape
    tiles = np.full((_SIDE**2, h + 1, w + 1), background)
    tiles[:n, :h, :w] = x
    return tiles.reshape(_SIDE, _SIDE, h + 1, w + 1).swapaxes(1, 2).reshape(_SIDE * (h + 1), -1)[:-1, :-1]


def _histograms(real: Floats, fake: Floats, title: str, theme: Theme) -> Figure:
    figure = new_figure(4.8, 2.4, title, theme)
    low, high = np.quantile(real, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    columns = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, x, side in zip(columns, (real, fake), theme.sides, strict=True):
        axes.stairs(density(x, edges), edges, fill=True, color=theme.sides[side], alpha=0.8)
        style_axes(axes, theme)
        title_side(axes, side, theme)
        note_outside(axes, float(np.mean((x < edges[0]) | (x > edges[-1]))), theme)
    columns[0].set(ylim=(0, 1.15 * columns[0].get_ylim()[1]), ylabel="density")  # with room for the notes
    return figure


def _principal_scatter(real: Floats, fake: Floats, title: str, theme: Theme) -> Figure:
    spread = real.std(axis=0)
    centre, scale = real.mean(axis=0), np.where(spread > 0, spread, 1)
    directions = np.linalg.svd((real - centre) / scale, full_matrices=False)[2]
    projected = [(x - centre) / scale @ directions[:4].T for x in (real, fake)]
    pairs, labels = [], []
    for i in range(0, len(directions[:4]) - 1, 2):
        pairs.append((projected[0][:, i : i + 2], projected[1][:, i : i + 2]))
        labels += [f"component {i + 1}", f"component {i + 2}"]
    return _scatter(pairs, labels, title, theme)


def _scatter(pairs: Sequence[tuple[Floats, Floats]], labels: Sequence[str], title: str, theme: Theme) -> Figure:
    figure = new_figure(4.8, 2.5 * len(pairs) + 0.1, title, theme)
    drawn = min(_POINTS, *(len(x) for x in pairs[0]))  # as many of each, so that crowding shows the densities
    rows = figure.subplots(len(pairs), 2, squeeze=False, sharex="row", sharey="row")
    for row, pair, across, up in zip(rows, pairs, labels[::2], labels[1::2], strict=True):
        low, high = padded(pair[0].min(axis=0), pair[0].max(axis=0), 0.2)
        for axes, x, side in zip(row, pair, theme.sides, strict=True):
            points = subsample(x, drawn)
            axes.scatter(*points.T, s=4, color=theme.sides[side], alpha=0.5, linewidths=0, rasterized=True)  # SVG stays small
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=across)
            style_axes(axes, theme)
            note_outside(axes, float(np.mean(((points < low) | (points > high)).any(axis=1))), theme)
            if axes in rows[0]:
                title_side(axes, side, theme)
        row[0].set_ylabel(up)
    return figure
