"""Look of all plots: two themes, and what the axes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from turinglearn.plots.palette import DISCRIMINATOR, FAKE, REAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DARK", "DASHED", "DOTTED", "LIGHT", "Theme", "new_figure", "note_outside", "style_axes", "title_side"]

DASHED, DOTTED = (0, (4, 3)), (0, (1, 1.5))  # lines, as matplotlib has them


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Parameters
    ----------
    real, fake, discriminator : str
        Colours of real samples, of fakes and of the discriminator.
    ink : str
        Colour of texts.
    grey : str
        Colour of axes.
    paper : str
        Colour of the background.
    """

    real: str = REAL
    fake: str = FAKE
    discriminator: str = DISCRIMINATOR
    ink: str = "#333333"
    grey: str = "#8A8A8A"
    paper: str = "white"

    @property
    def sides(self) -> dict[str, str]:
        """Colours of real samples and of fakes, by name."""
        return {"real": self.real, "fake": self.fake}


LIGHT = Theme()
DARK = Theme("#56B4E9", "#E69F00", "#2FC79A", "#DDDDDD", "#8A8A8A", "#16181C")


def new_figure(width: float, height: float, title: str, theme: Theme) -> Figure:
    """Return an empty figure of this size in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("turinglearn.plots needs matplotlib: pip install 'turinglearn[plot]'.") from error
    figure = Figure(figsize=(width, height + 0.3 * bool(title)), layout="constrained", facecolor=theme.paper)
    if title:
        figure.suptitle(title, fontsize=10, color=theme.ink)
    return figure


def title_side(axes: Axes, side: str, theme: Theme) -> None:
    """Set the title of axes that show real samples or fakes."""
    axes.set_title(side, fontsize=9, color=theme.sides[side], fontweight="bold")


def note_outside(axes: Axes, share: float, theme: Theme) -> None:
    """Write the share of the samples outside of the axes, from 1 % on."""
    if share > 0.01:
        text = f"{100 * share:.0f} % outside"
        axes.text(0.97, 0.97, text, transform=axes.transAxes, ha="right", va="top", fontsize=7, color=theme.ink)


def style_axes(axes: Axes, theme: Theme) -> None:
    """Remove the frame above and to the right, and make ticks small and grey."""
    axes.set_facecolor(theme.paper)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.grey)
    axes.tick_params(labelsize=7.5, colors=theme.ink, color=theme.grey, length=3)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    axes.xaxis.label.set_color(theme.ink)
    axes.yaxis.label.set_color(theme.ink)
