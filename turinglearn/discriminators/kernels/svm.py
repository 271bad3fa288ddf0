"""A support vector machine with a Gaussian kernel, whose log-odds have an exact gradient."""

from __future__ import annotations

import numpy as np
from sklearn.svm import SVC

from turinglearn.discriminators.classifiers.calibration import hold_out
from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.discriminators.gradients.margins import Margins
from turinglearn.discriminators.kernels.base import KernelDiscriminator
from turinglearn.discriminators.kernels.functions import gaussian
from turinglearn.protocols import InputError, Rng

__all__ = ["KernelSVMDiscriminator"]


class KernelSVMDiscriminator(KernelDiscriminator):
    """A support vector machine with a Gaussian kernel, which each update fits again.

    On features z = (x - mean) / scale of the rows of its fit ::

        f(x) = Σ αᵢ exp(-γ|z - zᵢ|²) + c                                                                     (1)
        r(x) = a f(x) + b                                                                                    (2)
        ∂f/∂z = -2γ Σ αᵢ (z - zᵢ) exp(-γ|z - zᵢ|²)                                                           (3)

    (a, b) are found by Platt scaling [1]_ from rows held out of the fit, with b corrected by their counts. If those rows
    contradict the machine, a is negative; if it is uninformative about them, as it should be for perfect fakes, r is about 0.
    Far from all data r is a c + b. Between start and the first update r = 0.

    Parameters
    ----------
    gamma : float or "scale", default="scale"
        γ, in units of the standardised features; "scale" is 1 / (their number × their variance), as in scikit-learn.
    C : float, default=1.0
        Penalty of margin violations.
    held_out : float, default=1/3
        Share of each class that is held out for Platt scaling, in (0, 1).

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (features,)
        Mean and scale of the rows.
    gamma_ : float
        γ.
    support_vectors_ : ndarray of shape (n_vectors, features)
        zᵢ.
    dual_coef_ : ndarray of shape (n_vectors,)
        αᵢ.
    intercept_ : float
        c.
    calibrator_ : Platt
        The map from f to r: slope a and intercept b.

    References
    ----------
    .. [1] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.
    """

    gamma_: float
    support_vectors_: FloatArray
    dual_coef_: FloatArray
    intercept_: float

    def __init__(self, gamma: float | str = "scale", C: float = 1.0, *, held_out: float = 1 / 3) -> None:
        self.gamma = gamma
        self.C = C
        self.held_out = held_out

    def _fit(self, X: FloatArray, real: BoolArray, rng: Rng) -> tuple[FloatArray, BoolArray]:
        """Fit the machine to most rows, and return its decision values on the others."""
        held = hold_out(real, self.held_out, rng)
        z = self._standardise(X, X[~held])
        variance = float(np.var(z[~held]))
        self.gamma_ = 1 / (z.shape[1] * (variance or 1.0)) if self.gamma == "scale" else float(self.gamma)
        svc = SVC(C=self.C, gamma=self.gamma_, random_state=0)  # without a seed it would draw one from numpy.random
        svc.fit(z[~held], real[~held])  # False < True: f > 0 means real
        self.support_vectors_, self.dual_coef_ = svc.support_vectors_, svc.dual_coef_[0]
        self.intercept_ = float(svc.intercept_[0])
        decisions = [self._score(z[held][rows])[0] for rows in self._blocks(z[held])]
        return np.concatenate(decisions), real[held]

    def _score(self, z: FloatArray) -> Margins:
        K, pull = gaussian(self.gamma_)(z, self.support_vectors_)
        return K @ self.dual_coef_ + self.intercept_, lambda: pull(self.dual_coef_)  # (1), (3)

    @property
    def _n_rows(self) -> int:
        return len(self.support_vectors_)

    def _check(self) -> None:
        if self.gamma != "scale" and (isinstance(self.gamma, str) or not 0 < self.gamma < np.inf):
            raise InputError(f"KernelSVMDiscriminator(gamma={self.gamma!r}): expected a positive number or 'scale'.")
        if not 0 < self.held_out < 1:
            raise InputError(f"KernelSVMDiscriminator(held_out={self.held_out!r}): expected a share of the rows in (0, 1).")
