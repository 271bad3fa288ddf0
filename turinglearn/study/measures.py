"""Metrics of a generator after its game; each returns a few figures, none where it does not apply.

A figure is a number, None where there is no finite one, or the rows of a sample. All names are declared in
`turinglearn.study.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from turinglearn.bias.cross_examination import balanced_accuracy
from turinglearn.bias.pairs import Distribution
from turinglearn.datasets import Mixture
from turinglearn.generators import MixtureGenerator
from turinglearn.metrics import Interval, energy_distance, mode_coverage
from turinglearn.protocols import Generator, Rng
from turinglearn.study.figures import CONTROL, CROSS_EXAMINATION, ESTIMATE, PARAMETER_BOUND, SAMPLE, TRUTH, Measure, Part
from turinglearn.study.jobs import Figure

__all__ = ["METRICS", "REAL", "Figures", "Learned", "cross_examined", "figure", "interval_figures", "kept"]

Figures = dict[str, Figure]

_LEARNED, REAL = 512, 8_192  # most numbers of a kept sample: a learned one, and that of a problem by itself

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """Result of a game.

    Attributes
    ----------
    problem : Distribution
        Real distribution.
    sample : ndarray of shape (n, d)
        Sample of the generator.
    real : ndarray of shape (n, d)
        Held-out real sample.
    generator : Generator
        Generator.
    rows : ndarray of shape (m, d) or None
        Real rows that the game had, where they were finitely many.
    """

    problem: Distribution
    sample: _Floats
    real: _Floats
    generator: Generator
    rows: _Floats | None


def _energy_distance(learned: Learned) -> Figures:
    """Return the unbiased squared energy distance to the held-out real sample."""
    return {"energy_distance": energy_distance(learned.sample, learned.real)}


def _modes(learned: Learned) -> Figures:
    """Return the coverage of the modes, see `mode_coverage`, for mixtures with round, equal modes."""
    distribution = learned.problem
    if not isinstance(distribution, Mixture) or distribution.sigma is None or len(distribution.modes) < 2:
        return {}
    found = mode_coverage(learned.sample, distribution.modes, distribution.sigma)
    return {
        "modes": len(distribution.modes),
        "modes_captured": found.captured,
        "high_quality": found.high_quality,
        "reverse_kl": figure(found.reverse_kl),
    }


def _log_density(learned: Learned) -> Figures:
    """Return the mean of log p over the sample, and the share of the sample where p is 0."""
    values = learned.problem.log_density(learned.sample)
    return {"log_density": figure(values.mean()), "off_support": float(np.mean(np.isneginf(values)))}


def _divergence(learned: Learned) -> Figures:
    """Return KL(p ‖ q) and its standard error, for generators that know their density q."""
    if not hasattr(learned.generator, "log_density"):
        return {}
    ratio = learned.problem.log_density(learned.real) - learned.generator.log_density(learned.real)
    return {"kl": figure(ratio.mean()), "kl_se": figure(ratio.std(ddof=1) / math.sqrt(len(ratio)))}


def _parameters(learned: Learned) -> Figures:
    """Return the estimates and true values of each mean and covariance, for a Gaussian that learns a Gaussian.

    Where it learned from finitely many rows, maximum likelihood on the same rows and the Cramér-Rao bounds are added.
    """
    distribution, generator = learned.problem, learned.generator
    if not (isinstance(distribution, Mixture) and isinstance(generator, MixtureGenerator)):
        return {}
    if len(distribution.modes) != 1 or generator.n_components != 1:
        return {}
    mean, covariance = distribution.modes[0], distribution.covariances[0]
    spread = generator.covariances_[0]
    found = {
        TRUTH: (mean, covariance),
        ESTIMATE: (generator.coefficients_[0, 0], np.diag(spread) if spread.ndim == 1 else spread),
    }
    if learned.rows is not None:
        n, variances = len(learned.rows), np.diag(covariance)
        found[CONTROL] = learned.rows.mean(axis=0), np.cov(learned.rows.T, bias=True).reshape(covariance.shape)
        found[PARAMETER_BOUND] = np.sqrt(variances / n), np.sqrt((covariance**2 + np.outer(variances, variances)) / n)
    return {name: value for measure, (m, c) in found.items() for name, value in _named(measure, m, c).items()}


METRICS: Mapping[str, Callable[[Learned], Figures]] = {
    "energy_distance": _energy_distance,
    "modes": _modes,
    "log_density": _log_density,
    "divergence": _divergence,
    "parameters": _parameters,
}


def cross_examined(learned: Learned, discriminators: Mapping[str, tuple[object, Rng]]) -> Figures:
    """Return the balanced accuracy of each fresh discriminator on held-out halves: see `cross_examine`."""
    real, fake = learned.real, learned.sample
    return {
        CROSS_EXAMINATION.of(name): balanced_accuracy(discriminator, real, fake, rng)
        for name, (discriminator, rng) in discriminators.items()
    }


def kept(sample: _Floats, rows: int, numbers: int = _LEARNED) -> Figures:
    """Return the first rows of a sample (n, d), to five digits, as the figure x; at most so many numbers, perhaps none."""
    rows = min(rows, numbers // sample.shape[1])
    return {SAMPLE.name: [[float(f"{value:.5g}") for value in row] for row in sample[:rows]]} if rows else {}


def figure(value: SupportsFloat) -> float | None:
    """Return a number as a figure: None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def interval_figures(name: str, interval: Interval) -> Figures:
    """Return an estimate, its interval and its standard error as figures: name, name_low, name_high and name_se."""
    parts = {
        Part.VALUE: interval.value,
        Part.LOW: interval.low,
        Part.HIGH: interval.high,
        Part.STANDARD_ERROR: interval.standard_error,
    }
    return {f"{name}{part}": figure(value) for part, value in parts.items()}


def _named(measure: Measure, mean: _Floats, covariance: _Floats) -> Figures:
    """Return the means and the upper triangle of the covariance as figures of a measure."""
    means: Figures = {measure.of(f"mean {i}"): figure(value) for i, value in enumerate(mean)}
    upper = zip(*np.triu_indices(len(mean)), strict=True)
    return means | {measure.of(f"covariance {i} {j}"): figure(covariance[i, j]) for i, j in upper}
