"""Importance weights as feedback: for generators that are refitted to weighted samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import Array, like, namespace, to_numpy
from turinglearn.contract import name_of, score_samples
from turinglearn.objectives import ForwardKL, GeneratorObjective
from turinglearn.protocols import Batch, Discriminator, Generator, IncompatiblePlayers, LogRatio, Rng, Weights
from turinglearn.signals.signal import Estimator, ScoredFeedback, Signal

__all__ = ["ImportanceWeights", "WeightSignal", "effective_sample_size"]


@dataclass(frozen=True)
class ImportanceWeights(Estimator):
    """Weights w_i proportional to exp(r_i)^damping, with mean 1.

    Where the discriminator is so sure that few samples would carry all the weight, the exponent is lowered until the
    effective sample size (sum w)^2 / sum w^2 is at least a given share of the batch.

    Parameters
    ----------
    damping : float in (0, 1]
        The largest exponent.
    least_effective : float in [0, 1)
        The effective sample size, as a share of the batch, that is always kept.

    References
    ----------
    Hjelm et al. (2018), "Boundary-seeking generative adversarial networks"; tempering as in Del Moral et al. (2006).
    """

    damping: float = 1.0
    least_effective: float = 0.1

    serves = Weights

    def __post_init__(self) -> None:
        if not 0 < self.damping <= 1:
            raise ValueError(f"ImportanceWeights(damping={self.damping}): expected an exponent in (0, 1].")
        if not 0 <= self.least_effective < 1:
            raise ValueError(
                f"ImportanceWeights(least_effective={self.least_effective}): expected a share of the batch in [0, 1)."
            )

    def weights(self, r: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute weights (n,) of mean 1 from log-ratios r (n,)."""
        r = r - r.max()
        exponent, n = self.damping, len(r)
        if effective_sample_size(np.exp(exponent * r)) < self.least_effective * n:
            low, high = 0.0, exponent
            for _ in range(40):  # the effective sample size falls with the exponent: bisect
                exponent = (low + high) / 2
                if effective_sample_size(np.exp(exponent * r)) < self.least_effective * n:
                    high = exponent
                else:
                    low = exponent
            exponent = low
        w: NDArray[np.float64] = np.exp(exponent * r)
        return w / w.mean()


@dataclass(frozen=True)
class WeightSignal(Signal):
    """Importance weights: a step down KL(p || q). They need r = log p/q, up to a constant.

    Parameters
    ----------
    discriminator, objective
        As for every `Signal`; the objective is `ForwardKL`.
    importance : ImportanceWeights
        How weights are made of log-ratios.
    """

    importance: ImportanceWeights

    serves = Weights

    @classmethod
    def bind(
        cls,
        generator: Generator,
        discriminator: Discriminator,
        objective: GeneratorObjective | None,
        estimator: Estimator | None,
        *,
        replayed: bool,
    ) -> Signal:
        """Bind the signal; it needs log-ratios of the present fakes, and descends forward KL alone."""
        g, d, score_type = name_of(generator), name_of(discriminator), discriminator.score_type
        if not issubclass(score_type, LogRatio):
            raise IncompatiblePlayers(
                f"{g} learns from weights e^r, which need r = log p/q, but {d} gives {score_type.__name__}, which are an order "
                "only. Choose a discriminator that gives log-odds, or an update rule that learns from losses or gradients."
            )
        if objective is not None and not isinstance(objective, ForwardKL):
            raise IncompatiblePlayers(
                f"{g} learns from weights, which always descend KL(p || q), but the objective is {type(objective).__name__}. "
                "Leave objective out, or pass ForwardKL()."
            )
        if replayed:
            raise IncompatiblePlayers(
                f"{g} learns from weights, which need log p/q of its present samples, but with replay, or where it is fitted "
                f"to its history, {d} gives log p/q_fit, q_fit being the mixture with past fakes. Leave replay or incremental "
                "out, or learn from losses or gradients."
            )
        importance = estimator if isinstance(estimator, ImportanceWeights) else ImportanceWeights()
        return cls(discriminator, cls.checked_objective(discriminator, objective), importance)

    @classmethod
    def usual_objective(cls, discriminator: Discriminator) -> GeneratorObjective:
        """Return forward KL, which weighted refits descend."""
        return ForwardKL()

    def __call__(self, fake: Batch, real: Batch, rng: Rng) -> ScoredFeedback:
        """Compute the weights (n,), in the library and on the device of the fakes."""
        scores = score_samples(self.discriminator, fake)
        w = self.importance.weights(np.asarray(to_numpy(scores.values), dtype=float))
        xp = namespace(fake.x)
        return ScoredFeedback(Weights(w if xp is np else like(w, fake.x)), scores, None)

    @property
    def estimator(self) -> ImportanceWeights:
        """The importance weights."""
        return self.importance


def effective_sample_size(w: Array) -> float:
    """Return (sum w)^2 / sum w^2: the number of equally weighted samples that are worth as much.

    Parameters
    ----------
    w : Array of shape (n,)
        Weights.

    References
    ----------
    Kong (1992), "A note on importance sampling using standardized weights".
    """
    host = np.asarray(to_numpy(w), dtype=float)
    return float(host.sum() ** 2 / (host**2).sum())
