"""Plot of a game in one dimension: the densities, and the discriminator's probability that a sample is real."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeGuard, cast

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.plots.players import Scored, game_of, probabilities_at, samples_of
from turinglearn.plots.preparation import Floats, density, floats
from turinglearn.plots.style import DASHED, DOTTED, LIGHT, Theme, new_figure, style_axes
from turinglearn.protocols import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Distribution", "density_panel"]

_DRAWN, _BINS = 2_000, 60  # fakes of a game or a learner, and bins of their histogram


class Distribution(Protocol):
    """Distribution with a known density, such as those of `turinglearn.datasets`."""

    def log_density(self, x: Array) -> Array:
        """Return log p(x) of points (n, 1), (n,)."""


Density = Array | Distribution | Callable[[Floats], Array]


def density_panel(
    x: Array,
    p: Density,
    q: Density | None,
    D: Array | Scored,
    *,
    fake: Array | None = None,
    title: str = "",
    theme: Theme = LIGHT,
) -> Figure:
    """Plot the real density p and the fake density q, and below them the discriminator's D and the optimal p / (p + q).

    D is the probability that a sample is real: the sigmoid of the log-odds.

    Parameters
    ----------
    x : array (n,)
        Points at which densities and D are drawn, in increasing order.
    p : array (n,), Distribution or callable
        Density of the real distribution at x: its values, a distribution with ``log_density``, or a function of points (n, 1).
    q : array (n,), Distribution, callable or None
        Density of the fakes. If None, the histogram of `fake` is drawn, and no optimal discriminator.
    D : array (n,), Game, TuringLearner, Discriminator or callable
        Probability that x is real: its values, what has a discriminator with log-odds, or a function of points (n, 1).
    fake : array (m,) or (m, 1), or None
        Fakes, where q is not known. If None, a game or a learner passed as D draws 2,000.
    title, theme : str, Theme
        Title, and colours: `LIGHT` or `DARK`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Densities above, probabilities below.

    Raises
    ------
    ValueError
        If shapes differ, if neither or both of q and fakes are known, or if the discriminator has no log-odds.
    """
    x = floats(x)
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"x has shape {x.shape}; expected (n,) with n >= 2.")
    if q is None and fake is None and game_of(D) is not None:
        fake = floats(samples_of(D, _DRAWN))
    if (q is None) == (fake is None):
        raise ValueError("Pass either the density q, or fakes, whose histogram stands for it, and not both.")
    at_p = _values(p, x, "p")
    at_D = _at(D, x, "D") if _is_array(D) else probabilities_at(cast("Scored", D), x[:, None])
    return _drawn(x, at_p, None if q is None else _values(q, x, "q"), at_D, fake, title, theme)


def _drawn(x: Floats, p: Floats, q: Floats | None, D: Floats, fake: Array | None, title: str, theme: Theme) -> Figure:
    figure = new_figure(4.8, 3.6, title, theme)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.fill_between(x, p, color=theme.real, alpha=0.2, linewidth=0)
    above.plot(x, p, color=theme.real, linewidth=1.6, label="real p")
    if q is None:
        edges = np.linspace(x[0], x[-1], _BINS + 1)
        above.stairs(density(np.ravel(floats(fake)), edges), edges, color=theme.fake, linewidth=1.2, label="fake q")
    else:
        above.plot(x, q, color=theme.fake, linewidth=1.6, label="fake q")
        total = p + q
        best = np.divide(p, total, out=np.full(len(x), np.nan), where=total > 0)
        below.plot(x, best, color=theme.ink, linewidth=1, linestyle=DOTTED, label="p / (p + q)")
    below.plot(x, D, color=theme.discriminator, linewidth=1.6, label="discriminator's D")
    below.axhline(0.5, color=theme.grey, linewidth=0.8, linestyle=DASHED)
    below.set(ylim=(-0.03, 1.03), xlim=(x[0], x[-1]), xlabel="x", ylabel="probability\nof real")
    above.set(ylabel="density")
    above.set_ylim(bottom=0)
    for axes in (above, below):
        style_axes(axes, theme)
        axes.legend(
            fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.4, labelcolor=theme.ink
        )
    return figure


def _values(source: Density, x: Floats, name: str) -> Floats:
    """Return a density at x, (n,)."""
    if _has_density(source):
        return _at(np.exp(to_numpy(source.log_density(x[:, None]))), x, name)
    return _at(source(x[:, None]) if callable(source) else source, x, name)


def _has_density(source: object) -> TypeGuard[Distribution]:
    return callable(getattr(source, "log_density", None))


def _is_array(source: object) -> TypeGuard[Array]:
    return hasattr(source, "__array__") or hasattr(source, "__len__")


def _at(values: object, x: Floats, name: str) -> Floats:
    found = floats(values)
    if found.shape != x.shape:
        raise ValueError(f"{name} has shape {found.shape}, x has {x.shape}; expected the same shape.")
    return found
