"""How pictures look: two themes, and what all axes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.protocols import Array

__all__ = [
    "COUNTERFEIT",
    "DARK",
    "GENUINE",
    "JUDGE",
    "LIGHT",
    "Theme",
    "a_few",
    "events",
    "figure_of",
    "kind",
    "left_out",
    "plain",
]

GENUINE, COUNTERFEIT, JUDGE = "#0072B2", "#D55E00", "#009E73"


@dataclass(frozen=True)
class Theme:
    """Colours of a picture: those of the players, and of what is around them."""

    genuine: str = GENUINE
    counterfeit: str = COUNTERFEIT
    judge: str = JUDGE
    ink: str = "#333333"
    grey: str = "#8A8A8A"
    paper: str = "white"

    @property
    def kinds(self) -> dict[str, str]:
        """The colours of both kinds of samples."""
        return {"genuine": self.genuine, "counterfeit": self.counterfeit}


LIGHT = Theme()
DARK = Theme("#56B4E9", "#E69F00", "#2FC79A", "#DDDDDD", "#8A8A8A", "#16181C")


def figure_of(width: float, height: float, title: str, theme: Theme) -> Any:
    """An empty figure of this size, in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("turinglearn.plots needs matplotlib: pip install 'turinglearn[plot]'.") from error
    figure = Figure(figsize=(width, height + 0.3 * bool(title)), layout="constrained", facecolor=theme.paper)
    if title:
        figure.suptitle(title, fontsize=10, color=theme.ink)
    return figure


def events(x: Array, name: str) -> Any:
    """Samples as finite numbers on the host, (n, features) or (n, height, width)."""
    x = np.asarray(to_numpy(x), dtype=float)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(f"{name} has shape {x.shape}; expected (n, features), or (n, height, width) for images. Reshape it.")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity; expected finite numbers. See why the generator diverged.")
    return x


def a_few(x: Any, most: int) -> Any:
    """At most so many of the rows, in their order: drawn at random, since the first ones of sorted data are not like the rest.

    Always the same rows for the same length, so that a picture can be drawn again.
    """
    return x if len(x) <= most else x[np.sort(np.random.default_rng(0).choice(len(x), most, replace=False))]


def kind(axes: Any, name: str, theme: Theme) -> None:
    """The title of an axes that shows one kind of samples."""
    axes.set_title(name, fontsize=9, color=theme.kinds[name], fontweight="bold")


def left_out(axes: Any, share: float, theme: Theme) -> None:
    """What share of the points the axes leave out, if it is worth saying."""
    if share > 0.01:
        text = f"{100 * share:.0f} % outside"
        axes.text(0.97, 0.97, text, transform=axes.transAxes, ha="right", va="top", fontsize=7, color=theme.ink)


def plain(axes: Any, theme: Theme) -> None:
    """No frame above and to the right, small grey ticks."""
    axes.set_facecolor(theme.paper)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.grey)
    axes.tick_params(labelsize=7.5, colors=theme.ink, color=theme.grey, length=3)
    axes.xaxis.label.set(fontsize=8, color=theme.ink)
    axes.yaxis.label.set(fontsize=8, color=theme.ink)
