"""Genuine samples beside counterfeits: histograms, points, images."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.plots.style import LIGHT, Theme, a_few, events, figure_of, kind, left_out, plain
from turinglearn.protocols import Array

__all__ = ["real_beside_fake"]

_POINTS = 1000
_SIDE = 5  # images per side of a grid


def real_beside_fake(real: Array, fake: Array, *, title: str = "", theme: Theme = LIGHT) -> Any:
    """Genuine samples beside counterfeits, on the same axes.

    real (n, *event), fake (m, *event). Events of one feature are drawn as histograms, of two as points, of more on the first
    principal components of the genuine samples, standardised; images (n, height, width) as images. Of more than
    1,000 points or 25 images some are drawn at random, always the same; of points as many of each kind. Axes are those of the
    genuine samples: each picture says what share of points it leaves out.
    """
    real, fake = events(real, "real"), events(fake, "fake")
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            f"real has events of shape {real.shape[1:]}, fake of shape {fake.shape[1:]}. Give samples of the same kind."
        )
    if real.ndim == 3:
        return _image_grids(real, fake, title, theme)
    if real.shape[1] == 1:
        return _histograms(real[:, 0], fake[:, 0], title, theme)
    if real.shape[1] == 2:
        return _scatter([(real, fake)], ["", ""], title, theme)
    return _principal_scatter(real, fake, title, theme)


def _image_grids(real: Any, fake: Any, title: str, theme: Theme) -> Any:
    figure = figure_of(4.8, 2.55, title, theme)
    darkest = float(real.max())
    lightest = min(float(real.min()), darkest - 1e-12)
    for axes, x, name in zip(figure.subplots(1, 2, gridspec_kw={"wspace": 0.1}), (real, fake), theme.kinds, strict=True):
        axes.imshow(_tiled(a_few(x, _SIDE**2), lightest), cmap="gray_r", vmin=lightest, vmax=darkest, interpolation="nearest")
        axes.set_axis_off()
        kind(axes, name, theme)
    return figure


def _tiled(x: Any, background: float) -> Any:
    """Up to 25 images (n, h, w) as one, in five rows, with a line of background between them."""
    n, h, w = x.shape
    tiles = np.full((_SIDE**2, h + 1, w + 1), background)
    tiles[:n, :h, :w] = x
    return tiles.reshape(_SIDE, _SIDE, h + 1, w + 1).swapaxes(1, 2).reshape(_SIDE * (h + 1), -1)[:-1, :-1]


def _histograms(real: Any, fake: Any, title: str, theme: Theme) -> Any:
    figure = figure_of(4.8, 2.4, title, theme)
    low, high = np.quantile(real, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, 41)
    for axes, x, name in zip(figure.subplots(1, 2, sharex=True, sharey=True), (real, fake), theme.kinds, strict=True):
        heights = np.histogram(x, edges)[0] / (len(x) * np.diff(edges))
        axes.stairs(heights, edges, fill=True, color=theme.kinds[name], alpha=0.8)
        plain(axes, theme)
        axes.set_ylim(bottom=0)
        kind(axes, name, theme)
        left_out(axes, np.mean((x < edges[0]) | (x > edges[-1])), theme)
    return figure


def _principal_scatter(real: Any, fake: Any, title: str, theme: Theme) -> Any:
    spread = real.std(axis=0)
    centre, scale = real.mean(axis=0), np.where(spread > 0, spread, 1)
    directions = np.linalg.svd((real - centre) / scale, full_matrices=False)[2]
    projected = [(x - centre) / scale @ directions[:4].T for x in (real, fake)]
    pairs, labels = [], []
    for i in range(0, len(directions[:4]) - 1, 2):
        pairs.append((projected[0][:, i : i + 2], projected[1][:, i : i + 2]))
        labels += [f"component {i + 1}", f"component {i + 2}"]
    return _scatter(pairs, labels, title, theme)


def _scatter(pairs: list[tuple[Any, Any]], labels: list[str], title: str, theme: Theme) -> Any:
    figure = figure_of(4.8, 2.5 * len(pairs) + 0.1, title, theme)
    drawn = min(_POINTS, *(len(x) for x in pairs[0]))  # as many of each: their crowding is then the densities'
    rows = figure.subplots(len(pairs), 2, squeeze=False, sharex="row", sharey="row")
    for row, pair, across, up in zip(rows, pairs, labels[::2], labels[1::2], strict=True):
        low, high = pair[0].min(axis=0), pair[0].max(axis=0)
        margin = np.where(high > low, 0.2 * (high - low), 1)
        low, high = low - margin, high + margin
        for axes, x, name in zip(row, pair, theme.kinds, strict=True):
            points = a_few(x, drawn)
            axes.scatter(*points.T, s=4, color=theme.kinds[name], alpha=0.5, linewidths=0, rasterized=True)  # SVG stays small
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=across)
            plain(axes, theme)
            left_out(axes, np.mean(((points < low) | (points > high)).any(axis=1)), theme)
            if axes in rows[0]:
                kind(axes, name, theme)
        row[0].set_ylabel(up)
    return figure
