"""Pairs of laws with exact log-odds, and a dial that sets how far apart they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from turinglearn.datasets import banana, bits, gaussian, mixture, ring, student_t
from turinglearn.metrics.inputs import positive, whole
from turinglearn.protocols import Array, Batch, Rng

__all__ = ["FAMILIES", "Law", "Pair", "pair"]


class Law(Protocol):
    """A law that can be drawn from, and whose density is known; the problems of `turinglearn.datasets` are such laws."""

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        ...

    def sample(self, n: int, random_state: Any = None) -> Any:
        """n samples, (n, dimension)."""
        ...

    def log_density(self, x: Array) -> Any:
        """The log-density at x (n, dimension), (n,)."""
        ...


@dataclass(frozen=True)
class Pair:
    """A genuine law p and a counterfeit law q, both known.

    kl is KL(p ‖ q) in nats, exact; None for laws of one's own, of which `divergences` finds it.
    """

    p: Law
    q: Law
    name: str = "pair"
    kl: float | None = None

    def __post_init__(self) -> None:
        if self.p.dimension != self.q.dimension:
            raise ValueError(
                f"p has {self.p.dimension} features and q has {self.q.dimension}; expected as many. Choose laws of one space."
            )

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        return self.p.dimension

    def log_odds(self, x: Array) -> Any:
        """r(x) = log p(x) / q(x) at x (n, d), (n,): what the best judge says."""
        return self.p.log_density(x) - self.q.log_density(x)

    def draw(self, n: int, rng: Rng) -> tuple[Batch, Batch]:
        """n genuine and n counterfeit samples: a training set."""
        return Batch(self.p.sample(n, rng)), Batch(self.q.sample(n, rng))

    def points(self, n: int, rng: Rng) -> Any:
        """n points of m = (p + q) / 2, (n, d), half of them of each, rounded up."""
        return np.concatenate((self.p.sample(n - n // 2, rng), self.q.sample(n // 2, rng)))


def pair(family: str, dimension: int, kl: float) -> Pair:
    """The pair of this family in this many dimensions with KL(p ‖ q) = kl nats, to 1e-6 of it.

    Families, p against q:

    - ``shifted``: N(0, I) against N(δu, I), u the diagonal; kl = δ²/2.
    - ``scaled``: N(0, I) against the narrower N(0, s²I).
    - ``correlated``: a Gaussian whose neighbouring features correlate by ρ, as in an autoregression, against N(0, I); from
      two dimensions on. kl = -(d - 1)/2 log(1 - ρ²).
    - ``mixture``: two round Gaussians at ±2 on the first axis against the same, moved along that axis.
    - ``student``: independent t with 3 degrees of freedom against the same, moved along the diagonal.
    - ``bits``: fair coins against biased ones; log-odds take d + 1 values.
    - ``ring``: eight Gaussians (σ = .15) on a circle against a larger circle of them; two dimensions.
    - ``banana``: a Gaussian bent by b against N(0, I); from two dimensions on. kl = b².

    ValueError for a family that does not exist, or not in that dimension, or that does not reach kl: 10 nats for each
    correlation of ``correlated`` and each coin of ``bits``, 1,000 in all for the others. Beyond, numbers run out of digits.
    """
    d, kl = whole(dimension, "dimension"), positive(kl, "kl")
    if family not in FAMILIES:
        raise ValueError(f"There is no family {family!r} of pairs. Choose among: {', '.join(FAMILIES)}.")
    least, most = _DIMENSIONS.get(family, (1, None))
    if d < least or (most is not None and d > most):
        wanted = f"{least}" if most == least else f"at least {least}"
        raise ValueError(f"pair({family!r}, dimension={d}): this family takes {wanted} dimensions.")
    reach = _REACH[family](d) if family in _REACH else 1_000.0
    if kl > reach:
        raise ValueError(
            f"pair({family!r}, dimension={d}, kl={kl:g}): this family reaches {reach:.0f} nats there. Choose a smaller kl."
        )
    return FAMILIES[family](d, kl)


def _shifted(d: int, kl: float) -> Pair:
    delta = math.sqrt(2 * kl / d)
    return Pair(gaussian(np.zeros(d), np.eye(d)), gaussian(np.full(d, delta), np.eye(d)), "shifted", kl)


def _scaled(d: int, kl: float) -> Pair:
    def divergence(log_s: float) -> float:
        return d * (0.5 * math.expm1(-2 * log_s) + log_s)  # d/2 (1/s² - 1 + log s²)

    s = math.exp(_dial(divergence, kl, -1))
    return Pair(gaussian(np.zeros(d), np.eye(d)), gaussian(np.zeros(d), s * s * np.eye(d)), "scaled", kl)


def _correlated(d: int, kl: float) -> Pair:
    rho = math.sqrt(-math.expm1(-2 * kl / (d - 1)))
    steps = np.abs(np.arange(d)[:, None] - np.arange(d))
    return Pair(gaussian(np.zeros(d), rho**steps), gaussian(np.zeros(d), np.eye(d)), "correlated", kl)


def _mixture(d: int, kl: float) -> Pair:
    along = np.zeros(d)
    along[0] = 1.0

    def law(move: float, dimension: int = d) -> Any:
        axis = along[:dimension]
        return mixture([0.5, 0.5], [(move - 2) * axis, (move + 2) * axis], np.tile(np.eye(dimension), (2, 1, 1)))

    move = _dial(lambda move: _gaussians(law(0.0, 1), law(move, 1)), kl, 1)  # the other axes are alike
    return Pair(law(0.0), law(move), "mixture", kl)


def _student(d: int, kl: float) -> Pair:
    u, w = _legendre(2_000)
    z = student.ppf((1 + u) / 2, 3)  # Σ w/2 f(z) is the expectation of f under t

    def divergence(move: float) -> float:
        return float(d * np.sum(w / 2 * (student.logpdf(z, 3) - student.logpdf(z - move, 3))))

    return Pair(student_t(3, np.zeros(d)), student_t(3, np.full(d, _dial(divergence, kl, 1))), "student", kl)


@cache
def _legendre(nodes: int) -> tuple[Any, Any]:
    """Nodes and weights of Gauss and Legendre's rule on [-1, 1]; they take a second."""
    return np.polynomial.legendre.leggauss(nodes)


def _bits(d: int, kl: float) -> Pair:
    gap = math.sqrt(-math.expm1(-2 * kl / d))  # kl = -d/2 log(1 - gap²), chances (1 ± gap)/2
    return Pair(bits(np.full(d, 0.5)), bits(np.full(d, (1 + gap) / 2)), "bits", kl)


def _ring(d: int, kl: float) -> Pair:
    p = ring(8, 1.0, 0.15)
    growth = _dial(lambda growth: _gaussians(p, ring(8, 1 + growth, 0.15)), kl, 1)
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
_REACH: dict[str, Callable[[int], float]] = {"correlated": lambda d: 10.0 * (d - 1), "bits": lambda d: 10.0 * d}
_DIMENSIONS: dict[str, tuple[int, int | None]] = {"correlated": (2, None), "ring": (2, 2), "banana": (2, None)}


def _dial(divergence: Callable[[float], float], kl: float, sign: int) -> float:
    """The setting, of this sign, at which a divergence that rises from 0 on reaches kl."""
    far = 1.0
    while divergence(sign * far) < kl:
        far *= 2
    return sign * float(brentq(lambda size: divergence(sign * size) - kl, 0.0, far, xtol=1e-12, rtol=1e-12))


def _gaussians(p: Any, q: Any) -> float:
    """KL(p ‖ q) of two mixtures of round Gaussians in one or two dimensions, by the trapezoid rule on each of p's.

    Its error falls exponentially in the number of nodes (Trefethen & Weideman, SIAM Review 2014): in one dimension, where laws
    are close, that of Gauss and Hermite's rule with as many is 1,000 times as large.
    """
    z = np.linspace(-8, 8, 65)
    w = np.exp(-(z**2) / 2)
    nodes = np.stack(np.meshgrid(*[z] * p.dimension, indexing="ij"), axis=-1).reshape(-1, p.dimension)
    weights = np.prod(np.stack(np.meshgrid(*[w / w.sum()] * p.dimension, indexing="ij"), axis=-1).reshape(nodes.shape), axis=1)
    x = (p.modes[:, None] + p.sigma * nodes).reshape(-1, p.dimension)
    ratio = (p.log_density(x) - q.log_density(x)).reshape(len(p.modes), -1)
    return float(p.weights @ ratio @ weights)
