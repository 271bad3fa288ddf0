"""Tables of genuine and counterfeit rows, column against column."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from turinglearn.plots.style import LIGHT, Theme, a_few, figure_of, plain
from turinglearn.tables import is_frame

__all__ = ["pairs"]

_MOST = 5  # columns
_POINTS = 500


def pairs(real: Any, fake: Any, *, columns: Sequence[Any] | None = None, title: str = "", theme: Theme = LIGHT) -> Any:
    """Two data frames with the same columns: each column's distribution, and every pair of columns.

    On the diagonal both kinds together; below it genuine rows, above it counterfeits, as many of each, so that a picture and
    its mirror image are to be compared; of more than 500 rows some at random, always the same.
    columns: at most five, the first ones if None. Missing values are left out.
    """
    if not (is_frame(real) and is_frame(fake)):
        raise ValueError("real and fake must be pandas data frames. For arrays: real_beside_fake.")
    chosen = list(real.columns[:_MOST] if columns is None else columns)
    lacking = [name for name in chosen if name not in real.columns or name not in fake.columns]
    if lacking or not 0 < len(chosen) <= _MOST:
        what = f"no column {lacking[0]!r} in both tables" if lacking else f"{len(chosen)} columns"
        raise ValueError(f"There are {what}; expected one to {_MOST} that both have. Choose columns=[...].")
    d, drawn = len(chosen), min(_POINTS, len(real), len(fake))
    figure = figure_of(1.5 * d + 0.4, 1.35 * d + 0.4, title, theme)
    grid = figure.subplots(d, d, squeeze=False)
    values = [_Column(real[name], fake[name]) for name in chosen]
    for i, up in enumerate(values):
        for j, across in enumerate(values):
            here = grid[i, j]
            if i == j:
                up.bars(here, theme)
            else:
                side = 0 if i > j else 1
                colour = (theme.genuine, theme.counterfeit)[side]
                x, y = (a_few(column.points[side], drawn) for column in (across, up))
                here.scatter(x, y, s=3, color=colour, alpha=0.5, linewidths=0, rasterized=True)
                here.set(xlim=across.limits, ylim=up.limits)
            plain(here, theme)
            across.ticks(here.xaxis, shown=i == d - 1)
            up.ticks(here.yaxis, shown=j == 0 and i != 0)
            if i == d - 1:
                here.set_xlabel(f"{chosen[j]}{across.unit}")
            if j == 0:
                here.set_ylabel(f"{chosen[i]}{up.unit}")
    lines = [grid[0, 0].plot([], [], color=colour, linewidth=4)[0] for colour in theme.kinds.values()]
    figure.legend(lines, theme.kinds, loc="outside lower right", ncols=2, fontsize=8, frameon=False, labelcolor=theme.ink)
    return figure


class _Column:
    """A column of both tables as numbers to draw: categories are numbered, and spread a little."""

    def __init__(self, real: Any, fake: Any) -> None:
        self.names: list[str] = []
        self.unit = ""
        kind = real.dtype.kind if real.dtype.kind in "biufM" else "O"
        if kind in "Ob":
            found = sorted({*real.dropna().unique(), *fake.dropna().unique()}, key=str)
            self.names = [str(name) for name in found]
            codes = {name: i for i, name in enumerate(found)}
            numbers = [x.map(codes).to_numpy(dtype=float, na_value=np.nan) for x in (real, fake)]
            rng = np.random.default_rng(zlib.crc32(str(real.name).encode()))  # columns apart
            self.points = [x + rng.uniform(-0.3, 0.3, len(x)) for x in numbers]
            self.limits, self.edges = (-0.6, len(found) - 0.4), np.arange(len(found) + 1) - 0.5
        else:
            if kind == "M":
                numbers = [(x - real.min()).dt.total_seconds().to_numpy() / 86400 for x in (real, fake)]
                self.unit = " (days)"
            else:
                numbers = [x.astype(float).to_numpy() for x in (real, fake)]
            self.points = numbers
            low, high = np.nanmin(numbers[0]), np.nanmax(numbers[0])
            margin = 0.08 * (high - low) or 1.0
            self.limits, self.edges = (low - margin, high + margin), np.linspace(low, high if high > low else low + 1, 21)
        self.numbers = numbers

    def bars(self, axes: Any, theme: Theme) -> None:
        """Both distributions: genuine filled, counterfeits as an outline."""
        for x, colour, filled in zip(self.numbers, theme.kinds.values(), (True, False), strict=True):
            x = x[np.isfinite(x)]
            heights = np.histogram(x, self.edges)[0] / max(len(x), 1)
            axes.stairs(heights, self.edges, fill=filled, color=colour, alpha=0.35 if filled else 1, linewidth=1.3)
        axes.set_xlim(self.limits)
        axes.set_ylim(bottom=0)

    def ticks(self, axis: Any, *, shown: bool) -> None:
        """Names of categories or a few numbers, on the outer axes only."""
        if self.names:
            axis.set_ticks(np.arange(len(self.names)), [name[:8] for name in self.names])
        if not shown:
            axis.set_tick_params(labelleft=False, labelbottom=False)
