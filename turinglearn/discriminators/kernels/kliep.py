"""Density ratios of maximum likelihood, whose logarithm has an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.kernels.density_ratio import RatioDiscriminator, RatioFit
from turinglearn.protocols import InputError, Rng

__all__ = ["KLIEPDiscriminator"]

_FOLDS, _STEPS = 3, 10_000


class KLIEPDiscriminator(RatioDiscriminator):
    """The Kullback-Leibler importance estimation procedure [1]_, which each update fits again.

    On features z = (x - mean) / scale, with real rows as centres cₗ ::

        w(z) = Σ αₗ kₗ(z),   kₗ(z) = exp(-|z - cₗ|² / 2σ²),   s(z) = log [w(z) + 1 / (n₀ + 1)],   r = a s + b  (1)
        α maximises the mean of s over real rows, with α ≥ 0 and Σ αₗ bₗ = 1                              (2)
        bₗ = (Σ kₗ over fakes + 1) / (n₀ + 1)                                                         (3)

    The 1 of (3) is one more fake at each centre: without it w is unbounded where there are real rows only; with it
    w < n₀ + 1. The weights αₗ bₗ are those of a mixture, found by expectation-maximisation until no more than `tolerance` can
    be gained. σ is that of the greatest likelihood of real rows in 3-fold cross-validation, and (a, b) are found by Platt
    scaling [2]_ from its ratios at the rows left out. Where w is 0 the evidence is flat: a generator must begin within reach of
    the data. The fit takes time and memory in proportion to rows × centres.

    Parameters
    ----------
    centres : int, default=100
        The greatest number of centres.
    widths : tuple of float, default=(0.2, 0.35, 0.6, 1.0, 2.0)
        The σ to choose from, in multiples of the median distance between rows and centres.
    tolerance : float, default=1e-2
        The greatest difference of the mean log-likelihood from its maximum, in nats.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (features,)
        Mean and scale of the rows.
    centres_ : ndarray of shape (L, features)
        cₗ.
    width_ : float
        σ.
    weights_ : ndarray of shape (L,)
        α.
    floor_ : float
        1 / (n₀ + 1).
    calibrator_ : Platt
        The map from s to r: slope a and intercept b.

    References
    ----------
    .. [1] Sugiyama et al., Direct importance estimation for covariate shift adaptation, Annals of the Institute of Statistical
       Mathematics, 2008.
    .. [2] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    """

    def __init__(
        self,
        centres: int = 100,
        *,
        widths: tuple[float, ...] = (0.2, 0.35, 0.6, 1.0, 2.0),
        tolerance: float = 1e-2,
    ) -> None:
        self.centres = centres
        self.widths = widths
        self.tolerance = tolerance

    def _solve(self, P: FloatArray, Q: FloatArray, widths: FloatArray, rng: Rng) -> RatioFit:
        folds = min(_FOLDS, len(P), len(Q))
        fold_p, fold_q = rng.permutation(len(P)) % folds, rng.permutation(len(Q)) % folds
        best: float = -np.inf
        for width in widths:
            p, q = np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))
            w_p, w_q = np.empty(len(p)), np.empty(len(q))
            for i in range(folds):
                alpha = self._weights(p[fold_p != i], q[fold_q != i])
                w_p[fold_p == i], w_q[fold_q == i] = p[fold_p == i] @ alpha, q[fold_q == i] @ alpha
            likelihood = float(np.mean(np.log(w_p + self.floor_)))
            if likelihood > best:
                best, found = likelihood, (float(width), w_p, w_q)
        width, w_p, w_q = found
        return width, self._weights(np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))), w_p, w_q

    def _weights(self, p: FloatArray, q: FloatArray) -> FloatArray:
        """Return α of (2) for kernels p (n₁, L) of real rows and q (n₀, L) of fakes."""
        b = (q.sum(axis=0) + 1) / (len(q) + 1)  # (3)
        F: FloatArray = p / b
        weights: FloatArray = np.full(len(b), 1 / len(b))
        for _ in range(_STEPS):
            gain = np.mean(F / (F @ weights + self.floor_)[:, None], axis=0)
            if gain.max() - gain @ weights < self.tolerance:  # s is concave in the weights: this bounds the gain
                break
            weights = weights * gain
            weights = weights / weights.sum()
        alpha: FloatArray = weights / b
        return alpha

    def _check(self) -> None:
        super()._check()
        if not 0 < self.tolerance < np.inf:
            raise InputError(f"KLIEPDiscriminator(tolerance={self.tolerance!r}): expected a positive number.")
