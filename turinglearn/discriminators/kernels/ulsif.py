"""Density ratios by unconstrained least squares, whose logarithm has an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.kernels.density_ratio import RatioDiscriminator, RatioFit
from turinglearn.protocols import InputError, Rng

__all__ = ["ULSIFDiscriminator"]


class ULSIFDiscriminator(RatioDiscriminator):
    """Unconstrained least-squares importance fitting [1]_, which each update fits again.

    On features z = (x - mean) / scale, with real rows as centres cₗ ::

        w(z) = Σ αₗ kₗ(z),   kₗ(z) = exp(-|z - cₗ|² / 2σ²),   r(x) = a log [w(z) + 1 / (n₀ + 1)] + b         (1)
        α = max(0, (H + λI)⁻¹ h),   H = mean of k kᵀ over fakes,   h = mean of k over real rows    (2)

    σ and λ have the least error of ratios that leave out a pair of rows, one of each class, in closed form (section 3.3);
    (a, b) are found by Platt scaling [2]_ from the same ratios. Where w is 0 the evidence is flat: a generator must begin
    within reach of the data. The fit takes time and memory in proportion to rows × centres.

    Parameters
    ----------
    centres : int, default=100
        The greatest number of centres.
    widths : tuple of float, default=(0.2, 0.35, 0.6, 1.0, 2.0)
        The σ to choose from, in multiples of the median distance between rows and centres.
    ridges : tuple of float, default=(1e-3, 1e-2, 0.1, 1.0, 10.0)
        The λ to choose from.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (features,)
        Mean and scale of the rows.
    centres_ : ndarray of shape (L, features)
        cₗ.
    width_ : float
        σ.
    ridge_ : float
        λ.
    weights_ : ndarray of shape (L,)
        α.
    floor_ : float
        1 / (n₀ + 1).
    calibrator_ : Platt
        The map from s to r: slope a and intercept b.

    References
    ----------
    .. [1] Kanamori, Hido & Sugiyama, A least-squares approach to direct importance estimation, JMLR 2009.
    .. [2] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    """

    ridge_: float

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

    def _solve(self, P: FloatArray, Q: FloatArray, widths: FloatArray, rng: Rng) -> RatioFit:
        best: float = np.inf
        pairs = rng.permutation(len(P))[: len(Q)], rng.permutation(len(Q))[: len(P)]
        for width in widths:
            p, q = np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))
            values, V = np.linalg.eigh(q.T @ q / len(q))
            h, eigen = V.T @ p.mean(axis=0), (V, np.maximum(values, 0))
            for ridge in self.ridges:
                w_p, w_q = _left_out(p[pairs[0]], q[pairs[1]], h, eigen, ridge, len(p), len(q))
                error = float(np.mean(w_q**2) / 2 - np.mean(w_p))
                if error < best:
                    best, alpha = error, np.maximum(0, V @ (h / (eigen[1] + ridge)))  # (2)
                    self.ridge_, found = float(ridge), (float(width), alpha, w_p, w_q)
        return found

    def _check(self) -> None:
        super()._check()
        ridges = np.asarray(self.ridges, dtype=float)
        if ridges.ndim != 1 or ridges.size == 0 or not np.all(np.isfinite(ridges) & (ridges > 0)):
            raise InputError(f"ULSIFDiscriminator(ridges={self.ridges!r}): expected positive numbers.")


def _left_out(
    p: FloatArray, q: FloatArray, h: FloatArray, eigen: tuple[FloatArray, FloatArray], ridge: float, n1: int, n0: int
) -> tuple[FloatArray, FloatArray]:
    """Return the ratios at the i-th real row and at the i-th fake when both are left out, (pairs,) each.

    By the Sherman-Morrison formula in the eigenvectors V of H: with B = H + λ (n₀ - 1) / n₀, H + λI without the fake is
    n₀ / (n₀ - 1) (B - q qᵀ / n₀).
    """
    V, values = eigen
    P, Q = p @ V, q @ V
    inverse = 1 / (values + ridge * (n0 - 1) / n0)
    left = (n1 * h - P) / (n1 - 1)  # h without the real row
    share = np.sum(inverse * Q * left, axis=1) / (n0 - np.sum(inverse * Q**2, axis=1))
    alpha = inverse * (left + share[:, None] * Q)
    alpha = np.maximum(0, (n0 - 1) / n0 * alpha @ V.T)
    return np.sum(alpha * p, axis=1), np.sum(alpha * q, axis=1)
