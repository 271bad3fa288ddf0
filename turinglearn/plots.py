"""Pictures of a game: genuine beside counterfeit, losses against their equilibria, densities with the judge's opinion.

Every function returns a matplotlib Figure and touches no global state of matplotlib, which the extra `plot` installs. The
colours are Okabe and Ito's (2008), which people with any colour vision tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective
from turinglearn.protocols import Array

__all__ = ["COUNTERFEIT", "GENUINE", "JUDGE", "density_panel", "losses", "real_beside_fake"]

GENUINE, COUNTERFEIT, JUDGE = "#0072B2", "#D55E00", "#009E73"
_GREY, _INK = "#8A8A8A", "#333333"
_POINTS = 1000
_SIDE = 5  # images per side of a grid
_NEIGHBOURS = 20  # a curve is smoothed over this share of its length on either side


# ------------------------------------------------------------------------------------------------------ real beside fake
def real_beside_fake(real: Array, fake: Array, *, title: str = "") -> Any:
    """Genuine samples beside counterfeits, on the same axes.

    real (n, *event), fake (m, *event). Events of one feature are drawn as histograms, of two as points, of more on the first
    principal components of the genuine samples, standardised; images (n, height, width) as images. Of points and images the
    first few are drawn, as many of each kind. Axes are those of the genuine samples: each picture says what share of points
    it leaves out.
    """
    real, fake = _events(real, "real"), _events(fake, "fake")
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            f"real has events of shape {real.shape[1:]}, fake of shape {fake.shape[1:]}. Give samples of the same kind."
        )
    if real.ndim == 3:
        return _image_grids(real, fake, title)
    if real.shape[1] == 1:
        return _histograms(real[:, 0], fake[:, 0], title)
    if real.shape[1] == 2:
        return _scatter([(real, fake)], ["", ""], title)
    return _principal_scatter(real, fake, title)


def _image_grids(real: Any, fake: Any, title: str) -> Any:
    figure = _figure(4.8, 2.55, title)
    darkest = float(real.max())
    lightest = min(float(real.min()), darkest - 1e-12)
    for axes, x, name in zip(figure.subplots(1, 2, gridspec_kw={"wspace": 0.1}), (real, fake), _KINDS, strict=True):
        axes.imshow(_tiled(x[: _SIDE**2], lightest), cmap="gray_r", vmin=lightest, vmax=darkest, interpolation="nearest")
        axes.set_axis_off()
        _kind(axes, name)
    return figure


def _tiled(x: Any, background: float) -> Any:
    """Up to 25 images (n, h, w) as one, in five rows, with a line of background between them."""
    n, h, w = x.shape
    tiles = np.full((_SIDE**2, h + 1, w + 1), background)
    tiles[:n, :h, :w] = x
    return tiles.reshape(_SIDE, _SIDE, h + 1, w + 1).swapaxes(1, 2).reshape(_SIDE * (h + 1), -1)[:-1, :-1]


def _histograms(real: Any, fake: Any, title: str) -> Any:
    figure = _figure(4.8, 2.4, title)
    low, high = np.quantile(real, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, 41)
    for axes, x, name in zip(figure.subplots(1, 2, sharex=True, sharey=True), (real, fake), _KINDS, strict=True):
        heights = np.histogram(x, edges)[0] / (len(x) * np.diff(edges))
        axes.stairs(heights, edges, fill=True, color=_KINDS[name], alpha=0.8)
        _plain(axes)
        axes.set_ylim(bottom=0)
        _kind(axes, name)
        _left_out(axes, np.mean((x < edges[0]) | (x > edges[-1])))
    return figure


def _principal_scatter(real: Any, fake: Any, title: str) -> Any:
    spread = real.std(axis=0)
    centre, scale = real.mean(axis=0), np.where(spread > 0, spread, 1)
    directions = np.linalg.svd((real - centre) / scale, full_matrices=False)[2]
    projected = [(x - centre) / scale @ directions[:4].T for x in (real, fake)]
    pairs, labels = [], []
    for i in range(0, len(directions[:4]) - 1, 2):
        pairs.append((projected[0][:, i : i + 2], projected[1][:, i : i + 2]))
        labels += [f"component {i + 1}", f"component {i + 2}"]
    return _scatter(pairs, labels, title)


def _scatter(pairs: list[tuple[Any, Any]], labels: list[str], title: str) -> Any:
    figure = _figure(4.8, 2.5 * len(pairs) + 0.1, title)
    drawn = min(_POINTS, *(len(x) for x in pairs[0]))  # as many of each: their crowding is then the densities'
    rows = figure.subplots(len(pairs), 2, squeeze=False, sharex="row", sharey="row")
    for row, pair, across, up in zip(rows, pairs, labels[::2], labels[1::2], strict=True):
        low, high = pair[0].min(axis=0), pair[0].max(axis=0)
        margin = np.where(high > low, 0.2 * (high - low), 1)
        low, high = low - margin, high + margin
        for axes, x, name in zip(row, pair, _KINDS, strict=True):
            points = x[:drawn]
            axes.scatter(*points.T, s=4, color=_KINDS[name], alpha=0.5, linewidths=0, rasterized=True)  # SVG stays small
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=across)
            _plain(axes)
            _left_out(axes, np.mean(((points < low) | (points > high)).any(axis=1)))
            if axes in rows[0]:
                _kind(axes, name)
        row[0].set_ylabel(up)
    return figure


# ---------------------------------------------------------------------------------------------------------------- losses
def losses(
    history: Sequence[Mapping[str, float]],
    objective: GeneratorObjective | None = None,
    criterion: DiscriminatorObjective | None = None,
    *,
    title: str = "",
) -> Any:
    """How a game went: both losses and the judge's accuracy, and dashed where they are at equilibrium.

    history: `Round.figures()` of some or all rounds. objective, criterion: what the generator and the judge descended, for
    their equilibria. Figures that are not finite are not drawn. The strong curves are running medians.
    """
    if not history:
        raise ValueError("history is empty; expected figures of rounds. Keep them: [r.figures() for r in game.rounds(X)].")
    figure = _figure(4.8, 2.5, title)
    left, right = figure.subplots(1, 2)
    index = np.array([h["index"] for h in history])
    for name, label, colour, kind in (
        ("generator_loss", "generator", COUNTERFEIT, objective),
        ("discriminator_loss", "judge", JUDGE, criterion),
    ):
        _curve(left, index, _column(history, name), colour, label)
        _level(left, math.nan if kind is None else kind.equilibrium, colour)
    _curve(right, index, _column(history, "accuracy"), JUDGE, "")
    _level(right, 0.5, JUDGE)
    left.set_title("losses", fontsize=9, color=_INK)
    right.set_title("accuracy of the judge", fontsize=9, color=_INK)
    right.set_ylim(-0.02, 1.02)
    _fit_losses(left)
    for axes in (left, right):
        axes.set_xlabel("round", fontsize=8)
        axes.locator_params(axis="x", nbins=4)
        _plain(axes)
    if left.lines:
        left.legend(fontsize=7.5, frameon=False, loc="upper right", ncols=2, handlelength=1.2, columnspacing=1)
    return figure


def _column(history: Sequence[Mapping[str, float]], name: str) -> Any:
    return np.array([h[name] for h in history], dtype=float)


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


# -------------------------------------------------------------------------------------------------------- one dimension
def density_panel(x: Array, p: Array, q: Array | None, D: Array, *, fake: Array | None = None, title: str = "") -> Any:
    """The genuine density p, the counterfeit density q, and below them the judge's D beside the best judge's p / (p + q).

    All are (n,), along x, which rises. D is the judge's probability that a sample is genuine: sigmoid of its log-odds. Where
    q is not known give None and counterfeits fake, (m,) or (m, 1): their histogram is drawn, and no best judge.
    """
    if (q is None) == (fake is None):
        raise ValueError("Give either the density q along x or counterfeits fake, whose histogram stands for it, not both.")
    x, p, D = (_along(x, v, name) for v, name in ((x, "x"), (p, "p"), (D, "D")))
    figure = _figure(4.8, 3.6, title)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.fill_between(x, p, color=GENUINE, alpha=0.2, linewidth=0)
    above.plot(x, p, color=GENUINE, linewidth=1.6, label="genuine p")
    if fake is not None:
        counterfeits = np.ravel(to_numpy(fake))
        edges = np.linspace(x[0], x[-1], 61)
        heights = np.histogram(counterfeits, edges)[0] / (len(counterfeits) * np.diff(edges))
        above.stairs(heights, edges, color=COUNTERFEIT, linewidth=1.2, label="counterfeit q")
    else:
        q = _along(x, q, "q")
        above.plot(x, q, color=COUNTERFEIT, linewidth=1.6, label="counterfeit q")
        total = p + q
        best = np.divide(p, total, out=np.full(len(x), np.nan), where=total > 0)
        below.plot(x, best, color="black", linewidth=1, linestyle=(0, (1, 1.5)), label="p / (p + q)")
    below.plot(x, D, color=JUDGE, linewidth=1.6, label="judge's D")
    below.axhline(0.5, color=_GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    below.set(ylim=(-0.03, 1.03), xlim=(x[0], x[-1]), xlabel="x")
    above.set(ylabel="density")
    above.set_ylim(bottom=0)
    below.set(ylabel="probability\nof genuine")
    for axes in (above, below):
        _plain(axes)
        axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.4)
    return figure


def _along(x: Array, values: Array, name: str) -> Any:
    values = np.asarray(to_numpy(values), dtype=float)
    if values.shape != np.shape(x) or values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name} has shape {values.shape}, x has {np.shape(x)}; expected (n,) with n >= 2 for both.")
    return values


# ----------------------------------------------------------------------------------------------------------------- style
_KINDS = {"genuine": GENUINE, "counterfeit": COUNTERFEIT}


def _figure(width: float, height: float, title: str) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("turinglearn.plots needs matplotlib: pip install 'turinglearn[plot]'.") from error
    figure = Figure(figsize=(width, height + 0.3 * bool(title)), layout="constrained", facecolor="white")
    if title:
        figure.suptitle(title, fontsize=10, color=_INK)
    return figure


def _events(x: Array, name: str) -> Any:
    x = np.asarray(to_numpy(x), dtype=float)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(f"{name} has shape {x.shape}; expected (n, features), or (n, height, width) for images. Reshape it.")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} contains NaN or infinity; expected finite numbers. See why the generator diverged.")
    return x


def _kind(axes: Any, name: str) -> None:
    axes.set_title(name, fontsize=9, color=_KINDS[name], fontweight="bold")


def _left_out(axes: Any, share: float) -> None:
    if share > 0.01:
        axes.text(
            0.97, 0.97, f"{100 * share:.0f} % outside", transform=axes.transAxes, ha="right", va="top", fontsize=7, color=_INK
        )


def _plain(axes: Any) -> None:
    """No frame above and to the right, small grey ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.tick_params(labelsize=7.5, colors=_INK, color=_GREY, length=3)
    axes.xaxis.label.set(fontsize=8, color=_INK)
    axes.yaxis.label.set(fontsize=8, color=_INK)
