"""Pairs of distributions with exact log-odds and a divergence of one's choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from turinglearn.datasets import Mixture, banana, bits, gaussian, mixture, ring, student_t
from turinglearn.metrics.inputs import Floats, SeedLike, positive, whole
from turinglearn.protocols import Array, Batch, Rng

__all__ = ["FAMILIES", "Distribution", "Pair", "pair"]


class Distribution(Protocol):
    """A distribution that can be drawn from, and whose density is known, such as those of `turinglearn.datasets`."""

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        ...

    def sample(self, n: int, random_state: SeedLike = None) -> Floats:
        """Draw n samples, (n, dimension)."""
        ...

    def log_density(self, x: Array) -> Floats:
        """Return the log-density (n,) at x (n, dimension)."""
        ...


@dataclass(frozen=True)
class Pair:
    """A real distribution p and a fake distribution q, both known.

    Parameters
    ----------
    p, q : Distribution
        The distributions, with the same number of features.
    name : str
        Name of the pair.
    kl : float or None
        KL(p ‖ q) in nats, exact; None if it is not known, and `divergences` estimates it.
    """

    p: Distribution
    q: Distribution
    name: str = "pair"
    kl: float | None = None

    def __post_init__(self) -> None:
        if self.p.dimension != self.q.dimension:
            raise ValueError(
                f"p has {self.p.dimension} features and q has {self.q.dimension}; expected the same "
                "number. Choose distributions of one space."
            )

    @property
    def dimension(self) -> int:
        """Number of features of a sample."""
        return self.p.dimension

    def log_odds(self, x: Array) -> Floats:
        """Return r(x) = log p(x) / q(x), (n,), at x (n, d): the log-odds of the best discriminator."""
        return self.p.log_density(x) - self.q.log_density(x)

    def draw(self, n: int, rng: Rng) -> tuple[Batch, Batch]:
        """Draw n real and n fake samples: a training set."""
        return Batch(self.p.sample(n, rng)), Batch(self.q.sample(n, rng))

    def points(self, n: int, rng: Rng) -> Floats:
        """Draw n points of m = (p + q) / 2, (n, d): half of them from each, rounded up for p."""
        return np.concatenate((self.p.sample(n - n // 2, rng), self.q.sample(n // 2, rng)))


def pair(family: str, dimension: int, kl: float) -> Pair:
    """Make a pair of distributions with known log-odds and KL(p ‖ q) = kl nats, to a relative error of 1e-6.

    The families, p against q, are:

    - ``shifted``: N(0, I) against N(δu, I), u the diagonal; kl = δ²/2.
    - ``scaled``: N(0, I) against the narrower N(0, s²I).
    - ``correlated``: a Gaussian whose neighbouring features correlate by ρ, as in an autoregression, against N(0, I); from
      two dimensions on. kl = -(d - 1)/2 log(1 - ρ²).
    - ``mixture``: two round Gaussians at ±2 on the first axis against the same, shifted along that axis.
    - ``student``: independent t with 3 degrees of freedom against the same, shifted along the diagonal.
    - ``bits``: fair bits against biased ones; log-odds have d + 1 values.
    - ``ring``: eight Gaussians (σ = .15) on a circle against a larger circle of them; two dimensions.
    - ``banana``: a Gaussian bent by b against N(0, I); from two dimensions on. kl = b².

    The largest kl is 10 nats for each correlation of ``correlated`` and for each bit of ``bits``, and 1,000 in all for the
    others. Beyond that, floating-point numbers are not precise enough.

    Parameters
    ----------
    family : str
        Name of the family, a key of `FAMILIES`.
    dimension : int
        Number of features.
    kl : float
        KL(p ‖ q) in nats.

    Returns
    -------
    Pair

    Raises
    ------
    ValueError
        For a family that does not exist, or not in that dimension, or that does not reach kl.
    """
    d, kl = whole(dimension, "dimension"), positive(kl, "kl")
    if family not in FAMILIES:
        raise ValueError(f"There is no family {family!r} of pairs. Choose among: {', '.join(FAMILIES)}.")
    least, most = _DIMENSIONS.get(family, (1, None))
    if d < least or (most is not None and d > most):
        wanted = f"{least}" if most == least else f"at least {least}"
        raise ValueError(f"pair({family!r}, dimension={d}): this family takes {wanted} dimensions.")
    largest = _LARGEST_KL[family](d) if family in _LARGEST_KL else 1_000.0
    if kl > largest:
        raise ValueError(
            f"pair({family!r}, dimension={d}, kl={kl:g}): this family reaches {largest:.0f} nats there. Choose a smaller kl."
        )
    return FAMILIES[family](d, kl)


def _shifted(d: int, kl: float) -> Pair:
    delta = math.sqrt(2 * kl / d)
    return Pair(gaussian(np.zeros(d), np.eye(d)), gaussian(np.full(d, delta), np.eye(d)), "shifted", kl)


def _scaled(d: int, kl: float) -> Pair:
    def divergence(log_s: float) -> float:
        return d * (0.5 * math.expm1(-2 * log_s) + log_s)  # d/2 (1/s² - 1 + log s²)

    s = math.exp(_solve(divergence, kl, -1))
    return Pair(gaussian(np.zeros(d), np.eye(d)), gaussian(np.zeros(d), s * s * np.eye(d)), "scaled", kl)


def _correlated(d: int, kl: float) -> Pair:
    rho = math.sqrt(-math.expm1(-2 * kl / (d - 1)))
    steps = np.abs(np.arange(d)[:, None] - np.arange(d))
    return Pair(gaussian(np.zeros(d), rho**steps), gaussian(np.zeros(d), np.eye(d)), "correlated", kl)


def _mixture(d: int, kl: float) -> Pair:
    along = np.zeros(d)
    along[0] = 1.0

    def distribution(shift: float, dimension: int = d) -> Mixture:
        axis = along[:dimension]
        return mixture([0.5, 0.5], [(shift - 2) * axis, (shift + 2) * axis], np.tile(np.eye(dimension), (2, 1, 1)))

    shift = _solve(lambda shift: _gaussians(distribution(0.0, 1), distribution(shift, 1)), kl, 1)  # the other axes are equal
    return Pair(distribution(0.0), distribution(shift), "mixture", kl)


def _student(d: int, kl: float) -> Pair:
    u, w = _legendre(2_000)
    z = student.ppf((1 + u) / 2, 3)  # Σ w/2 f(z) is the expectation of f under t

    def divergence(shift: float) -> float:
        return float(d * np.sum(w / 2 * (student.logpdf(z, 3) - student.logpdf(z - shift, 3))))

    return Pair(student_t(3, np.zeros(d)), student_t(3, np.full(d, _solve(divergence, kl, 1))), "student", kl)


@cache
def _legendre(nodes: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of the Gauss-Legendre rule on [-1, 1], which take a second to compute."""
    return np.polynomial.legendre.leggauss(nodes)


def _bits(d: int, kl: float) -> Pair:
    gap = math.sqrt(-math.expm1(-2 * kl / d))  # kl = -d/2 log(1 - gap²), probabilities (1 ± gap)/2
    return Pair(bits(np.full(d, 0.5)), bits(np.full(d, (1 + gap) / 2)), "bits", kl)


def _ring(d: int, kl: float) -> Pair:
    p = ring(8, 1.0, 0.15)
    growth = _solve(lambda growth: _gaussians(p, ring(8, 1 + growth, 0.15)), kl, 1)
    return Pair(p, ring(8, 1 + growth, 0.15), "ring", kl)


def _banana(d: int, kl: float) -> Pair:
    return Pair(banana(math.sqrt(kl), d), gaussian(np.zeros(d), np.eye(d)), "banana", kl)


FAMILIES: dict[str, Callable[[int, float], Pair]] = {
    "shifted": _shifted,
    "scaled": _scaled,
    "correlated": _correlated,
    "mixture": _mixture,
    "student": _student,
    "bits": _bits,
    "ring": _ring,
    "banana": _banana,
}
_LARGEST_KL: dict[str, Callable[[int], float]] = {"correlated": lambda d: 10.0 * (d - 1), "bits": lambda d: 10.0 * d}
_DIMENSIONS: dict[str, tuple[int, int | None]] = {"correlated": (2, None), "ring": (2, 2), "banana": (2, None)}


def _solve(divergence: Callable[[float], float], kl: float, sign: int) -> float:
    """Return the parameter, of this sign, at which a divergence that increases from 0 on is kl."""
    far = 1.0
    while divergence(sign * far) < kl:
        far *= 2
    return sign * float(brentq(lambda size: divergence(sign * size) - kl, 0.0, far, xtol=1e-12, rtol=1e-12))


def _gaussians(p: Mixture, q: Mixture) -> float:
    """Return KL(p ‖ q) of two mixtures of round Gaussians in one or two dimensions, by the trapezoid rule on each of p's.

    The error falls exponentially in the number of nodes (Trefethen and Weideman, SIAM Review 2014). In one dimension, where
    distributions are close, that of the Gauss-Hermite rule with the same number is 1,000 times as large.
    """
    z = np.linspace(-8, 8, 65)
    w = np.exp(-(z**2) / 2)
    nodes = np.stack(np.meshgrid(*[z] * p.dimension, indexing="ij"), axis=-1).reshape(-1, p.dimension)
    weights = np.prod(np.stack(np.meshgrid(*[w / w.sum()] * p.dimension, indexing="ij"), axis=-1).reshape(nodes.shape), axis=1)
    x = (p.modes[:, None] + p.factors[0, 0, 0] * nodes).reshape(-1, p.dimension)
    ratio = (p.log_density(x) - q.log_density(x)).reshape(len(p.modes), -1)
    return float(p.weights @ ratio @ weights)
