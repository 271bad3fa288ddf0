"""A support vector machine with a Gaussian kernel, whose log-odds have an exact gradient."""

from __future__ import annotations

import numpy as np
from sklearn.svm import SVC

from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernel_judge import KernelJudge
from turinglearn.discriminators.kernels import gaussian
from turinglearn.discriminators.platt import hold_out
from turinglearn.protocols import Array, Rng

__all__ = ["KernelSVMDiscriminator"]


class KernelSVMDiscriminator(KernelJudge):
    """A support vector machine that each update fits anew, on features z = (x - mean) / scale of the rows of its fit:

        f(x) = Σ αᵢ exp(-γ|z - zᵢ|²) + c                                                                     (1)
        r(x) = a f(x) + b                                                                                    (2)
        ∂f/∂z = -2γ Σ αᵢ (z - zᵢ) exp(-γ|z - zᵢ|²)                                                           (3)

    (a, b) are Platt's (1999), from rows held out of the fit, with b corrected by their counts. Where those rows
    contradict the machine, a is negative, and where it tells nothing about them r is about 0: as it should be when the
    counterfeits are as good as genuine. Far from all data r is a c + b. Between start and the first update r = 0.

    Parameters
    ----------
    gamma : float or "scale"
        γ, in units of the standardised features; "scale" is 1 / (their number × their variance), as in scikit-learn.
    C : float
        The price of margin violations.
    held_out : float
        The share of each class that is kept for Platt scaling, in (0, 1).

    Attributes
    ----------
    mean_, scale_, gamma_, vectors_, dual_, intercept_, slope_, level_ : mean, scale, γ, zᵢ, αᵢ, c, a and b.
    """

    def __init__(self, gamma: float | str = "scale", C: float = 1.0, *, held_out: float = 1 / 3) -> None:
        self.gamma = gamma
        self.C = C
        self.held_out = held_out

    def _fit(self, X: Array, genuine: Array, rng: Rng) -> tuple[Array, Array]:
        """Fit the machine to most rows; its decision on the others."""
        held = hold_out(genuine, self.held_out, rng)
        self._standardise(X[~held])
        z = (X - self.mean_) / self.scale_
        variance = float(np.var(z[~held]))
        self.gamma_ = 1 / (z.shape[1] * (variance or 1.0)) if self.gamma == "scale" else float(self.gamma)
        svc = SVC(C=self.C, gamma=self.gamma_, random_state=0)  # else it draws a seed, of no use here, from numpy.random
        svc.fit(z[~held], genuine[~held])  # False < True: f > 0 means genuine
        self.vectors_, self.dual_, self.intercept_ = svc.support_vectors_, svc.dual_coef_[0], float(svc.intercept_[0])
        decisions = [self._score(z[held][rows])[0] for rows in self._blocks(z[held])]
        return np.concatenate(decisions), genuine[held]

    def _score(self, z: Array) -> Margins:
        K, pull = gaussian(self.gamma_)(z, self.vectors_)
        return K @ self.dual_ + self.intercept_, lambda: pull(self.dual_)  # (1), (3)

    @property
    def _rows(self) -> int:
        return len(self.vectors_)

    def _check(self) -> None:
        if self.gamma != "scale" and (isinstance(self.gamma, str) or not 0 < self.gamma < np.inf):
            raise ValueError(f"KernelSVMDiscriminator(gamma={self.gamma!r}): expected a positive number or 'scale'.")
        if not 0 < self.held_out < 1:
            raise ValueError(f"KernelSVMDiscriminator(held_out={self.held_out!r}): expected a share of the rows in (0, 1).")
