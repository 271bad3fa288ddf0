"""Models with known maximum likelihood, discriminators of increasing richness, and the resulting estimators.

The generator is x = θ₁ + θ₂ u with noise u of a known distribution; in a location model θ₂ = 1. The adversarial estimator is

    θ̂ = argmin_θ max_D M(θ, D),    M(θ, D) = mean log D(xᵢ) + mean log(1 - D(θ₁ + θ₂ uⱼ)),                            (1)

over n real rows x and m rows of noise u that stay the same for every θ. The discriminators are logistic in features,
D = σ(λ₀ + λ'φ(x)). Near D = 1/2, with δ the mean of φ over the real rows less that over the fakes,

    max_λ M = -2 log 2 + δ' Σ⁻¹ δ / 4,    Σ = Cov φ,                                                                 (2)

as log σ(t) = -log 2 + t/2 - t²/8 + O(t⁴). That is the simulated method of moments with its optimal weights, and since
Cov δ = Σ (1/n + 1/m) and the slope of E φ in θ is G = Cov(φ, s), with s the score at the truth,

    Cov θ̂ ≈ (1/n + 1/m) (G' Σ⁻¹ G)⁻¹.                                                                               (3)

With one parameter G' Σ⁻¹ G is R² I: the share R² of the score's variance that the features explain, times the information.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from sklearn.preprocessing import SplineTransformer

__all__ = ["DISCRIMINATORS", "MODELS", "Model", "adversarial", "efficiency", "likeliest", "oracle", "rough", "value"]

Features = Callable[[Any], Any]  # rows (n,) to features (n, p)
NODES = 10_001  # of the integrals
GRIDS = np.linspace(-5, 5, 11), np.array([-3.0, 0.0, 3.0])  # in standard errors, for one parameter and for two
SEPARATED = -1e-6  # value at which a discriminator counts as separating the rows: its weights would diverge


@dataclass(frozen=True)
class Model:
    """Model x = θ₁ + θ₂ u with noise u; the true θ is (0, 1), and slope is -(log f)' of the density f of u."""

    distribution: Any
    slope: Callable[[Any], Any]
    information: tuple[float, ...]  # of each parameter, closed form; it is diagonal, as all distributions are symmetric

    @property
    def truth(self) -> Any:
        return np.array([0.0, 1.0][: len(self.information)])

    @property
    def bound(self) -> Any:
        """Return √n times the Cramér-Rao bound of each parameter."""
        return 1 / np.sqrt(self.information)

    def made(self, theta: Any, u: Any) -> Any:
        """Return the rows x of noise u."""
        return theta[0] + (theta[1] if len(theta) > 1 else 1.0) * u

    def log_density(self, x: Any, theta: Any) -> Any:
        scale = theta[1] if len(theta) > 1 else 1.0
        return self.distribution.logpdf((x - theta[0]) / scale) - np.log(scale)

    def scores(self, x: Any) -> Any:
        """Return the scores (n, k) at the true parameters."""
        return np.stack([self.slope(x), x * self.slope(x) - 1], axis=1)[:, : len(self.information)]

    def standard(self, real: Any) -> tuple[float, float]:
        """Return a rough location and scale of the real rows; a location model has a known scale."""
        return float(np.median(real)), float(np.std(real)) if len(self.information) > 1 else 1.0

    def integral(self) -> tuple[Any, Any]:
        """Nodes u = 3 tan a and weights, for expectations over the distribution; tan tames its tails."""
        a = (np.arange(NODES) + 0.5) / NODES * np.pi - np.pi / 2
        u = 3 * np.tan(a)
        w = self.distribution.pdf(u) * (1 + (u / 3) ** 2)
        return u, w / w.sum()


DEGREES = 3
MODELS = {
    "logistic location": Model(stats.logistic(), lambda u: np.tanh(u / 2), (1 / 3,)),
    "Student location": Model(
        stats.t(DEGREES), lambda u: (DEGREES + 1) * u / (DEGREES + u**2), ((DEGREES + 1) / (DEGREES + 3),)
    ),
    "Gaussian location and scale": Model(stats.norm(), lambda u: u, (1.0, 2.0)),
}


def powers(degree: int, model: Model, real: Any) -> Features:
    """Return features that span x, ..., x^degree: Chebyshev polynomials on the range of the real rows."""
    middle, width = (real.max() + real.min()) / 2, (real.max() - real.min()) / 2
    return lambda x: np.polynomial.chebyshev.chebvander((x - middle) / width, degree)[:, 1:]


def splines(knots: int, model: Model, real: Any) -> Features:
    """Return cubic splines with knots at quantiles of the real rows, linear beyond them."""
    at = np.quantile(real, (np.arange(knots) + 0.5) / knots)[:, None]
    made = SplineTransformer(knots=at, extrapolation="linear", include_bias=False).fit(real[:, None])
    return lambda x: made.transform(x[:, None])


def standardised(feature: Callable[[Model, Any], Any], model: Model, real: Any) -> Features:
    place, width = model.standard(real)
    return lambda x: feature(model, (x - place) / width)


DISCRIMINATORS: dict[str, Callable[[Model, Any], Features]] = {  # features from the real rows
    "x": partial(standardised, lambda model, z: z[:, None]),
    "arctan x/2": partial(standardised, lambda model, z: np.arctan(z / 2)[:, None]),
    "x, abs x": partial(standardised, lambda model, z: np.stack([z, np.abs(z)], axis=1)),
    "score": partial(standardised, lambda model, z: model.scores(z)),
    **{f"x to x^{degree}": partial(powers, degree) for degree in (3, 7, 11)},
    **{f"splines, {knots} knots": partial(splines, knots) for knots in (5, 10, 40)},
}


def efficiency(model: Model, discriminator: str) -> Any:
    """Return the efficiency of (3) for each parameter as m / n grows; nan where G does not identify them all."""
    u, w = model.integral()
    rows = model.distribution.ppf((np.arange(2_000) + 0.5) / 2_000)
    phi = DISCRIMINATORS[discriminator](model, rows)(u)
    phi = phi - w @ phi
    root = np.sqrt(w)[:, None]
    size = np.sqrt(w @ phi**2)
    explained, *_ = np.linalg.lstsq(root * phi / size, root * model.scores(u), rcond=1e-12)
    fitted = phi / size @ explained
    information = fitted.T @ (w[:, None] * fitted)  # G' Σ⁻¹ G: the part of the scores that the features explain
    if np.linalg.matrix_rank(information, tol=1e-8) < len(information) or not np.all(np.isfinite(information)):
        return np.full(len(information), np.nan)
    return 1 / np.diag(np.linalg.inv(information)) / model.information


def value(real: Any, fake: Any, start: Any = None) -> tuple[float, Any]:
    """Return max_λ mean log σ(λ₀ + λ'φ(x)) + mean log σ(-λ₀ - λ'φ(y)) over features (n, p), (m, p), and λ, by Newton."""
    phi = np.column_stack([np.ones(len(real) + len(fake)), np.concatenate([real, fake])])
    phi /= np.abs(phi).max(axis=0)
    sign = np.repeat([1.0, -1.0], [len(real), len(fake)])
    w = np.repeat([1 / len(real), 1 / len(fake)], [len(real), len(fake)])
    weights, reached = np.zeros(phi.shape[1]), -2 * np.log(2)
    if start is not None and (known := _mean(w, sign * (phi @ start))) > reached:
        weights, reached = start, known
    for _ in range(100):
        if reached > SEPARATED:
            break
        p = expit(-sign * (phi @ weights))
        slope = phi.T @ (w * sign * p)
        curvature = (phi * (w * p * (1 - p))[:, None]).T @ phi
        curvature.flat[:: len(curvature) + 1] += 1e-9 * np.trace(curvature) / len(curvature)  # may be singular
        step, length = np.linalg.solve(curvature, slope), 1.0
        while (next_ := _mean(w, sign * (phi @ (weights + length * step)))) < reached and length > 1e-6:
            length /= 2
        weights, reached = weights + length * step, next_
        if slope @ step < 1e-7:  # twice what was to be gained; after the step, of the order of its square
            break
    return reached, weights


def _mean(w: Any, t: Any) -> float:
    return -float(w @ np.logaddexp(0, -t))


def adversarial(model: Model, discriminator: str, x: Any, u: Any) -> Any:
    """Return θ̂ of (1), starting where medians and quartiles agree."""
    features = DISCRIMINATORS[discriminator](model, x)
    real, weights = features(x), [None]

    def profile(theta: Any) -> float:
        if len(theta) > 1 and theta[1] <= 0:
            return 0.0
        found, weights[0] = value(real, features(model.made(theta, u)), weights[0])
        return found

    return _least(model, profile, x, u)


def oracle(model: Model, x: Any, u: Any) -> Any:
    """Return θ̂ of (1) with D = p₀ / (p₀ + p_θ), which knows the truth, in place of the best D on the rows."""

    def profile(theta: Any) -> float:
        if len(theta) > 1 and theta[1] <= 0:
            return 0.0
        y = model.made(theta, u)
        odds = [model.log_density(v, model.truth) - model.log_density(v, theta) for v in (x, y)]
        return -float(np.logaddexp(0, -odds[0]).mean() + np.logaddexp(0, odds[1]).mean())

    return _least(model, profile, x, u)


def rough(model: Model, x: Any, u: Any) -> Any:
    """Return θ for which medians and quartiles agree."""
    width = np.subtract(*np.quantile(x, [0.75, 0.25])) / np.subtract(*np.quantile(u, [0.75, 0.25]))
    width = width if len(model.information) > 1 else 1.0
    return np.array([np.median(x) - width * np.median(u), width])[: len(model.information)]


def _least(model: Model, profile: Callable[[Any], float], x: Any, u: Any) -> Any:
    """Minimise on a grid about where medians and quartiles agree, then by the method of Brent, or Nelder and Mead."""
    k, start = len(model.information), rough(model, x, u)
    step = model.bound * np.sqrt(1 / len(x) + 1 / len(u)) * (start[1] if k > 1 else 1.0)
    best = min(start + step * np.array(list(product(GRIDS[k - 1], repeat=k))), key=profile)
    if k == 1:
        ends = best[0] - step[0], best[0] + step[0]
        found = minimize_scalar(lambda at: profile([at]), bounds=ends, method="bounded", options={"xatol": 5e-3 * step[0]})
        return np.array([found.x])
    simplex = np.concatenate([best[None], best + np.diag(step / 2)])
    options = {"initial_simplex": simplex, "xatol": 5e-3 * step.min(), "fatol": 3e-7}
    return minimize(profile, best, method="Nelder-Mead", options=options).x


def likeliest(model: Model, x: Any) -> Any:
    """Return maximum-likelihood estimates (R, k) of R data sets x (R, n)."""
    if model.distribution.dist.name == "norm":
        place = x.mean(axis=1)
        return np.stack([place, x.std(axis=1)], axis=1)[:, : len(model.information)]
    starts = np.quantile(x, np.linspace(0, 1, 9), axis=1)  # Student's likelihood may have more than one maximum
    heights = np.stack([model.distribution.logpdf(x - at[:, None]).sum(axis=1) for at in starts])
    place = np.take_along_axis(starts, heights.argmax(axis=0)[None], axis=0)[0]
    for _ in range(200):  # θ ← Σ w x / Σ w with w = slope(u) / u: no step lowers the likelihood
        u = x - place[:, None]
        w = model.slope(u) / np.where(u == 0, 1.0, u)
        w = np.where(u == 0, model.slope(1e-6) / 1e-6, w)
        step = (w * u).sum(axis=1) / w.sum(axis=1)
        place = place + step
        if np.abs(step).max() < 1e-10:
            break
    return place[:, None]
