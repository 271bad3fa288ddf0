"""The game's losses as functions of scores, their slopes, and their values at equilibrium.

An objective is two choices: the criterion that a trained judge descends, and the loss that the generator descends. Slopes
stand apart from values, since a round needs slopes and only its reader needs values. r is the score of a counterfeit, and
where a criterion or a loss needs it, the type of r says what it must mean (see `turinglearn.protocols`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit

from turinglearn.arrays import namespace
from turinglearn.protocols import Array, LogOdds, LogRatio, Scores

__all__ = [
    "DiscriminatorObjective",
    "ForwardKL",
    "GeneratorObjective",
    "Hinge",
    "LeastSquares",
    "LeastSquaresLoss",
    "LinearLoss",
    "Logistic",
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "RelativisticLoss",
    "ReverseKL",
    "Wasserstein",
    "meaning",
    "sigmoid",
    "softplus",
]


def meaning(player: Any) -> type[Scores]:
    """What the scores of a player with a criterion mean. Raises TypeError for what is no criterion."""
    criterion = player.criterion
    if isinstance(criterion, type) or not hasattr(criterion, "makes"):
        raise TypeError(
            f"{type(player).__name__}(criterion={criterion!r}): expected a judge's criterion from turinglearn.objectives, such "
            "as Logistic() or Hinge(). A generator's loss goes to Game(objective=...)."
        )
    made: type[Scores] = criterion.makes
    return made


def softplus(r: Array) -> Array:
    """log(1 + e^r), finite for every finite r."""
    xp = namespace(r)
    return xp.logaddexp(r, xp.zeros_like(r))


def sigmoid(r: Array) -> Array:
    """1 / (1 + e^-r), finite for every finite r."""
    if type(r) is np.ndarray:
        return expit(r)
    xp = namespace(r)
    return xp.sigmoid(r) if hasattr(xp, "sigmoid") else xp.exp(-softplus(-r))


class GeneratorObjective(Protocol):
    """What the generator descends: a loss for each counterfeit, given its score."""

    @property
    def reads(self) -> type[Scores]:
        """The least that a score must mean."""
        ...

    @property
    def equilibrium(self) -> float:
        """The mean loss where q = p; nan where a critic's level is free."""
        ...

    @property
    def compares(self) -> bool:
        """Whether each counterfeit is compared with a genuine sample, whose score is then the reference."""
        ...

    def losses(self, r: Array, reference: Array | None) -> Array:
        """l(r), (n,)."""
        ...

    def slopes(self, r: Array, reference: Array | None) -> Array:
        """dl/dr, (n,)."""
        ...


class DiscriminatorObjective(Protocol):
    """What a trained judge descends: a criterion on the scores of genuine and counterfeit samples."""

    @property
    def makes(self) -> type[Scores]:
        """What a score means at the optimum."""
        ...

    @property
    def equilibrium(self) -> float:
        """The criterion's value where q = p and the judge is the best one."""
        ...

    @property
    def clip(self) -> float | None:
        """The bound on every parameter, for critics that are kept Lipschitz by weight clipping."""
        ...

    @property
    def partner(self) -> GeneratorObjective:
        """The generator's loss that usually goes with it."""
        ...

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion, a mean over each class, so that the counts of the classes do not matter."""
        ...

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """d value / d real, (n,), and d value / d fake, (m,)."""
        ...


# --------------------------------------------------------------------------------------------------- generator's losses
@dataclass(frozen=True)
class Minimax:
    """l = log(1 - D) = -softplus(r). Saturates where the judge is sure. Goodfellow et al. (2014), eq. 1."""

    reads = LogOdds
    compares = False
    equilibrium = -math.log(2)

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """-softplus(r), (n,)."""
        return -softplus(r)

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-sigmoid(r), (n,)."""
        return -sigmoid(r)


@dataclass(frozen=True)
class NonSaturating:
    """l = -log D = softplus(-r). Goodfellow et al. (2014), section 3."""

    reads = LogOdds
    compares = False
    equilibrium = math.log(2)

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """softplus(-r), (n,)."""
        return softplus(-r)

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-sigmoid(-r), (n,)."""
        return -sigmoid(-r)


@dataclass(frozen=True)
class LinearLoss:
    """l = -r, for critics (hinge, Wasserstein): Lim & Ye (2017), Arjovsky et al. (2017). The level of r is free."""

    reads: type[Scores] = Scores
    equilibrium: float = math.nan
    compares = False

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """-r, (n,)."""
        return -r

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-1, (n,)."""
        return -namespace(r).ones_like(r)


@dataclass(frozen=True)
class ReverseKL(LinearLoss):
    """l = -r, whose mean under q is KL(q || p) when r = log p/q. Mohamed & Lakshminarayanan (2016)."""

    reads: type[Scores] = LogRatio
    equilibrium: float = 0.0


@dataclass(frozen=True)
class ForwardKL:
    """l = -e^r, whose pathwise gradient at the best judge is that of KL(p || q). Nowozin et al. (2016).

    An unknown constant in r scales every loss alike. Importance weights descend the same divergence.
    """

    reads = LogRatio
    compares = False
    equilibrium = -1.0

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """-e^r, (n,)."""
        return -namespace(r).exp(r)

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-e^r, (n,)."""
        return -namespace(r).exp(r)


@dataclass(frozen=True)
class LeastSquaresLoss:
    """l = (r - 1)^2 / 2, for a critic that regresses 1 on genuine and 0 on counterfeit. Mao et al. (2017), eq. 9."""

    reads = Scores
    compares = False
    equilibrium = 1 / 8

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """(r - 1)^2 / 2, (n,)."""
        return (r - 1) ** 2 / 2

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """r - 1, (n,)."""
        return r - 1


@dataclass(frozen=True)
class RelativisticLoss:
    """l_i = softplus(r'_i - r_i): counterfeit i should pass for more genuine than genuine i. Jolicoeur-Martineau (2019)."""

    reads = Scores
    compares = True
    equilibrium = math.log(2)

    def losses(self, r: Array, reference: Array | None) -> Array:
        """softplus(r' - r), (n,)."""
        return softplus(reference - r)

    def slopes(self, r: Array, reference: Array | None) -> Array:
        """-sigmoid(r' - r), (n,)."""
        return -sigmoid(reference - r)


# ---------------------------------------------------------------------------------------------------- judge's criteria
def _mean(values: Array) -> Any:
    return namespace(values).mean(values)


@dataclass(frozen=True)
class Logistic:
    """E softplus(-r) + E softplus(r'), genuine r and counterfeit r': log-loss. Goodfellow et al. (2014), eq. 1, negated.

    At the best judge it is log 4 - 2 JSD(p, q), and r = log p/q.
    """

    makes = LogOdds
    equilibrium = 2 * math.log(2)
    clip = None
    partner = NonSaturating()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        return _mean(softplus(-real)) + _mean(softplus(fake))

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        return -sigmoid(-real) / real.shape[-1], sigmoid(fake) / fake.shape[-1]


@dataclass(frozen=True)
class LeastSquares:
    """E (r - 1)^2 / 2 + E r'^2 / 2: regression of 1 on genuine and 0 on counterfeit. Mao et al. (2017), eq. 9."""

    makes = Scores
    equilibrium = 1 / 4
    clip = None
    partner = LeastSquaresLoss()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        return _mean((real - 1) ** 2) / 2 + _mean(fake**2) / 2

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        return (real - 1) / real.shape[-1], fake / fake.shape[-1]


@dataclass(frozen=True)
class Hinge:
    """E max(0, 1 - r) + E max(0, 1 + r'). Lim & Ye (2017)."""

    makes = Scores
    equilibrium = 2.0
    clip = None
    partner = LinearLoss()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        xp = namespace(real)
        return _mean(xp.where(real < 1, 1 - real, xp.zeros_like(real))) + _mean(
            xp.where(fake > -1, 1 + fake, xp.zeros_like(fake))
        )

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        xp = namespace(real)
        return (
            -xp.astype(real < 1, real.dtype) / real.shape[-1],
            xp.astype(fake > -1, fake.dtype) / fake.shape[-1],
        )


@dataclass(frozen=True)
class Wasserstein:
    """E r' - E r over critics whose parameters are clipped to [-clip, clip]. Arjovsky et al. (2017), algorithm 1.

    None for critics that are kept from growing steep by other means: a gradient penalty (Gulrajani et al. 2017), or spectral
    normalisation. Without any the criterion has no minimum.
    """

    clip: float | None = 0.01

    makes = Scores
    equilibrium = 0.0
    partner = LinearLoss()

    def __post_init__(self) -> None:
        number = isinstance(self.clip, int | float)
        if self.clip is not None and not (number and 0 < self.clip < math.inf):
            raise ValueError(
                f"Wasserstein(clip={self.clip!r}): expected a positive bound on the critic's parameters, such as 0.01; or "
                "None, where a gradient penalty or spectral normalisation takes its place."
            )

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        return _mean(fake) - _mean(real)

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        xp = namespace(real)
        return -xp.ones_like(real) / real.shape[-1], xp.ones_like(fake) / fake.shape[-1]


@dataclass(frozen=True)
class Relativistic:
    """E softplus(r'_i - r_i) over pairs of genuine and counterfeit. Jolicoeur-Martineau (2019). At its optimum
    r = log p/q plus a constant.
    """

    makes = LogRatio
    equilibrium = math.log(2)
    clip = None
    partner = RelativisticLoss()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion; the two classes are paired in their order."""
        self._check(real, fake)
        return _mean(softplus(fake - real))

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) each."""
        self._check(real, fake)
        s = sigmoid(fake - real) / real.shape[-1]
        return -s, s

    def _check(self, real: Array, fake: Array) -> None:
        if real.shape != fake.shape:
            raise ValueError(
                f"Relativistic pairs genuine with counterfeit samples, but got {real.shape[0]} and {fake.shape[0]}. "
                "Show the judge as many of the one as of the other."
            )
