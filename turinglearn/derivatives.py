"""How the evidence of a judge changes with x: exactly, by smoothing, or by a student that has a derivative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from turinglearn.arrays import like, location_and_spread, to_numpy
from turinglearn.contract import differentiate, examine
from turinglearn.protocols import Array, Batch, Discriminator, Pullback, Rng, Scores

__all__ = ["Derivative", "Exact", "Smoothed", "Student"]

_NEGLIGIBLE = 1e-3  # a weight among students that changes nothing
_ROUNDING = 1e-8
_FAR = 60.0  # an exponent beyond which a kernel is 0 for all purposes


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
    """The gradient of the evidence averaged over balls of several sizes, by antithetic differences along random directions.

    With v uniform on the unit sphere of d features, u = v sqrt(d), and a width s in units of each feature's spread among the
    genuine samples,

        g = [r(x + s u) - r(x - s u)] u / (2 s)                                                      (1)

    is unbiased for the gradient of r averaged over the ball of radius s sqrt(d) (Flaxman, Kalai & McMahan 2005); the mean over
    the probes is over widths too. Directions of one sample are orthogonal, up to d of them (Choromanski et al. 2018), so that
    with d probes, or a multiple of it, the gradient of a linear r is exact. Every probe of a batch, and the batch itself, go to
    the judge in one call. A feature that does not vary among the genuine samples is not probed. scales: the widths. probes:
    how many u for each sample, at least one for each width.
    """

    scales: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    probes: int = 8

    def __post_init__(self) -> None:
        scales = _widths(self, "scales")
        if self.probes < len(scales):
            raise ValueError(
                f"Smoothed(probes={self.probes}): expected at least {len(scales)}, one for each of the scales "
                f"{self.scales}. Raise probes or name fewer scales."
            )
        object.__setattr__(self, "scales", scales)

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and the pullback of its smoothed version."""
        x, scale = _host(fake), _scale(self, real)
        u = _directions(self.probes, x, rng)
        s = np.sort(np.resize(self.scales, self.probes)).reshape(-1, *(1 for _ in x.shape))  # a frame's are alike
        step = s * scale * u
        everything = np.concatenate((x[None], x + step, x - step)).reshape(-1, *x.shape[1:])
        told = None if fake.given is None else to_numpy(fake.given)
        given = None if told is None else np.concatenate([told] * (2 * self.probes + 1))
        evidence = examine(discriminator, _as_before(everything, given, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float).reshape(-1, len(x))
        rise = (r[1 : self.probes + 1] - r[self.probes + 1 :]).reshape(self.probes, len(x), *(1 for _ in x.shape[1:]))
        gradient = np.mean(rise * u / (2 * s), axis=0) * _inverse(scale)  # (1)
        return type(evidence)(evidence.values[: len(x)]), _pointwise(gradient)


@dataclass(frozen=True)
class Student:
    """The gradient of a smooth regression of the evidence on x: a student, which has a derivative, learns what the judge says.

    The student is a sum of kernel ridge regressions on features in units of their spread, fitted anew to the N counterfeits,
    genuine samples and perturbed counterfeits. The first is the widest, and each narrower one learns what the wider ones left:

        f_h = f_(wider) + K a,   a = (K'K + ridge N K_zz)^-1 K'(r - f_(wider)),   k(x, z) = exp(-|x - z|^2 / (2 h^2)),     (2)

    with a random subset z of the points for centres (Rasmussen & Williams 2006, section 8.3). How far to go is a matter of
    the judge's resolution: of what holds on fresh samples. The gradient is the mean of those of the f_h, with weights

        w_h proportional to h (1 - rho_h^2)^(-m/2),   rho_h = max(0, correlation of f_h with y),                      (3)

    y being the labels of the m samples of this very batch, genuine or counterfeit, which the judge was not fitted to: how
    likely a linear regression on f_h makes them, and wide before narrow where they tell little. So the steps and the noise
    that are the judge's own are smoothed away, whatever it is, and no level or unit of the evidence is needed. Last, the
    gradient is averaged over Gaussian convolutions of several widths s, in closed form:

        k(x, z) becomes (h^2 / H)^(d/2) exp(-|x - z|^2 / (2 H)),   H = h^2 + s^2.                                      (4)

    widths: each h as a multiple of the median distance. ridge: the strength of smoothing. jitter: the perturbations' width
    in units of each feature's spread; scales: those of the convolutions. centres: how many.
    """

    widths: tuple[float, ...] = (3.2, 1.6, 0.8, 0.4, 0.2, 0.1, 0.05)
    ridge: float = 1e-3
    jitter: float = 0.1
    scales: tuple[float, ...] = (0.0, 0.25, 0.7)
    centres: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(sorted(_widths(self, "widths"), reverse=True)))
        object.__setattr__(self, "scales", _widths(self, "scales", least=0))
        for name in ("ridge", "jitter", "centres"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"Student({name}={getattr(self, name)}): expected a positive number.")

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """The evidence on the counterfeits, and the pullback of the students'."""
        x, genuine, scale = _host(fake), _host(real), _scale(self, real)
        points = np.concatenate((x, genuine, x + self.jitter * scale * rng.standard_normal(x.shape)))
        given = None
        if fake.given is not None:
            told, told_real = to_numpy(fake.given), to_numpy(real.given)
            given = np.concatenate((told, told_real, told))
        evidence = examine(discriminator, _as_before(points, given, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float)

        slope = _inverse(scale).reshape(-1)
        features = points.reshape(len(points), -1) * slope
        conditions = np.zeros((len(points), 0))
        if given is not None:
            conditions = given.reshape(len(given), -1)
            _, told_spread = location_and_spread(conditions)
            conditions = conditions / np.where(told_spread > 0, told_spread, 1)
        centres = rng.permutation(len(points))[: self.centres]
        labels = np.repeat((-1.0, 1.0), (len(x), len(genuine)))
        lesson = _Lesson(features, conditions, r, centres, labels)
        gradient = self._gradient(lesson, int(np.count_nonzero(slope))) * slope
        return type(evidence)(evidence.values[: len(x)]), _pointwise(gradient.reshape(x.shape))

    def _gradient(self, lesson: _Lesson, varying: int) -> Any:
        """The mean gradient of the students at the counterfeits, (n, features)."""
        n, z = int(np.sum(lesson.labels < 0)), lesson.features[lesson.centres]
        x, gradient = lesson.features[:n], np.zeros((n, z.shape[1]))
        if np.ptp(lesson.r) == 0:
            return gradient
        near, told = lesson.distances(lesson.features), lesson.distances(lesson.conditions)
        parts = list(lesson.regressions(near + told, self.widths, self.ridge))
        evidence = np.array([part.evidence for part in parts])
        likely = np.exp(evidence - evidence.max())  # (3)
        share = np.cumsum(likely[::-1])[::-1] / likely.sum()  # a wide part belongs to every f_h that goes on from it
        near, told = near[:n], told[:n]
        for part, weight in zip(parts, share, strict=True):
            radii = np.sqrt(varying) * np.array(self.scales)
            blurs = np.where(10 * radii > part.h, self.scales, 0)  # smaller balls change nothing
            for s, times in zip(*np.unique(blurs, return_counts=True), strict=True):
                wide = part.h**2 + s**2  # H of (4)
                shrunk = (part.h**2 / wide) ** (varying / 2)
                k = shrunk * part.a * _gaussian(near / (2 * wide) + told / (2 * part.h**2))
                gradient += weight * times / len(self.scales) / wide * (k @ z - k.sum(axis=1, keepdims=True) * x)
        return gradient


@dataclass(frozen=True)
class _Part:
    """One regression of (2): its width, its coefficients, and the log of the weight (3) of the student that ends with it."""

    h: float
    a: Any
    evidence: float


@dataclass(frozen=True)
class _Lesson:
    """What students learn from: N points, what the judge said of each, and the labels of the first of them."""

    features: Any
    conditions: Any
    r: Any
    centres: Any
    labels: Any

    def distances(self, columns: Any) -> Any:
        """Squared distances from every point to the centres, (N, centres)."""
        if columns.shape[1] == 0:
            return np.zeros((1, 1))
        return cdist(columns, columns[self.centres], "sqeuclidean")

    def regressions(self, apart: Any, widths: tuple[float, ...], ridge: float) -> Iterator[_Part]:
        """The regressions of (2), from the widest on, as long as they help; apart are the squared distances to the centres."""
        left, n = self.r - self.r.mean(), len(self.r)
        f, likeliest = np.zeros(n), -np.inf
        among = np.sqrt(apart[self.centres][np.triu_indices(len(self.centres), 1)])
        for h in np.multiply(np.median(among) or 1.0, widths):
            kernel = _gaussian(apart / (2 * h**2))
            gram = kernel.T @ kernel + ridge * n * kernel[self.centres]
            gram.flat[:: len(gram) + 1] += _ROUNDING * n
            a = cho_solve(cho_factor(gram, check_finite=False), kernel.T @ left, check_finite=False)
            step = kernel @ a
            f, left = f + step, left - step
            evidence = np.log(h) + self.likelihood(f[: len(self.labels)])
            if evidence < likeliest + np.log(_NEGLIGIBLE):  # finer ones say what fresh labels gainsay
                return
            likeliest = max(likeliest, evidence)
            yield _Part(h, a, evidence)

    def likelihood(self, f: Any) -> float:
        """The log-likelihood of the labels by a linear regression on f, against that by none."""
        f, y = f - f.mean(), self.labels - self.labels.mean()
        correlation = max(f @ y, 0) / np.sqrt((f @ f) * (y @ y) + np.finfo(float).tiny)
        return float(-0.5 * len(y) * np.log(max(1 - correlation**2, _ROUNDING)))


def _gaussian(exponent: Any) -> Any:
    """exp(-exponent), but never so small that the processor computes with it slowly; the exponent is used up."""
    np.minimum(exponent, _FAR, out=exponent)
    return np.exp(np.negative(exponent, out=exponent), out=exponent)


def _directions(probes: int, x: Any, rng: Rng) -> Any:
    """Directions for each sample, (probes, *x.shape), of length sqrt(d), orthogonal in frames of up to d."""
    n, d = len(x), x[0].size
    frame = min(d, probes)
    count = -(-probes // frame)
    normal = rng.standard_normal((count, n, d, frame))
    u = np.linalg.qr(normal)[0] * np.sqrt(d)  # each direction uniform, up to a sign that (1) does not see
    return np.moveaxis(u, 3, 1).reshape(count * frame, *x.shape)[:probes]


def _widths(derivative: Derivative, name: str, least: float = np.finfo(float).tiny) -> tuple[float, ...]:
    given = getattr(derivative, name)
    widths = np.atleast_1d(np.asarray(given, dtype=float))
    if widths.size == 0 or not np.all(np.isfinite(widths) & (widths >= least)):
        unit = "in units of each feature's spread" if name == "scales" else "as multiples of the median distance"
        kind = "positive widths" if least else "widths from 0 on"
        raise ValueError(f"{type(derivative).__name__}({name}={given}): expected {kind}, {unit}.")
    return tuple(float(width) for width in widths)


def _inverse(scale: Any) -> Any:
    """1 / scale, and 0 where a feature does not vary."""
    return np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)


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
