"""The judge's opinion over the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.plots.style import LIGHT, Theme, a_few, events, figure_of, plain
from turinglearn.protocols import Array

__all__ = ["judge_surface"]

_GRID = 120  # points per side
_POINTS = 500


def judge_surface(
    discriminate: Callable[[Array], Array], real: Array, fake: Array, *, title: str = "", theme: Theme = LIGHT
) -> Any:
    """What a judge says over the plane, genuine samples and counterfeits on it.

    discriminate: from points (n, 2) to scores (n,), such as `TuringLearner.discriminate`; 0 is drawn white, and the line where
    the judge is undecided. real (n, 2), fake (m, 2). Of either kind at most 500 are drawn, chosen at random
    but always the same. Colours end at the 98th percentile of the scores' sizes.
    """
    real, fake = events(real, "real"), events(fake, "fake")
    if real.shape[1:] != (2,) or fake.shape[1:] != (2,):
        raise ValueError(f"real has shape {real.shape}, fake {fake.shape}; expected (n, 2): a surface lies over a plane.")
    together = np.concatenate((real, fake))
    low, high = np.quantile(together, 0.005, axis=0), np.quantile(together, 0.995, axis=0)
    margin = np.where(high > low, 0.15 * (high - low), 1)
    across, up = (np.linspace(a, b, _GRID) for a, b in zip(low - margin, high + margin, strict=True))
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    scores = np.asarray(to_numpy(discriminate(points)), dtype=float)
    if scores.shape != (len(points),) or not np.isfinite(scores).all():
        raise ValueError(f"discriminate returned shape {scores.shape} for {len(points)} points; expected finite scores (n,).")
    surface = scores.reshape(_GRID, _GRID)
    most = float(np.quantile(np.abs(scores), 0.98)) or 1.0
    figure = figure_of(4.4, 3.4, title, theme)
    axes = figure.subplots()
    extent = (across[0], across[-1], up[0], up[-1])
    shown = {"cmap": "PuOr", "vmin": -most, "vmax": most, "interpolation": "bilinear", "alpha": 0.85, "aspect": "auto"}
    filled = axes.imshow(surface, extent=extent, origin="lower", **shown)
    if scores.min() < 0 < scores.max():
        axes.contour(across, up, surface, [0.0], colors=[LIGHT.ink], linewidths=1)
    for x, colour, mark, name in ((real, LIGHT.genuine, "o", "genuine"), (fake, LIGHT.counterfeit, "x", "counterfeit")):
        edge = {"linewidths": 0} if mark == "o" else {"linewidths": 0.8}
        axes.scatter(*a_few(x, _POINTS).T, s=7, marker=mark, color=colour, label=name, rasterized=True, **edge)
    axes.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    plain(axes, theme)
    bar = figure.colorbar(filled, ax=axes, ticks=[-most, 0, most], format="%.2g", pad=0.02, extend="both")
    bar.ax.tick_params(labelsize=7.5, colors=theme.ink)
    bar.set_label("the judge: counterfeit  <  0  <  genuine", fontsize=8, color=theme.ink)
    legend = axes.legend(fontsize=7.5, frameon=True, loc="upper right", handletextpad=0.2, labelcolor=LIGHT.ink)
    legend.get_frame().set(facecolor=LIGHT.paper, edgecolor="none", alpha=0.8)
    return figure
