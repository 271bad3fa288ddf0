"""The density ratio by unconstrained least squares, whose logarithm has an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.density_ratio import RatioJudge
from turinglearn.protocols import Array, Rng

__all__ = ["ULSIFDiscriminator"]


class ULSIFDiscriminator(RatioJudge):
    """Unconstrained least-squares importance fitting (Kanamori, Hido & Sugiyama 2009), fitted anew by each update:

        w(z) = Σ αₗ kₗ(z),   kₗ(z) = exp(-|z - cₗ|² / 2σ²),   r(x) = a log [w(z) + 1 / (n₀ + 1)] + b         (1)
        α = max(0, (H + λI)⁻¹ h),   H = mean of k kᵀ over counterfeits,   h = mean of k over genuine rows    (2)

    on features z = (x - mean) / scale; the centres cₗ are genuine rows. σ and λ are those of the least error of ratios that
    leave out a pair of rows, one of each kind, in closed form (their section 3.3); (a, b) are Platt's (1999), from the same
    ratios. Where w is 0 the evidence is flat: a generator must begin within reach of the data. The fit takes time and memory
    in proportion to rows × centres.

    Parameters
    ----------
    centres : int
        The greatest number of centres.
    widths : tuple of float
        The σ to choose from, in multiples of the median distance between rows and centres.
    ridges : tuple of float
        The λ to choose from.

    Attributes
    ----------
    mean_, scale_, centres_, width_, ridge_, weights_, floor_, slope_, level_ : mean, scale, cₗ, σ, λ, α, 1 / (n₀ + 1), a, b.
    """

    def __init__(
        self,
        centres: int = 100,
        *,
        widths: tuple[float, ...] = (0.2, 0.35, 0.6, 1.0, 2.0),
        ridges: tuple[float, ...] = (1e-3, 1e-2, 0.1, 1.0, 10.0),
    ) -> None:
        self.centres = centres
        self.widths = widths
        self.ridges = ridges

    def _solve(self, P: Array, Q: Array, widths: Array, rng: Rng) -> tuple[float, Array, Array, Array]:
        best = np.inf
        pairs = rng.permutation(len(P))[: len(Q)], rng.permutation(len(Q))[: len(P)]
        for width in widths:
            p, q = np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))
            values, V = np.linalg.eigh(q.T @ q / len(q))
            h, eigen = V.T @ p.mean(axis=0), (V, np.maximum(values, 0))
            for ridge in self.ridges:
                one, other = _left_out(p[pairs[0]], q[pairs[1]], h, eigen, ridge, len(p), len(q))
                error = np.mean(other**2) / 2 - np.mean(one)
                if error < best:
                    best, alpha = error, np.maximum(0, V @ (h / (eigen[1] + ridge)))  # (2)
                    self.ridge_, found = float(ridge), (float(width), alpha, one, other)
        return found

    def _check(self) -> None:
        super()._check()
        ridges = np.asarray(self.ridges, dtype=float)
        if ridges.ndim != 1 or ridges.size == 0 or not np.all(np.isfinite(ridges) & (ridges > 0)):
            raise ValueError(f"ULSIFDiscriminator(ridges={self.ridges!r}): expected positive numbers.")


def _left_out(p: Array, q: Array, h: Array, eigen: tuple[Array, Array], ridge: float, n1: int, n0: int) -> tuple[Array, Array]:
    """The ratios at the i-th genuine row and at the i-th counterfeit, where both are left out; (pairs,) each.

    By Sherman and Morrison in the eigenvectors V of H: B = H + λ (n₀ - 1) / n₀, of which n₀ / (n₀ - 1) (B - q qᵀ / n₀) is
    H + λI without the counterfeit.
    """
    V, values = eigen
    P, Q = p @ V, q @ V
    inverse = 1 / (values + ridge * (n0 - 1) / n0)
    left = (n1 * h - P) / (n1 - 1)  # h without the genuine row
    share = np.sum(inverse * Q * left, axis=1) / (n0 - np.sum(inverse * Q**2, axis=1))
    alpha = inverse * (left + share[:, None] * Q)
    alpha = np.maximum(0, (n0 - 1) / n0 * alpha @ V.T)
    return np.sum(alpha * p, axis=1), np.sum(alpha * q, axis=1)
