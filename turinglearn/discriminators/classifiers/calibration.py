"""Calibration: maps from the margins of a classifier to log-odds, fitted to rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from turinglearn.discriminators.common import BoolArray, FloatArray
from turinglearn.protocols import InputError, Rng

__all__ = ["CALIBRATORS", "Calibrator", "Isotonic", "Platt", "Temperature", "folds", "hold_out"]

_FOLDS = 3


class Calibrator(Protocol):
    """A map from margins m (n,) to log-odds log p/q (n,): finite and increasing, though `Platt` may decrease.

    Calibrators with a derivative also have `slopes(margins)`, dr/dm (n,).
    """

    @classmethod
    def fit(cls, margins: FloatArray, real: BoolArray) -> Calibrator:
        """Fit the map to margins (n,) and a mask of the real rows (n,), with rows of both classes.

        The log-odds are those of equal classes, whatever the class counts of these rows.
        """
        ...

    def __call__(self, margins: FloatArray) -> FloatArray:
        """Return log-odds (n,) of margins (n,)."""
        ...


@dataclass(frozen=True)
class Platt:
    """Platt scaling, r = a m + b.

    Logistic regression on the targets t = (N₁ + 1) / (N₁ + 2) for the N₁ real and 1 / (N₀ + 2) for the N₀ fake rows
    (Platt 1999), by Newton's method (Lin, Lin & Weng 2007). The intercept is corrected by the class ratio of those targets, so
    an uninformative margin gets a = b = 0. The slope is negative if the margins rank the rows the wrong way.
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, margins: FloatArray, real: BoolArray) -> Platt:
        """Fit slope and intercept by logistic regression on smoothed targets."""
        m, real = np.asarray(margins, dtype=float), np.asarray(real, dtype=bool)
        t, prior = _targets(real)
        unit = np.ptp(m) / 2
        if unit <= max(1e-12 * np.abs(m).max(), 1e-200):  # constant up to rounding
            return cls(0.0, 0.0)
        middle = m.min() + unit
        z = (m - middle) / unit
        a, b = _logistic_regression(np.stack((z, np.ones_like(z)), axis=1), t, np.array([0.0, prior]))
        return cls(float(a / unit), float(b - a * middle / unit - prior))

    def __call__(self, margins: FloatArray) -> FloatArray:
        """Return log-odds."""
        return self.slope * margins + self.intercept

    def slopes(self, margins: FloatArray) -> FloatArray:
        """Return a for each margin."""
        return np.full(len(margins), self.slope)


@dataclass(frozen=True)
class Temperature:
    """Temperature scaling, r = m / T with T > 0 (Guo et al. 2017).

    It moderates the margins and trusts their level. slope is 1 / T; 1 is the identity.
    """

    slope: float = 1.0

    @classmethod
    def fit(cls, margins: FloatArray, real: BoolArray) -> Temperature:
        """Fit 1 / T by logistic regression on Platt's targets, offset by their class ratio; 0 for misleading margins."""
        unit = np.abs(margins).max()
        t, prior = _targets(real)
        z = margins[:, None] / unit if unit > 1e-200 else np.zeros((len(margins), 1))
        if not z[:, 0] @ (t - t.mean()) > 1e-12:  # the loss does not decrease from slope 0 on
            return cls(0.0)
        (slope,) = _logistic_regression(z, t, np.zeros(1), prior)
        return cls(float(slope / unit))

    def __call__(self, margins: FloatArray) -> FloatArray:
        """Return log-odds."""
        return self.slope * margins

    def slopes(self, margins: FloatArray) -> FloatArray:
        """Return 1 / T for each margin."""
        return np.full(len(margins), self.slope)


@dataclass(frozen=True)
class Isotonic:
    """Isotonic calibration: r is the logit of an increasing step function of m, less log n₁/n₀ (Zadrozny & Elkan 2002).

    One fake row above all others and one real row below are added, so that k real rows prove no more than k to 1, and r is
    finite. P is interpolated between steps. The function is flat almost everywhere, so it has no slopes.
    """

    margins: FloatArray
    probabilities: FloatArray
    prior: float

    @classmethod
    def fit(cls, margins: FloatArray, real: BoolArray) -> Isotonic:
        """Fit the step function by pooling adjacent violators."""
        m = np.concatenate((np.asarray(margins, dtype=float), [np.min(margins), np.max(margins)]))
        y = np.concatenate((real, [True, False]))
        fitted = IsotonicRegression().fit(m, y.astype(float))
        return cls(fitted.X_thresholds_, fitted.y_thresholds_, float(np.log(y.sum() / (~y).sum())))

    def __call__(self, margins: FloatArray) -> FloatArray:
        """Return log-odds."""
        log_odds: FloatArray = logit(np.interp(margins, self.margins, self.probabilities)) - self.prior
        return log_odds


CALIBRATORS: dict[str, type[Platt] | type[Isotonic] | type[Temperature]] = {
    "platt": Platt,
    "isotonic": Isotonic,
    "temperature": Temperature,
}


# ------------------------------------------------------------------------------------------------- rows left out of a fit
def folds(real: BoolArray, rng: Rng) -> Iterator[BoolArray]:
    """Return masks (n,) of the rows to leave out of each of three fits, which partition all rows and are stratified by class.

    `real` (n,) is the mask of real rows. A class with fewer than two rows raises ValueError; with two there are two folds.
    """
    counts = {"real": int(np.sum(real)), "fake": int(np.sum(~real))}
    for kind, n in counts.items():
        if n < 2:
            raise InputError(
                f"Calibration keeps rows of each class out of the fit, but there are {n} {kind} samples; "
                "expected at least 2. Give the discriminator larger batches."
            )
    k, fold = min(_FOLDS, *counts.values()), np.empty(len(real), dtype=int)
    for rows in (np.flatnonzero(real), np.flatnonzero(~real)):
        fold[rng.permutation(rows)] = np.arange(len(rows)) % k
    return (fold == i for i in range(k))


def hold_out(real: BoolArray, share: float, rng: Rng) -> BoolArray:
    """Return a random mask (n,) of this share of the rows of each class, with at least one row in and one out."""
    held = np.zeros(len(real), dtype=bool)
    for kind, rows in (("real", np.flatnonzero(real)), ("fake", np.flatnonzero(~real))):
        if len(rows) < 2:
            raise InputError(
                f"Platt scaling holds rows of each class out of the fit, but there are {len(rows)} {kind} samples; "
                "expected at least 2. Give the discriminator larger batches."
            )
        held[rng.permutation(rows)[: min(max(1, round(share * len(rows))), len(rows) - 1)]] = True
    return held


# --------------------------------------------------------------------------------------------------- logistic regression
def _targets(real: BoolArray) -> tuple[FloatArray, float]:
    """Return Platt's targets t (n,) for a mask of real rows (n,), and the log of the ratio of Σt to Σ(1 - t)."""
    n1, n0 = np.sum(real), np.sum(~real)
    t = np.where(real, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    return t, float(np.log(t.sum() / (1 - t).sum()))


def _logistic_regression(Z: FloatArray, t: FloatArray, theta: FloatArray, offset: float = 0.0) -> FloatArray:
    """Minimise the cross-entropy of targets t (n,) under sigmoid(Zθ + offset) by Newton's method; theta (k,) is the start."""

    def loss(theta: FloatArray) -> float:
        r = Z @ theta + offset
        return float(np.sum(np.logaddexp(0, r) - t * r))

    for _ in range(100):
        p = expit(Z @ theta + offset)
        gradient, hessian = Z.T @ (p - t), (Z.T * (p * (1 - p))) @ Z
        step = np.linalg.solve(hessian, gradient)
        decrement = gradient @ step  # twice the remaining decrease, to second order
        if decrement < 1e-20:
            break
        while decrement > 1e-8 and loss(theta - step) > loss(theta):  # below that, rounding hides the decrease
            step = step / 2
        theta = theta - step
    return theta
