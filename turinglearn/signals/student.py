"""Gradients of a student: a smooth regression of the evidence on x, which has a derivative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from turinglearn.arrays import location_and_spread, to_numpy
from turinglearn.contract import score_samples
from turinglearn.protocols import Batch, Discriminator, Pullback, Rng, Scores
from turinglearn.signals.derivative import Derivative, Floats, as_batch, checked_widths, host, inverse, pointwise, spread

__all__ = ["Student"]

_NEGLIGIBLE = 1e-3  # a weight among students that changes nothing
_ROUNDING = 1e-8
_FAR = 60.0  # an exponent beyond which a kernel is 0 for all purposes


@dataclass(frozen=True)
class Student(Derivative):
    """Gradient of a smooth regression of the evidence on x: a differentiable student learns the discriminator's scores.

    The student is a sum of kernel ridge regressions on features in units of their spread, refitted to the N fakes,
    real samples and perturbed fakes. The first is the widest, and each narrower one learns what the wider ones left::

        f_h = f_(wider) + K a,   a = (K'K + ridge N K_zz)^-1 K'(r - f_(wider)),   k(x, z) = exp(-|x - z|^2 / (2 h^2)),     (2)

    with a random subset z of the points for centres. How narrow the regressions should be depends on the discriminator's
    resolution, which is that of its scores on fresh samples. The gradient is the mean of those of the f_h, with weights::

        w_h proportional to h (1 - rho_h^2)^(-m/2),   rho_h = max(0, correlation of f_h with y),                      (3)

    where y are the labels of the m samples of this batch, real or fake, to which the discriminator was not fitted: the
    likelihood of a linear regression of the labels on f_h, with wide before narrow where the labels say little. So steps and
    noise that are the discriminator's own are smoothed away, and no level or unit of the evidence is needed. Last, the
    gradient is averaged over Gaussian convolutions of several widths s, in closed form::

        k(x, z) becomes (h^2 / H)^(d/2) exp(-|x - z|^2 / (2 H)),   H = h^2 + s^2.                                      (4)

    Parameters
    ----------
    widths : tuple of float
        Each h, as a multiple of the median distance of the points.
    ridge : float
        Strength of smoothing.
    jitter : float
        Width of the perturbations, in units of each feature's spread.
    scales : tuple of float
        Widths of the convolutions, in units of each feature's spread.
    centres : int
        Number of centres.

    References
    ----------
    Rasmussen & Williams (2006), "Gaussian processes for machine learning", section 8.3.
    """

    widths: tuple[float, ...] = (3.2, 1.6, 0.8, 0.4, 0.2, 0.1, 0.05)
    ridge: float = 1e-3
    jitter: float = 0.1
    scales: tuple[float, ...] = (0.0, 0.25, 0.7)
    centres: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(sorted(checked_widths(self, "widths"), reverse=True)))
        object.__setattr__(self, "scales", checked_widths(self, "scales", least=0))
        for name in ("ridge", "jitter", "centres"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"Student({name}={getattr(self, name)}): expected a positive number.")

    def vjp(self, discriminator: Discriminator, fake: Batch, real: Batch, rng: Rng) -> tuple[Scores, Pullback]:
        """Return the evidence on the fakes, and the pullback of the students."""
        x, real_x, scale = host(fake), host(real), spread(self, real)
        points = np.concatenate((x, real_x, x + self.jitter * scale * rng.standard_normal(x.shape)))
        condition = None
        if fake.condition is not None and real.condition is not None:
            of_fakes = to_numpy(fake.condition)
            condition = np.concatenate((of_fakes, to_numpy(real.condition), of_fakes))
        evidence = score_samples(discriminator, as_batch(points, condition, fake))
        r = np.asarray(to_numpy(evidence.values), dtype=float)

        slope = inverse(scale).reshape(-1)
        features = points.reshape(len(points), -1) * slope
        conditions = np.zeros((len(points), 0))
        if condition is not None:
            conditions = condition.reshape(len(condition), -1)
            _, condition_spread = location_and_spread(conditions)
            conditions = conditions / np.where(condition_spread > 0, condition_spread, 1)
        centres = rng.permutation(len(points))[: self.centres]
        labels = np.repeat((-1.0, 1.0), (len(x), len(real_x)))
        training = _TrainingSet(features, conditions, r, centres, labels)
        gradient = self._gradient(training, int(np.count_nonzero(slope))) * slope
        return type(evidence)(evidence.values[: len(x)]), pointwise(gradient.reshape(x.shape))

    def _gradient(self, training: _TrainingSet, varying: int) -> Floats:
        """Compute the mean gradient of the students at the fakes, (n, features)."""
        n, z = int(np.sum(training.labels < 0)), training.features[training.centres]
        x, gradient = training.features[:n], np.zeros((n, z.shape[1]))
        if np.ptp(training.r) == 0:
            return gradient
        near, by_condition = training.distances(training.features), training.distances(training.conditions)
        parts = list(training.regressions(near + by_condition, self.widths, self.ridge))
        evidence = np.array([part.evidence for part in parts])
        likely = np.exp(evidence - evidence.max())  # (3)
        share = np.cumsum(likely[::-1])[::-1] / likely.sum()  # a wide part belongs to every f_h that goes on from it
        near, by_condition = near[:n], by_condition[:n]
        for part, weight in zip(parts, share, strict=True):
            radii = np.sqrt(varying) * np.array(self.scales)
            blurs = np.where(10 * radii > part.h, self.scales, 0)  # smaller balls change nothing
            for s, times in zip(*np.unique(blurs, return_counts=True), strict=True):
                wide = part.h**2 + s**2  # H of (4)
                shrunk = (part.h**2 / wide) ** (varying / 2)
                k = shrunk * part.a * _gaussian(near / (2 * wide) + by_condition / (2 * part.h**2))
                gradient += weight * times / len(self.scales) / wide * (k @ z - k.sum(axis=1, keepdims=True) * x)
        return gradient


@dataclass(frozen=True)
class _Part:
    """One regression of (2): width, coefficients, and the log of the weight (3) of the student that ends with it."""

    h: float
    a: Floats
    evidence: float


@dataclass(frozen=True)
class _TrainingSet:
    """Training set of the students: N points, the evidence on each, and the labels of the first of them."""

    features: Floats
    conditions: Floats
    r: Floats
    centres: NDArray[np.integer]
    labels: Floats

    def distances(self, columns: Floats) -> Floats:
        """Compute squared distances from every point to the centres, (N, centres)."""
        if columns.shape[1] == 0:
            return np.zeros((1, 1))
        return cdist(columns, columns[self.centres], "sqeuclidean")

    def regressions(self, squared_distances: Floats, widths: tuple[float, ...], ridge: float) -> Iterator[_Part]:
        """Yield the regressions of (2), from the widest on, as long as they help, from squared distances to the centres."""
        left, n = self.r - self.r.mean(), len(self.r)
        f, likeliest = np.zeros(n), -np.inf
        among = np.sqrt(squared_distances[self.centres][np.triu_indices(len(self.centres), 1)])
        for h in np.multiply(np.median(among) or 1.0, widths):
            kernel = _gaussian(squared_distances / (2 * h**2))
            gram = kernel.T @ kernel + ridge * n * kernel[self.centres]
            gram.flat[:: len(gram) + 1] += _ROUNDING * n
            a = cho_solve(cho_factor(gram, check_finite=False), kernel.T @ left, check_finite=False)
            step = kernel @ a
            f, left = f + step, left - step
            evidence = np.log(h) + self.likelihood(f[: len(self.labels)])
            if evidence < likeliest + np.log(_NEGLIGIBLE):  # fresh labels contradict finer ones
                return
            likeliest = max(likeliest, evidence)
            yield _Part(h, a, evidence)

    def likelihood(self, f: Floats) -> float:
        """Return the log-likelihood of the labels under a linear regression on f, relative to that under none."""
        f, y = f - f.mean(), self.labels - self.labels.mean()
        correlation = max(f @ y, 0) / np.sqrt((f @ f) * (y @ y) + np.finfo(float).tiny)
        return float(-0.5 * len(y) * np.log(max(1 - correlation**2, _ROUNDING)))


def _gaussian(exponent: Floats) -> Floats:
    """Return exp(-exponent), never so small that the processor computes with it slowly; overwrites the exponent."""
    np.minimum(exponent, _FAR, out=exponent)
    return np.exp(np.negative(exponent, out=exponent), out=exponent)
