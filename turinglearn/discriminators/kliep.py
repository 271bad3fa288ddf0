"""The density ratio of greatest likelihood, whose logarithm has an exact gradient."""

from __future__ import annotations

import numpy as np

from turinglearn.discriminators.density_ratio import RatioJudge
from turinglearn.protocols import Array, Rng

__all__ = ["KLIEPDiscriminator"]

_FOLDS, _STEPS = 3, 10_000


class KLIEPDiscriminator(RatioJudge):
    """The Kullback-Leibler importance estimation procedure (Sugiyama et al. 2008), fitted anew by each update:

        w(z) = Σ αₗ kₗ(z),   kₗ(z) = exp(-|z - cₗ|² / 2σ²),   s(z) = log [w(z) + 1 / (n₀ + 1)],   r = a s + b  (1)
        α maximises the mean of s over genuine rows, with α ≥ 0 and Σ αₗ bₗ = 1                              (2)
        bₗ = (Σ kₗ over counterfeits + 1) / (n₀ + 1)                                                         (3)

    on features z = (x - mean) / scale; the centres cₗ are genuine rows. The 1 of (3) is one more counterfeit at each centre:
    without it w has no bound where genuine rows are alone; with it w < n₀ + 1. The weights αₗ bₗ are those of a mixture, found
    by expectation-maximisation until less than `tolerance` can be gained. σ is that of the greatest likelihood of genuine
    rows in 3-fold cross-validation, and (a, b) are Platt's (1999), from its ratios at the rows left out. Where w is 0 the
    evidence is flat: a generator must begin within reach of the data. The fit takes time and memory in proportion to
    rows × centres.

    Parameters
    ----------
    centres : int
        The greatest number of centres.
    widths : tuple of float
        The σ to choose from, in multiples of the median distance between rows and centres.
    tolerance : float
        How far the mean log-likelihood may be from its maximum, in nats.

    Attributes
    ----------
    mean_, scale_, centres_, width_, weights_, floor_, slope_, level_ : mean, scale, cₗ, σ, α, 1 / (n₀ + 1), a and b.
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

    def _solve(self, P: Array, Q: Array, widths: Array, rng: Rng) -> tuple[float, Array, Array, Array]:
        folds = min(_FOLDS, len(P), len(Q))
        fold, other_fold = rng.permutation(len(P)) % folds, rng.permutation(len(Q)) % folds
        best: float = -np.inf
        for width in widths:
            p, q = np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))
            one, other = np.empty(len(p)), np.empty(len(q))
            for i in range(folds):
                alpha = self._weights(p[fold != i], q[other_fold != i])
                one[fold == i], other[other_fold == i] = p[fold == i] @ alpha, q[other_fold == i] @ alpha
            likelihood = float(np.mean(np.log(one + self.floor_)))
            if likelihood > best:
                best, found = likelihood, (float(width), one, other)
        width, one, other = found
        return width, self._weights(np.exp(-P / (2 * width**2)), np.exp(-Q / (2 * width**2))), one, other

    def _weights(self, p: Array, q: Array) -> Array:
        """α of (2), for kernels p (n₁, L) of genuine rows and q (n₀, L) of counterfeits."""
        b = (q.sum(axis=0) + 1) / (len(q) + 1)  # (3)
        F, weights = p / b, np.full(len(b), 1 / len(b))
        for _ in range(_STEPS):
            gain = np.mean(F / (F @ weights + self.floor_)[:, None], axis=0)
            if gain.max() - gain @ weights < self.tolerance:  # s is concave in the weights: no more than this is to be gained
                break
            weights = weights * gain
            weights = weights / weights.sum()
        return weights / b

    def _check(self) -> None:
        super()._check()
        if not 0 < self.tolerance < np.inf:
            raise ValueError(f"KLIEPDiscriminator(tolerance={self.tolerance!r}): expected a positive number.")
