"""Which modes of a known mixture a generator reaches, how well, and how evenly: the PacGAN protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from turinglearn.metrics.inputs import matrix, positive
from turinglearn.protocols import Array

__all__ = ["ModeCoverage", "mode_coverage"]


@dataclass(frozen=True, slots=True, eq=False)
class ModeCoverage:
    """How a sample covers K modes. Never report `captured` without `reverse_kl`: it counts modes that are nearly empty.

    captured: how many modes have at least one high-quality sample.
    high_quality: the share of samples within 3σ of their nearest mode. The truth itself has less than 1 (in the plane
        1 - e^-4.5 = .9889): clearly more means modes that are too narrow.
    reverse_kl: ln K - H of the high-quality samples' law over the modes, in nats, from 0 (even) to ln K (one mode);
        infinite where no sample is of high quality, so that it sorts last. The plug-in entropy adds about (K-1)/2n.
    counts: high-quality samples per mode, (K,).
    """

    captured: int
    high_quality: float
    reverse_kl: float
    counts: Any


def mode_coverage(x: Array, modes: Array, sigma: float) -> ModeCoverage:
    """How the sample x (n, d) covers the modes (K, d), equally likely and each round with standard deviation sigma.

    PacGAN draws n = 2,500. ValueError for bad arrays, different dimensions, modes that coincide, or sigma not above 0.

    Lin, Khetan, Fanti & Oh, "PacGAN", NeurIPS 2018.
    """
    x, modes, sigma = matrix(x, "x"), matrix(modes, "modes"), positive(sigma, "sigma")
    if x.shape[1] != modes.shape[1]:
        raise ValueError(f"x has {x.shape[1]} features, but modes has {modes.shape[1]}. Give both with the same dimension.")
    tree = KDTree(modes)
    if len(modes) > 1 and tree.query(modes, k=2)[0][:, 1].min() < 1e-6 * sigma:
        raise ValueError(
            f"Some of the {len(modes)} modes coincide, so that not all can be captured. Give each mode once; "
            "on a circle: np.linspace(0, 2 * np.pi, K, endpoint=False)."
        )
    distance, nearest = tree.query(x)
    counts = np.bincount(nearest[distance <= 3 * sigma], minlength=len(modes))
    captured, good = int(np.count_nonzero(counts)), int(counts.sum())
    return ModeCoverage(captured, good / len(x), _reverse_kl(counts), counts)


def _reverse_kl(counts: Any) -> float:
    """ln K - H = sum_k p_k ln(K p_k)."""
    if not counts.any():
        return math.inf
    p = counts[counts > 0] / counts.sum()
    return float(np.sum(p * np.log(len(counts) * p)))
