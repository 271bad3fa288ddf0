"""The game's losses as functions of scores, their slopes, and their values at equilibrium.

An objective is two choices: the criterion that a trained discriminator descends, and the loss that the generator descends.
Slopes stand apart from values, since a round needs slopes and only its reader needs values. r is the score of a fake, and where
a criterion or a loss needs it, the type of r says what it must mean (see `turinglearn.protocols`).
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
    "losses_accepting",
    "score_type_of",
    "sigmoid",
    "softplus",
    "takes_rows",
]


def score_type_of(player: Any) -> type[Scores]:
    """Return the meaning of the scores of a player with a criterion; TypeError for what is not a criterion."""
    criterion = player.criterion
    if isinstance(criterion, type) or not hasattr(criterion, "score_type"):
        raise TypeError(
            f"{type(player).__name__}(criterion={criterion!r}): expected a discriminator's criterion from "
            "turinglearn.objectives, such as Logistic() or Hinge(). A generator's loss goes to Game(objective=...)."
        )
    made: type[Scores] = criterion.score_type
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
    """The loss that the generator descends: one number for each fake, given its score."""

    @property
    def requires(self) -> type[Scores]:
        """The least that a score must mean."""
        ...

    @property
    def equilibrium(self) -> float:
        """The mean loss where q = p; nan where a critic's level is free."""
        ...

    @property
    def pairwise(self) -> bool:
        """True if each fake is compared with a real sample, whose score is then the reference."""
        ...

    def losses(self, r: Array, reference: Array | None) -> Array:
        """l(r), (n,)."""
        ...

    def slopes(self, r: Array, reference: Array | None) -> Array:
        """dl/dr, (n,)."""
        ...


class DiscriminatorObjective(Protocol):
    """The loss that a trained discriminator descends: a criterion on the scores of real and fake samples."""

    @property
    def score_type(self) -> type[Scores]:
        """The type of the scores at the optimum."""
        ...

    @property
    def equilibrium(self) -> float:
        """The criterion's value where q = p and the discriminator is the best one."""
        ...

    @property
    def clip(self) -> float | None:
        """The bound on every parameter, for critics that are kept Lipschitz by weight clipping."""
        ...

    @property
    def default_generator_loss(self) -> GeneratorObjective:
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
    """l = log(1 - D) = -softplus(r). Saturates where the discriminator is sure. Goodfellow et al. (2014), eq. 1."""

    requires = LogOdds
    pairwise = False
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

    requires = LogOdds
    pairwise = False
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

    requires: type[Scores] = Scores
    equilibrium: float = math.nan
    pairwise = False

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """-r, (n,)."""
        return -r

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-1, (n,)."""
        return -namespace(r).ones_like(r)


@dataclass(frozen=True)
class ReverseKL(LinearLoss):
    """l = -r, whose mean under q is KL(q || p) when r = log p/q. Mohamed & Lakshminarayanan (2016)."""

    requires: type[Scores] = LogRatio
    equilibrium: float = 0.0


@dataclass(frozen=True)
class ForwardKL:
    """l = -e^r, whose pathwise gradient at the best discriminator is that of KL(p || q). Nowozin et al. (2016).

    An unknown constant in r scales every loss alike. Importance weights descend the same divergence.
    """

    requires = LogRatio
    pairwise = False
    equilibrium = -1.0

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """-e^r, (n,)."""
        return -namespace(r).exp(r)

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """-e^r, (n,)."""
        return -namespace(r).exp(r)


@dataclass(frozen=True)
class LeastSquaresLoss:
    """l = (r - 1)^2 / 2, for a critic that regresses 1 on real and 0 on fake. Mao et al. (2017), eq. 9."""

    requires = Scores
    pairwise = False
    equilibrium = 1 / 8

    def losses(self, r: Array, reference: Array | None = None) -> Array:
        """(r - 1)^2 / 2, (n,)."""
        return (r - 1) ** 2 / 2

    def slopes(self, r: Array, reference: Array | None = None) -> Array:
        """r - 1, (n,)."""
        return r - 1


@dataclass(frozen=True)
class RelativisticLoss:
    """l_i = softplus(r'_i - r_i): fake i should pass for more real than real i. Jolicoeur-Martineau (2019)."""

    requires = Scores
    pairwise = True
    equilibrium = math.log(2)

    def losses(self, r: Array, reference: Array | None) -> Array:
        """softplus(r' - r), (n,)."""
        return softplus(reference - r)

    def slopes(self, r: Array, reference: Array | None) -> Array:
        """-sigmoid(r' - r), (n,)."""
        return -sigmoid(reference - r)


# ---------------------------------------------------------------------------------------------------- discriminator's criteria
def _mean(values: Array) -> Any:
    return namespace(values).mean(values)


@dataclass(frozen=True)
class Logistic:
    """E softplus(-r) + E softplus(r'), real r and fake r': log-loss. Goodfellow et al. (2014), eq. 1, negated.

    At the best discriminator it is log 4 - 2 JSD(p, q), and r = log p/q.
    """

    score_type = LogOdds
    equilibrium = 2 * math.log(2)
    clip = None
    default_generator_loss = NonSaturating()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        return _mean(softplus(-real)) + _mean(softplus(fake))

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        return -sigmoid(-real) / real.shape[-1], sigmoid(fake) / fake.shape[-1]


@dataclass(frozen=True)
class LeastSquares:
    """E (r - 1)^2 / 2 + E r'^2 / 2: regression of 1 on real and 0 on fake. Mao et al. (2017), eq. 9."""

    score_type = Scores
    equilibrium = 1 / 4
    clip = None
    default_generator_loss = LeastSquaresLoss()

    def value(self, real: Array, fake: Array) -> Array:
        """The criterion."""
        return _mean((real - 1) ** 2) / 2 + _mean(fake**2) / 2

    def slopes(self, real: Array, fake: Array) -> tuple[Array, Array]:
        """Its slopes in the scores, (n,) and (m,)."""
        return (real - 1) / real.shape[-1], fake / fake.shape[-1]


@dataclass(frozen=True)
class Hinge:
    """E max(0, 1 - r) + E max(0, 1 + r'). Lim & Ye (2017)."""

    score_type = Scores
    equilibrium = 2.0
    clip = None
    default_generator_loss = LinearLoss()

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

    score_type = Scores
    equilibrium = 0.0
    default_generator_loss = LinearLoss()

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
    """E softplus(r'_i - r_i) over pairs of real and fake. Jolicoeur-Martineau (2019). At its optimum
    r = log p/q plus a constant.
    """

    score_type = LogRatio
    equilibrium = math.log(2)
    clip = None
    default_generator_loss = RelativisticLoss()

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
                f"Relativistic pairs real with fake samples, but got {real.shape[0]} and {fake.shape[0]}. "
                "Show the discriminator as many of the one as of the other."
            )


# Theirs take the scores of several games at once, (R, n), row by row; others are promised (n,).
_LOSSES = (ForwardKL, LeastSquaresLoss, LinearLoss, Minimax, NonSaturating, RelativisticLoss, ReverseKL)
_CRITERIA = (Hinge, LeastSquares, Logistic, Relativistic, Wasserstein)


def losses_accepting(score_type: type[Scores]) -> list[str]:
    """Return the names of the generator losses of this module that accept scores of this type."""
    return [loss.__name__ for loss in _LOSSES if issubclass(score_type, loss.requires)]


def takes_rows(objective: GeneratorObjective | DiscriminatorObjective) -> bool:
    """Return whether the objective takes the scores of several games at once, (R, n)."""
    return type(objective) in (*_LOSSES, *_CRITERIA)
