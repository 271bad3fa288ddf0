"""Plots of tables of real and fake rows, column against column."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from turinglearn.data.tables import is_frame
from turinglearn.plots.players import Learned, samples_of
from turinglearn.plots.preparation import Floats, subsample
from turinglearn.plots.scales import padded
from turinglearn.plots.style import LIGHT, Theme, new_figure, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from pandas import DataFrame, Series

__all__ = ["pairs"]

_MOST = 5  # columns
_POINTS = 500
_BINS = 20
_LETTERS = 8  # of the name of a category
_BESIDE = 12  # letters of the names of categories that fit beside each other


def pairs(
    real: DataFrame,
    fake: DataFrame | Learned,
    *,
    columns: Sequence[Hashable] | None = None,
    title: str = "",
    theme: Theme = LIGHT,
) -> Figure:
    """Plot the distribution of each column of two data frames, and each pair of columns.

    The diagonal has the distributions of both. Below it are real rows, above it fakes, as many of each: a plot and its mirror
    image can be compared. Of more than 500 rows some are drawn at random, the same each time. Missing values are left out.

    Parameters
    ----------
    real : DataFrame
        Real rows.
    fake : DataFrame, Game or TuringLearner
        Fake rows, or what has learned to make them; then as many are drawn as there are real rows.
    columns : sequence or None
        Names of at most five columns; if None, the first ones.
    title, theme : str, Theme
        Title, and colours: `LIGHT` or `DARK`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Square of axes, one row and one column for each column of the tables.

    Raises
    ------
    ValueError
        If the tables are not data frames, or do not both have the columns.
    """
    table: DataFrame = samples_of(fake, len(real))
    if not (is_frame(real) and is_frame(table)):
        raise ValueError("real and fake must be pandas data frames. For arrays, use real_beside_fake.")
    chosen = list(real.columns[:_MOST] if columns is None else columns)
    lacking = [name for name in chosen if name not in real.columns or name not in table.columns]
    if lacking or not 0 < len(chosen) <= _MOST:
        what = f"no column {lacking[0]!r} in both tables" if lacking else f"{len(chosen)} columns"
        raise ValueError(f"There are {what}; expected one to {_MOST} that both have. Choose columns=[...].")
    pairs_of_columns = [_column(real[name], table[name]) for name in chosen]
    return _drawn(pairs_of_columns, min(_POINTS, len(real), len(table)), title, theme)


@dataclass(frozen=True)
class _Column:
    """A column of both tables as numbers.

    Parameters
    ----------
    label : str
        Label of its axes.
    numbers, points : list of array (n,)
        Real and fake values, and where they are drawn: categories are numbered and spread a little.
    limits : (float, float)
        Limits of its axes.
    edges : array
        Edges of its histograms.
    names : list of str
        Names of its categories, if it has any.
    """

    label: str
    numbers: list[Floats]
    points: list[Floats]
    limits: tuple[float, float]
    edges: Floats
    names: list[str] = field(default_factory=list)

    def draw_shares(self, axes: Axes, theme: Theme) -> None:
        """Draw both distributions: real filled, fake as an outline."""
        for x, colour, filled in zip(self.numbers, theme.sides.values(), (True, False), strict=True):
            x = x[np.isfinite(x)]
            shares = np.histogram(x, self.edges)[0] / max(len(x), 1)
            axes.stairs(shares, self.edges, fill=filled, color=colour, alpha=0.35 if filled else 1, linewidth=1.3)
        axes.set_xlim(self.limits)
        axes.set_ylim(bottom=0)

    def set_ticks(self, axis: Axis, *, shown: bool, slanted: bool) -> None:
        """Set the names of categories, or a few numbers, on the outer axes only."""
        if self.names:
            names = [name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…" for name in self.names]
            axis.set_ticks(range(len(names)), names)
            if slanted and len("".join(names)) > _BESIDE:
                for label in axis.get_ticklabels():
                    label.set(rotation=30, ha="right", rotation_mode="anchor")
        if not shown:
            axis.set_tick_params(labelleft=False, labelbottom=False)


def _column(real: Series, fake: Series) -> _Column:
    if real.dtype.kind == "M":
        numbers = [(x - real.min()).dt.total_seconds().to_numpy() / 86400 for x in (real, fake)]
        return _continuous(f"{real.name} (days)", numbers)
    if real.dtype.kind in "iuf":
        return _continuous(str(real.name), [x.astype(float).to_numpy() for x in (real, fake)])
    found = sorted({*real.dropna().unique(), *fake.dropna().unique()}, key=str)
    codes = {name: i for i, name in enumerate(found)}
    numbers = [x.map(codes).to_numpy(dtype=float, na_value=np.nan) for x in (real, fake)]
    rng = np.random.default_rng(zlib.crc32(str(real.name).encode()))  # columns are spread independently
    points = [x + rng.uniform(-0.3, 0.3, len(x)) for x in numbers]
    limits, edges = (-0.6, len(found) - 0.4), np.linspace(-0.5, len(found) - 0.5, len(found) + 1)
    return _Column(str(real.name), numbers, points, limits, edges, [str(name) for name in found])


def _continuous(label: str, numbers: list[Floats]) -> _Column:
    low, high = np.nanmin(numbers[0]), np.nanmax(numbers[0])
    first, last = padded(low, high, 0.08)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    return _Column(label, numbers, numbers, (float(first), float(last)), edges)


def _drawn(columns: Sequence[_Column], rows: int, title: str, theme: Theme) -> Figure:
    d = len(columns)
    figure = new_figure(1.5 * d + 0.4, 1.35 * d + 0.4, title, theme)
    grid = figure.subplots(d, d, squeeze=False)
    for i, up in enumerate(columns):
        for j, across in enumerate(columns):
            axes, side = grid[i, j], 0 if i > j else 1
            if i == j:
                up.draw_shares(axes, theme)
            else:
                x, y = (subsample(column.points[side], rows) for column in (across, up))
                colour = (theme.real, theme.fake)[side]
                axes.scatter(x, y, s=3, color=colour, alpha=0.5, linewidths=0, rasterized=True)
                axes.set(xlim=across.limits, ylim=up.limits)
            axes.set(xlabel=across.label if i == d - 1 else "", ylabel=up.label if j == 0 else "")
            style_axes(axes, theme)
            across.set_ticks(axes.xaxis, shown=i == d - 1, slanted=True)
            if i == j:
                axes.yaxis.set_ticks([])  # shares of different columns have different units
            else:
                up.set_ticks(axes.yaxis, shown=j == 0, slanted=False)
    lines = [grid[0, 0].plot([], [], color=colour, linewidth=4)[0] for colour in theme.sides.values()]
    figure.legend(lines, theme.sides, loc="outside lower right", ncols=2, fontsize=8, frameon=False, labelcolor=theme.ink)
    return figure
