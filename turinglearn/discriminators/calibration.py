"""From the margins of a classifier to log-odds: maps that are fitted to margins of rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import logit
from sklearn.isotonic import IsotonicRegression

from turinglearn.discriminators.platt import logistic_regression, platt, targets
from turinglearn.protocols import Array, Rng

__all__ = ["CALIBRATORS", "Calibrator", "Isotonic", "Platt", "Temperature", "folds"]

_FOLDS = 3


class Calibrator(Protocol):
    """A map from margins m (n,) to log-odds log p/q (n,), finite and rising, or for `Platt` perhaps falling.

    `fit(margins, genuine)` makes one from margins (n,) and which of their rows are genuine (n,), boolean, with some of both
    kinds; the level is corrected by their counts. Those with a derivative also have `slopes(margins)`, dr/dm (n,).
    """

    @classmethod
    def fit(cls, margins: Array, genuine: Array) -> Calibrator:
        """The map that these rows suggest."""
        ...

    def __call__(self, margins: Array) -> Array:
        """Log-odds (n,) of margins (n,)."""
        ...


@dataclass(frozen=True)
class Platt:
    """r = a m + b. Platt (1999); a is negative where the margins rank the rows the wrong way."""

    slope: float
    level: float

    @classmethod
    def fit(cls, margins: Array, genuine: Array) -> Platt:
        """By logistic regression on smoothed targets."""
        return cls(*platt(margins, genuine))

    def __call__(self, margins: Array) -> Array:
        """Log-odds."""
        return self.slope * margins + self.level

    def slopes(self, margins: Array) -> Array:
        """a."""
        return np.full(len(margins), self.slope)


@dataclass(frozen=True)
class Temperature:
    """r = m / T, T > 0: it moderates margins and believes their level. Guo et al. (2017). slope is 1 / T; 1 changes nothing."""

    slope: float = 1.0

    @classmethod
    def fit(cls, margins: Array, genuine: Array) -> Temperature:
        """By logistic regression on Platt's targets with the intercept of their masses; 0 for margins that mislead."""
        unit = np.abs(margins).max()
        t, prior = targets(genuine)
        z = margins[:, None] / unit if unit > 1e-200 else np.zeros((len(margins), 1))
        if not z[:, 0] @ (t - t.mean()) > 1e-12:  # the loss does not fall from slope 0 on
            return cls(0.0)
        (slope,) = logistic_regression(z, t, np.zeros(1), prior)
        return cls(float(slope / unit))

    def __call__(self, margins: Array) -> Array:
        """Log-odds."""
        return self.slope * margins

    def slopes(self, margins: Array) -> Array:
        """1 / T."""
        return np.full(len(margins), self.slope)


@dataclass(frozen=True)
class Isotonic:
    """r = logit of a rising step function of m, less log n₁/n₀. Zadrozny & Elkan (2002).

    To the rows are added a counterfeit one above all others and a genuine one below: no k genuine rows then prove more than
    k to 1, and r is finite. Between steps P is interpolated. It is flat almost everywhere, so it has no slopes.
    """

    margins: Array
    probabilities: Array
    prior: float

    @classmethod
    def fit(cls, margins: Array, genuine: Array) -> Isotonic:
        """By pooling adjacent violators."""
        m = np.concatenate((np.asarray(margins, dtype=float), [np.min(margins), np.max(margins)]))
        y = np.concatenate((genuine, [True, False]))
        fitted = IsotonicRegression().fit(m, y.astype(float))
        return cls(fitted.X_thresholds_, fitted.y_thresholds_, float(np.log(y.sum() / (~y).sum())))

    def __call__(self, margins: Array) -> Array:
        """Log-odds."""
        return logit(np.interp(margins, self.margins, self.probabilities)) - self.prior


CALIBRATORS: dict[str, type[Platt] | type[Isotonic] | type[Temperature]] = {
    "platt": Platt,
    "isotonic": Isotonic,
    "temperature": Temperature,
}


def folds(genuine: Array, rng: Rng) -> Iterator[Array]:
    """Masks (n,) of rows to keep out of a fit, which together are all rows: three, with equal shares of each class.

    genuine is (n,), boolean. Raises ValueError for a class with less than two rows; of two there are two folds.
    """
    counts = {"genuine": int(np.sum(genuine)), "counterfeit": int(np.sum(~genuine))}
    for kind, n in counts.items():
        if n < 2:
            raise ValueError(
                f"Calibration keeps rows of each class out of the fit, but there are {n} {kind} samples; "
                "expected at least 2. Give the discriminator larger batches."
            )
    k, fold = min(_FOLDS, *counts.values()), np.empty(len(genuine), dtype=int)
    for rows in (np.flatnonzero(genuine), np.flatnonzero(~genuine)):
        fold[rng.permutation(rows)] = np.arange(len(rows)) % k
    return (fold == i for i in range(k))
