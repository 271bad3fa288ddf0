"""Coverage of the modes of a known mixture, by the protocol of PacGAN."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from turinglearn.metrics.inputs import Integers, matrix, positive
from turinglearn.protocols import Array

__all__ = ["ModeCoverage", "mode_coverage"]


@dataclass(frozen=True, slots=True, eq=False)
class ModeCoverage:
    """Coverage of K modes by a sample.

    Report `captured` together with `reverse_kl` only: it counts modes that are nearly empty.

    Attributes
    ----------
    captured : int
        Number of modes with at least one high-quality sample.
    high_quality : float
        Share of samples within 3σ of their nearest mode. The true distribution itself has less than 1 (in the plane
        1 - e^-4.5 = .9889): a clearly larger share means modes that are too narrow.
    reverse_kl : float
        ln K - H of the high-quality samples' distribution over the modes, in nats, from 0 (even) to ln K (one mode); infinite
        where no sample is of high quality, so that it sorts last. The plug-in entropy adds about (K-1)/2n.
    counts : ndarray of shape (K,)
        High-quality samples per mode.
    """

    captured: int
    high_quality: float
    reverse_kl: float
    counts: Integers


def mode_coverage(x: Array, modes: Array, sigma: float) -> ModeCoverage:
    """Compute how a sample covers equally likely, round modes.

    Parameters
    ----------
    x : array of shape (n, d)
        Sample. PacGAN draws n = 2,500.
    modes : array of shape (K, d)
        Centres of the modes.
    sigma : float
        Standard deviation of each mode, in every direction.

    Returns
    -------
    ModeCoverage

    Raises
    ------
    ValueError
        For invalid arrays, different dimensions, modes that coincide, or sigma not above 0.

    References
    ----------
    Lin, Khetan, Fanti and Oh, "PacGAN", NeurIPS 2018.
    """
    x, centres, sigma = matrix(x, "x"), matrix(modes, "modes"), positive(sigma, "sigma")
    if x.shape[1] != centres.shape[1]:
        raise ValueError(f"x has {x.shape[1]} features, but modes has {centres.shape[1]}. Give both with the same dimension.")
    tree = KDTree(centres)
    if len(centres) > 1 and tree.query(centres, k=2)[0][:, 1].min() < 1e-6 * sigma:
        raise ValueError(
            f"Some of the {len(centres)} modes coincide, so that not all can be captured. Give each mode once; "
            "on a circle: np.linspace(0, 2 * np.pi, K, endpoint=False)."
        )
    distance, nearest = tree.query(x)
    counts = np.bincount(nearest[distance <= 3 * sigma], minlength=len(centres))
    captured, good = int(np.count_nonzero(counts)), int(counts.sum())
    return ModeCoverage(captured, good / len(x), _reverse_kl(counts), counts)


def _reverse_kl(counts: Integers) -> float:
    """Return ln K - H = sum_k p_k ln(K p_k)."""
    if not counts.any():
        return math.inf
    p = counts[counts > 0] / counts.sum()
    return float(np.sum(p * np.log(len(counts) * p)))
