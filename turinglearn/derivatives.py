"""How the evidence of a judge changes with x: exactly, by smoothing, or by a student that has a derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist, pdist

from turinglearn.arrays import like, location_and_spread, to_numpy
from turinglearn.contract import differentiate, examine
from turinglearn.protocols import Array, Batch, Discriminator, Pullback, Rng, Scores

__all__ = ["Derivative", "Exact", "Smoothed", "Student"]


class Derivative(Protocol):
    """A way to have the gradient of a judge's evidence."""

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and the pullback from dL/dscores (n,) to dL/dx (n, *event)."""
        ...


@dataclass(frozen=True)
class Exact:
    """The judge's own gradient, from its `vjp`."""

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and its exact pullback."""
        return differentiate(discriminator, fake)


@dataclass(frozen=True)
class Smoothed:
    """The gradient of the evidence convolved with Gaussians of several widths, by antithetic differences.

    With u ~ N(0, I) and a width s in units of each feature's spread among the genuine samples,

        g = [r(x + s u) - r(x - s u)] u / (2 s)                                                      (1)

    is unbiased for the gradient of the smoothed r (Nesterov & Spokoiny 2017); the mean over the probes is over widths too.
    Every probe of a batch, and the batch itself, go to the judge in one call. A feature that does not vary among the genuine
    samples is not probed. scales: the widths. probes: how many u for each sample, at least one for each width.
    """

    scales: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    probes: int = 8

    def __post_init__(self) -> None:
        scales = np.atleast_1d(np.asarray(self.scales, dtype=float))
        if scales.size == 0 or not np.all(np.isfinite(scales) & (scales > 0)):
            raise ValueError(f"Smoothed(scales={self.scales}): expected positive widths, in units of each feature's spread.")
        if self.probes < scales.size:
            raise ValueError(
                f"Smoothed(probes={self.probes}): expected at least {scales.size}, one for each of the scales "
                f"{self.scales}. Raise probes or name fewer scales."
            )
        object.__setattr__(self, "scales", tuple(float(s) for s in scales))

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and the pullback of its smoothed version."""
        x, scale = _host(fake), _scale(self, real)
        u = rng.standard_normal((self.probes, *x.shape))
        s = np.resize(self.scales, self.probes).reshape(-1, *(1 for _ in x.shape))
        step = s * scale * u
        everything = np.concatenate((x[None], x + step, x - step)).reshape(-1, *x.shape[1:])
        told = None if fake.given is None else to_numpy(fake.given)
        given = None if told is None else np.concatenate([told] * (2 * self.probes + 1))
        evidence = examine(discriminator, _as_before(everything, given, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float).reshape(-1, len(x))
        rise = (r[1 : self.probes + 1] - r[self.probes + 1 :]).reshape(self.probes, len(x), *(1 for _ in x.shape[1:]))
        slope = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
        gradient = np.mean(rise * u / (2 * s), axis=0) * slope  # (1)
        return type(evidence)(evidence.values[: len(x)]), _pointwise(gradient)


@dataclass(frozen=True)
class Student:
    """The gradient of a smooth regression of the evidence on x: a student that has a derivative learns what the judge says.

    The student is Gaussian kernel ridge regression on standardised features and standardised evidence, fitted anew to the
    counterfeits, the genuine samples and their perturbations; its gradient is exact,

        f(x) = sum_j a_j k(x, x_j),   a = (K + ridge n I)^-1 r,   df/dx = sum_j a_j k(x, x_j) (x_j - x) / h^2.        (2)

    In many dimensions it sees a whole direction where a probe sees one line. width: the kernel's h as a multiple of the
    median distance. ridge: the strength of smoothing. jitter: the perturbations' width in units of each feature's spread.
    """

    width: float = 1.0
    ridge: float = 1e-4
    jitter: float = 0.3

    def __post_init__(self) -> None:
        for name in ("width", "ridge", "jitter"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"Student({name}={getattr(self, name)}): expected a positive number.")

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and the pullback of the student's."""
        x, genuine = _host(fake), _host(real)
        n, shape = len(x), x.shape
        scale = _scale(self, real)
        around = x + self.jitter * scale * rng.standard_normal(shape)
        points = np.concatenate((x, genuine, around))
        given = None
        if fake.given is not None:
            told, told_real = to_numpy(fake.given), to_numpy(real.given)
            given = np.concatenate((told, told_real, told))
        evidence = examine(discriminator, _as_before(points, given, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float)

        slope = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0).reshape(-1)
        features = points.reshape(len(points), -1) * slope
        if given is not None:
            conditions = given.reshape(len(given), -1)
            _, told_spread = location_and_spread(conditions)
            features = np.concatenate((features, conditions / np.where(told_spread > 0, told_spread, 1)), axis=1)
        gradient = self._gradient(features, r, n)[:, : slope.size] * slope
        return type(evidence)(evidence.values[:n]), _pointwise(gradient.reshape(shape))

    def _gradient(self, points: Any, r: Any, n: int) -> Any:
        """The student's gradient at the first n points, (n, features)."""
        middle, unit = r.mean(), r.std()
        if unit == 0:
            return np.zeros((n, points.shape[1]))
        h = self.width * np.median(pdist(points[:n] if n > 1 else points)) or 1.0
        kernel = np.exp(-cdist(points, points, "sqeuclidean") / (2 * h**2))
        regular = kernel.copy()
        regular.flat[:: len(points) + 1] += self.ridge * len(points)
        a = unit * cho_solve(cho_factor(regular, overwrite_a=True), (r - middle) / unit)
        weighted = kernel[:n] * a
        return (weighted @ points - weighted.sum(axis=1, keepdims=True) * points[:n]) / h**2  # (2)


def _host(batch: Batch) -> Any:
    return np.asarray(to_numpy(batch.x), dtype=float)


def _scale(derivative: Derivative, real: Batch) -> Any:
    """The spread of each feature among the genuine samples, by which perturbations are measured."""
    if real.n < 2:
        raise ValueError(
            f"{type(derivative).__name__} measures its perturbations by the spread of genuine samples, but has {real.n}. "
            "Choose a batch_size of at least 2 (times pack)."
        )
    return location_and_spread(to_numpy(real.x))[1]


def _as_before(x: Any, given: Any, fake: Batch) -> Batch:
    """Host arrays as a batch in the library and precision of the counterfeits."""
    return Batch(like(x, fake.x), None if fake.given is None else like(given, fake.given))


def _pointwise(gradient: Array) -> Pullback:
    """The pullback of scores that depend each on their own sample: dL/dx_i = dL/dr_i dr_i/dx_i."""
    return lambda s: np.asarray(to_numpy(s), dtype=float).reshape(-1, *(1 for _ in gradient.shape[1:])) * gradient
