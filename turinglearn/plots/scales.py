"""Scales of axes: ranges with ticks, and the numbers beside them, in proportion, logarithmic, or both.

Nothing here needs matplotlib: the charts of a study's report use the same scales.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Scale", "linear", "logarithmic", "padded", "symlog", "tick_labels", "ticked_at"]

_LONGEST = 5  # characters of a tick's label, beyond which it is written with a power of ten
_MARGIN = 0.06  # of the span of the values, on either side
_SMALLEST = 1e-300  # span that can be divided by ticks


@dataclass(frozen=True)
class Scale:
    """Range of numbers, with its ticks.

    Parameters
    ----------
    low, high : float
        Ends of the range.
    ticks : tuple of float
        Ticks.
    log : bool
        Whether the scale is logarithmic.
    linear_width : float
        Where positive, the scale is linear from minus to plus this number and logarithmic beyond.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    linear_width: float = 0.0

    def at(self, value: float) -> float:
        """Return the position of a value in the range, from 0 to 1; outside of it, the nearer end."""
        low, high, value = map(self._along, (self.low, self.high, value))
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return self.low <= value <= self.high

    def _along(self, value: float) -> float:
        if self.log:
            return math.log(max(value, 1e-300))
        return math.asinh(value / self.linear_width) if self.linear_width else value


def padded(low: ArrayLike, high: ArrayLike, share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return limits with a margin on either side, of this share of the span; of 1 where the span is 0."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    margin = np.where(high > low, share * (high - low), 1.0)
    return low - margin, high + margin


def linear(values: Sequence[float], *, zero: bool = False) -> Scale:
    """Return a linear scale that holds the finite ones of these values, and 0 where asked for."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite + [0.0] * zero), max(finite + [0.0] * zero)
    span = next((size for size in (high - low, abs(high)) if size > _SMALLEST), 1.0)
    low, high = low - _MARGIN * span, high + _MARGIN * span
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 5)
    first = math.ceil(low / step)
    return Scale(low, high, tuple(round(i * step, 12) for i in range(first, math.floor(high / step) + 1)))


def ticked_at(values: Sequence[float]) -> Scale:
    """Return a logarithmic scale with a tick at each of these values, which are positive."""
    ticks = tuple(sorted(set(values)))
    return Scale(ticks[0] / 1.15, ticks[-1] * 1.15, ticks, log=True)


def logarithmic(values: Sequence[float]) -> Scale:
    """Return a logarithmic scale that holds these values, all positive, with ticks at powers of ten or between them."""
    low, high = min(values) / 1.15, max(values) * 1.15
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: tuple[float, ...] = ()
    for parts in ((1,), (1, 3), (1, 2, 5)):
        ticks = tuple(t for k in decades for m in parts if low <= (t := float(f"{m}e{k}")) <= high)
        if len(ticks) >= 3:
            break
    return Scale(low, high, ticks[:: math.ceil(len(ticks) / 6)], log=True)


def symlog(values: Sequence[float], linear_width: float) -> Scale:
    """Return a scale that is linear about 0 and logarithmic beyond, and holds these values, 0 and the linear width."""
    low, high = min(0.0, *values), max(linear_width, *values)
    top = math.asinh(high / linear_width) - math.asinh(low / linear_width)
    low, high = (
        linear_width * math.sinh(math.asinh(end / linear_width) + 0.04 * top * sign) for end, sign in ((low, -1), (high, 1))
    )
    first, last = math.floor(math.log10(linear_width)), math.floor(math.log10(max(high, -low)))
    ticks: list[float] = []
    for parts in ((1,), (1, 3)):
        sizes = [t for k in range(first, last + 1) for m in parts if (t := float(f"{m}e{k}")) >= linear_width]
        chosen = sizes[:: -max(1, math.ceil(len(sizes) / 4))]
        ticks = sorted(t for size in chosen for t in (-size, size) if low <= t <= high)
        if len(ticks) >= 2:
            break
    return Scale(low, high, tuple(sorted([0.0, *ticks])), linear_width=linear_width)


def tick_labels(scale: Scale) -> dict[float, str]:
    """Return the numbers beside the ticks, with powers of ten where one is too long and they still differ."""
    texts = {tick: f"{tick:g}" for tick in scale.ticks}
    if max(map(len, texts.values()), default=0) <= _LONGEST:
        return texts
    short = {tick: f"{tick:.3g}" if 0.1 <= abs(tick) < 1e3 or tick == 0 else _power(tick) for tick in scale.ticks}
    return short if len(set(short.values())) == len(short) else texts


def _power(value: float) -> str:
    digits, _, exponent = f"{value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
