"""What is measured of a generator after its game, each a few figures; a measure that does not apply gives none.

A figure is a number, None where there is no finite one, or the rows of a sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.bias.cross_examination import balanced_accuracy
from turinglearn.datasets import Mixture
from turinglearn.generators import MixtureGenerator
from turinglearn.metrics import Interval, energy_distance, mode_coverage
from turinglearn.protocols import Rng
from turinglearn.study.outcomes import Figure

__all__ = ["GENUINE", "METRICS", "Figures", "Learned", "examined", "figure", "interval_figures", "kept"]

Figures = dict[str, Figure]

_LEARNED, GENUINE = 512, 8_192  # numbers of a kept sample, at most: of what was learned, and of a problem by itself


@dataclass(frozen=True)
class Learned:
    """What a game has left: a sample (n, d), a genuine one that no player has seen, the generator, and its finite data."""

    problem: Any  # a law with log_density
    sample: Any
    genuine: Any
    generator: Any
    rows: Any | None


def _energy_distance(learned: Learned) -> Figures:
    """energy_distance: squared, to the fresh genuine sample; unbiased."""
    return {"energy_distance": energy_distance(learned.sample, learned.genuine)}


def _modes(learned: Learned) -> Figures:
    """modes, modes_captured, high_quality, reverse_kl: see `mode_coverage`; of mixtures with round, equal modes."""
    law = learned.problem
    if not isinstance(law, Mixture) or law.sigma is None or len(law.modes) < 2:
        return {}
    found = mode_coverage(learned.sample, law.modes, law.sigma)
    return {
        "modes": len(law.modes),
        "modes_captured": found.captured,
        "high_quality": found.high_quality,
        "reverse_kl": figure(found.reverse_kl),
    }


def _log_density(learned: Learned) -> Figures:
    """log_density: mean log p of what was learned; off_support: the share of it where p is 0, of which there is none."""
    values = learned.problem.log_density(learned.sample)
    return {"log_density": figure(values.mean()), "off_support": float(np.mean(np.isneginf(values)))}


def _divergence(learned: Learned) -> Figures:
    """kl: KL(p ‖ q) by the fresh genuine sample, and kl_se; of generators that know their density q."""
    if not hasattr(learned.generator, "log_density"):
        return {}
    ratio = learned.problem.log_density(learned.genuine) - learned.generator.log_density(learned.genuine)
    return {"kl": figure(ratio.mean()), "kl_se": figure(ratio.std(ddof=1) / math.sqrt(len(ratio)))}


def _parameters(learned: Learned) -> Figures:
    """estimate[...] and truth[...] of each mean and covariance, of a Gaussian that learns a Gaussian.

    Where it learned from finitely many rows, also control[...], maximum likelihood on the same rows, and bound[...], the
    standard error of Cramér and Rao.
    """
    law, generator = learned.problem, learned.generator
    known = isinstance(law, Mixture) and len(law.modes) == 1
    if not (known and isinstance(generator, MixtureGenerator) and generator.n_components == 1):
        return {}
    mean, covariance = law.modes[0], law.covariances[0]
    spread = generator.covariances_[0]
    found = {
        "truth": (mean, covariance),
        "estimate": (generator.coefficients_[0, 0], np.diag(spread) if spread.ndim == 1 else spread),
    }
    if learned.rows is not None:
        n, variances = len(learned.rows), np.diag(covariance)
        found["control"] = learned.rows.mean(axis=0), np.cov(learned.rows.T, bias=True).reshape(covariance.shape)
        found["bound"] = np.sqrt(variances / n), np.sqrt((covariance**2 + np.outer(variances, variances)) / n)
    return {name: value for kind, (m, c) in found.items() for name, value in _named(kind, m, c).items()}


METRICS: Mapping[str, Callable[[Learned], Figures]] = {
    "energy_distance": _energy_distance,
    "modes": _modes,
    "log_density": _log_density,
    "divergence": _divergence,
    "parameters": _parameters,
}


def examined(learned: Learned, judges: Mapping[str, tuple[Any, Rng]]) -> Figures:
    """caught[name]: the balanced accuracy of each fresh judge on held-out halves, as `cross_examine` has it."""
    real, fake = learned.genuine, learned.sample
    return {f"caught[{name}]": balanced_accuracy(judge, real, fake, rng) for name, (judge, rng) in judges.items()}


def kept(sample: Any, rows: int, numbers: int = _LEARNED) -> Figures:
    """x: the first rows of a sample (n, d), to five digits; so few that they hold at most so many numbers, or none at all."""
    rows = min(rows, numbers // sample.shape[1])
    return {"x": [[float(f"{value:.5g}") for value in row] for row in sample[:rows]]} if rows else {}


def figure(value: Any) -> float | None:
    """A number as a figure: None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def interval_figures(name: str, interval: Interval) -> Figures:
    """name, name_low, name_high and name_se."""
    parts = {"": interval.value, "_low": interval.low, "_high": interval.high, "_se": interval.standard_error}
    return {f"{name}{suffix}": figure(value) for suffix, value in parts.items()}


def _named(kind: str, mean: Any, covariance: Any) -> Figures:
    means: Figures = {f"{kind}[mean {i}]": figure(value) for i, value in enumerate(mean)}
    upper = zip(*np.triu_indices(len(mean)), strict=True)
    return means | {f"{kind}[covariance {i} {j}]": figure(covariance[i, j]) for i, j in upper}
