"""Gradients of the evidence averaged over balls, by antithetic differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.contract import score_samples
from turinglearn.protocols import Batch, Discriminator, Pullback, Rng, Scores
from turinglearn.signals.derivative import Derivative, Floats, as_batch, checked_widths, host, inverse, pointwise, spread

__all__ = ["Smoothed"]


@dataclass(frozen=True)
class Smoothed(Derivative):
    """Gradient of the evidence averaged over balls of several sizes, by antithetic differences along random directions.

    With v uniform on the unit sphere of d features, u = v sqrt(d), and a width s in units of each feature's spread among the
    real samples::

        g = [r(x + s u) - r(x - s u)] u / (2 s)                                                      (1)

    is unbiased for the gradient of r averaged over the ball of radius s sqrt(d); the mean over the probes is over widths too.
    The directions of one sample are orthogonal, up to d of them, so that with d probes, or a multiple of d, the gradient of a
    linear r is exact. Every probe of a batch, and the batch itself, go to the discriminator in one call. A feature that does
    not vary among the real samples is not probed.

    Parameters
    ----------
    scales : tuple of float
        The widths s.
    probes : int
        Number of directions u for each sample, at least one for each width.

    References
    ----------
    Flaxman, Kalai & McMahan (2005), "Online convex optimization in the bandit setting"; Choromanski et al. (2018),
    "Structured evolution with compact architectures for scalable policy optimization".
    """

    scales: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    probes: int = 8

    def __post_init__(self) -> None:
        scales = checked_widths(self, "scales")
        if self.probes < len(scales):
            raise ValueError(
                f"Smoothed(probes={self.probes}): expected at least {len(scales)}, one for each of the scales "
                f"{self.scales}. Raise probes or name fewer scales."
            )
        object.__setattr__(self, "scales", scales)

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """Return the evidence on the fakes, and the pullback of its smoothed version."""
        x, scale = host(fake), spread(self, real)
        u = _directions(self.probes, x, rng)
        s = np.sort(np.resize(self.scales, self.probes)).reshape(-1, *(1 for _ in x.shape))  # a frame's are alike
        step = s * scale * u
        everything = np.concatenate((x[None], x + step, x - step)).reshape(-1, *x.shape[1:])
        condition = None
        if fake.condition is not None:
            condition = np.concatenate([to_numpy(fake.condition)] * (2 * self.probes + 1))
        evidence = score_samples(discriminator, as_batch(everything, condition, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float).reshape(-1, len(x))
        rise = (r[1 : self.probes + 1] - r[self.probes + 1 :]).reshape(self.probes, len(x), *(1 for _ in x.shape[1:]))
        gradient = np.mean(rise * u / (2 * s), axis=0) * inverse(scale)  # (1)
        return type(evidence)(evidence.values[: len(x)]), pointwise(gradient)


def _directions(probes: int, x: Floats, rng: Rng) -> Floats:
    """Draw directions for each sample, (probes, *x.shape), of length sqrt(d), orthogonal in frames of up to d."""
    n, d = len(x), x[0].size
    frame = min(d, probes)
    count = -(-probes // frame)
    normal = rng.standard_normal((count, n, d, frame))
    u = np.linalg.qr(normal)[0] * np.sqrt(d)  # each direction uniform, up to a sign that (1) does not see
    return np.moveaxis(u, 3, 1).reshape(count * frame, *x.shape)[:probes]
